"""Trained policies."""

from __future__ import annotations

from typing import Literal

from dealermarket.policies.baselines import BuiltInPolicy
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action


class TrainedMaker(BuiltInPolicy):
    """Placeholder."""

    kind: Literal["trained"] = "trained"
    file: str

    def act(self, observation: Observation) -> Action:
        return Action()
