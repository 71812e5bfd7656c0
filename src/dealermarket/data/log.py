"""A desk's log of requests, as it was read: what is in it, and what was left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dealermarket.data.outcomes import outcomes_of
from dealermarket.describe import Quantity
from dealermarket.errors import DataError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.settings import parsed, validated
from dealermarket.reading.codes import Words, sides_of
from dealermarket.reading.columns import Rows, Wanted, read_columns
from dealermarket.reading.format import Format
from dealermarket.reading.times import Times, times_of
from dealermarket.values import Value, listed

Array = NDArray[Any]

COLUMNS = (
    Wanted("time", ("timestamp", "datetime", "date", "ts", "step")),
    Wanted("client", ("customer", "counterparty", "account", "client_id", "clientname")),
    Wanted("side", ("direction", "buysell", "client_side")),
    Wanted("size", ("quantity", "qty", "amount", "notional", "volume")),
    Wanted("quote", ("price", "quoted_price", "our_quote", "our_price", "spread")),
    Wanted("mid", ("mid_price", "midprice", "reference_mid")),
    Wanted("outcome", ("status", "result", "state")),
    Wanted("won", ("is_won", "won_flag", "we_won", "filled", "is_filled")),
    Wanted("traded", ("is_traded", "traded_flag", "client_traded", "any_traded")),
    Wanted("dealers_asked", ("dealers", "num_dealers", "ndealers", "makers_asked", "panel_size")),
    Wanted("cover", ("cover_price", "second_best")),
    Wanted("tier", ("client_tier", "bucket")),
    Wanted("instrument", ("pair", "ccy_pair", "symbol", "isin", "ticker")),
)
"""What is looked for in a log of requests."""
_NEEDED = ("time", "client", "side", "size", "quote")
FURTHEST = 3.0
"""A quote that is better than the mid by more than so many median spreads is no quote of the desk."""
DEAREST = 100.0
"""Nor is one that is so many median spreads away from the mid."""
MOST_ON_THE_WRONG_SIDE = 0.25
"""The share of quotes that are better than the mid beyond which sides, or quotes, are taken for something else."""
MOST_OF_ONE_SIDE = 0.5
"""The same of the quotes to those who buy, or to those who sell, alone, if there are `FEWEST_OF_A_SIDE` or more."""
FEWEST_OF_A_SIDE = 20
MOST_ASKED = 100


class MappedMids(Value):
    """What the file of mids calls things."""

    columns: Annotated[
        Frozen[str, str],
        Field(description="What the file calls its columns time, mid, bid and ask, where that is not clear."),
    ] = FrozenMapping()
    format: Annotated[Format | None, Field(description="How the file writes times and numbers; None: as the log does.")] = None


class Mapped(Value):
    """What a file calls things, where that is not clear: a TOML file given as `--mapping`."""

    columns: Annotated[Frozen[str, str], Field(description="What the file calls its columns, where that is not clear.")] = (
        FrozenMapping()
    )
    format: Annotated[Format, Field(description="How the file writes times and numbers.")] = Format()
    mids: Annotated[MappedMids, Field(description="The same of the file of mids.")] = MappedMids()
    sides: Annotated[Frozen[str, Words], Field(description="The file's words for `buy` and `sell`, where they are others.")] = (
        FrozenMapping()
    )
    outcomes: Annotated[
        Frozen[str, Words],
        Field(description="The file's words for `won`, `traded_away` and `not_traded`, where they are others."),
    ] = FrozenMapping()
    side: Annotated[Literal["client", "desk"], Field(description="Whose side the file has: the client's, or the desk's own.")] = (
        "client"
    )
    quote: Annotated[Literal["price", "spread"], Field(description="Whether a quote is a price, or a spread over the mid.")] = (
        "price"
    )
    unit: Annotated[
        Literal["price", "bp", "pips"],
        Field(description="What a spread is in: price units, basis points of the mid, or pips."),
    ] = "price"
    pip: Annotated[float, Field(gt=0, description="How much a pip is."), Quantity("price units", 1e-5, 1.0, log=True)] = 1e-4

    @model_validator(mode="after")
    def _units_of_spreads(self) -> Mapped:
        if self.quote == "price" and self.unit != "price":
            raise ValueError(f"unit: quotes that are prices have no unit, got {self.unit!r}; set quote = 'spread'")
        return self

    @classmethod
    def load(cls, path: str | Path) -> Mapped:
        """From a TOML file. Raises DataError."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise DataError(f"{path}: cannot be read: {error}") from None
        return validated(cls, parsed(text, str(path)), str(path), DataError)


