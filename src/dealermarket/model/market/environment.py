"""The exogenous market: mid-price, reference spread and the clock."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.model.market.activity import Activity, factors_at, factors_of
from dealermarket.model.market.impact import IMPACTS, MarketImpact, NoImpact
from dealermarket.model.market.mid_price import MID_PRICES, GeometricBrownianMotion, MidPrice, RecordedMid
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS, ClippedNormal, RecordedSpread, ReferenceSpread
from dealermarket.model.part import Clock
from dealermarket.reading.prices import Recording
from dealermarket.values import Value

Floats = NDArray[np.float64]
_UNITS = (("day", 24 * 60 * 60), ("hour", 60 * 60), ("minute", 60), ("second", 1))


class MarketEnvironment(Value):
    """What all participants see: the mid-price, the reference spread, the clock, and how makers' hedges move the mid.

    A step is `1 / (steps_per_day * days_per_year)` years, 15 minutes of a 24-hour market by default.
    """

    mid_price: Annotated[MidPrice, MID_PRICES, Field(description="How the mid-price moves.")] = GeometricBrownianMotion()
    reference_spread: Annotated[
        ReferenceSpread,
        REFERENCE_SPREADS,
        Field(description="The bid-ask spread of the smallest trade at the exchange, s0 of section 3.1, and how it moves."),
    ] = ClippedNormal()
    impact: Annotated[MarketImpact, IMPACTS, Field(description="How makers' trades at the exchange move the mid.")] = NoImpact()
    steps_per_day: Annotated[
        int,
        Field(ge=1, le=1_000_000_000, description="Steps in a day of trading: 96 are 15 minutes each in a market open all day."),
        Quantity("steps", 24, 1440, log=True),
    ] = 96
    days_per_year: Annotated[
        int,
        Field(ge=1, le=10_000, description="Days of trading in a year, which annual numbers are divided over."),
        Quantity("days", 240, 365),
    ] = 252
    spreads_scale_with_price: Annotated[
        bool,
        Field(
            description="Whether the reference spread and tier penalties are shares of the mid-price, for assets whose price is "
            "far from 1, and not in price units."
        ),
    ] = False
    activity: Annotated[
        Activity,
        Field(
            description="How busy equal parts of a day are, such as 24 weights for its hours. All trade probabilities move with "
            "it and stay the mean over a day, which begins at step 0 (at midnight in recorded times). Empty: the same all day."
        ),
        Quantity("", 0.0, 5.0),
    ] = ()

    @model_validator(mode="after")
    def _recorded_together(self) -> MarketEnvironment:
        if isinstance(self.reference_spread, RecordedSpread) and not isinstance(self.mid_price, RecordedMid):
            raise ValueError(  # noqa: TRY004, a problem of the field
                "reference_spread: recorded spreads are those of recorded mids; set mid_price.kind = 'recorded' and its file, too"
            )
        return self

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

    def activity_at(self, step: ArrayLike) -> Floats:
        """By what the probability to trade is multiplied in steps of these numbers, shape of `step`; step 0 begins a day."""
        return factors_at(self.activity, step, self.steps_per_day)

    @property
    def busiest(self) -> float:
        """The largest factor of a step."""
        if self.steps_per_day < len(self.activity):
            return float(self.activity_at(np.arange(self.steps_per_day)).max())
        return float(factors_of(self.activity).max()) if self.activity else 1.0

    @property
    def initial_price(self) -> float:
        """The price that stands for the asset's where one is needed: that of step 0, or the first of recorded ones."""
        return self.mid_price.first_price(self.clock)

    @property
    def mean_spread(self) -> float:
        """The mean reference spread as drawn: price units, or as a share of the price where spreads scale with it."""
        if not isinstance(self.reference_spread, RecordedSpread):
            return self.reference_spread.mean
        recording = self.recording
        if recording is None or recording.spread is None:
            raise ParameterError("market.reference_spread: the file of market.mid_price has no bids and asks")
        return float(np.mean(recording.spread / recording.mid if self.spreads_scale_with_price else recording.spread))

    @property
    def mean_half_spread(self) -> float:
        """The mean of S_ref(0) at the initial price, price units."""
        return 0.5 * self.mean_spread * (self.initial_price if self.spreads_scale_with_price else 1.0)

    @property
    def recording(self) -> Recording | None:
        """The recorded prices; None where prices are drawn. Raises DataError where the file cannot be read."""
        return self.mid_price.recording(self.clock) if isinstance(self.mid_price, RecordedMid) else None

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
