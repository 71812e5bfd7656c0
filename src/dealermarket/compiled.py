"""Machine code: plain functions compiled by Numba, with a cache on disk that is keyed by what they do.

A function that is marked is compiled on its first call, together with everything that it calls: plain functions are
inlined, a :class:`~dealermarket.slots.Law` becomes a choice among the laws of its slot's kinds. Kinds that are registered
later lead to new machine code on the next call. Markets whose kinds are all of the papers run machine code that knows no
others: kinds cost those nothing who do not use them. With `NUMBA_DISABLE_JIT=1` everything stays plain Python.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar, cast

import numba

from dealermarket.cache import cache_folder
from dealermarket.digests import digest_of, digest_of_code, meaning_of, named
from dealermarket.slots import Law, registrations, taken

F = TypeVar("F", bound=Callable[..., Any])
Options = Mapping[str, bool]

COMPILES = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
"""Whether functions run as machine code; as plain Python, the last bits of exp and log may be others."""
_UNUSED_FOR = 24 * 3600.0  # seconds after which a folder of machine code that nobody has used is deleted
_INLINED: Options = {"forceinline": True, "_nrt": False}
_LOCK = threading.RLock()


def compiled(function: F) -> F:
    """The function as machine code: no interpreter lock, cached on disk, exact IEEE arithmetic (no fastmath)."""
    return _marked(function, {})


def kernel(function: F) -> F:
    """`compiled` for the engine's inner parts, which are many and tiny: inlined where they are called, and without the
    counting of references, which would cost more than the work. They must not allocate or return arrays to Python.

    Plain functions that compiled ones call are compiled like this."""
    return _marked(function, _INLINED)


def entry(function: F) -> F:
    """`compiled` for what Python calls of the engine: kernels may hand arrays to each other inside; see `kernel`."""
    return _marked(function, {"_nrt": False})


def resolved(function: F, *arguments: Any) -> F:
    """The machine code of a compiled function for arguments of these very types, which it trusts from then on.

    Finding out the types of a market's arrays takes longer than a step of one market does."""
    if not isinstance(function, Compiled):
        return function  # plain Python, where compiling is switched off
    typeof: Any = numba.typeof
    types = tuple(typeof(argument) for argument in arguments)
    dispatcher = function.machine_code()
    dispatcher.compile(types)
    return cast(F, dispatcher.get_overload(types))


def among(function: F, of_the_papers: bool) -> F:
    """A compiled function for markets whose kinds are all `of_the_papers`, or for any market."""
    return cast(F, function.of_the_papers) if of_the_papers and isinstance(function, Compiled) else function


def is_cached(function: Callable[..., Any]) -> bool:
    """Whether an earlier process has left the machine code of a function on disk."""
    if not isinstance(function, Compiled):
        return True
    folder = _code_folder(function.digest())
    return folder is not None and any(folder.rglob(f"*{function.__name__}*.nbc"))


def identity(function: Callable[..., Any]) -> str:
    """What tells whether a function, or anything that it calls, does the same in another process."""
    return function.digest() if isinstance(function, Compiled) else digest_of(function)


class Compiled:
    """A function that runs as machine code."""

    def __init__(self, function: Callable[..., Any], options: Options, knows_papers_only: bool = False) -> None:
        self.function, self.options, self.knows_papers_only = cast(FunctionType, function), options, knows_papers_only
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self._code: Any = None
        self._as_of = -1  # registrations

    def __call__(self, *arguments: Any) -> Any:
        return self.machine_code()(*arguments)

    @cached_property
    def of_the_papers(self) -> Compiled:
        """The same for markets of the papers' kinds alone."""
        return Compiled(self.function, self.options, knows_papers_only=True)

    def machine_code(self) -> Any:
        """Numba's dispatcher, of the kinds that are registered now."""
        if self._as_of != self._now():
            with _LOCK:
                as_of = self._now()
                self._code = _link(self)
                self._as_of = as_of
        return self._code

    def _now(self) -> int:
        return 0 if self.knows_papers_only else registrations()

    def digest(self) -> str:
        """What tells whether it, or anything that it calls, does something else than before."""
        return _digest(_reached(self), self.knows_papers_only)


def _marked(function: F, options: Options) -> F:
    if not COMPILES:
        return function
    return cast(F, Compiled(function, options))


# --- what a function calls

_Reached = dict[FunctionType, Options]


def _reached(root: Compiled) -> _Reached:
    """The function and all that it calls, directly or not, with the options of each; in the order they are met."""
    reached: _Reached = {}
    pending: list[tuple[Any, Options]] = [(root.function, root.options)]
    while pending:
        function, options = pending.pop()
        if function in reached:
            continue
        reached[function] = options
        for value in named(function).values():
            pending += [(_plain(called), _options(called)) for called in _functions(value, root.knows_papers_only)]
    return reached


def _functions(value: Any, papers_only: bool) -> list[Any]:
    """The functions that a name stands for: one, those of the kinds, or none."""
    if isinstance(value, Law):
        return list(value.formulas(papers_only).values())
    return [value] if isinstance(value, (Compiled, FunctionType)) else []


