"""Times of a file: instants, with or without a time zone, or numbers of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import DataError
from dealermarket.reading.columns import Rows, Wanted

Array = NDArray[Any]

TIME = Wanted("time", ("timestamp", "datetime", "date", "step", "t", "ts"))
"""What a column of times is called."""
LARGEST_STEP = 1e8
"""Larger numbers are no steps but seconds since 1970, or their thousandth, millionth or milliardth parts."""
_ZONE = r"(?:[zZ]|[+-]\d\d(?::?\d\d)?)\s*$"


@dataclass(frozen=True)
class Times:
    """When each row was: seconds since 1970 where `is_clock`, else numbers of steps; NaN where a cell is empty, (rows,)."""

    values: Array
    is_clock: bool
    zoned: bool = False  # whether the file says in which zone; without, times count as UTC

    def notes(self, used: Array) -> list[str]:
        """What is to be said of the times of those rows that are used, (rows,) bool."""
        unsorted = int(np.sum(np.diff(self.values[used]) < 0))
        sorting = [f"sorted by time: {unsorted:,} rows came before an earlier one"] if unsorted else []
        return sorting + ([] if self.zoned or not self.is_clock else ["times without a time zone are taken as UTC"])


def times_of(rows: Rows, name: str) -> Times:
    """A column as times. Raises DataError for texts that are none, and where some have a time zone and some have none."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows.columns[name]
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        seconds = pc.cast(column, pa.timestamp("ns", getattr(column.type, "tz", None))).cast(pa.int64())
        return Times(_seconds(pd.Series(seconds.to_pandas())), True, getattr(column.type, "tz", None) is not None)
    if not pa.types.is_string(column.type):
        return _of_numbers(rows.numbers(name))
    texts = pd.Series(rows.texts(name), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce")
    if (numbers.notna() | texts.isna()).all():
        return _of_numbers(rows.numbers(name))
    there = texts.notna()
    zoned = texts.str.contains(_ZONE, regex=True).where(there, False).astype(bool) & texts.str.contains(":", na=False)
    if zoned.any() and not zoned[there].all():
        fewer = zoned if zoned.sum() * 2 <= there.sum() else there & ~zoned
        which = "with a time zone among others without" if fewer is zoned else "without a time zone among others with one"
        raise DataError(f"{rows.heading(name)}: holds times {which} in {rows.rows(fewer.to_numpy(), texts.to_numpy())}")
    instants = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    wrong = (there & instants.isna()).to_numpy()
    rows.refuse(name, wrong, "no times (such as 2024-01-31T09:30:00Z, or numbers of steps)", texts.to_numpy())
    return Times(_seconds(instants.astype("datetime64[ns, UTC]").astype("int64").where(there)), True, bool(zoned.any()))


def _seconds(nanoseconds: Any) -> Array:
    return np.asarray(nanoseconds, dtype=np.float64) / 1e9


def _of_numbers(values: Array) -> Times:
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if largest <= LARGEST_STEP:
        return Times(values, False)
    unit = 1.0
    while largest / unit > 1e11:
        unit *= 1e3
    return Times(values / unit, True, True)
