"""The dealer's problem as a value: its clients, its market, what hedging costs and how much it dislikes risk."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import gcd
from typing import Annotated

from pydantic import Field, model_validator

from dealermarket.values import Value

_Positive = Annotated[float, Field(gt=0.0, le=1e12)]
_NotNegative = Annotated[float, Field(ge=0.0, le=1e12)]
_Sizes = Annotated[tuple[_Positive, ...], Field(strict=False, min_length=1)]
_Rates = Annotated[tuple[_NotNegative, ...], Field(strict=False, min_length=1)]

FEWEST_SIZES = 2
"""How many of the largest size an inventory must have room for."""


class ClientTier(Value):
    """Clients who are alike: one trades at a markup delta (bp) with probability 1 / (1 + exp(a + b delta)).

    `rates` are its requests a day and side, one number for each size of the problem."""

    a: Annotated[float, Field(ge=-50.0, le=50.0)]
    b: _Positive
    rates: _Rates


class DealerProblem(Value):
    """A dealer of one currency pair (arXiv 2106.06974, section 2; with tiers, arXiv 2112.02269, section 2).

    The mid moves by dS = volatility dW + impact v dt (bp), where v is the rate (M a day) at which the dealer buys for a hedge.
    That costs linear_cost |v| + quadratic_cost v^2 (bp M a day) and may only make its inventory smaller. Clients of each tier ask
    for each of `sizes` on both sides. The dealer maximises its mean P&L less risk_aversion / 2 times the variance of its
    inventory's value, and refuses what would carry its inventory beyond `largest_inventory`."""

    sizes: _Sizes
    """Sizes of requests, M, rising."""
    tiers: Annotated[tuple[ClientTier, ...], Field(strict=False, min_length=1)]
    volatility: _Positive
    """Of the mid, bp per square root of a day."""
    linear_cost: _NotNegative
    """Of hedging, bp: half of the spread of the interdealer market."""
    quadratic_cost: _Positive
    """Of hedging, bp day / M: what trading fast costs."""
    impact: _NotNegative = 0.0
    """Of hedging on the mid, permanent, bp / M."""
    risk_aversion: _Positive
    """1 / (bp M)."""
    largest_inventory: _Positive
    """M, on either side."""

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
