"""Recorded prices: a file of mids, or of bids and asks, as prices step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import DataError
from dealermarket.reading.columns import PLAIN, Rows, Wanted, digest_of_file, read_columns, state_of_file
from dealermarket.reading.format import Format
from dealermarket.reading.times import TIME, Times, times_of

Array = NDArray[Any]

COLUMNS = (
    TIME,
    Wanted("mid", ("price", "midprice", "mid_px", "close", "last")),
    Wanted("bid", ("bidprice", "bid_px", "bestbid")),
    Wanted("ask", ("offer", "askprice", "ask_px", "bestask", "bestoffer")),
)
"""What is looked for in a file of prices."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Prices at steps, in sessions that no step crosses."""

    mid: Array  # (prices,) price units, session after session
    spread: Array | None  # (prices,) ask less bid; None where the file has mids alone
    at: Array  # (prices,) the step of each: whole multiples of the step's length since 1970, or the file's own numbers
    sessions: Array  # (sessions + 1,) where each begins, and the number of prices
    notes: tuple[str, ...]  # what was read, and what was left out and why
    digest: str  # SHA-256 of the file
    seconds: float | None = None  # how long a step is; None where the file counts steps

    @property
    def log_returns(self) -> Array:
        """Those of all steps within sessions, (returns,)."""
        inside = np.ones(max(len(self.mid) - 1, 0), np.bool_)
        inside[self.sessions[1:-1] - 1] = False
        return np.diff(np.log(self.mid))[inside]


def read_prices(file: str, columns: Mapping[str, str], seconds: float, longest_gap: float, written: Format = PLAIN) -> Recording:
    """The prices of a file at steps of so many `seconds`: at each the last price that was there by then.

    Where no price came for more than `longest_gap` steps a session ends, and another begins with the next price. Times that are
    numbers count steps themselves. Rows out of order are sorted; of rows with the same time the last one counts. Rows without a
    time or price, and quotes whose bid is not below their ask, are left out; `notes` counts all that. Raises DataError."""
    return _read(file, tuple(sorted(columns.items())), seconds, longest_gap, written, state_of_file(file))


@lru_cache(maxsize=8)
def _read(
    file: str,
    columns: tuple[tuple[str, str], ...],
    seconds: float,
    longest_gap: float,
    written: Format,
    _state: tuple[int, int],
) -> Recording:
    rows = read_columns(file, COLUMNS, dict(columns), written)
    if "time" not in rows:
        raise DataError(f"{file}: has no column of times; call it 'time', or say which it is in columns")
    mid, spread, notes = _prices(rows)
    times = times_of(rows, "time")
    untimed = np.isnan(times.values) & ~np.isnan(mid)
    notes += [f"left out {rows.rows(untimed)}: without a time"] if untimed.any() else []
    usable = ~np.isnan(mid) & ~np.isnan(times.values)
    if not usable.any():
        raise DataError(f"{file}: holds no row with a time and a price" + "".join(f"; {note}" for note in notes))
    prices = (mid[usable], None if spread is None else spread[usable])
    found = recording_of(replace(times, values=times.values[usable]), *prices, seconds, longest_gap, notes)
    read = f"{len(rows):,} rows of {file}: {len(found.mid):,} steps"
    return replace(found, notes=(read, *found.notes), digest=digest_of_file(file))


def recording_of(
    times: Times, mid: Array, spread: Array | None, seconds: float, longest_gap: float, notes: Sequence[str] = ()
) -> Recording:
    """Prices at `times`, each (prices,), as a recording, with further notes. Raises DataError where no step lies among them."""
    told = [*notes, *times.notes(np.ones(len(mid), np.bool_))]
    at = np.round(times.values / (seconds if times.is_clock else 1.0), 6)  # in steps, without what division leaves
    order = np.argsort(at, kind="stable")
    at, mid = at[order], mid[order]
    repeated = int(np.sum(np.diff(at) == 0))
    told += [f"{repeated:,} rows have the time of another: the last one counts"] if repeated else []
    chosen, steps, sessions, longest = _resampled(at, longest_gap)
    if longest > longest_gap and len(sessions) > 2:
        length = f"{longest * seconds / 3600:.4g} hours" if times.is_clock else f"{longest:.4g} steps"
        told.append(
            f"{len(sessions) - 1:,} sessions: no price for more than {longest_gap:g} steps in between, at most for {length}"
        )
    spread = None if spread is None else spread[order][chosen]
    return Recording(mid[chosen], spread, steps, sessions, tuple(told), "", seconds if times.is_clock else None)


def _prices(rows: Rows) -> tuple[Array, Array | None, list[str]]:
    """Mids (rows,), NaN where a row has none that can be used; spreads; and what was left out."""
    notes: list[str] = []
    if "bid" in rows and "ask" in rows:
        bid, ask = rows.numbers("bid"), rows.numbers("ask")
        mid = rows.numbers("mid") if "mid" in rows else 0.5 * (bid + ask)
        spread = ask - bid
        crossed = spread <= 0
        notes += [f"left out {rows.rows(crossed)}: a bid not below its ask"] if crossed.any() else []
        mid = np.where(crossed | np.isnan(spread), np.nan, mid)
    elif "mid" in rows:
        mid, spread = rows.numbers("mid"), None
    else:
        raise DataError(f"{rows.file}: has no column of mids, nor of bids and asks; call it 'mid', or say which it is in columns")
    rows.refuse("mid" if "mid" in rows else "bid", mid <= 0, "prices that are not above 0", mid)
    empty = np.isnan(mid) & ~(spread <= 0 if spread is not None else np.False_)
    notes += [f"left out {rows.rows(empty)}: without a price"] if empty.any() else []
    return mid, spread, notes


def _resampled(at: Array, longest_gap: float) -> tuple[Array, Array, Array, float]:
    """Which price stands at each step and the number of the step, (steps,), where sessions begin, (sessions + 1,), and the
    longest time between prices.

    `at` (prices,) are times in steps, rising."""
    gaps = np.diff(at)
    ends = np.flatnonzero(gaps > longest_gap)
    chosen, numbers, starts = [], [], [0]
    for first, last in zip([0, *(ends + 1)], [*ends, len(at) - 1], strict=True):
        steps = np.arange(np.ceil(at[first]), np.floor(at[last]) + 1)
        if len(steps):
            chosen.append(np.searchsorted(at, steps, side="right") - 1)
            numbers.append(steps)
            starts.append(starts[-1] + len(steps))
    if not chosen:
        raise DataError("prices: no step lies between the first price and the last; give more of them, or shorter steps")
    return np.concatenate(chosen), np.concatenate(numbers), np.array(starts), float(gaps.max(initial=0.0))


def usual_spacing(file: str, columns: Mapping[str, str], written: Format = PLAIN) -> float:
    """The median time between two prices of a file, seconds; 1 where its times count steps. Raises DataError."""
    state_of_file(file)
    rows = read_columns(file, COLUMNS, columns, written)
    if "time" not in rows:
        raise DataError(f"{file}: has no column of times; call it 'time', or say which it is in columns")
    times = times_of(rows, "time")
    found = spacing_of(times)
    if found is None:
        raise DataError(f"{file}: holds one time alone; give more prices")
    return found


def spacing_of(times: Times) -> float | None:
    """The median time between two, seconds; 1 where they count steps, None where there is one time alone."""
    gaps = np.diff(np.unique(times.values[np.isfinite(times.values)]))
    return None if not len(gaps) else float(np.median(gaps)) if times.is_clock else 1.0
