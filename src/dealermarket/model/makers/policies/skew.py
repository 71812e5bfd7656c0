"""Prices that lean against the position."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import LARGEST_SKEW, Skew
from dealermarket.values import Value


class SkewMaker(Value, Policy):
    """Shades its prices against its position: eps = `eps` -/+ `strength` tanh(z / `scale`) for clients who buy / sell.

    Long, it sells cheaper and buys lower; `scale` is a position in units of the asset. It hedges `hedge_fraction` of its
    position at every step, or as the scenario says where that is left out.
    """

    kind: Literal["skew"] = "skew"
    eps: Skew = 0.0
    strength: Annotated[float, Field(ge=0, le=1e6)] = 0.5
    scale: Annotated[float, Field(gt=0, le=1e12)] = 20.0
    hedge_fraction: Annotated[float, Field(ge=0, le=1)] | None = None

    def prices(self, position: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """eps_buy and eps_sell at positions (n,), (n,) each."""
        lean = self.strength * np.tanh(position / self.scale)
        buy, sell = (np.clip(self.eps + side * lean, -1.0, LARGEST_SKEW) for side in (-1.0, 1.0))
        return buy, sell
