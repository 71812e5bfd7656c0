"""The exogenous market: mid-price, reference spread and the clock."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.errors import ParameterError
from dealermarket.model.market.mid_price import MID_PRICES, GeometricBrownianMotion, MidPrice
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS, ClippedNormal, ReferenceSpread
from dealermarket.model.part import Clock
from dealermarket.values import Value

Floats = NDArray[np.float64]
_UNITS = (("day", 24 * 60 * 60), ("hour", 60 * 60), ("minute", 60), ("second", 1))


class MarketEnvironment(Value):
    """Everything exogenous that all participants see: the mid-price, the reference spread and the clock.

    A step is `1 / (steps_per_day * days_per_year)` years, 15 minutes of a 24-hour market by default. With
    `spreads_scale_with_price` the reference spread and every tier penalty are multiplied by P_t, for assets whose
    price is far from 1.
    """

    mid_price: Annotated[MidPrice, MID_PRICES] = GeometricBrownianMotion()
    reference_spread: Annotated[ReferenceSpread, REFERENCE_SPREADS] = ClippedNormal()
    steps_per_day: Annotated[int, Field(ge=1, le=1_000_000_000)] = 96
    days_per_year: Annotated[int, Field(ge=1, le=10_000)] = 252
    spreads_scale_with_price: bool = False

    @property
    def dt(self) -> float:
        """The length of a step in years."""
        return 1.0 / (self.steps_per_day * self.days_per_year)

    @property
    def hours_per_step(self) -> float:
        """The length of a step in hours, a day of trading being 24 of them."""
        return 24.0 / self.steps_per_day

    @property
    def clock(self) -> Clock:
        """The length of a step in years and in days."""
        return Clock(self.dt, 1.0 / self.steps_per_day)

    def sample(self, rng: np.random.Generator, steps: int, replicas: int = 1) -> tuple[Floats, Floats]:
        """Mid-prices and reference spreads, each (replicas, steps), in price units.

        The price of step 0 is `initial`. Raises ParameterError for steps or replicas below 1.
        """
        if steps < 1 or replicas < 1:
            raise ParameterError(f"steps and replicas must be >= 1, got {steps} and {replicas}")
        mids = self.mid_price.sample(rng, steps, replicas, self.clock)
        s0 = self.reference_spread.sample(rng, steps, replicas, self.clock)
        return mids, s0 * mids if self.spreads_scale_with_price else s0

    def step_volatility(self, mid: Floats | float, volatility: float | None = None) -> Floats:
        """Standard deviation of the mid over one step, price units (sigma sqrt(dt) P_t for `gbm`); shape of `mid`.

        `volatility` is annual, the market's own where left out."""
        relative = self.mid_price.step_volatility(self.clock) if volatility is None else volatility * math.sqrt(self.dt)
        return np.asarray(relative * np.asarray(mid, dtype=np.float64))


def duration(market: MarketEnvironment, steps: int = 1) -> str:
    """How long some steps take in a market that is open all day: "15 minutes", "1 hour", "1.5 days"."""
    seconds = steps * 24 * 60 * 60 / market.steps_per_day
    unit, length = next(((unit, length) for unit, length in _UNITS if seconds >= length), _UNITS[-1])
    count = f"{seconds / length:.4g}"
    return f"{count} {unit}" + ("" if count == "1" else "s")
