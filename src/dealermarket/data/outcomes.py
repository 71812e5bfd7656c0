"""What becomes of a request, as a log says it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WON, TRADED_AWAY, NOT_TRADED = range(3)
OUTCOMES = ("won", "traded_away", "not_traded")
SIDES = ("buy", "sell")
"""Of the client."""


def outcome_codes(traded: Array, won: Array) -> Array:
    """The outcome of requests for one maker: numbers of `OUTCOMES`."""
    return np.where(won, WON, np.where(traded, TRADED_AWAY, NOT_TRADED))
