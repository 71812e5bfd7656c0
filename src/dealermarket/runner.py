"""Runs a scenario: replicas in chunks, on threads, with progress and a record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.errors import ParameterError, RunFolderError, TapeError
from dealermarket.frames import RECORD_LEVELS, Chunk, RecordLevel, tables_of
from dealermarket.policies import MakerPolicy
from dealermarket.results import SimulationResult
from dealermarket.run_folder import RunFolder
from dealermarket.scenario import Scenario
from dealermarket.tape import Tape, TapeSource
from dealermarket.values import whole_number

if TYPE_CHECKING:
    from dealermarket.engine.state import Rules

Progress = Callable[[int], None]
"""Called with the number of market steps done since the last call, from any thread."""

# Numbers of a tape in one chunk of replicas: small enough to stay in the processor's caches when the engine loops over
# replicas, large enough to share the cost of a step of Python when a policy is in the loop.
_CHUNK_NUMBERS = 2_000_000
_CHUNK_NUMBERS_WITH_POLICIES = 16_000_000
_MOST_REPLICAS = 1024


class SimulationRunner:
    """Runs `replicas` independent markets of a scenario.

    A replica's numbers depend on (scenario, seed, replica) alone: not on how many run, on `threads`, or on `record`
    ("summary", "steps" or "trades", each including the former). `policies` maps names of makers to policies written in
    Python. Raises ParameterError or PolicyError for what cannot be run.
    """

    def __init__(
        self,
        scenario: Scenario,
        replicas: int = 1,
        seed: int = 0,
        threads: int = 1,
        record: RecordLevel = "summary",
        policies: Mapping[str, MakerPolicy] | None = None,
    ) -> None:
        self.replicas = whole_number("replicas", replicas, 1, 100_000_000)
        self.seed, self.threads = whole_number("seed", seed, 0), whole_number("threads", threads, 1, 1024)
        if record not in RECORD_LEVELS:
            raise ParameterError(f"record: must be one of {', '.join(RECORD_LEVELS)}, got {record!r}")
        if not isinstance(scenario, Scenario):
            raise ParameterError(f"scenario: must be a Scenario, such as Scenario.load('paper'), got {scenario!r}")
        self.scenario, self.record = scenario, record
        self.policies = dict(policies or {})
        if self.policies:
            from dealermarket.session import check_policies

            check_policies(scenario, self.policies)

    @classmethod
    def resume(
        cls,
        path: str | Path,
        threads: int = 1,
        policies: Mapping[str, MakerPolicy] | None = None,
        progress: Progress | None = None,
    ) -> SimulationResult:
        """Finishes the interrupted run in a folder; its files get the bytes of an uninterrupted run.

        A complete run is returned as it is. Raises RunFolderError.
        """
        folder = RunFolder.open(Path(path))
        if folder.complete:
            return SimulationResult.load(path)
        meta = folder.meta
        if sorted(policies or {}) != meta["policies"]:
            raise RunFolderError(f"{path}: was run with policies for {meta['policies']}; give the same to resume it")
        runner = cls(folder.scenario, meta["replicas"], meta["seed"], threads, folder.record, policies)
        return runner._run_into(folder, progress)

    @property
    def market_steps(self) -> int:
        """How many steps of how many markets the run takes in all."""
        return self.replicas * self.scenario.steps

    def run(self, out: str | Path | None = None, progress: Progress | None = None, tape: Tape | None = None) -> SimulationResult:
        """Runs all replicas; with `out`, into a new run folder while it goes on, else in memory.

        With a `tape` those of the tape are run, on its numbers instead of drawn ones. Raises RunFolderError for a
        folder that cannot be written, TapeError for a tape of another shape.
        """
        if tape is not None:
            return self._run_tape(tape, out)
        if out is not None:
            return self._run_into(RunFolder.create(Path(out), self.scenario, self._meta()), progress)
        kept: list[Chunk] = []
        seconds = self._run_chunks(self._chunks(), kept.append, progress)
        kept.sort(key=lambda chunk: chunk.first)
        return self._in_memory(kept, seconds)

    def _run_into(self, folder: RunFolder, progress: Progress | None) -> SimulationResult:
        folder.clear_leftovers()
        chunks, done = self._chunks(), folder.chunks_done()
        seconds = self._run_chunks([chunk for chunk in chunks if chunk.start not in done], folder.write, progress)
        folder.finish([chunk.start for chunk in chunks], seconds)
        return SimulationResult(self.scenario, folder.meta, folder)

    def _run_tape(self, tape: Tape, out: str | Path | None) -> SimulationResult:
        makers, participants = len(self.scenario.makers), len(self.scenario.participants)
        shape = (tape.replicas, makers, participants)
        steps, horizon = self.scenario.steps, self.scenario.reward_horizon
        if tape.replicas < 1 or tape.tie_break.shape != shape or tape.mid.shape[1] != tape.steps + horizon or tape.steps != steps:
            raise TapeError(
                f"tape: does not fit a scenario of {steps} steps, t_m = {horizon}, {makers} makers, {participants} participants"
            )
        began = time.monotonic()
        chunk = self._simulate(range(tape.replicas), tape, self._rules(), lambda _: None)
        result = self._in_memory([chunk], time.monotonic() - began)
        result.meta["tape"] = "handed in"
        if out is not None:
            result.save(out)
        return result

    def _in_memory(self, chunks: list[Chunk], seconds: float) -> SimulationResult:
        capped = sum(int(chunk.capped.sum()) for chunk in chunks)
        replicas = sum(len(chunk.capped) for chunk in chunks)
        meta = self._meta() | {"replicas": replicas, "complete": True, "capped_orders": capped, "seconds": round(seconds, 3)}
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

    def _chunks(self) -> list[range]:
        """The replicas, cut into chunks whose size depends on the scenario alone."""
        market = self.scenario
        numbers = market.steps * (len(market.agents) + 10 * len(market.makers))
        room = _CHUNK_NUMBERS_WITH_POLICIES if self.policies else _CHUNK_NUMBERS
        size = min(max(room // numbers, 1), _MOST_REPLICAS)
        return [range(first, min(first + size, self.replicas)) for first in range(0, self.replicas, size)]

    def _rules(self) -> Rules:
        from dealermarket.engine.state import rules_of

        return rules_of(self.scenario)

    def _run_chunks(self, chunks: list[range], keep: Callable[[Chunk], None], progress: Progress | None) -> float:
        """Runs chunks; returns the seconds it took once the engine was loaded."""
        rules, source = self._rules(), TapeSource(self.scenario)
        nobody = range(0)
        self._simulate(nobody, source.complete(source.draw(self.seed, nobody)), rules, lambda _: None)  # loads the machine code
        # Generators hold the interpreter lock between many small calls: drawing goes by turns, so that one thread
        # draws while another computes and nobody waits for the lock itself.
        drawing = threading.Lock()
        report = progress or (lambda _: None)

        def work(replicas: range) -> None:
            with drawing:
                draws = source.draw(self.seed, replicas)
            keep(self._simulate(replicas, source.complete(draws), rules, report))

        began, executor = time.monotonic(), ThreadPoolExecutor(self.threads)
        try:
            futures: list[Future[None]] = [executor.submit(work, chunk) for chunk in chunks]
            for future in as_completed(futures):
                future.result()
        finally:  # after an error or Ctrl-C the chunks under way are finished, no others begun
            executor.shutdown(wait=True, cancel_futures=True)
        return time.monotonic() - began

    def _simulate(self, replicas: range, tape: Tape, rules: Rules, report: Progress) -> Chunk:
        from dealermarket.engine.advance import advance, empty_record
        from dealermarket.engine.state import empty_state

        steps, level = self.scenario.steps, tables_of(self.record)
        order_count = tape.order_start[:, -1] - tape.order_start[:, 0]
        record = empty_record(rules, order_count, steps, "steps" in level, "trades" in level, in_turn=not self.policies)
        if self.policies and replicas:
            from dealermarket.session import Session

            Session(self.scenario, rules, record, self.policies, self.seed, replicas).run(tape.arrays(), report)
        else:
            advance(rules, empty_state(rules, 1), tape.arrays(), 0, 2 * steps, True, record)
            report(len(replicas) * steps)
        kept = slice(0, steps if "steps" in level else 0)
        return Chunk(replicas.start, tape.capped, (tape.mid[:, kept].copy(), tape.reference_spread[:, kept].copy()), record)
