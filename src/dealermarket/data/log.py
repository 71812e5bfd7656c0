"""A desk's log of requests, as it was read: what is in it, and what was left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dealermarket.data.outcomes import NOT_TRADED, TRADED_AWAY, WON
from dealermarket.errors import DataError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.settings import parsed, validated
from dealermarket.reading.columns import Rows, Wanted, read_columns
from dealermarket.reading.times import Times, times_of
from dealermarket.values import Value, listed, short

Array = NDArray[Any]

COLUMNS = (
    Wanted("time", ("timestamp", "datetime", "date", "ts", "step")),
    Wanted("client", ("customer", "counterparty", "account", "client_id", "clientname")),
    Wanted("side", ("direction", "buysell", "client_side")),
    Wanted("size", ("quantity", "qty", "amount", "notional", "volume")),
    Wanted("quote", ("price", "quoted_price", "our_quote", "our_price", "spread")),
    Wanted("mid", ("mid_price", "midprice", "reference_mid")),
    Wanted("outcome", ("status", "result", "state")),
    Wanted("dealers_asked", ("dealers", "num_dealers", "ndealers", "makers_asked", "panel_size")),
    Wanted("cover", ("cover_price", "second_best")),
    Wanted("tier", ("client_tier", "bucket")),
    Wanted("instrument", ("pair", "ccy_pair", "symbol", "isin", "ticker")),
)
"""What is looked for in a log of requests."""
_NEEDED = ("time", "client", "side", "size", "quote", "outcome")
_SIDES: Mapping[int, tuple[str, ...]] = {+1: ("buy", "b", "1", "+1"), -1: ("sell", "s", "-1")}
_OUTCOMES: Mapping[int, tuple[str, ...]] = {
    WON: ("won", "win", "done", "filled", "traded", "hit"),
    TRADED_AWAY: ("traded_away", "tradedaway", "done_away", "doneaway", "lost", "covered", "missed"),
    NOT_TRADED: ("not_traded", "nottraded", "no_trade", "notrade", "nothing_done", "expired", "cancelled", "passed", "dnt"),
}
FURTHEST = 3.0
"""A quote that is better than the mid by more than so many median spreads is no quote of the desk."""
DEAREST = 100.0
"""Nor is one that is so many median spreads away from the mid."""
MOST_ON_THE_WRONG_SIDE = 0.25
"""The share of quotes that are better than the mid beyond which sides, or quotes, are taken for something else."""
MOST_ASKED = 100


Words = Annotated[tuple[str, ...], Field(strict=False)]


class Mapped(Value):
    """What a file calls things, where that is not clear: a TOML file given as `--mapping`.

    `columns` says which column is which; `sides` and `outcomes` what stands for `buy` and `sell`, and for `won`, `traded_away`
    and `not_traded`. `side` is whose: the client's, or the desk's own. `quote` is a price, or a spread over the mid, and `unit`
    what a spread is in: price units, basis points of the mid, or pips of `pip` price units.
    """

    columns: Frozen[str, str] = FrozenMapping()
    sides: Frozen[str, Words] = FrozenMapping()
    outcomes: Frozen[str, Words] = FrozenMapping()
    side: Literal["client", "desk"] = "client"
    quote: Literal["price", "spread"] = "price"
    unit: Literal["price", "bp", "pips"] = "price"
    pip: Annotated[float, Field(gt=0)] = 1e-4

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
    """The requests of a log, in order of time; arrays (requests,). Spreads are what a client would pay over the mid, price
    units."""

    clients: tuple[str, ...]  # by number
    client: Array  # int64: whose
    time: Times
    side: Array  # +1 the client buys, -1 it sells
    size: Array
    spread: Array  # the desk's quote
    mid: Array
    outcome: Array  # WON, TRADED_AWAY or NOT_TRADED
    asked: Array  # how many dealers; NaN where it is not known
    cover: Array  # the second best quote; NaN where it is not known
    tier: Array  # the desk's own; NaN where it is not known
    notes: tuple[str, ...]  # what was read, and what was left out and why

    def __len__(self) -> int:
        return len(self.client)

    def chosen(self, which: Array, notes: Iterable[str] = ()) -> RequestLog:
        """The requests of a mask (requests,); the clients stay."""
        columns = {name: getattr(self, name)[which] for name in _ARRAYS}
        time = Times(self.time.values[which], self.time.is_clock, self.time.zoned)
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
    rows = read_columns(file, COLUMNS, told.columns)
    missing = [name for name in _NEEDED if name not in rows]
    if missing:
        raise DataError(f"{file}: has no column of {listed(missing)}; rename them, or say which they are in a mapping file")
    kept = _Kept(rows, np.ones(len(rows), np.bool_))
    _choose_instrument(kept, instrument)
    clients = rows.words("client")
    times, size = times_of(rows, "time"), rows.numbers("size")
    sides = _coded(rows, "side", _SIDES, _named(told.sides, {"buy": +1, "sell": -1}, "sides"))
    side = sides if told.side == "client" else -sides
    codes = {"won": WON, "traded_away": TRADED_AWAY, "not_traded": NOT_TRADED}
    outcome = _coded(rows, "outcome", _OUTCOMES, _named(told.outcomes, codes, "outcomes"))
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
    _check_side(file, spread[kept.mask])
    wrong = f"a quote on the wrong side of the mid by more than {FURTHEST:g} median spreads"
    kept.leave_out(spread < -FURTHEST * usual, wrong, quote)
    kept.leave_out(spread > DEAREST * usual, f"a quote more than {DEAREST:g} median spreads away from the mid", quote)
    kept.leave_out(_repeated(rows), "the same as another row")
    if not kept.mask.any():
        raise DataError(f"{file}: no request is left; " + "; ".join(kept.notes))
    names, client = np.unique(clients[kept.mask].astype(str), return_inverse=True)
    order = np.argsort(times.values[kept.mask], kind="stable")
    early = int(np.sum(np.diff(times.values[kept.mask]) < 0))
    notes = [f"{len(rows):,} rows of {file}, {int(kept.mask.sum()):,} requests of {len(names):,} clients", *kept.notes]
    notes += [f"sorted by time: {early:,} rows came before an earlier one"] if early else []
    columns = (side, size, spread, mid, outcome, asked, cover, _optional(rows, "tier"))
    values = dict(zip(_ARRAYS[1:], (column[kept.mask][order] for column in columns), strict=True))
    values["side"], values["outcome"] = values["side"].astype(np.int64), values["outcome"].astype(np.int64)
    time = Times(times.values[kept.mask][order], times.is_clock, times.zoned)
    return RequestLog(tuple(names.tolist()), client.astype(np.int64)[order], time, notes=tuple(notes), **values)


def _check_side(file: str | Path, spread: Array) -> None:
    """Raises DataError where quotes are not what a client pays over the mid."""
    known = spread[np.isfinite(spread)]
    better = float(np.mean(known < 0)) if len(known) else 0.0
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


def _named(given: Mapping[str, tuple[str, ...]], codes: Mapping[str, int], where: str) -> dict[int, tuple[str, ...]]:
    """What a mapping file says of values, by code."""
    for name in given:
        if name not in codes:
            raise DataError(f"{where}: {short(name)} is not known; there are {listed(list(codes))}")
    said = [_plain(word) for words in given.values() for word in words]
    twice = sorted({word for word in said if said.count(word) > 1})
    if twice:
        raise DataError(f"{where}: {twice[0]!r} stands for two things")
    return {codes[name]: words for name, words in given.items()}


def _coded(rows: Rows, name: str, usual: Mapping[int, tuple[str, ...]], given: Mapping[int, tuple[str, ...]]) -> Array:
    """A column of words as numbers, NaN where a cell is empty. Raises DataError for words that are not known."""
    import pandas as pd

    texts = rows.words(name)
    code = {word: value for value, words in usual.items() for word in words} | {
        _plain(word): value for value, words in given.items() for word in words
    }
    places, words = pd.factorize(texts, use_na_sentinel=False)
    plain = np.array([_plain(word) if isinstance(word, str) else "" for word in words], dtype=object)
    values = np.array([code.get(word, np.nan) for word in plain])[places]
    known = f"values that are not known ({', '.join(each[0] for each in usual.values())} are, and others that a mapping names)"
    rows.refuse(name, np.isnan(values) & (plain != "")[places], known, texts)
    return np.asarray(values, dtype=np.float64)


def _plain(word: str) -> str:
    bare = str(word).strip().casefold()
    return bare if len(bare) < 3 else bare.replace(" ", "_").replace("-", "_")  # -1 stays what it is


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
