"""Tables as wide as the terminal: what does not fit beside the rest goes into a table of its own below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dealermarket.commands.plain_text import readable
from dealermarket.estimates import TAIL, fixed

if TYPE_CHECKING:
    from rich.table import Table

EDGES = 1  # characters of a table that belong to no column
NO_CLIENTS = "no clients"


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, in lines, and a text for every row. What is longer than `most` is folded."""

    heading: str
    texts: Sequence[str]
    justify: Literal["left", "right"] = "right"
    most: int | None = None

    @property
    def width(self) -> int:
        """Characters it takes, with what is between it and the next."""
        widest = max(len(readable(line)) for line in (*self.heading.splitlines(), *self.texts))
        return (widest if self.most is None else min(widest, self.most)) + 2

    @property
    def columns(self) -> Sequence[Column]:
        """Itself alone."""
        return (self,)


@dataclass(frozen=True)
class Together:
    """Columns that are not parted where a table is."""

    columns: Sequence[Column]

    @property
    def width(self) -> int:
        """Characters they take."""
        return sum(column.width for column in self.columns)


def split_tables(title: str, labels: Sequence[Column], columns: Sequence[Column | Together], width: int) -> list[Table]:
    """One table of all columns, or several where they do not fit beside each other in `width` characters.

    `labels`, the columns that say whose a row is, stand in each; the first table has the title."""
    from rich import box
    from rich.table import Table

    tables: list[Table] = []
    for group in split_columns(columns, width - EDGES - sum(label.width for label in labels)):
        table = Table(box=box.SIMPLE_HEAD, title_justify="left", padding=(0, 0, 0, 1), title=None if tables else title)
        shown = [*labels, *(column for part in group for column in part.columns)]
        for column in shown:
            folds = column.most is not None
            overflow: Literal["fold", "ellipsis"] = "fold" if folds else "ellipsis"
            table.add_column(column.heading, justify=column.justify, max_width=column.most, overflow=overflow, no_wrap=not folds)
        for row in zip(*(column.texts for column in shown), strict=True):
            table.add_row(*row)
        tables.append(table)
    return tables


def split_columns(columns: Sequence[Column | Together], room: int) -> list[list[Column | Together]]:
    """The columns in groups, in order, that take at most `room` characters each, or are a single one."""
    groups: list[list[Column | Together]] = [[]]
    left = room
    for column in columns:
        if groups[-1] and column.width > left:
            groups.append([])
            left = room
        groups[-1].append(column)
        left -= column.width
    return groups


def whose_row(name: str, no_clients: bool) -> str:
    """Whose row it is, and a mark on who has no clients, whose numbers are no results."""
    return f"{name} ({NO_CLIENTS})" if no_clients else name


def risk_columns(deviations: Sequence[float], tails: Sequence[float]) -> list[Column]:
    """Standard deviation and tail of P&L, both with the decimals that give the smallest deviation two digits."""
    smallest = min((value for value in deviations if value > 0), default=1.0)
    decimals = max(1 - math.floor(math.log10(smallest)), 0)

    def column(heading: str, values: Sequence[float]) -> Column:
        return Column(heading, [fixed(value, decimals) if math.isfinite(value) else "-" for value in values])

    return [column("sd of\nP&L", deviations), column(f"{100 * TAIL:g} % tail\nof P&L", tails)]
