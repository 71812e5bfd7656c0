"""Digests of what functions do, by which kept results and machine code are known again.

A comment, a docstring or another place in a file changes no digest. Whatever a function does otherwise counts, and so do the
functions that it calls and the constants that it names, directly or not.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from sysconfig import get_path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_LIBRARIES = tuple({get_path(name) for name in ("stdlib", "purelib", "platlib")})


def digest_of_code(functions: Iterable[FunctionType], meaning: Callable[[Any], str] | None = None) -> str:
    """A digest of functions; `meaning` of what a name in them stands for, by default `meaning_of`."""
    means = meaning or meaning_of
    parts = [sys.version]
    for function in functions:
        parts += [function.__qualname__, means(function.__defaults__)]
        parts.append(means(tuple(sorted((function.__kwdefaults__ or {}).items()))))
        for code in _codes(function.__code__):
            constants = [value for value in code.co_consts if not isinstance(value, CodeType) and value != function.__doc__]
            parts += [code.co_code.hex(), repr(code.co_names), repr(code.co_varnames), *map(means, constants)]
        for name, value in named(function).items():
            parts.append(f"{name}={means(value)}")
            if isinstance(value, ModuleType):  # what the code reads of it
                read = {name for code in _codes(function.__code__) for name in code.co_names if hasattr(value, name)}
                parts += [f"{name}={means(getattr(value, name))}" for name in sorted(read)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def digest_of(thing: Any) -> str:
    """A digest of a function, a class or another callable: of its code, of all it calls and of what it holds.

    Numbers, texts and tables of them count as they are now, so a callable that changes its own is another one afterwards; other
    objects that it names are known by their class."""
    functions, parts = list(_functions(thing)), [meaning_of(thing)]
    if isinstance(thing, MethodType):  # the class of its object has the code
        parts.append(digest_of(thing.__self__))
    elif not isinstance(thing, (type, FunctionType, partial)) and hasattr(thing, "__dict__"):
        functions += _functions(type(thing))
        parts += [f"{name}={meaning_of(value)}" for name, value in sorted(vars(thing).items())]
    if isinstance(thing, type):
        for field, info in getattr(thing, "model_fields", {}).items():
            parts.append(f"{field}={info.annotation!r} {info.default!r}")
        parts += [f"{name}={meaning_of(value)}" for name, value in sorted(vars(thing).items()) if _is_plain(name, value)]
    reached: dict[FunctionType, None] = {}
    while functions:
        function = functions.pop()
        if function not in reached:
            reached[function] = None
            functions += [called for value in named(function).values() for called in _functions(value) if _is_followed(called)]
    return hashlib.sha256("\0".join([*parts, digest_of_code(reached)]).encode()).hexdigest()[:20]


def named(function: FunctionType) -> dict[str, Any]:
    """What the names in a function's code stand for, where they are no local variables."""
    names = sorted({name for code in _codes(function.__code__) for name in code.co_names})
    globals_named = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return globals_named | {name: cell.cell_contents for name, cell in cells}


def meaning_of(value: Any) -> str:
    """What a name stands for, as far as what a function does depends on it."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, Enum)):
        return repr(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype}{value.shape}{value.tobytes().hex()}"
    if hasattr(value, "py_func"):  # compiled by Numba itself
        return digest_of(value.py_func)
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(map(meaning_of, value))})"
    if isinstance(value, (set, frozenset)):  # whose order is another one in every process
        return f"{type(value).__name__}({', '.join(sorted(map(meaning_of, value)))})"
    if isinstance(value, Mapping):
        return f"{type(value).__name__}({', '.join(f'{meaning_of(key)}: {meaning_of(value[key])}' for key in value)})"
    if isinstance(value, type):
        members = [(member.name, member.value) for member in value] if issubclass(value, Enum) else getattr(value, "_fields", "")
        return f"{value.__module__}.{value.__qualname__}{members}"
    if isinstance(value, partial):
        return f"partial({digest_of(value.func)}, {meaning_of(value.args)}, {meaning_of(sorted(value.keywords.items()))})"
    shown = getattr(value, "__name__", None) or repr(value)
    # an address would be another one in every process
    return f"{type(value).__module__}.{type(value).__qualname__}" if " at 0x" in shown else shown


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _functions(thing: Any) -> Iterator[FunctionType]:
    """The functions that a thing consists of: one, or those of a class and of its bases outside the package."""
    if isinstance(thing, FunctionType):
        yield thing  # what a decorator wraps is among the names that the wrapper uses
    elif isinstance(thing, partial):
        yield from _functions(thing.func)
    elif isinstance(thing, type):
        for base in thing.__mro__:
            if base.__module__.partition(".")[0] not in ("builtins", "pydantic", "dealermarket", "typing", "abc"):
                for _, member in sorted(vars(base).items()):
                    yield from _functions_of_member(member)


def _is_followed(function: FunctionType) -> bool:
    """Whether what a function calls counts, too: not in Python's library or an installed one, whose versions are fixed."""
    file = function.__code__.co_filename
    return function.__module__.startswith("dealermarket.") or not any(file.startswith(folder) for folder in _LIBRARIES)


def _functions_of_member(member: Any) -> Iterator[FunctionType]:
    inner = [getattr(member, name, None) for name in ("__func__", "fget", "func")]
    yield from (function for function in (member, *inner) if isinstance(function, FunctionType))


def _is_plain(name: str, value: Any) -> bool:
    return not name.startswith("_") and isinstance(value, (bool, int, float, str, tuple, np.ndarray))
