"""What is run in chunks, and what runs it.

A `Job` says what is done with chunks of replicas; it is a value, so that it can be sent to where they are run. An `Executor` runs
`Task`s, each a chunk of a job, on threads, in processes or on a cluster, and hands every result to the caller once. Results
depend on the task alone: all executors give the same bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

Progress = Callable[[int], None]
"""Called with the number of market steps done since the last call, from any thread; with 0 when all is loaded."""

R = TypeVar("R")
Work = Callable[[range, Progress], R]
"""From replicas, the result of their chunk; may be called from several threads at once."""


class Job(ABC, Generic[R]):
    """What is done with chunks of replicas; a value that can be pickled."""

    @abstractmethod
    def prepare(self) -> Work[R]:
        """Loads and makes what all chunks need, once in each process."""


@dataclass(frozen=True, eq=False)
class Task(Generic[R]):
    """A chunk of a job."""

    job: Job[R]
    replicas: range


Keep = Callable[[Task[R], R], None]
"""What is done with a result, here; an error that it raises ends the work."""


def nothing() -> None:
    """Does nothing."""


class Executor(ABC):
    """Where tasks are run: on threads, in processes or on a cluster. `executor_on` makes one.

    What it starts for tasks is there until `close`: use it in a `with`.
    """

    workers: int
    """How many tasks it runs at a time, as far as is known."""
    is_here: bool = True
    """Whether its workers take the memory of this machine."""

    @abstractmethod
    def run(self, tasks: Iterable[Task[Any]], keep: Keep[Any], report: Progress, loaded: Callable[[], None] = nothing) -> None:
        """Runs tasks, those of a job one after the other, and hands each result to `keep` once, in no order.

        `loaded` is called when the first task can begin. The first error ends it: no other task is begun, and what is under way
        is waited for or ended."""

    @abstractmethod
    def start(self) -> None:
        """Starts what is needed, where it is not there; the first work does so, too. Raises ExecutorError."""

    @abstractmethod
    def close(self) -> None:
        """Ends what was started; more work starts it anew."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
