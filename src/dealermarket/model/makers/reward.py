"""What a maker is rewarded for: the objective of one that learns, and of the optimal one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, Tag, field_validator

from dealermarket.describe import Quantity
from dealermarket.frozen import Frozen
from dealermarket.values import NUMBER, NUMBER_OR_WORD, WORD, Value, suggestion

Weights = Annotated[  # a table goes by the tag of what is no word, so that one error is reported, not two
    Annotated[Literal["components", "pnl"], Tag(WORD)]
    | Annotated[Frozen[str, Annotated[float, Quantity("", 0.0, 1.0)]], Tag(NUMBER)],
    NUMBER_OR_WORD,
]
Unit = Annotated[
    Annotated[Literal["spread"], Tag(WORD)]
    | Annotated[
        Annotated[float, Field(gt=0, le=1e12), Quantity("price units times units of the asset", 1e-6, 1.0, log=True)], Tag(NUMBER)
    ],
    NUMBER_OR_WORD,
]
Penalty = Annotated[float, Field(ge=0, le=1e12), Quantity("", 0.0, 2.0)]


class Components(NamedTuple):
    """A number, or an array of numbers, for each part of what a maker earns in a step."""

    spread_revenue: Any
    position_revenue: Any
    hedging_cost: Any
    risk_cost: Any
    inventory_pnl: Any


COMPONENTS = Components._fields

NAMED = {
    "components": {"spread_revenue": 1.0, "position_revenue": 1.0, "hedging_cost": 1.0, "risk_cost": 1.0},
    "pnl": {"spread_revenue": 1.0, "hedging_cost": 1.0, "inventory_pnl": 1.0},
}


class Reward(Value):
    """What a step is worth to a learner: `weights` times what it earned, less risk penalties, in multiples of `unit`.

    Inventory P&L is the position times the mid's move. Penalties (follow-up paper and others) are per step and in multiples of
    `unit`.
    """

    weights: Annotated[
        Weights,
        Field(
            description='What counts: "components", the paper\'s four rewards, whose sum is the total reward of a run; "pnl", '
            "mark-to-market P&L, which is spread revenue, hedging cost and inventory P&L; or a weight for any of spread_revenue, "
            "position_revenue, hedging_cost, risk_cost and inventory_pnl."
        ),
    ] = "components"
    unit: Annotated[
        Unit,
        Field(
            description='What a reward of 1 is: "spread", what all investors\' volume of a mean step earns at half the mean '
            "reference spread, so that 1 is the whole market at eps 0; or an amount of money."
        ),
    ] = "spread"
    inventory_pnl_squared: Annotated[Penalty, Field(description="Penalty for each step's squared inventory P&L.")] = 0.0
    inventory_squared: Annotated[
        Penalty,
        Field(description="Penalty for each step's squared position, measured as the feature of a learner is and not clipped."),
    ] = 0.0
    inventory_loss: Annotated[Penalty, Field(description="Penalty for each step's losses of inventory P&L.")] = 0.0

    @field_validator("weights")
    @classmethod
    def _known(cls, weights: Weights) -> Weights:
        for name in weights if isinstance(weights, Mapping) else ():
            if name not in COMPONENTS:
                raise ValueError(f"{name!r} is no component{suggestion(name, COMPONENTS)}")
        return weights

    @property
    def component_weights(self) -> dict[str, float]:
        """The weight of every component."""
        given = NAMED[self.weights] if isinstance(self.weights, str) else self.weights
        return {**dict.fromkeys(COMPONENTS, 0.0), **given}

    @property
    def without_chance(self) -> Reward:
        """One with less chance in it that is the same on average, whatever is done, where the mid moves by chance alone
        (`Scenario.moves_by_chance`).

        What a position earns by such a move, or a trade until it matures, has the mean 0. Of a loss, which is min(x, 0) =
        x / 2 - abs(x) / 2 for earnings x, the first half has."""
        halves = -0.5 * (self.component_weights["risk_cost"] + self.inventory_loss)
        return self.replace(weights={**self.component_weights, "inventory_pnl": halves, "position_revenue": 0.0})
