"""Studies: variants of a market run on the same tapes, replica by replica, and what is measured of each replica.

Variants share every price and every order (common random numbers), so differences between them are paired, and the
tape is drawn once for all of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
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
from dealermarket.draws.tape import Tape, TapeSource
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.chunks import Progress, Simulator, TapeJob, chunks_of, run_on_tapes
from dealermarket.runs.statistics import registered_statistics
from dealermarket.runs.tables import Chunk, RecordLevel
from dealermarket.slots import from_outside
from dealermarket.study.labelled import Measures
from dealermarket.version import __version__

Array = NDArray[Any]
Observe = Callable[[Scenario, Chunk], Mapping[str, Array]]
"""What is kept of a chunk of replicas: `Measures`, or arrays by name; the first axis of every array is the replica."""
Measured = Mapping[str, Mapping[str, Measures]]
"""Study -> variant -> measures."""


@dataclass(frozen=True)
class Study:
    """`replicas` markets of each variant, on common tapes, of which `observe` keeps what the question needs.

    A study of a scenario with a policy that no file can name is not kept in a folder: nothing tells whether it is the same
    next time. Raises ParameterError unless the variants share what the tape is drawn from.
    """

    name: str
    variants: Mapping[str, Scenario]
    replicas: int
    observe: Observe
    record: RecordLevel = "summary"

    def __post_init__(self) -> None:
        first, *others = self.variants.values()
        Recorded.of(first).check_replicas(self.replicas)
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
            str(self.replicas),
            self.record,
            digest_of(self.observe),
        ]
        parts += [part for statistic in registered_statistics() for part in (statistic.name, digest_of(statistic.function))]
        parts += from_outside()
        parts += [part for label in self.variants for part in (label, self.content(label))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def measure(
    studies: Sequence[Study], seed: int = 0, threads: int = 1, progress: Progress | None = None, keep: Path | None = None
) -> Measured:
    """Runs studies on threads; with `keep`, a folder, those that it holds are read, and each is kept there once it is done.

    Measures depend on (variant, seed, replicas) alone. Raises RunFolderError where the folder cannot be written.
    """
    report, parts = progress or (lambda _: None), None if keep is None else Parts(keep)
    keys = {study.name: study.key(seed) for study in studies}
    distinct = {keys[study.name]: study for study in studies}  # what two studies would measure alike is measured once
    report(sum(study.market_steps for study in studies) - sum(study.market_steps for study in distinct.values()))
    results: dict[str, Mapping[str, Measures]] = {}
    open_studies = []
    for key, study in distinct.items():
        known = kept(parts, f"{key}.npz") if parts is not None and study.can_be_kept else None
        if known is None:
            open_studies.append((key, _Open(study, seed)))
        else:
            results[key] = known
            report(study.market_steps)

    def done(key: str) -> Callable[[Mapping[str, Measures]], None]:
        def store(measures: Mapping[str, Measures]) -> None:
            results[key] = measures
            if parts is not None and distinct[key].can_be_kept:
                keep_measures(parts, f"{key}.npz", measures)

        return store

    run_on_tapes((job for key, study in open_studies for job in study.jobs(report, done(key))), threads)
    return {study.name: results[keys[study.name]] for study in studies}


class _Open:
    """A study that is being measured."""

    def __init__(self, study: Study, seed: int) -> None:
        self._study, self._seed, self._lock = study, seed, threading.Lock()
        self._parts: dict[int, dict[str, Measures]] = {}

    def jobs(self, report: Progress, done: Callable[[Mapping[str, Measures]], None]) -> Iterable[TapeJob]:
        study = self._study
        market = next(iter(study.variants.values()))
        source = TapeSource(market)
        simulators = {
            content: Simulator(study.variants[label], study.record, {}, self._seed) for content, label in study.distinct.items()
        }
        chunks = chunks_of(market, range(study.replicas))

        def work(replicas: range) -> Callable[[Tape], None]:
            def run(tape: Tape) -> None:
                part = {
                    content: Measures.of_observer(study.observe(simulator.scenario, simulator.run(replicas, tape, report)))
                    for content, simulator in simulators.items()
                }
                with self._lock:
                    self._parts[replicas.start] = part
                    if len(self._parts) < len(chunks):
                        return
                done(self._joined())

            return run

        return [TapeJob(source, self._seed, replicas, work(replicas)) for replicas in chunks]

    def _joined(self) -> dict[str, Measures]:
        parts = [self._parts[first] for first in sorted(self._parts)]
        measures = {content: Measures.joined([part[content] for part in parts]) for content in self._study.distinct}
        return {label: measures[self._study.content(label)] for label in self._study.variants}


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
