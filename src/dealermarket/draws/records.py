"""Parts of a scenario as rows of named numbers, as compiled code reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.model.part import Clock, Part
from dealermarket.slots import Slot

Array = NDArray[Any]
Fields = Sequence[tuple[str, Any]]


def record(fields: Fields) -> np.dtype[Any]:
    """A record with these fields, aligned as compiled code likes it."""
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


def rule_records(slot: Slot, parts: Sequence[Part], clock: Clock, of_the_papers: bool = False, /, **given: ArrayLike) -> Array:
    """A row for each part of a slot: the number of its `kind`, the slot's own numbers (its base's `reserved`: columns that are
    `given`, or the parts' attributes), and the parameters of all kinds, or of those `of_the_papers`; 0 where a part has none
    of this name."""
    columns = {
        name: np.asarray(given[name] if name in given else [getattr(part, name, 0.0) for part in parts])
        for name in slot.base.reserved  # type: ignore[attr-defined]
    }
    names = slot.parameters(of_the_papers)
    fields = [(name, column.dtype) for name, column in columns.items()] + [(name, np.dtype(np.float64)) for name in names]
    rows = np.zeros(len(parts), record([("kind", np.int64), *fields]))
    for name, column in columns.items():
        rows[name] = column
    rules = [part.rule(clock) for part in parts]
    rows["kind"] = [slot.number(part) for part in parts]
    for name in names:  # by columns: a market may have thousands of parts
        rows[name] = [rule.get(name, 0.0) for rule in rules]
    return rows


def number_rows(parts: Iterable[Part]) -> Array:
    """The `numbers` of each part, (parts, as many as the most has); 0 beyond a part's own."""
    rows = [part.numbers for part in parts]
    padded = np.zeros((len(rows), max((len(row) for row in rows), default=0)))
    for target, row in zip(padded, rows, strict=True):
        if len(row):
            target[: len(row)] = row
    return padded
