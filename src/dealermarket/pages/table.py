"""Tables: a column is declared once, with its heading, its digits and the function that gives its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dealermarket.estimates import Estimate, with_interval
from dealermarket.pages.wording import interval, number

if TYPE_CHECKING:
    import pandas as pd


class Cells(Protocol):
    """Cells by row, such as an array, an Estimate or a mapping."""

    def __getitem__(self, row: Any, /) -> Any: ...


@dataclass(frozen=True)
class Column:
    """A column of a table: what stands in its cells, and how that is shown.

    A cell is a number, a text, or an `Estimate`, whose bounds become columns `NAME_low` and `NAME_high` of the frame.

    Parameters
    ----------
    name : str
        The name in files.
    heading : str
        The heading on the page; "" for a column that stands in files alone.
    digits : int, optional
        Decimals that are shown; None for a column of texts.
    value : callable or object with `[]`, optional
        A function from a row to its cell, or the cells of all rows by row, such as an array where rows are numbers. Where left
        out, rows are mappings, and a cell is their entry of this name.
    scale : float
        What numbers are multiplied by where they are shown; the frame keeps them as they are.
    interval : bool
        Whether the bounds of an estimate are shown behind its value.
    """

    name: str
    heading: str
    digits: int | None = None
    value: Callable[[Any], Any] | Cells | None = None
    scale: float = 1.0
    interval: bool = True

    def cells(self, row: Any) -> dict[str, Any]:
        """What a row has in this column, bounds included."""
        by_row = self.value
        value = row[self.name] if by_row is None else by_row(row) if callable(by_row) else by_row[row]
        return with_interval(self.name, value) if isinstance(value, Estimate) else {self.name: value}

    def text(self, cells: Mapping[Any, Any]) -> str:
        """A cell as it is shown."""
        value = cells[self.name]
        if self.digits is None or isinstance(value, str):
            return "" if value is None else str(value)
        low, high = (cells.get(f"{self.name}_{bound}", math.nan) for bound in ("low", "high"))
        if not (self.interval and all(map(math.isfinite, (value, low, high)))):
            return number(value, self.digits, self.scale)
        return interval(value, low, high, self.digits, self.scale)


@dataclass(frozen=True)
class Table:
    """Numbers of an experiment, as a frame and as a page shows them.

    Parameters
    ----------
    name : str
        The name of the table, and of its file.
    caption : str
        What stands above it.
    frame : pandas.DataFrame
        All numbers, unrounded.
    columns : sequence of Column
        What of the frame is shown, and how.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    columns: Sequence[Column]

    @classmethod
    def of(cls, name: str, caption: str, rows: Iterable[Any], *columns: Column) -> Table:
        """The table of some rows.

        Parameters
        ----------
        name : str
            The name of the table, and of its file.
        caption : str
            What stands above it.
        rows : iterable
            Whatever the columns' functions take.
        *columns : Column
            What of each row stands in the table. Those without a heading go into the frame and are not shown.

        Returns
        -------
        Table
            A row for each of the rows.
        """
        import pandas as pd

        records = [{key: cell for column in columns for key, cell in column.cells(row).items()} for row in rows]
        frame = pd.DataFrame(records, columns=None if records else [column.name for column in columns])
        return cls(name, caption, frame, [column for column in columns if column.heading])

    def rows(self) -> list[list[str]]:
        """The cells as they are shown."""
        return [[column.text(row) for column in self.columns] for row in self.frame.to_dict("records")]
