"""Runs a scenario: replicas in chunks, with progress and a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from dealermarket.draws.checks import fitted
from dealermarket.draws.files import Recorded
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import Tape, TapeSource
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.frozen import FrozenMapping
from dealermarket.model.scenario import Scenario, check_scenario
from dealermarket.policies import Policy
from dealermarket.runs.chunks import Simulator, chunks_of
from dealermarket.runs.executors import Executor, Job, Progress, Task, Work, running
from dealermarket.runs.folder import RunFolder, WrittenChunk
from dealermarket.runs.needs import Needs, check_memory, needs_of
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.tables import RECORD_LEVELS, Chunk, RecordLevel
from dealermarket.values import whole_number


@dataclass(frozen=True)
class RunJob(Job[Any]):
    """Chunks of a run, as the engine recorded them, or `written`: as they stand in a folder."""

    scenario: Scenario
    record: RecordLevel
    policies: Mapping[str, Policy]
    seed: int
    written: bool

    def prepare(self) -> Work[Any]:
        simulator, source = self.simulator(), TapeSource(self.scenario)
        simulator.load(source)

        def work(replicas: range, report: Progress) -> Chunk | WrittenChunk:
            chunk = simulator.run(replicas, source.draw(first_episodes(self.seed, replicas)), report)
            return WrittenChunk.of(self.scenario, self.record, chunk) if self.written else chunk

        return work

    def simulator(self) -> Simulator:
        """What runs its markets."""
        return Simulator(self.scenario, self.record, self.policies, self.seed)


@dataclass(frozen=True)
class SimulationRunner:
    """Runs independent markets of a scenario.

    A replica's numbers depend on (scenario, seed, replica) alone: not on how many run, on `threads`, or on `record`.

    Parameters
    ----------
    scenario : Scenario
        What is simulated.
    replicas : int, default 1
        How many markets are run, at most 100,000,000.
    seed : int, default 0
        Seed of all that is drawn.
    threads : int, default 1
        On how many threads, at most 1,024.
    record : {"summary", "steps", "trades", "requests"}, default "summary"
        What is recorded; each includes the former.
    policies : mapping of str to Policy, default {}
        Policies that act in place of the scenario's, by name of the maker; a run folder keeps their names alone.

    Raises
    ------
    ParameterError
        If one of these is not as it must be, or the scenario's file has too few prices for the replicas.
    PolicyError
        If a policy is none, cannot act as its maker, or there is no such maker.

    Examples
    --------
    >>> from dealermarket import Scenario, SimulationRunner
    >>> result = SimulationRunner(Scenario.load("paper"), replicas=20, seed=7).run()
    >>> sorted(result.statistics()) == ["maker-1", "maker-2"]
    True

    """

    scenario: Scenario
    replicas: int = 1
    seed: int = 0
    _: KW_ONLY
    threads: int = 1
    record: RecordLevel = "summary"
    policies: Mapping[str, Policy] = FrozenMapping()

    def __post_init__(self) -> None:
        checked = {
            "replicas": whole_number("replicas", self.replicas, 1, 100_000_000),
            "seed": whole_number("seed", self.seed, 0),
            "threads": whole_number("threads", self.threads, 1, 1024),
            "policies": FrozenMapping(self.policies),
        }
        if self.record not in RECORD_LEVELS:
            raise ParameterError(f"record: must be one of {', '.join(RECORD_LEVELS)}, got {self.record!r}")
        check_scenario(self.scenario)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        Recorded.of(self.scenario).check_replicas(self.replicas)  # fails here, before anything is written
        if self.scenario.policies or self.policies:
            from dealermarket.runs.session import acting_policies

            acting_policies(self.scenario, self.policies)  # fails here, before anything is written

    @classmethod
    def resume(
        cls,
        path: str | Path,
        threads: int = 1,
        policies: Mapping[str, Policy] | None = None,
        progress: Progress | None = None,
        executor: Executor | str | None = None,
    ) -> SimulationResult:
        """Finishes the interrupted run in a folder; its files get the bytes of an uninterrupted run.

        A complete run is returned as it is. Raises RunFolderError: also where a file of a complete run is not what was
        written, and where another process works in the folder.
        """
        folder = RunFolder.open(Path(path))
        if not folder.complete:
            with RunFolder.taken(Path(path)) as folder:
                if not folder.complete:
                    return cls.of(folder, threads, policies).finish(folder, progress, executor)
        folder.check_files()
        return SimulationResult(folder.scenario, folder.meta, folder)

    @classmethod
    def of(cls, folder: RunFolder, threads: int = 1, policies: Mapping[str, Policy] | None = None) -> SimulationRunner:
        """The runner of the run in a folder. Raises RunFolderError where it was run with policies for other makers."""
        meta, given = folder.meta, policies or {}
        if sorted(given) != meta["policies"]:
            raise RunFolderError(f"{folder.path}: was run with policies for {meta['policies']}; give the same to resume it")
        return cls(folder.scenario, meta["replicas"], meta["seed"], threads=threads, record=folder.record, policies=given)

    @property
    def market_steps(self) -> int:
        """How many steps of how many markets the run takes in all."""
        return self.replicas * self.scenario.steps

    def needs(self, in_memory: bool = False) -> Needs:
        """The time and the memory that the run takes, about: see `dealermarket.runs.needs`. `in_memory`: without a folder."""
        acting = len({*self.scenario.policies, *self.policies})
        return needs_of(self.scenario, self.replicas, self.threads, self.record, acting, in_memory)

    def run(
        self,
        out: str | Path | None = None,
        progress: Progress | None = None,
        tape: Tape | None = None,
        executor: Executor | str | None = None,
    ) -> SimulationResult:
        """Runs all replicas; with `out`, into a new run folder while it goes on, else in memory; on an `executor`, or as
        "processes:4" names one (see `executor_on`), in place of `threads`.

        With a `tape` those of the tape are run, on its numbers instead of drawn ones, at this scenario's exchange. Raises
        RunFolderError for a folder that cannot be written, ScenarioError where the scenario cannot, TapeError for a tape of
        another shape or whose numbers describe no market, ParameterError for a run that does not fit into memory.
        """
        if tape is not None:
            return self._run_tape(tape, out)
        if not isinstance(executor, Executor) or executor.is_here:
            check_memory(self.needs(in_memory=out is None), self.record, self.threads)
        if out is not None:
            with RunFolder.create(Path(out), self.scenario, self._meta()) as folder:
                return self.finish(folder, progress, executor)
        kept: list[Chunk] = []
        seconds = self._run_chunks(self._chunks(), self._job(written=False), kept.append, progress, executor)
        kept.sort(key=lambda chunk: chunk.first)
        return self._in_memory(kept, seconds)

    def steps_done(self, folder: RunFolder) -> int:
        """How many of the market steps a folder holds."""
        done = folder.chunks_done()
        return self.scenario.steps * sum(len(chunk) for chunk in self._chunks() if chunk.start in done)

    def finish(
        self, folder: RunFolder, progress: Progress | None = None, executor: Executor | str | None = None
    ) -> SimulationResult:
        """Runs what a folder does not hold yet, into it."""
        folder.make_ready()
        chunks, done = self._chunks(), folder.chunks_done()
        left = [chunk for chunk in chunks if chunk.start not in done]
        seconds = self._run_chunks(left, self._job(written=True), folder.write, progress, executor)
        folder.finish([chunk.start for chunk in chunks], seconds)
        return SimulationResult(self.scenario, folder.meta, folder)

    def _run_tape(self, tape: Tape, out: str | Path | None) -> SimulationResult:
        if out is not None:  # what cannot be saved fails before the run
            RunFolder.check_free(Path(out))
            self.scenario.check_writable()
        tape = fitted(tape, self.scenario)
        began = time.monotonic()
        chunk = self._job(written=False).simulator().run(range(tape.replicas), tape, lambda _: None)
        result = self._in_memory([chunk], time.monotonic() - began, {"tape": "handed in"})
        if out is not None:
            result.save(out)
        return result

    def _in_memory(self, chunks: list[Chunk], seconds: float, origin: Mapping[str, str] = FrozenMapping()) -> SimulationResult:
        capped = sum(int(chunk.capped.sum()) for chunk in chunks)
        replicas = sum(len(chunk.capped) for chunk in chunks)
        meta = self._meta() | {
            "replicas": replicas,
            "complete": True,
            "capped_orders": capped,
            "seconds": round(seconds, 3),
            **origin,
        }
        return SimulationResult(self.scenario, meta, chunks)

    def _meta(self) -> dict[str, Any]:
        return {
            "name": self.scenario.name,
            "seed": self.seed,
            "replicas": self.replicas,
            "steps": self.scenario.steps,
            "record": self.record,
            "policies": sorted(self.policies),
        }

    def _run_chunks(
        self,
        chunks: list[range],
        job: Job[Any],
        keep: Callable[[Any], None],
        progress: Progress | None,
        executor: Executor | str | None,
    ) -> float:
        """Runs chunks; returns the seconds it took once the engine and what makes tables were loaded."""
        report, began = progress or (lambda _: None), time.monotonic()

        def loaded() -> None:
            nonlocal began
            report(0)
            began = time.monotonic()

        with running(executor, self.threads) as where:
            where.run((Task(job, chunk) for chunk in chunks), lambda _, result: keep(result), report, loaded)
        return time.monotonic() - began

    def _job(self, written: bool) -> RunJob:
        return RunJob(self.scenario, self.record, self.policies, self.seed, written)

    def _chunks(self) -> list[range]:
        return chunks_of(self.scenario, range(self.replicas), bool(self.scenario.policies or self.policies))
