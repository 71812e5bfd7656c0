"""Investors: price takers who arrive at random, may know where the price goes, and take the cheapest quote."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, Tag, model_validator

from dealermarket import laws
from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.model.investors.demand import DEMANDS, AlwaysTrades, Demand
from dealermarket.model.investors.sizes import SIZES, LogNormalSize, OrderSize
from dealermarket.model.investors.sizes.lognormal import LOG_MEAN, LOG_STD, MEAN_SIZE, LogMean, LogStd, MeanSize, check_one_level
from dealermarket.values import NUMBER, NUMBER_WORD_OR_LIST, RANGE, WORD, Value

Probability = Annotated[float, Field(ge=0, le=1), Quantity("", 0.0, 1.0)]
TradeProbability = Annotated[float, Field(ge=0, le=1), Quantity("", 0.001, 1.0, log=True)]
Name = Annotated[str, Field(min_length=1)]
Panel = Annotated[
    Annotated[Literal["all"], Tag(WORD)]
    | Annotated[Annotated[int, Field(ge=1), Quantity("makers", 1, 5)], Tag(NUMBER)]
    | Annotated[Annotated[tuple[Name, ...], Field(strict=False, min_length=1)], Tag(RANGE)],
    NUMBER_WORD_OR_LIST,
]
"""Which makers are asked: all, so many drawn at random, or those named."""


ALTERNATIVES = {
    "mean_size": ("log_mean", "size"),
    "log_mean": ("mean_size", "size"),
    "log_std": ("size",),
    "size": ("mean_size", "log_mean", "log_std"),
}
"""What gives the law of sizes in place of what, for settings."""

# What an investor's fields mean, which are those of a group, too.
TRADE_PROBABILITY = "Probability to trade in a step, at most once, p of section 3.2: 0.125 is once in 8 steps on average."
BUY_PROBABILITY = "Probability that an order buys."
ORACLE_PROBABILITY = (
    "Probability to know where the price will be when the trade matures, and to take that side: how informed it is."
)
SIZE = "Another law of order sizes, in place of mean_size, log_mean and log_std."
ASKS = "Which makers are asked for a quote: all, so many drawn anew for each request, or those named."
DEMAND = "Which quotes are too dear to trade at."


class InvestorAgent(Value):
    """A price taker (section 3.2), who arrives at random, asks makers for quotes and trades at the best one.

    Order sizes are log-normal, given by `log_std` and either `mean_size` or `log_mean`; or they follow another law, `size`.
    """

    name: Annotated[Name, Field(description="Name of the investor; every participant has its own.")]
    trade_probability: Annotated[TradeProbability, Field(description=TRADE_PROBABILITY)]
    mean_size: Annotated[MeanSize | None, Field(description=MEAN_SIZE)] = None
    log_mean: Annotated[LogMean | None, Field(description=LOG_MEAN)] = None
    log_std: Annotated[LogStd, Field(description=LOG_STD)] = 0.5
    buy_probability: Annotated[Probability, Field(description=BUY_PROBABILITY)] = 0.5
    oracle_probability: Annotated[Probability, Field(description=ORACLE_PROBABILITY)] = 0.0
    size: Annotated[Annotated[OrderSize, SIZES] | None, Field(description=SIZE)] = None
    asks: Annotated[Panel, Field(description=ASKS)] = "all"
    demand: Annotated[Demand, DEMANDS, Field(description=DEMAND)] = AlwaysTrades()
    alternatives: ClassVar = ALTERNATIVES

    @model_validator(mode="after")
    def _one_law(self) -> InvestorAgent:
        check_one_law(self.mean_size, self.log_mean, self.size)
        return self

    @cached_property
    def order_size(self) -> OrderSize:
        """The law of its order sizes, however it was given."""
        if self.size is not None:
            return self.size
        return LogNormalSize(mean_size=self.mean_size, log_mean=self.log_mean, log_std=self.log_std)

    @property
    def selective(self) -> bool:
        """Whether it may leave makers out, or refuse every quote; the paper's investors do neither."""
        return self.asks != "all" or not isinstance(self.demand, AlwaysTrades)

    def size_moment(self, order: int, largest: float) -> float:
        """The mean of size^`order`, and never more than that of the `largest` size."""
        return self.order_size.moment(order, largest)

    def capped_share(self, largest: float) -> float:
        """The probability that a size exceeds `largest` and would be capped at it."""
        return self.order_size.share_above(largest)

    def sample_sizes(self, rng: np.random.Generator, count: int, largest: float = math.inf) -> NDArray[np.float64]:
        """`count` order sizes, shape (count,), units of the asset, capped at `largest`."""
        return self.order_size.sample(rng, count, largest)

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


def check_one_law(mean_size: object, log_mean: object, size: OrderSize | None) -> None:
    """Raises ValueError unless the law of sizes is given in one way."""
    if size is None:
        check_one_level(mean_size, log_mean)
    elif not (mean_size is None and log_mean is None):
        raise ValueError("size: give either a law of sizes, or mean_size or log_mean for log-normal ones, and not both")
