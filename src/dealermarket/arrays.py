"""Arrays: equality of values that hold them, and long ones in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np


def same(first: Any, second: Any) -> bool:
    """Whether two arrays, or what can be made one, have equal shapes and numbers; NaN equals NaN, and None equals None alone."""
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second, equal_nan=np.asarray(first).dtype.kind == "f" == np.asarray(second).dtype.kind)


PIECE = 1 << 14  # numbers that stay in the processor's caches while NumPy passes over them several times


def pieces(count: int) -> Iterator[slice]:
    """An array of `count` numbers, piece by piece."""
    return (slice(first, min(first + PIECE, count)) for first in range(0, count, PIECE))


class HoldsArrays:
    """What dataclasses of arrays inherit, with `eq=False`: equal where all fields are the same. They cannot be hashed."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))  # type: ignore[arg-type]

    __hash__ = None  # type: ignore[assignment]  # as that of an array
