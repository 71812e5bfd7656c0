"""Cells of a table as a page shows them: texts, intervals apart, and the unrounded numbers that a column is sorted by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dealermarket.pages.table import Column, Table

_WIDEST_KEY = 18  # characters of a first column, beside which a second one stays in sight


@dataclass(frozen=True)
class Cell:
    """A cell: its text, its interval apart, the unrounded number, and a class that the style sheet knows."""

    text: str
    interval: str = ""
    value: str | None = None
    look: str = ""


def cells(table: Table, look: Callable[[str], str] | None = None) -> list[list[Cell]]:
    """The cells of a table, row by row; `look` says of the text of a cell without a number which class it has, "" for none."""
    return [[_cell(column, row, look) for column in table.columns] for row in table.frame.to_dict("records")]


def _cell(column: Column, row: Mapping[Any, Any], look: Callable[[str], str] | None) -> Cell:
    text, value = column.text(row), row[column.name]
    if column.digits is None or value is None or isinstance(value, str):
        return Cell(text, look="" if look is None else look(text))
    shown, space, rest = text.partition(" ")
    return Cell(shown, rest if space else "", repr(float(value)))


def width(column: Iterable[Cell]) -> float:
    """As wide as the widest interval, in digits: so wide are all of a column, that values stand below each other."""
    return max((sum(1.0 if c.isdigit() else 1.3 if c == "−" else 0.55 for c in cell.interval) for cell in column), default=0.0)


def keys(table: Table) -> list[tuple[float, float]]:
    """Of the columns that stay in sight when the table moves, how far from the left they stand and how wide they are at least,
    in characters: the first column, and the second where both are texts."""
    longest = max((len(row[0]) for row in table.rows()), default=0)
    if table.columns[0].digits is not None or longest > _WIDEST_KEY:
        return [(0.0, 0.0)]
    second = len(table.columns) > 3 and table.columns[1].digits is None
    room = max(longest, len(table.columns[0].heading) if second else 0) + 1.0
    return [(0.0, room), (room, 0.0)] if second else [(0.0, room)]
