"""Demand that no price stops."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.model.investors.demand.base import Demand


class AlwaysTrades(Demand):
    """Every request trades at the best quote, whatever it is (section 3.2)."""

    kind: Literal["always"] = "always"

    @staticmethod
    def law() -> Any:
        """No price is too high."""
        return np.inf

    def trade_share(self, relative_spread: ArrayLike) -> NDArray[np.float64]:
        return np.ones(np.shape(relative_spread))
