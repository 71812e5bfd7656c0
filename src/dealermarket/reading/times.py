"""Times of a file: instants, with or without a time zone, or numbers of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import DataError
from dealermarket.reading.columns import WHERE, Rows, Wanted
from dealermarket.reading.format import ISO

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

TIME = Wanted("time", ("timestamp", "datetime", "date", "step", "t", "ts"))
"""What a column of times is called."""
LARGEST_STEP = 1e8
"""Larger numbers are no steps but seconds since 1970, or their thousandth, millionth or milliardth parts."""
_DATES = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d %b %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_LOOKED_AT = 50  # texts, about, to see how they are written
_ZONE = r"(?:[zZ]|[+-]\d\d(?::?\d\d)?)\s*$"


@dataclass(frozen=True)
class Times:
    """When each row was: seconds since 1970 where `is_clock`, else numbers of steps; NaN where a cell is empty, (rows,)."""

    values: Array
    is_clock: bool
    zoned: bool = False  # whether the file says in which zone
    zone: str = "UTC"  # that of times without one

    def notes(self, used: Array) -> list[str]:
        """What is to be said of the times of those rows that are used, (rows,) bool."""
        unsorted = int(np.sum(np.diff(self.values[used]) < 0))
        sorting = [f"sorted by time: {unsorted:,} rows came before an earlier one"] if unsorted else []
        return sorting + ([] if self.zoned or not self.is_clock else [f"times without a time zone are taken as {self.zone}"])


def times_of(rows: Rows, name: str) -> Times:
    """A column as times. Raises DataError for texts that are none, where some have a time zone and some have none, and for times
    that the clock of a time zone did not show, or showed twice."""
    import pandas as pd
    import pyarrow as pa

    column, form = rows.columns[name], rows.written.time
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zone = getattr(column.type, "tz", None)
        naive = column.cast(pa.timestamp("ns", zone)).cast(pa.timestamp("ns"))  # UTC, where there is a zone
        return _clock(rows, name, pd.Series(naive.to_pandas()), zone is not None)
    if form is not None and form != ISO:
        texts = pd.Series(rows.words(name), dtype=object)
        return _clock(rows, name, _as_told(rows, name, texts, form), "%z" in form)
    if not pa.types.is_string(column.type):
        return _of_numbers(rows, name, rows.numbers(name))
    texts = pd.Series(rows.texts(name), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce")
    if (numbers.notna() | texts.isna()).all():
        return _of_numbers(rows, name, rows.numbers(name))
    there = texts.notna()
    zoned = texts.str.contains(_ZONE, regex=True).where(there, False).astype(bool) & texts.str.contains(":", na=False)
    if zoned.any() and not zoned[there].all():
        fewer = zoned if zoned.sum() * 2 <= there.sum() else there & ~zoned
        which = "with a time zone among others without" if fewer is zoned else "without a time zone among others with one"
        raise DataError(f"{rows.heading(name)}: holds times {which} in {rows.rows(fewer.to_numpy(), texts.to_numpy())}")
    instants = pd.to_datetime(texts, format=ISO, utc=True, errors="coerce")
    wrong = (there & instants.isna()).to_numpy()
    what = "no times (such as 2024-01-31T09:30:00Z, or numbers of steps)"
    rows.refuse(name, wrong, what, texts.to_numpy(), _how_written(texts[wrong]) if wrong.any() else "")
    return _clock(rows, name, instants.dt.tz_localize(None), bool(zoned.any()))


def _as_told(rows: Rows, name: str, texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    """Texts of a format as instants, UTC where it has a time zone. Raises DataError for texts of another."""
    import pandas as pd

    instants = pd.to_datetime(texts, format=form, utc="%z" in form, errors="coerce")
    rows.refuse(name, (texts.notna() & instants.isna()).to_numpy(), f"no times of the format {form!r}", texts.to_numpy())
    return instants.dt.tz_localize(None) if "%z" in form else instants


def _clock(rows: Rows, name: str, instants: pd.Series[Any], zoned: bool) -> Times:
    """Instants, without a time zone, as seconds: in UTC where they are `zoned`, else by the clock of the file's time zone."""
    zone = rows.written.timezone
    if not zoned and zone is not None:
        local = instants.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        unclear = (instants.notna() & local.isna()).to_numpy()
        what = f"times that the clock of {zone} showed twice, or never"
        rows.refuse(name, unclear, what, way_out="; give them in UTC, or with a time zone, or leave these rows out")
        instants = local.dt.tz_convert(None)
    nanoseconds = instants.astype("datetime64[ns]").astype("int64").where(instants.notna())
    return Times(np.asarray(nanoseconds, dtype=np.float64) / 1e9, True, zoned, zone or "UTC")


def _how_written(texts: pd.Series[Any]) -> str:
    """The formats that texts may be in, as a way out; nothing where they look like none."""
    import pandas as pd

    all_of_them = texts.str.strip().drop_duplicates()
    some = all_of_them.iloc[:: max(len(all_of_them) // _LOOKED_AT, 1)]
    forms = [date + clock for date in _DATES for clock in _CLOCKS]
    fitting = [form for form in forms if pd.to_datetime(some, format=form, errors="coerce").notna().all()]
    if not fitting:
        return ""
    ways = " or ".join(f"{{ time = {form!r} }}" for form in fitting[:2])
    return f"; say how they are written, {WHERE}: format = {ways}"


def _of_numbers(rows: Rows, name: str, values: Array) -> Times:
    """Numbers as steps, or as seconds since 1970 or parts of these. Raises DataError for those that look like days, 20240131."""
    import pandas as pd

    known = values[np.isfinite(values)]
    if len(known) and known.min() > 1e7 and known.max() < 1e8:
        days = pd.to_datetime(pd.Series(known).astype("int64").astype("string"), format="%Y%m%d", errors="coerce")
        rows.refuse(
            name,
            np.isfinite(values) & bool(days.notna().all()),
            "days",
            way_out=f"; say so, {WHERE}: format = {{ time = '%Y%m%d' }}",
        )
    largest = float(np.abs(known).max(initial=0.0))
    if largest <= LARGEST_STEP:
        return Times(values, False)
    unit = 1.0
    while largest / unit > 1e11:
        unit *= 1e3
    return Times(values / unit, True, True)
