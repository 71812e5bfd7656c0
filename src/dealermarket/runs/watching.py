"""Policies that change nothing and see the tiers in which a maker holds everybody, step by step: no record keeps them."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Action, Actor, MakerPolicy, Observation, Policy, PolicySetup, start
from dealermarket.policies.starting import check

Array = NDArray[Any]


class Watching(MakerPolicy):
    """Acts as the maker does in the scenario, and sees in which tiers it holds all participants."""

    def __init__(self, scenario: Scenario, maker: str) -> None:
        self._policy: Policy = scenario.makers[scenario.maker_names.index(maker)].policy
        self._lock = threading.Lock()  # chunks of replicas run side by side

    @abstractmethod
    def see(self, step: int, episodes: Sequence[Episode], tiers: Array) -> None:
        """Tiers (B, J) of one step in the markets of these episodes. One call at a time."""

    def start(self, setup: PolicySetup) -> Actor:
        return _Watcher(start(self._policy, setup), setup.episodes, self)

    def check(self, scenario: Scenario, maker: str) -> None:
        check(self._policy, scenario, maker)

    def look(self, step: int, episodes: Sequence[Episode], tiers: Array) -> None:
        """Sees one step, while no other thread does."""
        with self._lock:
            self.see(step, episodes, tiers)


class _Watcher:
    """What acts in the markets of one chunk."""

    def __init__(self, actor: Actor, episodes: Sequence[Episode], watching: Watching) -> None:
        self._actor, self._episodes, self._watching = actor, episodes, watching

    def act(self, observation: Observation) -> Action:
        action = self._actor.act(observation)
        given = action.tiers
        tiers = observation.tiers if given is None else np.broadcast_to(given, observation.tiers.shape)
        self._watching.look(observation.step, self._episodes, tiers)
        return action
