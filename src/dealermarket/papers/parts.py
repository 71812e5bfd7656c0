"""Studies measured part by part, in processes of their own: where Python itself is at work, threads gain nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Protocol

from dealermarket import interrupt
from dealermarket.checksums import Parts
from dealermarket.errors import DealerMarketError
from dealermarket.runs.executors import Progress
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Measured, keep_measures, kept

_MEASURES = "part"  # the label in a file that holds one part's measures

_steps_done: Any = None  # in a worker: where it says how far it is
_saying = Lock()  # and what it holds meanwhile


class Part(Protocol):
    """What one process measures at a time; it is sent there."""

    @property
    def market_steps(self) -> int:
        """Steps of markets that it takes."""
        ...

    def measured(self, report: Progress) -> Measures:
        """What comes of it; `report` is told of steps as they are done."""
        ...


class PartedStudy(ABC):
    """A study of parts that have nothing to do with each other."""

    name: str

    @property
    @abstractmethod
    def market_steps(self) -> int:
        """Steps of markets in all."""

    @abstractmethod
    def key(self, seed: int) -> str:
        """A digest of all that the measures depend on."""

    @abstractmethod
    def parts(self, seed: int) -> Sequence[Part]:
        """What is measured."""


def measure_parts(
    studies: Sequence[PartedStudy], seed: int, workers: int = 1, progress: Progress | None = None, keep: str | Path | None = None
) -> Measured:
    """Measures studies in processes of their own; with `keep`, a folder, parts that it holds are read, and each is kept there.

    The label of a part is its number, "0" and on. Equal calls give equal numbers, whatever the number of workers."""
    report, parts = progress or (lambda _: None), None if keep is None else Parts(keep)
    keys = {study.name: study.key(seed) for study in studies}
    distinct = {keys[study.name]: study for study in studies}  # what two studies would measure alike is measured once
    for study in studies:
        if study is not distinct[keys[study.name]]:
            report(study.market_steps)
    found: dict[str, dict[str, Measures]] = {key: {} for key in distinct}
    jobs: dict[tuple[str, int], Part] = {}
    for key, study in distinct.items():
        for number, part in enumerate(study.parts(seed)):
            known = None if parts is None else kept(parts, _file(key, number))
            if known is None:
                jobs[key, number] = part
            else:
                found[key][str(number)] = known[_MEASURES]
                report(part.market_steps)

    def by_name() -> Measured:
        return {name: dict(sorted(found[key].items(), key=lambda item: int(item[0]))) for name, key in keys.items()}

    if not jobs:
        return by_name()
    context = multiprocessing.get_context("spawn")
    lifeline, parents_end = context.Pipe(duplex=False)
    with _told(context, report) as steps_done:
        executor = ProcessPoolExecutor(min(workers, len(jobs)), context, _begin_worker, (steps_done, lifeline))
        try:
            with interrupt.spared():
                futures: dict[Future[Measures], tuple[str, int]] = {
                    executor.submit(_measured, part): job for job, part in jobs.items()
                }
            for future in as_completed(futures):
                interrupt.check()
                key, number = futures[future]
                found[key][str(number)] = future.result()
                if parts is not None:
                    keep_measures(parts, _file(key, number), {_MEASURES: future.result()})
        except BaseException as error:
            parents_end.close()  # nobody waits for what is under way, or in a worker's queue
            if isinstance(error, BrokenProcessPool):
                raise DealerMarketError(
                    "a process that measures was ended from outside, perhaps for memory; try fewer --threads"
                ) from None
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            parents_end.close()
            lifeline.close()
    return by_name()


@contextmanager
def _told(context: Any, report: Callable[[int], None]) -> Iterator[Any]:
    """A queue for numbers of steps done, which are reported as they come."""
    queue = context.SimpleQueue()

    def pass_on() -> None:
        while (steps := queue.get()) is not None:
            report(steps)

    thread = Thread(target=pass_on, daemon=True)
    thread.start()
    try:
        yield queue
    finally:
        queue.put(None)
        thread.join()
        queue.close()


def _begin_worker(queue: Any, lifeline: Any) -> None:
    global _steps_done  # noqa: PLW0603 (a pool hands nothing else to its workers)
    _steps_done = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent answers it
    Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()


def _end_with_parent(lifeline: Any) -> None:
    """Ends the worker when the parent closes its end, or is gone: at once, for importing and compiling take long."""
    lifeline.poll(None)
    with _saying:  # others wait for the lock that a worker holds while it puts something into their queue
        os._exit(1)


def _measured(part: Part) -> Measures:
    """In a worker: what comes of a part."""
    return part.measured(_say)


def _say(steps: int) -> None:
    with _saying:
        _steps_done.put(steps)


def _file(key: str, number: int) -> str:
    return f"{key}-{number}.npz"
