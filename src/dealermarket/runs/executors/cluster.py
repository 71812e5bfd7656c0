"""What the executors on clusters share: is it installed, does anybody answer, and what every worker is sent."""

from __future__ import annotations

import re
import socket
import time
from abc import abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from dealermarket.errors import ExecutorError, ParameterError
from dealermarket.runs.executors.pool import PATIENCE, PoolExecutor
from dealermarket.runs.executors.world import basis, packed_by_value

_AHEAD = 2  # tasks under way for each that runs: itself, and the next
_COUNTED = 5.0  # seconds between looks at how many run at a time
ANSWER = 10.0
"""Seconds that a cluster has to answer."""


class ClusterExecutor(PoolExecutor):
    """Workers of a cluster at `address`; where that is "", so many of this machine, which are started and ended."""

    kind: str
    package: str  # which must be installed
    port: int  # where nobody says

    together = 0.5

    def __init__(self, workers: int, address: str = "", timeout: float = PATIENCE) -> None:
        super().__init__(workers, timeout)
        self.address, self.is_here = address, not address
        self._tasks, self._counted = 0, 0.0
        if find_spec(self.package) is None:
            raise ExecutorError(f"executor: {self.kind} needs the extra `{self.kind}`: pip install 'dealermarket[{self.kind}]'")
        if address and self._host() is None:
            raise ParameterError(
                f"executor: must be {self.kind}:HOST:PORT, such as {self.kind}:localhost:{self.port}, got {address!r}"
            )

    def _host(self) -> tuple[str, int] | None:
        """Host and port of the address; None where it has none."""
        found = re.fullmatch(r"(?:\w+://)?(\[[\da-fA-F:]+\]|[\w.-]+)(?::(\d{1,5}))?", self.address)
        if found is None or int(found[2] or 0) > 65535:
            return None
        return found[1].strip("[]"), int(found[2] or self.port)

    def _check_that_somebody_answers(self) -> None:
        """Raises ExecutorError within ANSWER seconds."""
        place = self._host()
        try:
            assert place is not None
            socket.create_connection(place, timeout=ANSWER).close()
        except OSError as error:
            raise self._nobody(error) from None

    def _nobody(self, error: object) -> ExecutorError:
        return ExecutorError(
            f"executor: nobody answers at {self.kind}:{self.address} ({_line(error)}); start the cluster, or give {self.kind} "
            "without an address for one of this machine"
        )

    def _open(self) -> None:
        self._wanted: Mapping[str, str] = dict(basis())
        if self.address:
            self._check_that_somebody_answers()
        self._connect()

    def _room(self) -> int:
        return _AHEAD * max(self._tasks_at_a_time(), self.workers)

    def _is_working(self) -> bool:
        return self._tasks_at_a_time() > 0

    def _tasks_at_a_time(self) -> int:
        now = time.monotonic()
        if now - self._counted > _COUNTED:
            self._tasks, self._counted = self._count(), now
        return self._tasks

    @abstractmethod
    def _count(self) -> int:
        """How many tasks the cluster runs at a time, as it says now."""

    @abstractmethod
    def _connect(self) -> None:
        """Connects to the cluster, or starts one. Raises ExecutorError."""

    def _pack(self, thing: Any) -> bytes:
        return packed_by_value(thing)

    def _failure(self, error: BaseException) -> ExecutorError:
        """What is said where a task could not be begun: what runs in it raises no errors."""
        return ExecutorError(
            f"executor: a worker of {self.kind} could not begin ({type(error).__name__}: {_line(error)}); install the same "
            "version of dealermarket there"
        )


def _line(error: object) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).splitlines()), "")
