"""Nested values as environments return them: where two differ, in words; their leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def first_difference(actual: Any, expected: Any, name: str, tolerance: tuple[float, float] = (0.0, 0.0)) -> str | None:
    """Where two values differ first, in words; None if they are equal."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        if actual.keys() != expected.keys():
            return f"{name} has the keys {sorted(actual)}, expected {sorted(expected)}"
        parts = [(f"{name}[{key!r}]", actual[key], expected[key]) for key in actual]
    elif all(isinstance(value, list | tuple) for value in (actual, expected)) and len(actual) == len(expected):
        parts = [(f"{name}[{i}]", *pair) for i, pair in enumerate(zip(actual, expected, strict=True))]
    elif all(isinstance(value, np.ndarray) and value.dtype == object and value.ndim for value in (actual, expected)):
        return first_difference(actual.tolist(), expected.tolist(), name, tolerance)
    else:
        return None if _equal(actual, expected, tolerance) else f"{name} is {shown(actual)}, expected {shown(expected)}"
    return next((text for part, one, other in parts if (text := first_difference(one, other, part, tolerance))), None)


def _equal(actual: Any, expected: Any, tolerance: tuple[float, float]) -> bool:
    if type(actual) is type(expected) and isinstance(actual, list | tuple):
        return False  # of different lengths
    one, other = np.asarray(actual), np.asarray(expected)
    if one.shape != other.shape:
        return False
    if np.all(one == other):
        return True
    # Floats are compared in the precision of the actual value; NaN equals NaN.
    floats = one.dtype.kind == "f" and other.dtype.kind in "iuf"
    return floats and np.allclose(one, other.astype(one.dtype), *tolerance, equal_nan=True)


def leaves(value: Any) -> Iterator[Any]:
    """The arrays and scalars in nested dicts, sequences and object arrays."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.ravel().tolist()
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def overwrite(value: Any) -> None:
    """Do to a returned value the worst that a caller may do, short of what is read-only."""
    for leaf in leaves(value):
        if isinstance(leaf, np.ndarray) and leaf.flags.writeable and leaf.dtype.kind in "biufc":
            leaf.fill(77)


def described(value: Any) -> str:
    """The type, and the shape of an array."""
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    return f"{value.dtype} array of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def shown(value: Any) -> str:
    """The value in one line, with all digits."""
    with np.printoptions(threshold=20, floatmode="unique"):
        return " ".join(str(value).split()) if isinstance(value, np.ndarray | np.generic) else repr(value)
