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
_LOOK = 0.5  # seconds between looks at what hangs, and at Ctrl-C


@dataclass
class _Flight:
    """A task under way, the job as it is sent, and since when."""

    task: Task[Any]
    name: str
    job: Any
    lost: int = 0
    since: float = 0.0


class PoolExecutor(Executor):
    """Workers in other processes. One that dies costs its chunk, which is run again, three times at most; so does one that hangs:
    for `timeout` seconds, and twenty times as long as the slowest chunk so far took."""

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
        """How many tasks may be under way: no more than are soon run, so that memory and what is lost are bounded."""

    @abstractmethod
    def _submit(self, number: int, name: str, job: Any, replicas: range) -> None: ...

    @abstractmethod
    def _outcomes(self, seconds: float) -> list[tuple[int, Outcome]]:
        """What has come to an end, by number; waits so long at most for the first."""

    @abstractmethod
    def _drop(self, number: int) -> None:
        """Ends a task that hangs, with its worker if possible. Nothing comes of it any more."""

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
        self._again: deque[_Flight] = deque()
        self._slowest, self._is_loaded = 0.0, False

    def through(self, tasks: Iterable[Task[Any]]) -> None:
        """Runs all."""
        coming = iter(tasks)
        first = next(coming, None)
        if first is None:
            return
        # workers that have just begun load what they need at the same time
        self._pool.start()
        idle = [Task(first.job, range(0))] * (0 if self._pool._has_worked else self._pool.workers)
        self._pool._has_worked = True
        flights = self._flights(chain(idle, [first], coming))
        while True:
            interrupt.check()
            self._fill(flights)
            if not self._under_way:
                return
            done = [self._ended(*outcome) for outcome in self._pool._outcomes(_LOOK)]
            self._end_what_hangs()
            self._fill(flights)  # first, so that no worker waits until results are kept
            for task, outcome in filter(None, done):
                interrupt.check()
                self._report_and_keep(task, outcome)

    def _flights(self, tasks: Iterable[Task[Any]]) -> Iterator[_Flight]:
        """Tasks with their jobs as they are sent."""
        world = self._pool._pack(World.here(self._pool._pack))
        job, name, sent = None, "", None
        for task in tasks:
            if task.job is not job:
                job, content = task.job, pickle.dumps((world, self._pool._pack(task.job)))
                name = hashlib.sha256(content).hexdigest()
                sent = self._pool._sent(content)
            yield _Flight(task, name, sent)

    def _fill(self, flights: Iterator[_Flight]) -> None:
        while len(self._under_way) < self._pool._room():
            flight = self._again.popleft() if self._again else next(flights, None)
            if flight is None:
                return
            self._pool._number += 1
            flight.since = time.monotonic()
            self._under_way[self._pool._number] = flight
            self._pool._submit(self._pool._number, flight.name, flight.job, flight.task.replicas)

    def _ended(self, number: int, outcome: Outcome) -> tuple[Task[Any], Done] | None:
        """What a task has come to, if it is done; raises its error."""
        flight = self._under_way.pop(number, None)
        if flight is None:
            return None  # it was given up
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, Lost):
            self._lose(flight, outcome.why)
            return None
        if flight.task.replicas:
            self._slowest = max(self._slowest, time.monotonic() - flight.since)
        return flight.task, outcome

    def _report_and_keep(self, task: Task[Any], done: Done) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self._loaded()
        if len(task.replicas):
            self._report(done.steps)
            self._keep(task, done.result)

    def _end_what_hangs(self) -> None:
        now, limit = time.monotonic(), max(self._pool.timeout, _TIMES_SLOWEST * self._slowest)
        for number, flight in list(self._under_way.items()):
            if not self._pool._is_working():
                flight.since = now
            elif now - flight.since > (limit if flight.task.replicas else max(limit, PATIENCE)):
                del self._under_way[number]
                self._pool._drop(number)
                self._lose(flight, f"it took longer than its timeout, {limit:.0f} s")

    def _lose(self, flight: _Flight, why: str) -> None:
        flight.lost += 1
        if flight.lost > _AGAIN:
            replicas = flight.task.replicas
            which = f"replicas {replicas.start} to {replicas.stop - 1}" if replicas else "making ready"
            raise ExecutorError(f"executor: {which}: failed {flight.lost} times; the last time {why}")
        self._again.append(flight)
