"""Tasks on a cluster of Ray."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import suppress
from typing import Any

from dealermarket import interrupt
from dealermarket.errors import ExecutorError
from dealermarket.runs.executors.bench import Failed, Lost, do
from dealermarket.runs.executors.cluster import ClusterExecutor
from dealermarket.runs.executors.pool import PATIENCE, Outcome


class RayExecutor(ClusterExecutor):
    """Workers of Ray, a core each. `address` is that of the head, HOST:PORT on a machine of the cluster, or ray://HOST:PORT from
    another one, or "auto"."""

    kind, package, port = "ray", "ray", 6379

    def __init__(self, workers: int, address: str = "", timeout: float = PATIENCE) -> None:
        super().__init__(workers, address, timeout)
        self._ray: Any = None
        self._references: dict[Any, int] = {}  # number of task

    def _check_that_somebody_answers(self) -> None:
        if self.address != "auto":
            super()._check_that_somebody_answers()

    def _connect(self) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # Ray tells at length what it will do by default
        os.environ.setdefault("RAY_gcs_rpc_server_connect_timeout_s", "10")
        import ray

        if ray.is_initialized():
            raise ExecutorError("executor: this process uses Ray already; call ray.shutdown() first")
        quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        with interrupt.spared(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.address:
                try:
                    ray.init(address=self.address, **quiet)
                except (ConnectionError, RuntimeError, OSError, ValueError) as error:
                    raise self._nobody(error) from None
            else:
                ray.init(address="local", num_cpus=self.workers, include_dashboard=False, **quiet)
        self._ray = ray
        self._do = ray.remote(do).options(num_cpus=1, max_retries=0)
        self._basis = ray.put(self._wanted)

    def _sent(self, job: bytes) -> Any:
        return self._ray.put(job)

    def _count(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def _submit(self, number: int, name: str, job: Any, chunks: list[range]) -> None:
        reference = self._do.remote(self._basis, name, job, chunks)
        self._references[reference] = number

    def _outcomes(self, seconds: float) -> list[tuple[int, Outcome]]:
        ready, others = self._ray.wait(list(self._references), num_returns=1, timeout=seconds)
        if ready and others:
            ready += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [(self._references.pop(reference), self._outcome(reference)) for reference in ready]

    def _outcome(self, reference: Any) -> Outcome:
        lost = self._ray.exceptions
        try:
            outcome: Outcome = self._ray.get(reference)
        except lost.RayTaskError as error:
            return Failed(self._failure(error.cause if isinstance(error.cause, Exception) else error))
        except lost.RayError as error:
            return Lost(f"its worker was ended ({type(error).__name__}), perhaps for memory")
        return outcome

    def _drop(self, number: int) -> None:
        reference = next(each for each, of in self._references.items() if of == number)
        del self._references[reference]
        with suppress(self._ray.exceptions.RayError):
            self._ray.cancel(reference, force=True)

    def _end(self) -> None:
        if self._ray is not None:
            for reference in self._references:
                with suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(reference, force=True)
            self._ray.shutdown()
        self._references, self._ray, self._counted = {}, None, 0.0