def _plain(function: Any) -> FunctionType:
    return function.function if isinstance(function, Compiled) else function


def _options(function: Any) -> Options:
    return function.options if isinstance(function, Compiled) else _INLINED


def _digest(reached: _Reached, papers_only: bool) -> str:
    """A digest of what functions do once they are compiled."""

    def meaning(value: Any) -> str:
        if not isinstance(value, Law):
            return meaning_of(value)
        formulas = value.formulas(papers_only).items()
        return " ".join(f"{number} {formula.__module__}.{formula.__qualname__}" for number, formula in formulas)

    options = [sorted(options.items()) for options in reached.values()]
    parts = [numba.__version__, repr(options), digest_of_code(reached, meaning)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


# --- compiling


def _link(root: Compiled) -> Any:
    """Numba's dispatcher of a function: copies of all that it calls, compiled with each other."""
    reached = _reached(root)
    folder = _code_folder(_digest(reached, root.knows_papers_only))
    copies = {function: _copy(function, number, folder) for number, function in enumerate(reached)}
    machine = {function: _compile(copy, folder, reached[function]) for function, copy in copies.items()}
    for function, copy in copies.items():
        cells = dict(zip(copy.__code__.co_freevars, copy.__closure__ or (), strict=True))
        for name, value in named(function).items():
            compiled_value = _in_machine_code(value, machine, root.knows_papers_only)
            if name in cells:
                cells[name].cell_contents = compiled_value
            else:
                copy.__globals__[name] = compiled_value
    return machine[root.function]


def _in_machine_code(value: Any, machine: Mapping[FunctionType, Any], papers_only: bool) -> Any:
    """What a name stands for in the compiled copy of a function."""
    if isinstance(value, Law):
        return _choice(value, value.formulas(papers_only), machine)
    return machine[_plain(value)] if isinstance(value, (Compiled, FunctionType)) else value


def _copy(function: FunctionType, number: int, folder: Path | None) -> FunctionType:
    """The same function with names of its own: what it calls is filled in later.

    Numba's cache asks for the file of a function, and takes it as changed when the file is; so all stand in one file, in the
    folder of the cache, that never changes, and each on a line of its own, by which Numba tells equal names apart."""
    code = function.__code__
    if folder is not None:
        code = code.replace(co_filename=str(folder / "functions.py"), co_firstlineno=number + 1)
    names = {"__name__": function.__module__, "__builtins__": function.__globals__["__builtins__"]}
    cells = tuple(CellType() for _ in code.co_freevars)
    copy = FunctionType(code, names, function.__name__, function.__defaults__, cells)
    copy.__qualname__, copy.__kwdefaults__ = function.__qualname__, function.__kwdefaults__
    return copy


def _compile(function: FunctionType, folder: Path | None, options: Options) -> Any:
    config: Any = numba.config
    njit: Any = numba.njit
    former = config.CACHE_DIR
    cache = folder is not None and not function.__closure__  # Numba would look into the enclosing function's variables
    try:
        config.CACHE_DIR = str(folder or "")
        dispatcher = njit(nogil=True, error_model="numpy", **options)(function)
        if cache:
            with suppress(RuntimeError, OSError):  # Numba found no place for the cache, as on a full disk: do without
                dispatcher.enable_caching()
                _forgive(dispatcher._cache)
        return dispatcher
    finally:
        config.CACHE_DIR = former


def _forgive(cache: Any) -> None:
    """A disk that is full costs the cache, not the run."""
    save = cache.save_overload

    def save_if_there_is_room(signature: Any, data: Any) -> None:
        with suppress(OSError):
            save(signature, data)

    cache.save_overload = save_if_there_is_room


def _choice(law: Law, formulas: Mapping[int, Callable[..., Any]], machine: Mapping[FunctionType, Any]) -> Any:
    """One function of a number and a law's arguments, which are those of the compiled formula with this number."""
    calls = {number: f"return formula_{number}({', '.join(taken(formula))})" for number, formula in formulas.items()}
    first, *others = calls
    lines = [f"def {law.name}(number, {', '.join(law.arguments)}):"]
    for number in others:
        lines += [f"    if number == {number}:", f"        {calls[number]}"]
    lines += [f"    {calls[first]}"]
    names: dict[str, Any] = {f"formula_{number}": machine[_plain(formula)] for number, formula in formulas.items()}
    exec("\n".join(lines), names)
    return _compile(names[law.name], None, _INLINED)


def _code_folder(digest: str) -> Path | None:
    """Where machine code of this digest is kept. Others that nobody has used for a day are deleted."""
    base = cache_folder()
    if base is None:
        return None
    folder = base / "code" / digest
    try:
        if not (folder / "functions.py").exists():
            for old in (base / "code").glob("*"):
                with suppress(OSError):  # another process may have deleted it
                    if time.time() - old.stat().st_mtime > _UNUSED_FOR:
                        shutil.rmtree(old, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "functions.py").touch()
        folder.touch()
    except OSError:
        return None
    return folder
