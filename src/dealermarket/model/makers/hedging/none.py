"""No hedging."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dealermarket.model.makers.hedging.base import CostCurve, Floats, HedgingPolicy


class NoHedge(HedgingPolicy):
    """Never hedges: positions close only when clients trade the other way."""

    kind: Literal["none"] = "none"

    @staticmethod
    def law() -> float:
        """Nothing."""
        return 0.0

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        """Nothing to trade: shape (1,), zero."""
        return np.zeros(1)
