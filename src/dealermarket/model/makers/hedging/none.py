"""No hedging."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dealermarket.model.makers.hedging.base import CostCurve, Floats
from dealermarket.values import Value


class NoHedge(Value):
    """Never hedges: positions close only when clients trade the other way."""

    kind: Literal["none"] = "none"

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        """Nothing to trade: shape (1,), zero."""
        return np.zeros(1)
