"""What a maker is rewarded for: the objective of one that learns, and of the optimal one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, Tag, field_validator

from dealermarket.frozen import Frozen
from dealermarket.values import NUMBER, NUMBER_OR_WORD, WORD, Value, suggestion

Weights = Annotated[  # a table goes by the tag of what is no word, so that one error is reported, not two
    Annotated[Literal["components", "pnl"], Tag(WORD)] | Annotated[Frozen[str, float], Tag(NUMBER)], NUMBER_OR_WORD
]
Unit = Annotated[
    Annotated[Literal["spread"], Tag(WORD)] | Annotated[Annotated[float, Field(gt=0, le=1e12)], Tag(NUMBER)], NUMBER_OR_WORD
]
Penalty = Annotated[float, Field(ge=0, le=1e12)]


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

    `weights`: "components" (the paper's four rewards, their sum the total reward of a run), "pnl" (mark-to-market P&L:
    spread revenue, hedging cost and inventory P&L, the position times the mid's move), or a weight for any of
    spread_revenue, position_revenue, hedging_cost, risk_cost, inventory_pnl.
    `unit`: "spread", what all investors' volume of a mean step earns at half the mean reference spread, so that 1 is the whole
    market at eps 0; or a number of price times units of the asset.
    Penalties (follow-up paper and others), each per step and in that unit: `inventory_pnl_squared` times the square of the
    inventory P&L, `inventory_loss` times its losses, `inventory_squared` times the square of the position, which is measured
    as its feature is and not clipped.
    """

    weights: Weights = "components"
    unit: Unit = "spread"
    inventory_pnl_squared: Penalty = 0.0
    inventory_squared: Penalty = 0.0
    inventory_loss: Penalty = 0.0

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
