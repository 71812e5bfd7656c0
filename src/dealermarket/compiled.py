"""`compiled`: Numba's compiler with a cache on disk that no stale code can come out of."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from dealermarket.cache import cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_KEPT_VERSIONS = 5


@cache
def _code_folder() -> Path | None:
    """The cache of this very source code. Numba notices a change in the file of a compiled function, not in those of
    the functions that it calls; so every state of the sources gets a folder of its own."""
    base = cache_folder()
    if base is None:
        return None
    package = Path(__file__).parent
    sources = [
        *sorted((package / "engine").glob("*.py")),
        package / "draws" / "arithmetic.py",
        package / "compiled.py",
        package / "laws.py",
    ]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = base / "code" / digest
    if not folder.exists():
        former = sorted((base / "code").glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in former[_KEPT_VERSIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
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
