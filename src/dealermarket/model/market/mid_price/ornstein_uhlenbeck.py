"""A log price that returns to its level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.market.mid_price.base import MidPrice, Price, Volatility
from dealermarket.model.part import Clock


class OrnsteinUhlenbeck(MidPrice):
    """d log P = rate (log level - log P) dt + volatility dW, sampled exactly: over a step of dt years log P comes nearer to
    log level by the factor f = exp(-rate dt), and its deviation is volatility sqrt((1 - f^2) / (2 rate)).

    Source: Uhlenbeck and Ornstein (1930); of the log of a price: Schwartz (1997), model 1.
    """

    kind: Literal["ornstein_uhlenbeck"] = "ornstein_uhlenbeck"
    level: Annotated[
        Price | None,
        Field(description="The price that it returns to, its median far from the start; None: the initial price."),
    ] = None
    rate: Annotated[
        float,
        Field(gt=0, le=1e6, description="How fast it returns: log(2) / rate years halve the distance to the level."),
        Quantity("1/year", 1.0, 1000.0, log=True),
    ] = 10.0
    volatility: Annotated[Volatility, Field(description="Annual volatility without the return to the level: 0.1 is 10 %.")] = 0.1
    parameters: ClassVar = ("level", "pull", "std")

    def rule(self, clock: Clock) -> Mapping[str, float]:
        """The level, which part of the way to it a step goes, and the deviation of a step's log return."""
        level = self.initial if self.level is None else self.level
        return {"level": level, "pull": -math.expm1(-self.rate * clock.dt), "std": self.step_volatility(clock)}

    @staticmethod
    def law(before: Any, draw: Any, rule: Any) -> Any:
        """The price after a step: part of the way to the level, and a normal number."""
        return before * np.exp(rule.pull * np.log(rule.level / before) + rule.std * draw[0])

    def step_volatility(self, clock: Clock) -> float:
        return self.volatility * math.sqrt(-math.expm1(-2.0 * self.rate * clock.dt) / (2.0 * self.rate))
