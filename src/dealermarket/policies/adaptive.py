"""The adaptive maker of the follow-up paper."""

from __future__ import annotations

from typing import Literal

from dealermarket.policies.baselines import BuiltInPolicy
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action


class AdaptiveMaker(BuiltInPolicy):
    """Placeholder."""

    kind: Literal["adaptive"] = "adaptive"

    def act(self, observation: Observation) -> Action:
        return Action()
