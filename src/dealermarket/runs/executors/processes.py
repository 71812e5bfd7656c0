"""Tasks in processes of this machine, for what holds Python's lock: policies and kinds written in Python."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from multiprocessing.connection import Connection, wait
from typing import Any

from dealermarket import interrupt
from dealermarket.errors import ExecutorError
from dealermarket.runs.executors.bench import Done, Failed, Lost, do
from dealermarket.runs.executors.pool import PATIENCE, Outcome, PoolExecutor
from dealermarket.runs.executors.world import packed

_GRACE = 2.0  # seconds that idle workers have to end by themselves


class ProcessExecutor(PoolExecutor):
    """Processes of this machine, each with a pipe to it. They end with this one, whatever ends it."""

    def __init__(self, workers: int, timeout: float = PATIENCE) -> None:
        super().__init__(workers, timeout)
        self._all: list[_Worker] = []
        self._busy: dict[int, _Worker] = {}  # by number of task
        self._lost: list[tuple[int, Outcome]] = []

    def _open(self) -> None:
        self._all = [_Worker() for _ in range(self.workers)]

    def _pack(self, thing: Any) -> bytes:
        return packed(thing)

    def _sent(self, job: bytes) -> bytes:
        return job

    def _room(self) -> int:
        return self.workers

    def _submit(self, number: int, name: str, job: Any, chunks: list[range]) -> None:
        worker = next(each for each in self._all if each not in self._busy.values())
        self._busy[number] = worker
        try:
            worker.send(name, job, chunks)
        except OSError:
            self._lost.append((number, self._replaced(number)))

    def _outcomes(self, seconds: float) -> list[tuple[int, Outcome]]:
        if self._lost:
            lost, self._lost = self._lost, []
            return lost
        busy = {worker.connection: number for number, worker in self._busy.items()}
        found = []
        for connection in wait(list(busy), seconds):  # a process that ends closes its pipe
            number = busy[connection]  # type: ignore[index]
            try:
                outcome = self._busy[number].received()
            except (EOFError, OSError):
                outcome = self._replaced(number)
            else:
                del self._busy[number]
            found.append((number, outcome))
        return found

    def _drop(self, number: int) -> None:
        self._replaced(number)

    def _replaced(self, number: int) -> Outcome:
        """Puts another worker into the place of one that is gone or to go."""
        worker = self._busy.pop(number)
        worker.kill()
        if not worker.has_answered and (worker.process.exitcode or 0) > 0:
            return Failed(
                ExecutorError(
                    "executor: a process ended before it had begun, and said why above; a script that starts processes must do "
                    'so under if __name__ == "__main__"'
                )
            )
        self._all[self._all.index(worker)] = _Worker()
        code = worker.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with status {code}"
        return Lost(f"its process was ended {how}, perhaps for memory: take fewer workers")

    def _end(self) -> None:
        idle = [worker for worker in self._all if worker not in self._busy.values()]
        for worker in self._busy.values():
            worker.kill()
        for worker in idle:
            worker.dismiss()
        until = time.monotonic() + _GRACE
        for worker in idle:
            worker.process.join(max(until - time.monotonic(), 0.0))
            worker.kill()
        self._all, self._busy, self._lost = [], {}, []


class _Worker:
    """A process, as its driver sees it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), name="dealermarket worker", daemon=True)
        with interrupt.spared():
            self.process.start()
        theirs.close()
        self.has_answered = False
        self._job = ""  # the one that it has

    def send(self, name: str, job: bytes, chunks: list[range]) -> None:
        """Raises OSError where the process is gone."""
        self.connection.send((name, None if name == self._job else job, chunks))
        self._job = name

    def received(self) -> Outcome:
        """Raises EOFError or OSError where the process is gone."""
        outcome: Outcome = pickle.loads(self.connection.recv_bytes())
        self.has_answered = True
        return outcome

    def dismiss(self) -> None:
        """Has the process end, which has nothing to do."""
        self.connection.close()

    def kill(self) -> None:
        """Ends it, at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def serve(connection: Connection) -> None:
    """In a worker: does what comes through the pipe until that is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the driver answers it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = b""
    while True:
        try:
            name, new, chunks = connection.recv()
        except EOFError:
            return
        job = job if new is None else new
        outcome: Done | Failed = do({}, name, job, chunks)
        try:
            content = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # whatever a user's own measures hold
            content = pickle.dumps(Failed(ExecutorError(f"executor: a result cannot be sent to another process: {error}")))
        connection.send_bytes(content)


def _end_with_parent() -> None:
    """Ends the worker when its driver is gone, in the middle of a chunk, too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
