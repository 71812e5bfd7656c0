"""Policies: what a maker does at every step beyond its rules; their parameters, who acts is in `dealermarket.policies`."""

from __future__ import annotations

from dealermarket.model.makers.policies.adaptive import AdaptiveMaker
from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.policies.drawn import DrawnPrices
from dealermarket.model.makers.policies.heuristic import HeuristicMaker
from dealermarket.model.makers.policies.normal import NormalMaker
from dealermarket.model.makers.policies.optimal import OptimalMaker
from dealermarket.model.makers.policies.persistent import PersistentMaker
from dealermarket.model.makers.policies.random import RandomMaker
from dealermarket.model.makers.policies.skew import SkewMaker
from dealermarket.model.makers.policies.trained import TrainedMaker
from dealermarket.slots import Slot

POLICIES = Slot(
    "policy",
    Policy,
    [HeuristicMaker, RandomMaker, PersistentMaker, AdaptiveMaker, SkewMaker, TrainedMaker],
    beyond=[NormalMaker, OptimalMaker],
    is_open=True,
)

__all__ = [
    "POLICIES",
    "AdaptiveMaker",
    "DrawnPrices",
    "HeuristicMaker",
    "NormalMaker",
    "OptimalMaker",
    "PersistentMaker",
    "Policy",
    "RandomMaker",
    "SkewMaker",
    "TrainedMaker",
]
