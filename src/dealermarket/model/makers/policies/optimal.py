"""The optimal maker."""

from __future__ import annotations

from typing import Literal

from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.reward import Reward
from dealermarket.values import Value


class OptimalMaker(Value, Policy):
    """Does what earns most of `reward` in the mean, by the solution of its decision problem (docs/control.md).

    It knows the law of its market and of its rivals. Where the problem is not one that is solved exactly it is refused; with
    `approximate` it does what is best in the nearest one that is.
    """

    kind: Literal["optimal"] = "optimal"
    reward: Reward = Reward()
    approximate: bool = False
