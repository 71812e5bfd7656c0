"""A spread whose logarithm is autoregressive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.laws import log_growth
from dealermarket.model.market.reference_spread.base import ReferenceSpread
from dealermarket.model.part import Clock


class LogAR1(ReferenceSpread):
    """log s0_t is a stationary Gaussian AR(1) from step 0 on, exact: s0_t is log-normal at every step.

    log s0_t = m + phi (log s0_{t-1} - m) + d sqrt(1 - phi^2) Z, with d^2 = log(1 + (std / mean)^2) and
    m = log(mean) - d^2/2: `mean` and `std` are those of s0_t itself. Source: Hamilton (1994), section 3.4.
    """

    kind: Literal["log_ar1"] = "log_ar1"
    mean: Annotated[
        float, Field(ge=1e-20, le=1e12, description="Mean of the reference spread."), Quantity("price units", 1e-6, 1.0, log=True)
    ] = 0.00015
    std: Annotated[
        float,
        Field(ge=0, le=1e12, description="Standard deviation of the reference spread."),
        Quantity("price units", 1e-7, 1.0, log=True),
    ] = 0.00005
    autocorrelation: Annotated[
        float,
        Field(gt=-1, lt=1, description="Autocorrelation of its log from one step to the next, phi: near 1, a wide spread lasts."),
        Quantity("", 0.0, 0.99),
    ] = 0.9
    parameters: ClassVar = ("log_mean", "log_std", "autocorrelation", "innovation")

    def rule(self, clock: Clock) -> Mapping[str, float]:
        """Stationary mean and deviation of log s0, its autocorrelation, and the deviation of a step's innovation."""
        log_std = math.sqrt(math.log1p((self.std / self.mean) ** 2))
        return {
            "log_mean": math.log(self.mean) - 0.5 * log_std**2,
            "log_std": log_std,
            "autocorrelation": self.autocorrelation,
            "innovation": log_std * math.sqrt((1.0 - self.autocorrelation) * (1.0 + self.autocorrelation)),
        }

    @staticmethod
    def first(draw: Any, rule: Any) -> Any:
        """From the stationary law."""
        return log_growth(draw[0], rule.log_mean, rule.log_std)

    @staticmethod
    def law(before: Any, draw: Any, rule: Any) -> Any:
        """Given the spread one step before."""
        mean = rule.log_mean + rule.autocorrelation * (np.log(before) - rule.log_mean)
        return log_growth(draw[0], mean, rule.innovation)
