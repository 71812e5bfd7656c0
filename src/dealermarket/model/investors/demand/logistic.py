"""Reservations with a logistic law: the S-curve of dealers' hit ratios."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.laws import logistic_quantile
from dealermarket.model.investors.demand.base import Demand, Middle


class LogisticDemand(Demand):
    """A request trades with probability 1 / (1 + exp((x - mean) / scale)) where its best quote is x times the reference curve.

    The law by which clients trade of Barzykin, Bergault and Guéant (2021, arXiv 2106.06974, section 2).
    """

    kind: Literal["logistic"] = "logistic"
    mean: Middle
    scale: Annotated[
        float,
        Field(ge=1e-9, le=1e6, description="How gradually demand falls around the mean: near 0, it stops at once."),
        Quantity("times S_ref(v)", 0.05, 2.0),
    ]
    parameters: ClassVar = ("mean", "scale")

    @staticmethod
    def law(draw: Any, rule: Any) -> Any:
        """For a uniform number."""
        return logistic_quantile(draw, rule.mean, rule.scale)

    def trade_share(self, relative_spread: ArrayLike) -> NDArray[np.float64]:
        from scipy.special import expit

        return np.asarray(expit((self.mean - np.asarray(relative_spread, dtype=np.float64)) / self.scale))
