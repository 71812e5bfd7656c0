"""The dealer's problem as a value: its clients, its market, what hedging costs and how much it dislikes risk."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import gcd
from typing import Annotated

from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.values import Value

_Positive = Annotated[float, Field(gt=0.0, le=1e12)]
_NotNegative = Annotated[float, Field(ge=0.0, le=1e12)]
_Sizes = Annotated[tuple[_Positive, ...], Field(strict=False, min_length=1)]
_Rates = Annotated[tuple[_NotNegative, ...], Field(strict=False, min_length=1)]

FEWEST_SIZES = 2
"""How many of the largest size an inventory must have room for."""


class ClientTier(Value):
    """Clients who are alike: one trades at a markup delta (bp) with probability 1 / (1 + exp(a + b delta))."""

    a: Annotated[
        float,
        Field(ge=-50.0, le=50.0, description="Where demand stands at a markup of 0: the smaller, the more requests trade."),
        Quantity("", -5.0, 5.0),
    ]
    b: Annotated[_Positive, Field(description="How fast demand falls with the markup."), Quantity("1/bp", 0.1, 20.0, log=True)]
    rates: Annotated[
        _Rates,
        Field(description="Requests of each size of the problem, on each side."),
        Quantity("requests a day", 1.0, 10_000.0, log=True),
    ]


class DealerProblem(Value):
    """A dealer of one currency pair (arXiv 2106.06974, section 2; with tiers, arXiv 2112.02269, section 2).

    The mid moves by dS = volatility dW + impact v dt (bp), where v is the rate (M a day) at which the dealer buys for a hedge.
    That costs linear_cost |v| + quadratic_cost v^2 (bp M a day) and may only make its inventory smaller. Clients of each tier ask
    for each of `sizes` on both sides. The dealer maximises its mean P&L less risk_aversion / 2 times the variance of its
    inventory's value, and refuses what would carry its inventory beyond `largest_inventory`."""

    sizes: Annotated[_Sizes, Field(description="Sizes of requests, rising."), Quantity("M", 1.0, 50.0, log=True)]
    tiers: Annotated[
        tuple[ClientTier, ...], Field(strict=False, min_length=1, description="The clients, one entry for those who are alike.")
    ]
    volatility: Annotated[_Positive, Field(description="Volatility of the mid."), Quantity("bp/sqrt(day)", 10.0, 200.0)]
    linear_cost: Annotated[
        _NotNegative,
        Field(description="What hedging a unit costs: half of the spread of the interdealer market, psi."),
        Quantity("bp", 0.0, 1.0),
    ]
    quadratic_cost: Annotated[
        _Positive, Field(description="What trading fast costs besides, eta."), Quantity("bp day/M", 1e-6, 1e-3, log=True)
    ]
    impact: Annotated[
        _NotNegative, Field(description="By how much hedging moves the mid for good, k."), Quantity("bp/M", 0.0, 0.1)
    ] = 0.0
    risk_aversion: Annotated[
        _Positive, Field(description="How much it dislikes risk, gamma."), Quantity("1/(bp M)", 1e-5, 1e-1, log=True)
    ]
    largest_inventory: Annotated[
        _Positive,
        Field(description="The largest inventory on either side: what would go beyond is refused."),
        Quantity("M", 50.0, 1000.0),
    ]

    @model_validator(mode="after")
    def _consistent(self) -> DealerProblem:
        problems = []
        if not all(low < high for low, high in pairwise(self.sizes)):
            problems.append(f"sizes: must rise, got {list(self.sizes)}")
        for number, tier in enumerate(self.tiers):
            if len(tier.rates) != len(self.sizes):
                problems.append(f"tiers.{number}.rates: must be {len(self.sizes)}, one for each size, got {len(tier.rates)}")
            elif not any(tier.rates):
                problems.append(f"tiers.{number}.rates: must not all be 0: leave the tier out")
        if not problems:
            step, least = self.common_step, FEWEST_SIZES * self.sizes[-1]
            if self.largest_inventory < least:
                problems.append(
                    f"largest_inventory: must be at least {least:g}, {FEWEST_SIZES} times the largest size, "
                    f"got {self.largest_inventory:g}"
                )
            elif _exact(self.largest_inventory) % _exact(step):
                problems.append(
                    f"largest_inventory: must be a whole multiple of {step:g}, the common step of the sizes, "
                    f"got {self.largest_inventory:g}"
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def common_step(self) -> float:
        """The largest number of which all sizes are whole multiples, M."""
        return float(reduce(_common, map(_exact, self.sizes)))


def _exact(number: float) -> Fraction:
    """A float as the decimal number that a person wrote."""
    return Fraction(repr(float(number)))


def _common(one: Fraction, other: Fraction) -> Fraction:
    """The largest number of which both are whole multiples."""
    below = one.denominator * other.denominator
    return Fraction(gcd(one.numerator * other.denominator, other.numerator * one.denominator), below)
