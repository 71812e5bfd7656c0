"""Everything at once."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dealermarket.model.makers.hedging.base import CostCurve, Floats, TradingPolicy, at_once


class FullHedge(TradingPolicy):
    """Trades the whole position at every step: infinite risk aversion."""

    kind: Literal["full"] = "full"

    @staticmethod
    def law() -> float:
        """Everything."""
        return 1.0

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        return at_once(position, 1.0, largest)
