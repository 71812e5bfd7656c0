"""Numbers that are texts: which of comma and point stands before decimals, and what between thousands.

A comma or a point says itself what it is where other than three digits follow it, where it comes twice, or where both are in
one number: 1,5 and 1.234,5 have decimal commas, 1,234,567 has none. In 1,234 it may be either. A column is read by what its
other cells say, and if they say nothing by what the other columns of the file say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from dealermarket.reading.format import Format

if TYPE_CHECKING:
    import pyarrow as pa

Mark = Literal[".", ","]
MARKS: tuple[Mark, Mark] = (".", ",")
_SPACES = "\\s\u00a0\u202f"


def other_mark(mark: Mark) -> Mark:
    """The comma for the point, the point for the comma."""
    return "," if mark == "." else "."


def clearly(mark: Mark, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which cells (rows,) can only be meant with this decimal mark."""
    m, o = re.escape(mark), re.escape(other_mark(mark))
    forms = (
        rf"\d*{m}(\d{{0,2}}|\d{{4,}})",  # other than three digits behind it
        rf"(0*|\d{{4,}}){m}\d+",  # or no group of thousands before it
        rf"\d{{1,3}}({o}\d{{3}})+{m}\d*",  # both marks
        rf"\d{{1,3}}({o}\d{{3}}){{2,}}",  # the other one twice
        rf"\d*{m}\d*[eE][-+]?\d+",
    )
    return _matching(column, f"({'|'.join(forms)})")


def either(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which cells (rows,) may be meant with both decimal marks: 1,234 and 1.234."""
    return _matching(column, r"[1-9]\d{0,2}[.,]\d{3}")


def _matching(column: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.fill_null(pc.match_substring_regex(column, rf"^[{_SPACES}]*[-+]?{form}[{_SPACES}]*$"), fill_value=False)


def marks_told(columns: Iterable[pa.ChunkedArray]) -> set[Mark]:
    """The decimal marks that some cell of these columns can only be meant with."""
    import pyarrow.compute as pc

    return {mark for column in columns for mark in MARKS if pc.any(clearly(mark, column)).as_py()}


def has_commas(column: pa.ChunkedArray) -> bool:
    """Whether there is a comma in some cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.types.is_string(column.type) and bool(pc.any(pc.match_substring(column, ",")).as_py())


def given_mark(written: Format) -> Mark | None:
    """The decimal mark that a format says, by itself or by its thousands."""
    if written.decimal is not None:
        return written.decimal
    return other_mark(written.thousands) if written.thousands in MARKS else None


def as_plain(column: pa.ChunkedArray, mark: Mark, thousands: str | None) -> pa.ChunkedArray:
    """The numbers of a column with this decimal mark as texts with decimal points and nothing between thousands, (rows,).

    Between thousands the other mark may stand, and what is given. Other cells become, or stay, what is no number."""
    import pyarrow.compute as pc

    m, o = re.escape(mark), f"[{other_mark(mark)}{_SPACES if thousands == ' ' else thousands or ''}]"
    cells = pc.utf8_trim_whitespace(column)
    grouped = pc.match_substring_regex(cells, rf"^[-+]?[1-9]\d{{0,2}}({o}\d{{3}})+({m}\d*)?$")
    cells = pc.if_else(grouped, pc.replace_substring_regex(cells, o, ""), cells)
    return cells if mark == "." else pc.replace_substring(pc.replace_substring(cells, ".", "?"), ",", ".")
