"""The driver of workers in other processes: what is under way, what is lost, and what takes too long."""

from __future__ import annotations

import hashlib
import pickle
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from dealermarket import interrupt
from dealermarket.errors import ExecutorError
from dealermarket.runs.executors.base import Executor, Keep, Progress, Task, nothing
from dealermarket.runs.executors.bench import Done, Failed, Lost
from dealermarket.runs.executors.world import World

Outcome = Done | Failed | Lost

PATIENCE = 1800.0
"""Seconds that a chunk may take, at least: far more than any does, with compiling before it."""
_TIMES_SLOWEST = 20  # a chunk may take so many times as long as the slowest so far
_AGAIN = 3  # times that a chunk is tried again
_MOST_TOGETHER = 32  # chunks
_LOOK = 0.5  # seconds between looks at what hangs, and at Ctrl-C


@dataclass
class _Flight:
    """Tasks of a job that are under way together, the job as it is sent, and since when; none: making ready."""

    tasks: list[Task[Any]]
    name: str
    job: Any
    lost: int = 0
    since: float = 0.0


class PoolExecutor(Executor):
    """Workers in other processes. One that dies costs its chunks, each of which is run again, three times at most; so does one
    that hangs: for `timeout` seconds, and twenty times as long as the slowest so far took."""

    together = 0.0
    """Chunks are sent together that take so many seconds, as far as is known: where a message costs much beside a chunk."""

    def __init__(self, workers: int, timeout: float = PATIENCE) -> None:
        self.workers, self.timeout = workers, timeout
        self._is_open, self._has_worked, self._number = False, False, 0

    # --- what a kind of workers says

    @abstractmethod
    def _open(self) -> None:
        """Starts what is needed. Raises ExecutorError."""

    @abstractmethod
    def _pack(self, thing: Any) -> bytes:
        """A thing as a worker can load it. Raises ExecutorError where none can."""

    @abstractmethod
    def _sent(self, job: bytes) -> Any:
        """What `_submit` takes for a job that is packed with its world."""

    @abstractmethod
    def _room(self) -> int:
        """How many messages may be under way: no more than are soon done, so that memory and what is lost are bounded."""

    @abstractmethod
    def _submit(self, number: int, name: str, job: Any, chunks: list[range]) -> None: ...

    @abstractmethod
    def _outcomes(self, seconds: float) -> list[tuple[int, Outcome]]:
        """What has come to an end, by number; waits so long at most for the first."""

    @abstractmethod
    def _drop(self, number: int) -> None:
        """Ends tasks that hang, with their worker if possible. Nothing comes of them any more."""

    @abstractmethod
    def _end(self) -> None:
        """Ends all that is under way and what was started, as far as it was."""

    def _is_working(self) -> bool:
        """Whether there are workers: where they are still waited for, nothing hangs."""
        return True

    # --- what is common to all

    def start(self) -> None:
        if self._is_open:
            return
        self._is_open, self._has_worked = True, False
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._end()

    def run(self, tasks: Iterable[Task[Any]], keep: Keep[Any], report: Progress, loaded: Callable[[], None] = nothing) -> None:
        try:
            _Drive(self, keep, report, loaded).through(tasks)
        except BaseException:
            self.close()  # nobody waits for what is under way
            raise


