"""Words of a file that stand for something: sides, outcomes, flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.errors import DataError
from dealermarket.reading.columns import WHERE, Rows
from dealermarket.values import listed, short

Array = NDArray[Any]
Words = Annotated[tuple[str, ...], Field(strict=False)]
Codes = Mapping[int, tuple[str, ...]]
"""Words, by the number that they stand for."""

SIDES: Codes = {+1: ("buy", "b", "buys", "bought", "1", "+1", "1.0"), -1: ("sell", "s", "sells", "sold", "-1", "-1.0")}
"""What a client does."""
FLAGS: Codes = {1: ("true", "t", "yes", "y", "1", "1.0"), 0: ("false", "f", "no", "n", "0", "0.0")}
_OF_A_MARKET = {"bid", "ask", "offer", "offered"}


def sides_of(rows: Rows, name: str, given: Mapping[str, tuple[str, ...]], needed: bool = False) -> Array:
    """A column of sides: +1 buys, -1 sells, NaN where a cell is empty, (rows,); `given` are other words for `buy` and `sell`;
    `needed`: no cell may be empty.

    Raises DataError for other words. Bid, ask and offer are no sides unless they are given: who asks for a bid sells, and who
    bids buys."""
    import pandas as pd

    way_out = "sides = { buy = [...], sell = [...] }"
    words = pd.Series(rows.words(name), dtype=object)
    of_a_market = [word for word in words.unique() if isinstance(word, str) and plain_word(word) in _OF_A_MARKET]
    if of_a_market and not given:
        why = f"; who bids buys, and who asks for a bid sells: say which it is, {WHERE}: {way_out}"
        rows.refuse(name, words.isin(of_a_market).to_numpy(), "sides of a market", words.to_numpy(), why)
    return coded(rows, name, SIDES, named(given, {"buy": +1, "sell": -1}, "sides"), way_out, needed)


def named(given: Mapping[str, tuple[str, ...]], codes: Mapping[str, int], where: str) -> Codes:
    """What a mapping says of words, by code. Raises DataError for what is no name of a code, and for words given twice."""
    for name in given:
        if name not in codes:
            raise DataError(f"{where}: {short(name)} is not known; there are {listed(list(codes))}")
    said = [plain_word(word) for words in given.values() for word in words]
    twice = sorted({word for word in said if said.count(word) > 1})
    if twice:
        raise DataError(f"{where}: {twice[0]!r} stands for two things")
    return {codes[name]: words for name, words in given.items()}


def coded(rows: Rows, name: str, usual: Codes, given: Codes, way_out: str, needed: bool = False) -> Array:
    """A column of words as numbers (rows,), NaN where a cell is empty; `given` counts before `usual`.

    Raises DataError for words that are not known, with the `way_out` as a mapping would say it."""
    import pandas as pd

    code = {plain_word(word): value for words_of in (usual, given) for value, words in words_of.items() for word in words}
    texts = rows.words(name)
    places, words = pd.factorize(texts, use_na_sentinel=False)
    plain = np.array([plain_word(word) if isinstance(word, str) else "" for word in words], dtype=object)
    values = np.array([code.get(word, np.nan) for word in plain])[places]
    known = f"values that are not known ({', '.join(each[0] for each in usual.values())} are)"
    rows.refuse(
        name, np.isnan(values) & (needed | (plain != ""))[places], known, texts, f"; say what they stand for, {WHERE}: {way_out}"
    )
    return np.asarray(values, dtype=np.float64)


def plain_word(word: str) -> str:
    """A word whatever its case, and with one mark for spaces and hyphens."""
    bare = str(word).strip().casefold()
    return bare if len(bare) < 3 or bare[0] in "+-" else bare.replace(" ", "_").replace("-", "_")  # -1 stays what it is
