"""A constant fraction."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.makers.hedging.base import CostCurve, Floats, TradingPolicy, at_once


class ConstantFraction(TradingPolicy):
    """Trades the same fraction of the position at every step."""

    kind: Literal["fraction"] = "fraction"
    fraction: Annotated[
        float, Field(ge=0, le=1, description="The part of its position that it trades away at each step."), Quantity("", 0.0, 1.0)
    ] = 0.5

    parameters: ClassVar = ("fraction",)

    @staticmethod
    def law(rule: Any) -> Any:
        """The same, whatever happens."""
        return rule.fraction

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        return at_once(position, self.fraction, largest)
