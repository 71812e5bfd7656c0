"""A worker at its bench: what a process does with the chunks that it is sent."""

from __future__ import annotations

import os
import pickle
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dealermarket.errors import DealerMarketError, ExecutorError
from dealermarket.runs.executors.base import Work
from dealermarket.runs.executors.world import check_basis, unpacked

_REMEMBERED = 4  # jobs whose preparation a process keeps


@dataclass(frozen=True)
class Done:
    """Chunks that were run: what came of each, its steps of markets, and the seconds that all took."""

    results: tuple[Any, ...]
    steps: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Failed:
    """Chunks of which one raised an error, and would do so again."""

    error: BaseException


@dataclass(frozen=True)
class Lost:
    """Chunks whose worker did not come to an end with them."""

    why: str


_entered = b""  # the world that the process is in
_prepared: dict[str, Work[Any]] = {}
_preparing = threading.Lock()


def do(wanted: Mapping[str, str], name: str, job: bytes, chunks: Sequence[range]) -> Done | Failed:
    """Runs chunks of a job that is packed with its world; none: makes all ready for others.

    `wanted` is what this process must be like, {} where it is of the same program; `name` tells the job from others."""
    try:
        work, began = _work(wanted, name, job), time.monotonic()
        results, steps = [], []
        for replicas in chunks:
            counted: list[int] = []
            results.append(work(replicas, counted.append))
            steps.append(sum(counted))
        return Done(tuple(results), tuple(steps), time.monotonic() - began)
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
