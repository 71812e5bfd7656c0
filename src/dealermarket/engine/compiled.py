"""`compiled`: Numba's compiler with a cache on disk that no stale code can come out of."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from dealermarket.cache import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_KEPT = 86_400.0  # seconds that code is kept after its last use


@cache
def _code_folder() -> Path | None:
    """The cache of this very source code. Numba notices a change in the file of a compiled function, not in those of
    the functions that it calls; so every state of the sources gets a folder of its own."""
    base = cache_folder()
    if base is None:
        return None
    package = Path(__file__).parent
    sources = [*sorted(package.glob("*.py")), package.parent / "laws.py"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = base / "code" / digest
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for other in (base / "code").glob("*"):
            with suppress(OSError):  # another process may have deleted it
                if time.time() - other.stat().st_mtime > _KEPT:
                    shutil.rmtree(other, ignore_errors=True)
    with suppress(OSError):
        os.utime(folder)  # the time of its last use
    return folder


def compiled(function: F) -> F:
    """The function as machine code: no interpreter lock, cached on disk, exact IEEE arithmetic (no fastmath)."""
    return _compile(function)


def kernel(function: F) -> F:
    """`compiled` for the engine's inner parts, which are many and tiny: inlined where they are called, and without the
    counting of references, which would cost more than the work. They must not allocate or return arrays to Python."""
    return _compile(function, forceinline=True, _nrt=False)


def entry(function: F) -> F:
    """`compiled` for what Python calls of the engine: kernels may hand arrays to each other inside; see `kernel`."""
    return _compile(function, _nrt=False)


def resolved(function: F, *arguments: Any) -> F:
    """The machine code of a compiled function for arguments of these very types, which it trusts from then on.

    Finding out the types of a market's arrays takes longer than a step of one market does."""
    if not hasattr(function, "get_overload"):
        return function  # plain Python, where compiling is switched off
    typeof: Any = numba.typeof
    types = tuple(typeof(argument) for argument in arguments)
    dispatcher: Any = function
    dispatcher.compile(types)
    return cast(F, dispatcher.get_overload(types))


def _compile(function: F, **options: bool) -> F:
    folder = _code_folder()
    config: Any = numba.config
    njit: Any = numba.njit
    former = config.CACHE_DIR
    try:
        config.CACHE_DIR = str(folder or "")
        return cast(F, njit(nogil=True, cache=folder is not None, error_model="numpy", **options)(function))
    finally:
        config.CACHE_DIR = former


def is_cached() -> bool:
    """Whether an earlier process has left the engine's machine code on disk."""
    folder = _code_folder()
    return folder is not None and any(folder.rglob("advance*.nbc"))
