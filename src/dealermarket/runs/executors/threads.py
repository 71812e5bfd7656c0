"""Tasks on threads of this process: the engine holds no lock while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any

from dealermarket import interrupt
from dealermarket.runs.executors.base import Executor, Job, Keep, Progress, Task, Work, nothing


class ThreadExecutor(Executor):
    """Threads. Results are kept in the thread that made them, so that writing goes on side by side, too.

    After an error or Ctrl-C the tasks under way are finished, no others begun."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, tasks: Iterable[Task[Any]], keep: Keep[Any], report: Progress, loaded: Callable[[], None] = nothing) -> None:
        def do(task: Task[Any], work: Work[Any]) -> None:
            interrupt.check()
            keep(task, work(task.replicas, report))

        pool = ThreadPoolExecutor(self.workers)
        try:
            futures: list[Future[None]] = []
            job: Job[Any] | None = None
            work: Work[Any]
            for task in tasks:
                interrupt.check()
                if task.job is not job:  # may take a while: tables of hedges are made, while others are run
                    work, first, job = task.job.prepare(), job is None, task.job
                    if first:
                        loaded()
                futures.append(pool.submit(do, task, work))
            for future in as_completed(futures):
                future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def start(self) -> None:
        pass  # threads begin with the work

    def close(self) -> None:
        pass  # threads end with the work
