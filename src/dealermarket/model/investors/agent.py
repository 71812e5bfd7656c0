"""Investors: price takers who arrive at random, may know where the price goes, and take the cheapest quote."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from dealermarket import laws
from dealermarket.errors import ParameterError
from dealermarket.values import Value

Probability = Annotated[float, Field(ge=0, le=1)]


Positive = Annotated[float, Field(gt=0)]


NotNegative = Annotated[float, Field(ge=0)]


Name = Annotated[str, Field(min_length=1)]


class InvestorAgent(Value):
    """A price taker (section 3.2).

    At each step it trades with `trade_probability`, at most once, a log-normal size: `log_std` is the standard
    deviation of log size; its level is given either as `mean_size` (the mean size) or as `log_mean` (the mean of log
    size). It buys with `buy_probability`, but with `oracle_probability` takes the side of the price move to come.
    """

    name: Name
    trade_probability: Probability
    mean_size: Positive | None = None
    log_mean: float | None = None
    log_std: NotNegative = 0.5
    buy_probability: Probability = 0.5
    oracle_probability: Probability = 0.0

    @model_validator(mode="after")
    def _one_level(self) -> InvestorAgent:
        check_one_level(self.mean_size, self.log_mean)
        return self

    @property
    def size_log_mean(self) -> float:
        """Mean of log size, however the level was given."""
        if self.log_mean is not None:
            return self.log_mean
        assert self.mean_size is not None
        return math.log(self.mean_size) - 0.5 * self.log_std**2

    def size_moment(self, order: int, largest: float) -> float:
        """The mean of size^`order`, of the law without its cap, and never more than that of the `largest` size."""
        return math.exp(order * min(self.size_log_mean + 0.5 * order * self.log_std**2, math.log(largest)))

    def capped_share(self, largest: float) -> float:
        """The probability that a size exceeds `largest` and would be capped at it."""
        distance = math.log(largest) - self.size_log_mean
        if self.log_std == 0:
            return float(distance < 0)
        return 0.5 * math.erfc(distance / (self.log_std * math.sqrt(2)))

    def sample_sizes(self, rng: np.random.Generator, count: int, largest: float = math.inf) -> NDArray[np.float64]:
        """`count` order sizes, shape (count,), units of the asset, capped at `largest`."""
        normal = rng.standard_normal(count)
        return np.asarray(laws.order_size(normal, self.size_log_mean, self.log_std, largest))

    @staticmethod
    def choose(spreads: ArrayLike, draw: ArrayLike) -> NDArray[np.int64]:
        """The cheapest maker (section 3.2): index along the last axis of `spreads` (..., makers), shape (...).

        Of n exactly equal spreads, in order, number floor(draw n) wins; `draw` (...) is uniform on [0, 1).
        """
        spreads = np.asarray(spreads, dtype=np.float64)
        if spreads.shape[-1] == 0 or np.isnan(spreads).any():
            raise ParameterError("spreads: must hold a number for at least one maker")
        cheapest = spreads == spreads.min(axis=-1, keepdims=True)
        winner = laws.tied_winner(np.asarray(draw, dtype=np.float64), cheapest.sum(axis=-1))
        return np.asarray(np.argmax(np.cumsum(cheapest, axis=-1) > winner[..., None], axis=-1))


def check_one_level(mean_size: object, log_mean: object) -> None:
    """Raises ValueError unless the level of sizes is given in one way."""
    if (mean_size is None) == (log_mean is None):
        raise ValueError("mean_size: give either mean_size or log_mean, and not both")
