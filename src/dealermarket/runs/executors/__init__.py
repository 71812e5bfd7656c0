"""Where chunks are run: on threads, in processes, or on a cluster of Dask or Ray. Results are the same to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dealermarket.errors import ParameterError
from dealermarket.runs.executors.base import Executor, Job, Keep, Progress, Task, Work
from dealermarket.runs.executors.threads import ThreadExecutor
from dealermarket.values import suggestion, whole_number

__all__ = ["KINDS", "Executor", "Job", "Keep", "Progress", "Task", "ThreadExecutor", "Work", "executor_on", "running"]

KINDS = ("threads", "processes", "dask", "ray")
MOST_WORKERS = 1024


def executor_on(text: str, workers: int | None = None, timeout: float | None = None) -> Executor:
    """The executor of a text. Use it in a `with`, which starts and ends what is needed.

    Parameters
    ----------
    text : str
        "threads", "processes", "dask" or "ray", each with a number of workers as in "threads:4"; or "dask:ADDRESS" or
        "ray:ADDRESS", the cluster there.
    workers : int, optional
        How many workers where `text` has no number; as many as cores if not given.
    timeout : float, optional
        The seconds that a chunk may take before its worker is given up; half an hour if not given. Threads have none.

    Returns
    -------
    Executor
        What `SimulationRunner.run` and studies take as `executor`.

    Raises
    ------
    ParameterError
        If the text names no executor, or a number of workers is not allowed.
    ExecutorError
        If an extra is not installed.

    Examples
    --------
    >>> from dealermarket import executor_on
    >>> with executor_on("threads:2") as executor:
    ...     executor.workers
    2

    """
    from dealermarket.runs.chunks import cores

    kind, _, where = text.strip().partition(":")
    if kind not in KINDS:
        raise ParameterError(f"executor: must be one of {', '.join(KINDS)}, got {text!r}{suggestion(kind, KINDS)}")
    if where.isdecimal():
        if workers is not None and workers != int(where):
            raise ParameterError(f"executor: {text} has {where} workers, and {workers} were asked for; leave one of them out")
        workers, where = int(where), ""
    count = cores() if workers is None else whole_number("workers", workers, 1, MOST_WORKERS)
    if where and kind in ("threads", "processes"):
        raise ParameterError(f"executor: {kind} are of this machine; give how many, such as {kind}:4, got {text!r}")
    patience = {} if timeout is None else {"timeout": timeout}
    if kind == "threads":
        return ThreadExecutor(count)
    if kind == "processes":
        from dealermarket.runs.executors.processes import ProcessExecutor

        return ProcessExecutor(count, **patience)
    if kind == "dask":
        from dealermarket.runs.executors.on_dask import DaskExecutor

        return DaskExecutor(count, where, **patience)
    from dealermarket.runs.executors.on_ray import RayExecutor

    return RayExecutor(count, where, **patience)


@contextmanager
def running(executor: Executor | str | None, threads: int = 1) -> Iterator[Executor]:
    """An executor, or that of a text, which is closed afterwards; threads, so many, where there is none."""
    if isinstance(executor, Executor):
        yield executor  # who made it closes it
        return
    count = whole_number("threads", threads, 1, MOST_WORKERS)
    with ThreadExecutor(count) if executor is None else executor_on(executor) as made:
        yield made