@dataclass(frozen=True, eq=False)
class RequestLog:
    """The requests of a log, in order of time.

    Parameters
    ----------
    clients : tuple of str
        The names of the clients, by number.
    client : array of int, (requests,)
        The number of the client.
    time : Times
        When each request came: seconds since 1970, or numbers of steps.
    side : array of int, (requests,)
        +1 where the client buys, -1 where it sells.
    size : array, (requests,)
        The size asked for, above 0.
    spread : array, (requests,)
        What the client would pay over the mid at the desk's quote, in price units.
    mid : array, (requests,)
        The mid at that time, in price units.
    outcome : array of int, (requests,)
        0 won, 1 traded away, 2 not traded.
    asked : array, (requests,)
        How many dealers were asked; NaN where that is not known.
    cover : array, (requests,)
        The second best quote, as `spread`; NaN where it is not known.
    tier : array, (requests,)
        The desk's own tier of the client; NaN where it is not known.
    notes : tuple of str
        What was read, and what was left out and why.
    """

    clients: tuple[str, ...]
    client: Array
    time: Times
    side: Array
    size: Array
    spread: Array
    mid: Array
    outcome: Array
    asked: Array
    cover: Array
    tier: Array
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.client)

    def chosen(self, which: Array, notes: Iterable[str] = ()) -> RequestLog:
        """Some of the requests; all clients stay.

        Parameters
        ----------
        which : array of bool, (requests,)
            Whether each is chosen.
        notes : iterable of str
            Notes that are added, such as why others are left out.

        Returns
        -------
        RequestLog
            The requests that are chosen, in order of time.
        """
        columns = {name: getattr(self, name)[which] for name in _ARRAYS}
        time = replace(self.time, values=self.time.values[which])
        return RequestLog(clients=self.clients, time=time, notes=(*self.notes, *notes), **columns)


_ARRAYS = ("client", "side", "size", "spread", "mid", "outcome", "asked", "cover", "tier")


@dataclass
class _Kept:
    """Which rows are kept, and why others are not."""

    rows: Rows
    mask: Array
    notes: list[str] = field(default_factory=list)

    def leave_out(self, wrong: Array, why: str, cells: Array | None = None) -> None:
        """Leaves rows out, and says so."""
        gone = wrong & self.mask
        if gone.any():
            self.notes.append(f"left out {self.rows.rows(gone, cells)}: {why}")
            self.mask &= ~wrong


def read_requests(
    file: str | Path,
    mapped: Mapped | None = None,
    instrument: str | None = None,
    mid_at: Callable[[Times], Array] | None = None,
) -> RequestLog:
    """The requests in a file, CSV or Parquet, of one instrument. `mid_at` has the mids for a file without a column of them, NaN
    at times without one.

    Rows without what a request needs, with a size that is not above 0, that repeat another to the last cell, or whose quote is
    better than the mid by more than three median spreads, are left out; `notes` counts them. Raises DataError for what cannot
    be read."""
    told = mapped or Mapped()
    rows = read_columns(file, COLUMNS, told.columns, told.format)
    missing = [name for name in _NEEDED if name not in rows] + ([] if {"outcome", "won"} & set(rows.columns) else ["outcome"])
    if missing:
        raise DataError(f"{file}: has no column of {listed(missing)}; rename them, or say which they are in a mapping file")
    if "mid" not in rows and mid_at is None:
        raise DataError(
            f"{file}: has no column of mids, and no file of mids is given; give one (--mids), or call the column 'mid', or say "
            "in a mapping file which it is"
        )
    kept = _Kept(rows, np.ones(len(rows), np.bool_))
    _choose_instrument(kept, instrument)
    clients = rows.words("client")
    times, size = times_of(rows, "time"), rows.numbers("size")
    sides = sides_of(rows, "side", told.sides)
    side = sides if told.side == "client" else -sides
    outcome, said = outcomes_of(rows, told.outcomes)
    kept.notes += said
    mid = rows.numbers("mid") if "mid" in rows else np.full(len(rows), np.nan) if mid_at is None else mid_at(times)
    quote = rows.numbers("quote")
    empty = np.isnan(size) | np.isnan(quote) | np.isnan(times.values) | np.isnan(side) | np.isnan(outcome)
    kept.leave_out(empty | np.array([name is None for name in clients]), "a cell is empty")
    kept.leave_out(~(size > 0), "a size that is not above 0", size)
    if "mid" in rows:
        kept.leave_out(np.isnan(mid), "a cell is empty")
        kept.leave_out(~(mid > 0), "a mid that is not above 0", mid)
    if told.quote == "price":
        kept.leave_out(~(quote > 0), "a price that is not above 0", quote)
    asked = _optional(rows, "dealers_asked")
    if "dealers_asked" in rows:
        no_number = np.isfinite(asked) & ((asked < 1) | (asked > MOST_ASKED) | (asked != np.floor(asked)))
        rows.refuse("dealers_asked", no_number, f"no whole numbers from 1 to {MOST_ASKED}", asked)
    spread, cover = (_over_mid(told, values, side, mid) for values in (quote, _optional(rows, "cover")))
    if "mid" not in rows and mid_at is not None:
        kept.leave_out(np.isnan(mid), "at a time without mids")
    usual = np.nanmedian(np.abs(spread[kept.mask])) if np.isfinite(spread[kept.mask]).any() else np.nan
    _check_side(file, spread[kept.mask], side[kept.mask])
    wrong = f"a quote on the wrong side of the mid by more than {FURTHEST:g} median spreads"
    kept.leave_out(spread < -FURTHEST * usual, wrong, quote)
    kept.leave_out(spread > DEAREST * usual, f"a quote more than {DEAREST:g} median spreads away from the mid", quote)
    kept.leave_out(_repeated(rows), "the same as another row")
    if not kept.mask.any():
        raise DataError(f"{file}: no request is left; " + "; ".join(kept.notes))
    names, client = np.unique(clients[kept.mask].astype(str), return_inverse=True)
    order = np.argsort(times.values[kept.mask], kind="stable")
    notes = [f"{len(rows):,} rows of {file}, {int(kept.mask.sum()):,} requests of {len(names):,} clients", *kept.notes]
    notes += times.notes(kept.mask)
    columns = (side, size, spread, mid, outcome, asked, cover, _optional(rows, "tier"))
    values = dict(zip(_ARRAYS[1:], (column[kept.mask][order] for column in columns), strict=True))
    values["side"], values["outcome"] = values["side"].astype(np.int64), values["outcome"].astype(np.int64)
    time = replace(times, values=times.values[kept.mask][order])
    return RequestLog(tuple(names.tolist()), client.astype(np.int64)[order], time, notes=tuple(notes), **values)