class _Drive:
    """One call of `run`."""

    def __init__(self, pool: PoolExecutor, keep: Keep[Any], report: Progress, loaded: Callable[[], None]) -> None:
        self._pool, self._keep, self._report, self._loaded = pool, keep, report, loaded
        self._under_way: dict[int, _Flight] = {}
        self._waiting: deque[_Flight] = deque()  # what is to be tried again, or was looked at too early
        self._slowest, self._is_loaded = 0.0, False
        self._chunks, self._seconds = 0, 0.0  # done, and what they took

    def through(self, tasks: Iterable[Task[Any]]) -> None:
        """Runs all."""
        coming = iter(tasks)
        first = next(coming, None)
        if first is None:
            return
        self._pool.start()
        flights = self._flights(chain([first], coming))
        while True:
            interrupt.check()
            self._fill(flights)
            if not self._under_way:
                return
            done = [self._ended(*outcome) for outcome in self._pool._outcomes(_LOOK)]
            self._end_what_hangs()
            self._fill(flights)  # first, so that no worker waits until results are kept
            for ended in filter(None, done):
                self._report_and_keep(*ended)

    def _flights(self, tasks: Iterable[Task[Any]]) -> Iterator[_Flight]:
        """Tasks with their jobs as they are sent. Workers that have just begun load what they need at the same time."""
        world = self._pool._pack(World.here(self._pool._pack))
        job, name, sent = None, "", None
        for task in tasks:
            if task.job is not job:
                job, content = task.job, pickle.dumps((world, self._pool._pack(task.job)))
                name = hashlib.sha256(content).hexdigest()
                sent = self._pool._sent(content)
            if not self._pool._has_worked:
                self._pool._has_worked = True
                for _ in range(self._pool.workers):
                    yield _Flight([], name, sent)
            yield _Flight([task], name, sent)

    def _fill(self, flights: Iterator[_Flight]) -> None:
        while len(self._under_way) < self._pool._room():
            flight = self._next(flights)
            if flight is None:
                return
            self._pool._number += 1
            flight.since = time.monotonic()
            self._under_way[self._pool._number] = flight
            self._pool._submit(self._pool._number, flight.name, flight.job, [task.replicas for task in flight.tasks])

    def _next(self, flights: Iterator[_Flight]) -> _Flight | None:
        """What is sent next: a chunk, or several of a job that were never lost and are short."""
        flight = self._waiting.popleft() if self._waiting else next(flights, None)
        if flight is None or flight.lost or not flight.tasks or not self._chunks:
            return flight
        short = self._pool.together * self._chunks / max(self._seconds, 1e-6)
        most = min(short, _MOST_TOGETHER, self._chunks / self._pool._room())  # few at first, so that few chunks go to all workers
        while len(flight.tasks) < most and (other := next(flights, None)) is not None:
            if other.name != flight.name:
                self._waiting.append(other)
                break
            flight.tasks += other.tasks
        return flight

    def _ended(self, number: int, outcome: Outcome) -> tuple[_Flight, Done] | None:
        """What has come to an end, if it is done; raises its error."""
        flight = self._under_way.pop(number, None)
        if flight is None:
            return None  # it was given up
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, Lost):
            self._lose(flight, outcome.why)
            return None
        if flight.tasks:
            self._slowest = max(self._slowest, outcome.seconds)
            self._chunks, self._seconds = self._chunks + len(flight.tasks), self._seconds + outcome.seconds
        return flight, outcome

    def _report_and_keep(self, flight: _Flight, done: Done) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self._loaded()
        for task, result, steps in zip(flight.tasks, done.results, done.steps, strict=True):
            interrupt.check()
            self._report(steps)
            self._keep(task, result)

    def _end_what_hangs(self) -> None:
        now, limit = time.monotonic(), max(self._pool.timeout, _TIMES_SLOWEST * self._slowest)
        for number, flight in list(self._under_way.items()):
            if not self._pool._is_working():
                flight.since = now
            elif now - flight.since > (limit if flight.tasks else max(limit, PATIENCE)):
                del self._under_way[number]
                self._pool._drop(number)
                self._lose(flight, f"it took longer than its timeout, {limit:.0f} s")

    def _lose(self, flight: _Flight, why: str) -> None:
        """Lets tasks be tried again, each by itself."""
        lost = flight.lost + 1
        if lost > _AGAIN:
            chunks = [task.replicas for task in flight.tasks]
            which = f"replicas {chunks[0].start} to {chunks[0].stop - 1}" if chunks else "making ready"
            raise ExecutorError(f"executor: {which}: failed {lost} times; the last time {why}")
        parts = [[task] for task in flight.tasks] or [[]]
        self._waiting.extend(_Flight(part, flight.name, flight.job, lost) for part in parts)
