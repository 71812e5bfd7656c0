"""Studies: variants of a market run on the same tapes, replica by replica, and what is measured of each replica.

Variants share every price and every order (common random numbers), so differences between them are paired, and the
tape is drawn once for all of them.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.checksums import Parts
from dealermarket.digests import digest_of
from dealermarket.draws.files import Recorded
from dealermarket.draws.pairing import unlike_tapes
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import TapeSource
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.chunks import Simulator, chunks_of
from dealermarket.runs.executors import Executor, Job, Progress, Task, Work, running
from dealermarket.runs.statistics import registered_statistics
from dealermarket.runs.tables import Chunk, RecordLevel
from dealermarket.slots import from_outside
from dealermarket.study.labelled import Measures
from dealermarket.values import whole_number
from dealermarket.version import __version__

Array = NDArray[Any]
Observe = Callable[[Scenario, Chunk], Mapping[str, Array]]
"""What is kept of a chunk of replicas: `Measures`, or arrays by name; the first axis of every array is the replica."""
Measured = Mapping[str, Mapping[str, Measures]]
"""Study -> variant -> measures."""


@dataclass(frozen=True)
class Study:
    """Variants of a market on common tapes, and what is measured of each of their replicas.

    A study of a scenario with a policy that no file can name is not kept in a folder: nothing tells whether it is the same next
    time.

    Parameters
    ----------
    name : str
        By which its measures are found.
    variants : mapping of str to Scenario
        By label, scenarios that share all that the tape is drawn from.
    replicas : int
        How many replicas of each.
    observe : callable
        A function (scenario, chunk) -> measures, such as those of `dealermarket.study.observe`: what is kept of a chunk of
        replicas, as `Measures` or as arrays by name; the first axis of every array is the replica.
    record : {"summary", "steps", "trades", "requests"}
        What is recorded for `observe` to see.
    first : int
        The number of the first replica.

    Raises
    ------
    ParameterError
        There is no variant, the variants have no common tape, `replicas` is below 1, or prices or orders are recorded and there
        are not as many replicas of them.
    """

    name: str
    variants: Mapping[str, Scenario]
    replicas: int
    observe: Observe
    record: RecordLevel = "summary"
    first: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "replicas", whole_number("replicas", self.replicas, 1))
        if not self.variants:
            raise ParameterError(f"study {self.name!r}: variants: must be at least one scenario by its label, got none")
        first, *others = self.variants.values()
        Recorded.of(first).check_replicas(self.first + self.replicas)
        for label, variant in zip(list(self.variants)[1:], others, strict=True):
            unlike = unlike_tapes(first, variant)
            if unlike:
                raise ParameterError(
                    f"study {self.name!r}: variant {label!r} has another market, so no common tape: {unlike[0]}; measure it apart"
                )

    @property
    def market_steps(self) -> int:
        """Steps of markets in all."""
        return self.replicas * sum(self.variants[label].steps for label in self.distinct.values())

    @cached_property
    def distinct(self) -> dict[str, str]:
        """By content, the label of a variant that has it: what two labels have in common is run once."""
        return {self.content(label): label for label in self.variants}

    def content(self, label: str) -> str:
        """What tells a variant from another: its scenario as JSON, where what no file can name is a number of its own."""
        return json.dumps(self.variants[label].pinned().as_table(), default=id)

    @property
    def can_be_kept(self) -> bool:
        """Whether another process can tell that it is the same study."""
        return not any(variant.unregistered_policies for variant in self.variants.values())

    def key(self, seed: int) -> str:
        """A digest of all that the measures depend on."""
        parts = [
            __version__,
            str(seed),
            str(self.first),
            str(self.replicas),
            self.record,
            digest_of(self.observe),
        ]
        parts += [part for statistic in registered_statistics() for part in (statistic.name, digest_of(statistic.function))]
        parts += from_outside()
        parts += [part for label in self.variants for part in (label, self.content(label))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def measure(
    studies: Sequence[Study],
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
    keep: str | Path | Parts | None = None,
    executor: Executor | str | None = None,
) -> Measured:
    """Runs studies, and keeps of them what they observe.

    Measures depend on (variant, seed, replicas) alone. What two studies would measure alike is measured once.

    Parameters
    ----------
    studies : sequence of Study
        What to run; their names differ.
    seed : int
        The seed of all markets, 0 or more.
    threads : int
        How many threads to run on, from 1 to 1024.
    progress : callable, optional
        Called with the number of market steps done since the last call, from any thread.
    keep : str, Path or Parts, optional
        A folder for chunks of replicas: those that it holds are read, and others are kept there once done.
    executor : Executor or str, optional
        Where to run instead of on threads: an executor, or a text as `executor_on` takes it.

    Returns
    -------
    mapping of str to mapping of str to Measures
        By the name of a study and the label of a variant, what was measured.

    Raises
    ------
    RunFolderError
        The folder cannot be written.
    ParameterError
        `threads` is not in 1..1024, or the text names no executor.
    ExecutorError
        The executor is not installed, or nobody answers there.
    """
    report, parts = progress or (lambda _: None), keep if keep is None or isinstance(keep, Parts) else Parts(keep)
    keys = {study.name: study.key(seed) for study in studies}
    distinct = {keys[study.name]: study for study in studies}  # what two studies would measure alike is measured once
    alike = sum(study.market_steps for study in studies) - sum(study.market_steps for study in distinct.values())
    if alike:
        report(alike)
    measured = {
        key: _Measured(study, seed, _Kept(parts, key) if parts is not None and study.can_be_kept else None)
        for key, study in distinct.items()
    }
    of_job: dict[Job[Any], _Measured] = {each.job: each for each in measured.values()}
    with running(executor, threads) as where:
        where.run(
            (task for each in measured.values() for task in each.tasks(report)),
            lambda task, measures: of_job[task.job].add(task.replicas, measures),
            report,
        )
    results = {key: each.joined() for key, each in measured.items()}
    return {study.name: results[keys[study.name]] for study in studies}


@dataclass(frozen=True, eq=False)
class StudyJob(Job[Mapping[str, Measures]]):
    """Chunks of a study: what is measured, by the labels of distinct variants."""

    variants: Mapping[str, Scenario]
    observe: Observe
    record: RecordLevel
    seed: int

    def prepare(self) -> Work[Mapping[str, Measures]]:
        source = TapeSource(next(iter(self.variants.values())))
        simulators = {label: Simulator(variant, self.record, {}, self.seed) for label, variant in self.variants.items()}

        def work(replicas: range, report: Progress) -> Mapping[str, Measures]:
            tape = source.draw(first_episodes(self.seed, replicas))
            return {
                label: Measures.of_observer(self.observe(simulator.scenario, simulator.run(replicas, tape, report)))
                for label, simulator in simulators.items()
            }

        return work


class _Kept:
    """The chunks of a study that a folder holds, by the first replica of each."""

    def __init__(self, parts: Parts, key: str) -> None:
        self._parts, self._key = parts, key

    def read(self, first: int) -> Mapping[str, Measures] | None:
        return kept(self._parts, self._name(first))

    def write(self, first: int, measures: Mapping[str, Measures]) -> None:
        keep_measures(self._parts, self._name(first), measures)

    def _name(self, first: int) -> str:
        return f"{self._key}-{first}.npz"


class _Measured:
    """A study while it is measured, chunk by chunk; what a folder holds of it is read."""

    def __init__(self, study: Study, seed: int, folder: _Kept | None) -> None:
        self._study, self._folder = study, folder
        distinct = {label: study.variants[label] for label in study.distinct.values()}
        self.job = StudyJob(distinct, study.observe, study.record, seed)
        self._chunks: dict[int, Mapping[str, Measures]] = {}  # by first replica; distinct variants alone

    def tasks(self, report: Progress) -> Iterable[Task[Mapping[str, Measures]]]:
        """What is left to do."""
        study = self._study
        market = next(iter(study.variants.values()))
        chunks = chunks_of(market, range(study.first, study.first + study.replicas))
        if self._folder is not None:
            known = {chunk: self._folder.read(chunk.start) for chunk in chunks}
            self._chunks = {chunk.start: measures for chunk, measures in known.items() if measures is not None}
            left = [chunk for chunk in chunks if chunk.start not in self._chunks]
            done = sum(map(len, chunks)) - sum(map(len, left))
            if done:
                report(done * study.market_steps // study.replicas)
            chunks = left
        return [Task(self.job, replicas) for replicas in chunks]

    def add(self, replicas: range, measures: Mapping[str, Measures]) -> None:
        """Keeps what was measured of a chunk."""
        self._chunks[replicas.start] = measures
        if self._folder is not None:
            self._folder.write(replicas.start, measures)

    def joined(self) -> dict[str, Measures]:
        """The measures of all replicas, by variant."""
        study, parts = self._study, [self._chunks[first] for first in sorted(self._chunks)]
        measures = {content: Measures.joined([part[label] for part in parts]) for content, label in study.distinct.items()}
        return {label: measures[study.content(label)] for label in study.variants}


def kept(parts: Parts, name: str) -> dict[str, Measures] | None:
    """The measures in a file, by label; None where there are none, or not as they were written."""
    content = parts.read(name)
    if content is None:
        return None
    found: dict[str, dict[str, dict[str, Array]]] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        for entry in file.files:
            label, kind, array = entry.rsplit("|", 2)
            found.setdefault(label, {"by_maker": {}, "others": {}, "makers": {}})[kind][array] = file[entry]
    return {label: Measures(own["by_maker"], own["makers"]["names"].tolist(), own["others"]) for label, own in found.items()}


def keep_measures(parts: Parts, name: str, measures: Mapping[str, Measures]) -> None:
    """Writes measures to a file. Raises RunFolderError where that is not possible."""
    arrays = {}
    for label, own in measures.items():
        arrays[f"{label}|makers|names"] = np.array(own.makers, dtype=np.str_)
        arrays |= {f"{label}|by_maker|{name}": array for name, array in own.by_maker.items()}
        arrays |= {f"{label}|others|{name}": array for name, array in own.others.items()}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    parts.write(name, file.getbuffer())
