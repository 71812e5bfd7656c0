"""Tasks on a cluster of Dask."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from dealermarket import interrupt
from dealermarket.runs.executors.bench import Failed, Lost, do
from dealermarket.runs.executors.cluster import ANSWER, ClusterExecutor
from dealermarket.runs.executors.pool import PATIENCE, Outcome

if TYPE_CHECKING:
    from distributed import Future

_CONFIG = {
    "distributed.comm.timeouts.connect": f"{ANSWER}s",
    "distributed.scheduler.allowed-failures": 0,  # chunks are sent again by the driver, and counted there
    # of workers of our own: what they would say of themselves costs time, and nobody looks at it
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "5s",
    # nor is memory given back to the system after every array, as Dask sets it up: each chunk needs it again
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
}


class DaskExecutor(ClusterExecutor):
    """Workers of Dask. Its scheduler runs again what a worker lost that died, on another one."""

    kind, package, port = "dask", "distributed", 8786

    def __init__(self, workers: int, address: str = "", timeout: float = PATIENCE) -> None:
        super().__init__(workers, address, timeout)
        self._client: Any = None
        self._cluster: Any = None
        self._ended: SimpleQueue[int] = SimpleQueue()
        self._futures: dict[int, Future] = {}

    def _connect(self) -> None:
        import dask
        from distributed import Client, LocalCluster

        with _quiet(), interrupt.spared(), dask.config.set(_CONFIG):
            if self.address:
                try:
                    self._client = Client(self.address, timeout=ANSWER, set_as_default=False)
                except (OSError, ValueError, ImportError) as error:
                    raise self._nobody(error) from None
                return
            self._cluster = LocalCluster(
                n_workers=self.workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                host="127.0.0.1",
            )
            self._client = Client(self._cluster, set_as_default=False)

    def _sent(self, job: bytes) -> Any:
        # as the outcome of a task: what is lost with a worker is then made again, unlike what is scattered
        return self._client.submit(_itself, job, pure=False)

    def _count(self) -> int:
        return sum(self._client.nthreads().values())

    def _submit(self, number: int, name: str, job: Any, chunks: list[range]) -> None:
        future = self._client.submit(do, self._wanted, name, job, chunks, pure=False)
        self._futures[number] = future
        future.add_done_callback(lambda _: self._ended.put(number))

    def _outcomes(self, seconds: float) -> list[tuple[int, Outcome]]:
        numbers = []
        with suppress(Empty):
            numbers.append(self._ended.get(timeout=seconds))
            while True:
                numbers.append(self._ended.get_nowait())
        there = [number for number in numbers if number in self._futures]  # others were given up
        futures = {number: self._futures.pop(number) for number in there}
        results = self._gathered({number: future for number, future in futures.items() if future.status == "finished"})
        found: list[tuple[int, Outcome]] = []
        for number, future in futures.items():
            found.append((number, results[number] if number in results else self._unfinished(future)))
            future.release()
        return found

    def _gathered(self, futures: dict[int, Future]) -> dict[int, Outcome]:
        """The results of futures that have ended, by number; without those whose results were lost with a worker since then."""
        try:
            return dict(zip(futures, self._client.gather(list(futures.values())), strict=True))
        except Exception:  # of one of them: which one is found out by asking for each
            found: dict[int, Outcome] = {}
            for number, future in futures.items():
                with suppress(Exception):
                    found[number] = future.result()
            return found

    def _unfinished(self, future: Future) -> Outcome:
        from distributed import KilledWorker

        error = future.exception(timeout=ANSWER) if future.status == "error" else None
        if error is None or isinstance(error, KilledWorker):
            return Lost("its worker was ended, and those that took its place: perhaps for memory")
        return Failed(self._failure(error))

    def _drop(self, number: int) -> None:
        future = self._futures.pop(number)
        with suppress(Exception), _quiet():  # whoever runs it may not answer
            at = [worker for worker, keys in self._client.processing().items() if future.key in keys]
            future.cancel(force=True)
            self._client.restart_workers(at, timeout=ANSWER, raise_for_error=False)

    def _end(self) -> None:
        with _quiet():
            if self._client is not None:
                self._client.cancel(list(self._futures.values()), force=True)
                self._client.close()
            if self._cluster is not None:
                if self._futures:
                    self._kill_workers()  # which are waited for otherwise
                self._cluster.close()
        self._futures, self._client, self._cluster, self._counted = {}, None, None, 0.0

    def _kill_workers(self) -> None:
        """Ends the workers of our own cluster, at once."""
        for nanny in self._cluster.workers.values():
            nanny.auto_restart = False
            with suppress(AttributeError, OSError):  # it may be gone, or not there yet
                os.kill(nanny.process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _itself(content: bytes) -> bytes:
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's own account of what comes and goes."""
    loggers = [
        logging.getLogger(name) for name in ("distributed", "distributed.nanny", "distributed.core", "tornado.application")
    ]
    former = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, former, strict=True):
            logger.setLevel(level)
