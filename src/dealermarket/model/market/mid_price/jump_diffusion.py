"""Geometric Brownian motion with jumps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.laws import log_drift
from dealermarket.model.market.mid_price.base import Drift, MidPrice, Volatility
from dealermarket.model.part import Clock, Draw


class JumpDiffusion(MidPrice):
    """Merton's jump diffusion (1976), exact: a geometric Brownian motion whose log jumps `intensity` times a day on average.

    A step's log return is (mu - sigma^2/2) dt - m (exp(nu + d^2/2) - 1) + sigma sqrt(dt) Z + nu N + d sqrt(N) Z', N
    being Poisson with mean m = `intensity` times the step in days, nu = `jump_mean` and d = `jump_std` the mean and
    deviation of a log jump. The second term makes up for the jumps: E[P_t] = P_0 exp(mu t). Without jumps it is `gbm`.
    """

    kind: Literal["jump_diffusion"] = "jump_diffusion"
    drift: Drift = 0.0
    volatility: Annotated[Volatility, Field(description="Annual volatility between jumps, sigma: 0.1 is 10 % a year.")] = 0.1
    intensity: Annotated[
        float, Field(ge=0, le=500, description="How many jumps there are on average."), Quantity("jumps a day", 0.0, 5.0)
    ] = 1.0
    jump_mean: Annotated[
        float,
        Field(ge=-5, le=5, description="Mean of a jump of the log price, nu: 0.01 is about 1 % up."),
        Quantity("", -0.02, 0.02),
    ] = 0.0
    jump_std: Annotated[
        float,
        Field(ge=0, le=5, description="Standard deviation of a jump of the log price, d: 0.003 is about 0.3 %."),
        Quantity("", 0.0, 0.02),
    ] = 0.003
    parameters: ClassVar = ("mean", "std", "jumps", "most_jumps", "jump_mean", "jump_std")
    draws: ClassVar[tuple[Draw, ...]] = ("normal", "uniform", "normal")

    def rule(self, clock: Clock) -> Mapping[str, float]:
        """Mean and deviation of a step's log return without jumps, and the jumps: how many, at most how many, how large."""
        jumps = self.intensity * clock.days
        compensation = jumps * math.expm1(self.jump_mean + 0.5 * self.jump_std**2)
        return {
            "mean": log_drift(self.drift, self.volatility, clock.dt) - compensation,
            "std": self.volatility * math.sqrt(clock.dt),
            "jumps": jumps,
            "most_jumps": largest_count(jumps),
            "jump_mean": self.jump_mean,
            "jump_std": self.jump_std,
        }

    @staticmethod
    def law(before: Any, draw: Any, rule: Any) -> Any:
        """The price after a step with a Poisson number of jumps, whose sum is normal given their number."""
        jumps = poisson_count(draw[1], rule.jumps, rule.most_jumps)
        jump = rule.jump_mean * jumps + rule.jump_std * np.sqrt(jumps) * draw[2]
        return before * np.exp(rule.mean + rule.std * draw[0] + jump)

    @property
    def is_martingale(self) -> bool:
        """The jumps are made up for."""
        return self.drift == 0.0

    def step_volatility(self, clock: Clock) -> float:
        """With the jumps."""
        jumps = self.intensity * clock.days
        return math.sqrt(self.volatility**2 * clock.dt + jumps * (self.jump_mean**2 + self.jump_std**2))


def poisson_count(uniform: Any, mean: Any, most: Any) -> Any:
    """The Poisson number with this mean that belongs to a uniform number, by inversion: how many k have P(N <= k) <= U.

    `most` is where the search ends, see `largest_count`."""
    probability = np.exp(-mean)
    below = probability
    count = 0.0 * uniform
    for k in range(int(most)):
        count = count + (uniform >= below)
        probability = probability * mean / (k + 1)
        below = below + probability
    return count


def largest_count(mean: float) -> int:
    """The largest Poisson number that uniform numbers, which are multiples of 2^-53, lead to."""
    count, probability = 0, math.exp(-mean)
    while probability > 2.0**-55 or count < mean:
        count += 1
        probability *= mean / count
    return count
