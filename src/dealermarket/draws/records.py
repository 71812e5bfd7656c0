"""Parts of a scenario as rows of named numbers, as compiled code reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.part import Clock, Part
from dealermarket.slots import Slot

Array = NDArray[Any]
Fields = Sequence[tuple[str, Any]]


def record(fields: Fields) -> np.dtype[Any]:
    """A record with these fields, aligned as compiled code likes it."""
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


def rule_records(slot: Slot, parts: Iterable[Part], clock: Clock, common: Fields = ()) -> Array:
    """A row for each part of a slot: the number of its `kind`, the `common` fields (0 for now) and the parameters of all
    kinds, 0 where a part has none of this name."""
    parts = list(parts)
    names = sorted({name for kind in slot.kinds.values() for name in kind.parameters} - {name for name, _ in common})  # type: ignore[attr-defined]
    rows = np.zeros(len(parts), record([("kind", np.int64), *common, *((name, np.float64) for name in names)]))
    for row, part in zip(rows, parts, strict=True):
        row["kind"] = slot.number(part)
        for name, value in part.rule(clock).items():
            row[name] = value
    return rows


def number_rows(parts: Iterable[Part]) -> Array:
    """The `numbers` of each part, (parts, as many as the most has); 0 beyond a part's own."""
    rows = [part.numbers for part in parts]
    padded = np.zeros((len(rows), max((len(row) for row in rows), default=0)))
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
