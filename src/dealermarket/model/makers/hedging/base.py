"""What every hedging rule answers: a schedule of trades, and the fraction to trade now (section 3.3)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, Tag

from dealermarket import laws
from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.model.part import Part
from dealermarket.slots import taken
from dealermarket.values import NUMBER, NUMBER_OR_WORD, WORD

Floats = NDArray[np.float64]
CostCurve = Callable[[Floats], Floats]
"""Cost per unit of trades of given sizes: takes an array of sizes > 0, returns an array of the same shape, price units."""

Venue = Literal["makers", "exchange", "best"]
Volatility = Annotated[
    Annotated[Literal["market"], Tag(WORD)]
    | Annotated[Annotated[float, Field(ge=0, le=100), Quantity("1/sqrt(year)", 0.0, 0.5)], Tag(NUMBER)],
    NUMBER_OR_WORD,
]

ROUNDING = 1e-12
"""By which part of itself a trade may exceed the largest one: trades are fractions of positions."""


class Situation(NamedTuple):
    """What a maker knows when it hedges: prices in price units, sizes in units of the asset."""

    position: Any  # held into the step
    size: Any  # |position|, above 0
    side: Any  # of the hedge: +1 buys, -1 sells
    mid: Any
    half_spread: Any  # S_ref(0)
    unit: Any  # what one price unit is here: 1, or the mid where spreads scale with the price
    volatility: Any  # that the maker believes in: of the mid over one step, relative to it
    largest: Any  # the largest size that trades at once
    maker: Any  # its number among the makers
    rules: Any  # the engine's, for `cost` and `plan`
    market: Any


class HedgingPolicy(Part):
    """How much of a position is traded now, with whom, and how the rest is planned.

    `law(situation, rule, cost, plan)` is the fraction of the position to trade in this step, in [0, 1], for a Situation in which
    the position is not 0; what cannot be traded at once is cut off. It may ask `cost(situation, size)`, the best quote of
    its venue for a size (cost per unit, price units), and, below PlannedHedging, `plan(situation, risk)`, the fraction that the
    cheapest optimal schedule trades first at `risk` = gamma s in price units. Below 0 counts as 0.
    """

    reserved: ClassVar = ("venue", "volatility")
    formulas: ClassVar = {"law": ("situation", "rule", "cost", "plan")}
    law: ClassVar[Callable[..., Any]]

    @property
    def plans(self) -> bool:
        """Whether its law asks `plan`: what it trades against is then worked out beforehand."""
        return "plan" in taken(self.law)

    @abstractmethod
    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        """Fractions x_k >= 0 of |position| to trade in each step of the horizon, shape (H,).

        `cost` gives the cost per unit of a size, `step_volatility` is the standard deviation of the mid over one
        step (price units). No trade is larger than `largest` (units of the asset): the fractions then sum to 1 only
        if the horizon is long enough, else every one of them is largest / |position|. A position of 0: all zero.
        """


class TradingPolicy(HedgingPolicy):
    """What every rule that trades shares."""

    formulas: ClassVar = {"law": ("situation", "rule", "cost")}
    venue: Annotated[
        Venue,
        Field(
            description="Where it hedges: with other makers (the paper's), at the exchange (any volume), or where it is cheaper."
        ),
    ] = "makers"
    volatility: Annotated[
        Volatility, Field(description='The annual volatility the maker believes in: "market" knows the market\'s own.')
    ] = "market"


_INFINITE = "an infinite risk aversion is written kind = 'full'"


class PlannedHedging(TradingPolicy):
    """A policy that weighs the cost of trading against the risk of waiting."""

    risk_aversion: Annotated[
        float,
        Field(
            ge=0,
            le=1e12,
            description="How much it dislikes the risk of waiting, gamma of eq. 7: the larger, the faster it hedges.",
            json_schema_extra={"reasons": dict.fromkeys(("le", "finite_number"), _INFINITE)},
        ),
        Quantity("", 1e-5, 10.0, log=True),
    ] = 0.25
    horizon: Annotated[
        int,
        Field(
            ge=1,
            le=500,
            description="Over how many steps a hedge is planned, N_max of section 3.3.",
            json_schema_extra={
                "reasons": {
                    "le": "a longer plan takes too long to work out, and trades first what one of 500 steps does unless "
                    "the risk aversion is next to 0"
                }
            },
        ),
        Quantity("steps", 1, 100),
    ] = 20
    formulas: ClassVar = {"law": ("situation", "rule", "cost", "plan")}
    parameters: ClassVar = ("risk_aversion", "horizon")

    def objective(self, fractions: Floats, position: float, cost: CostCurve, step_volatility: float) -> float:
        """E[C] + gamma sqrt(Var[C]) of a schedule, price units per unit of |position|."""
        traded = fractions[fractions > 0]
        expected = float(np.sum(traded * cost(np.abs(position) * traded)))
        left = 1.0 - np.cumsum(fractions)[:-1]
        return float(laws.mean_plus_risk(expected, step_volatility**2 * np.sum(left**2), self.risk_aversion))


def checked_size(position: float, step_volatility: float, largest: float) -> float:
    """|position|. Raises ParameterError for arguments of a schedule that are not allowed."""
    if not largest > 0:
        raise ParameterError(f"largest: must be above 0, got {largest!r}")
    if not np.isfinite(position):
        raise ParameterError(f"position: must be finite, got {position!r}")
    if not (np.isfinite(step_volatility) and step_volatility >= 0):
        raise ParameterError(f"step_volatility: must be finite and >= 0, got {step_volatility!r}")
    return abs(position)


def at_once(position: float, fraction: float, largest: float) -> Floats:
    """The schedule that trades a fraction, or what can trade, now and nothing later: shape (1,)."""
    size = checked_size(position, 0.0, largest)
    return np.array([min(fraction, largest / size) if size else 0.0])
