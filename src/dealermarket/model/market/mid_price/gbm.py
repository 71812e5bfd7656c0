"""Geometric Brownian motion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from dealermarket.laws import log_drift, log_growth
from dealermarket.model.market.mid_price.base import Drift, MidPrice, Volatility
from dealermarket.model.part import Clock


class GeometricBrownianMotion(MidPrice):
    """P_t = P_{t-1} exp((mu - sigma^2/2) dt + sigma sqrt(dt) Z), exact (section 3.1)."""

    kind: Literal["gbm"] = "gbm"
    drift: Drift = 0.0
    volatility: Annotated[
        Volatility, Field(description="Annual volatility of the price, sigma of section 3.1: 0.1 is 10 % a year.")
    ] = 0.1
    parameters: ClassVar = ("mean", "std")

    def rule(self, clock: Clock) -> Mapping[str, float]:
        """Mean and deviation of a step's log return."""
        return {"mean": log_drift(self.drift, self.volatility, clock.dt), "std": self.step_volatility(clock)}

    @staticmethod
    def law(before: Any, draw: Any, rule: Any) -> Any:
        """The price times the growth of a step."""
        return before * log_growth(draw[0], rule.mean, rule.std)

    @property
    def is_martingale(self) -> bool:
        return self.drift == 0.0

    def step_volatility(self, clock: Clock) -> float:
        return self.volatility * math.sqrt(clock.dt)
