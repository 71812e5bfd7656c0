"""A worker at its bench: what a process does with the chunks that it is sent."""

from __future__ import annotations

import os
import pickle
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dealermarket.errors import DealerMarketError, ExecutorError
from dealermarket.runs.executors.base import Work
from dealermarket.runs.executors.world import check_basis, unpacked

_REMEMBERED = 4  # jobs whose preparation a process keeps


@dataclass(frozen=True)
class Done:
    """A chunk that was run: what came of it, and its steps of markets."""

    result: Any
    steps: int


@dataclass(frozen=True)
class Failed:
    """A chunk that raised an error, and would do so again."""

    error: BaseException


@dataclass(frozen=True)
class Lost:
    """A chunk whose worker did not come to an end with it."""

    why: str


_entered = b""  # the world that the process is in
_prepared: dict[str, Work[Any]] = {}
_preparing = threading.Lock()


def do(wanted: Mapping[str, str], name: str, job: bytes, first: int, last: int) -> Done | Failed:
    """Runs the replicas from `first` to before `last` of a job that is packed with its world; none: makes all ready for others.

    `wanted` is what this process must be like, {} where it is of the same program; `name` tells the job from others."""
    try:
        work = _work(wanted, name, job)
        steps, lock = 0, threading.Lock()

        def count(more: int) -> None:
            nonlocal steps
            with lock:
                steps += more

        replicas = range(first, last)
        return Done(work(replicas, count) if replicas else None, steps)
    except Exception as error:  # whatever it is, the driver raises it
        return Failed(_as_said(error))


def _work(wanted: Mapping[str, str], name: str, content: bytes) -> Work[Any]:
    global _entered  # noqa: PLW0603 (what is registered belongs to the process)
    with _preparing:
        if name not in _prepared:
            where = f"worker on {socket.gethostname()}, process {os.getpid()}"
            check_basis(wanted, where)
            world, job = pickle.loads(content)
            if world != _entered:
                _prepared.clear()
                unpacked(world, where).enter(where)
                _entered = world
            _prepared[name] = unpacked(job, where).prepare()
            for former in list(islice(_prepared, max(len(_prepared) - _REMEMBERED, 0))):
                del _prepared[former]
        return _prepared[name]


def _as_said(error: Exception) -> BaseException:
    """An error as it is raised where the work was asked for: without its way there; its place, where nobody raised it on
    purpose."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None and not isinstance(error, DealerMarketError):
        code = trace.tb_frame.f_code
        error.add_note(f"in a worker: {code.co_filename}, line {trace.tb_lineno}, in {code.co_name}")
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # some errors cannot be made again from what they hold
        return ExecutorError(f"{type(error).__name__}: {error}")
    return error