def _check_side(file: str | Path, spread: Array, side: Array) -> None:
    """Raises DataError where quotes are not what a client pays over the mid."""
    there = np.isfinite(spread)
    known = spread[there]
    better = float(np.mean(known < 0)) if len(known) else 0.0
    for sign, who in ((+1, "buy"), (-1, "sell")):
        mine, others = known[side[there] == sign], known[side[there] == -sign]
        mostly = len(mine) >= FEWEST_OF_A_SIDE and np.mean(mine < 0) > MOST_OF_ONE_SIDE
        if mostly and not np.mean(others < 0) > MOST_ON_THE_WRONG_SIDE:
            raise DataError(
                f"{file}: {100 * np.mean(mine < 0):.0f} % of the quotes to clients who {who} are better for them than the mid, "
                "and few of the others; if the word for these means the other side, say so in a mapping file: sides = { buy = "
                "[...], sell = [...] }; if all prices lie above or below the mids, give other mids"
            )
    if better > MOST_ON_THE_WRONG_SIDE:
        raise DataError(
            f"{file}: {100 * better:.0f} % of the quotes are better for the client than the mid; if sides are the desk's own, or "
            "quotes are spreads, say so in a mapping file: side = 'desk', quote = 'spread'"
        )
    if len(known) and not np.median(np.abs(known)) > 0:
        raise DataError(f"{file}: most quotes are the mid itself, so that there is no spread to learn from")


def _choose_instrument(kept: _Kept, instrument: str | None) -> None:
    if "instrument" not in kept.rows:
        if instrument is not None:
            raise DataError(f"{kept.rows.file}: has no column of instruments to choose {instrument!r} by")
        return
    there = kept.rows.texts("instrument")
    known = sorted({str(name) for name in there if name is not None})
    if instrument is None and len(known) > 1:
        raise DataError(f"{kept.rows.file}: holds {len(known):,} instruments, {listed(known)}; choose one with --instrument")
    if instrument is not None and instrument not in known:
        raise DataError(f"{kept.rows.file}: has no instrument {instrument!r}; there are {listed(known)}")
    if instrument is not None:
        kept.leave_out(there != instrument, f"another instrument than {instrument}")


def _optional(rows: Rows, name: str) -> Array:
    return rows.numbers(name) if name in rows else np.full(len(rows), np.nan)


def _over_mid(told: Mapped, quote: Array, side: Array, mid: Array) -> Array:
    """Quotes as what the client would pay over the mid, price units."""
    if told.quote == "price":
        return np.asarray(side * (quote - mid))
    units: Mapping[str, Any] = {"price": 1.0, "pips": told.pip, "bp": 1e-4 * mid}
    return np.asarray(quote * units[told.unit])


def _repeated(rows: Rows) -> Array:
    import pandas as pd

    table = pd.DataFrame({name: column.to_pandas() for name, column in rows.columns.items()})
    return np.asarray(table.duplicated(), dtype=np.bool_)
