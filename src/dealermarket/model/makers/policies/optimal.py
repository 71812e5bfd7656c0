"""The optimal maker."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.reward import Reward
from dealermarket.values import Value


class OptimalMaker(Value, Policy):
    """Does what earns most of `reward` in the mean, by the solution of its decision problem (docs/control.md).

    It knows the law of its market and of its rivals.
    """

    kind: Literal["optimal"] = "optimal"
    reward: Annotated[Reward, Field(description="What it earns most of in the mean.")] = Reward()
    approximate: Annotated[
        bool,
        Field(
            description="Whether it may do what is best in the nearest problem that is solved exactly, where its own is not and "
            "would be refused."
        ),
    ] = False
