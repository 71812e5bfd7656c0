"""Who acts for a trained policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dealermarket.errors import PolicyError
from dealermarket.model.makers.policies import TrainedMaker
from dealermarket.model.makers.reward import Reward
from dealermarket.policies.features import FEATURES, FEEDBACK, Sensor
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, PolicySetup
from dealermarket.policies.policy_file import TrainedPolicy
from dealermarket.policies.shipped import ShippedActor

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario


class TrainedActor(ShippedActor[TrainedMaker]):
    """Reads the features off the markets and does what the network in the file makes of them."""

    def __init__(self, policy: TrainedMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        markets = len(setup.episodes)
        self._trained = trained_policy(policy)
        self._sensor = Sensor(setup.scenario, setup.maker, markets, Reward())
        self._features = np.empty((markets, 1, len(FEATURES)), np.float32)
        self._feedback = np.empty((markets, 1, len(FEEDBACK)))

    @classmethod
    def check(cls, policy: TrainedMaker, scenario: Scenario, maker: str) -> None:
        trained_policy(policy).controls.check(scenario, maker)

    def act(self, observation: Observation) -> Action:
        self._sensor.read(observation, self._features, self._feedback)
        values = self._trained.values(self._features[:, 0])
        return Action(**{name: values[:, n] for n, name in enumerate(self._trained.controls.names)})


def trained_policy(policy: TrainedMaker) -> TrainedPolicy:
    """What the file of a policy holds. Raises PolicyError where it cannot be read, or is not that of the digest."""
    trained = TrainedPolicy.load(policy.file)
    if policy.digest is not None and trained.digest != policy.digest:
        raise PolicyError(
            f"{policy.file}: holds another policy than the scenario names (digest {trained.digest}, not {policy.digest}); "
            "bring the old file back, or leave the digest out"
        )
    return trained
