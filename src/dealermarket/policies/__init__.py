"""Makers' policies: write one in Python by subclassing MakerPolicy, or name one that ships."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.policies.adaptive import AdaptiveMaker
from dealermarket.policies.baselines import BuiltInPolicy, HeuristicMaker, PersistentMaker, RandomMaker, SkewMaker
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, MakerPolicy, PolicySetup
from dealermarket.policies.policy_file import Network, TrainedPolicy
from dealermarket.policies.trained import TrainedMaker

Policy = Annotated[
    HeuristicMaker | RandomMaker | PersistentMaker | AdaptiveMaker | SkewMaker | TrainedMaker, Field(discriminator="kind")
]

__all__ = [
    "Action",
    "AdaptiveMaker",
    "BuiltInPolicy",
    "HeuristicMaker",
    "MakerPolicy",
    "Network",
    "Observation",
    "PersistentMaker",
    "Policy",
    "PolicySetup",
    "RandomMaker",
    "SkewMaker",
    "TrainedMaker",
    "TrainedPolicy",
]
