"""What becomes of a request, as a log says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.reading.codes import FLAGS, Codes, coded, named
from dealermarket.reading.columns import Rows

Array = NDArray[Any]

WON, TRADED_AWAY, NOT_TRADED = range(3)
OUTCOMES = ("won", "traded_away", "not_traded")
SIDES = ("buy", "sell")
"""Of the client."""
_WORDS: Codes = {
    WON: ("won", "win", "done", "filled", "traded", "hit", "dealt", "deal", "executed", "accepted"),
    TRADED_AWAY: (
        *("traded_away", "tradedaway", "done_away", "doneaway", "dealt_away", "away", "traded_elsewhere"),
        *("lost", "covered", "cover", "missed"),
    ),
    NOT_TRADED: (
        *("not_traded", "nottraded", "no_trade", "notrade", "did_not_trade", "dnt", "nothing_done", "not_done", "notdone"),
        *("expired", "timeout", "timed_out", "cancelled", "canceled", "withdrawn", "passed", "pass"),
    ),
}


def outcome_codes(traded: Array, won: Array) -> Array:
    """The outcome of requests for one maker: numbers of `OUTCOMES`."""
    return np.where(won, WON, np.where(traded, TRADED_AWAY, NOT_TRADED))


_NO_FLAG = "a column of words instead: columns = { outcome = '...' }, outcomes = { won = [...], ... }"


def outcomes_of(rows: Rows, given: Mapping[str, tuple[str, ...]]) -> tuple[Array, list[str]]:
    """The outcomes of a log, NaN where a cell is empty, (rows,), and what is to be said of them.

    From a column of words (`given` are others for `won`, `traded_away` and `not_traded`), or where there is none from a flag
    `won`, and a flag `traded` that says whether the client traded with anybody. Without the latter all that was lost counts as
    traded away. Raises DataError for words that are not known, and for what was won and did not trade."""
    if "outcome" in rows:
        way_out = "outcomes = { won = [...], ... }, or columns = { won = '...' } where it is a flag"
        return coded(
            rows, "outcome", _WORDS, named(given, {name: code for code, name in enumerate(OUTCOMES)}, "outcomes"), way_out
        ), []
    won = coded(rows, "won", FLAGS, {}, _NO_FLAG)
    if "traded" not in rows:
        said = "no column says whether lost requests traded with another dealer (traded): all count as traded away"
        return np.where(np.isnan(won), np.nan, outcome_codes(np.ones(len(rows), np.bool_), won == 1)), [said]
    traded = coded(rows, "traded", FLAGS, {}, _NO_FLAG)
    rows.refuse("traded", (won == 1) & (traded == 0), "requests that were won and did not trade")
    empty = np.isnan(won) | (np.isnan(traded) & (won == 0))
    return np.where(empty, np.nan, outcome_codes(traded == 1, won == 1)), []
