"""Prices that lean against the position."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import LARGEST_SKEW, Skew
from dealermarket.values import Value


class SkewMaker(Value, Policy):
    """Shades its prices against its position: eps = `eps` -/+ `strength` tanh(z / `scale`) for clients who buy / sell.

    Long, it sells cheaper and buys lower.
    """

    kind: Literal["skew"] = "skew"
    eps: Annotated[
        Skew, Field(description="Skew on both sides while it has no position: clients are quoted S_ref(0) (1 + eps).")
    ] = 0.0
    strength: Annotated[
        float,
        Field(ge=0, le=1e6, description="By how much prices move at most against a large position, as a skew."),
        Quantity("", 0.0, 2.0),
    ] = 0.5
    scale: Annotated[
        float,
        Field(gt=0, le=1e12, description="The position at which prices have moved by 76 % of that."),
        Quantity("units of the asset", 1.0, 1000.0, log=True),
    ] = 20.0
    hedge_fraction: Annotated[
        Annotated[float, Field(ge=0, le=1), Quantity("", 0.0, 1.0)] | None,
        Field(description="The part of its position that it hedges at each step; None: as its hedging says."),
    ] = None

    def prices(self, position: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """eps_buy and eps_sell at positions (n,), (n,) each."""
        lean = self.strength * np.tanh(position / self.scale)
        buy, sell = (np.clip(self.eps + side * lean, -1.0, LARGEST_SKEW) for side in (-1.0, 1.0))
        return buy, sell
