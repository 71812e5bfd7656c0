"""The exogenous market: mid-price, reference spread and the clock."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket import laws
from dealermarket.errors import ParameterError
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.values import Value

Floats = NDArray[np.float64]


class MarketEnvironment(Value):
    """Everything exogenous that all participants see: the mid-price, the reference spread and the clock.

    A step is `1 / (steps_per_day * days_per_year)` years, 15 minutes of a 24-hour market by default. With
    `spreads_scale_with_price` the reference spread and every tier penalty are multiplied by P_t, for assets whose
    price is far from 1.
    """

    mid_price: GeometricBrownianMotion = GeometricBrownianMotion()
    reference_spread: ClippedNormal = ClippedNormal()
    steps_per_day: Annotated[int, Field(ge=1)] = 96
    days_per_year: Annotated[int, Field(ge=1)] = 252
    spreads_scale_with_price: bool = False

    @property
    def dt(self) -> float:
        """The length of a step in years."""
        return 1.0 / (self.steps_per_day * self.days_per_year)

    def sample(self, rng: np.random.Generator, steps: int, replicas: int = 1) -> tuple[Floats, Floats]:
        """Mid-prices and reference spreads, each (replicas, steps), in price units.

        The price of step 0 is `initial`. Raises ParameterError for steps or replicas below 1.
        """
        if steps < 1 or replicas < 1:
            raise ParameterError(f"steps and replicas must be >= 1, got {steps} and {replicas}")
        mid, spread = self.mid_price, self.reference_spread
        growth = laws.gbm_growth(rng.standard_normal((replicas, steps)), mid.drift, mid.volatility, self.dt)
        growth[:, 0] = 1.0
        mids = mid.initial * np.cumprod(growth, axis=1)
        s0 = laws.clipped_normal(rng.standard_normal((replicas, steps)), spread.mean, spread.std, spread.minimum, spread.maximum)
        return mids, s0 * mids if self.spreads_scale_with_price else s0

    def step_volatility(self, mid: Floats | float, volatility: float | None = None) -> Floats:
        """Standard deviation of the mid over one step, price units: sigma sqrt(dt) P_t; shape of `mid`.

        `volatility` is annual, the market's own where left out."""
        sigma = self.mid_price.volatility if volatility is None else volatility
        return np.asarray(sigma * np.sqrt(self.dt) * np.asarray(mid, dtype=np.float64))
