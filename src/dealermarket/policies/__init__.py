"""What acts for makers in Python: write a policy by subclassing MakerPolicy, or name one that ships."""

from __future__ import annotations

from dealermarket.model.makers.policies import (
    POLICIES,
    AdaptiveMaker,
    HeuristicMaker,
    NormalMaker,
    OptimalMaker,
    PersistentMaker,
    Policy,
    RandomMaker,
    SkewMaker,
    TrainedMaker,
)
from dealermarket.policies.named import policy_named
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, Actor, MakerPolicy, PolicySetup
from dealermarket.policies.policy_file import Network, TrainedPolicy
from dealermarket.policies.starting import start

__all__ = [
    "POLICIES",
    "Action",
    "Actor",
    "AdaptiveMaker",
    "HeuristicMaker",
    "MakerPolicy",
    "Network",
    "NormalMaker",
    "Observation",
    "OptimalMaker",
    "PersistentMaker",
    "Policy",
    "PolicySetup",
    "RandomMaker",
    "SkewMaker",
    "TrainedMaker",
    "TrainedPolicy",
    "policy_named",
    "start",
]
