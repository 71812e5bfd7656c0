"""A trained policy in a maker's seat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import PrivateAttr

from dealermarket.errors import PolicyError
from dealermarket.policies.baselines import BuiltInPolicy
from dealermarket.policies.features import FEATURES, FEEDBACK, Sensor
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, PolicySetup
from dealermarket.policies.policy_file import TrainedPolicy
from dealermarket.policies.rewards import Reward

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario


class TrainedMaker(BuiltInPolicy):
    """Does what the policy in `file` says, without noise; files are made by `dealermarket train`.

    `file` is a path, seen from where the command runs. With a `digest` (`TrainedPolicy.digest`) another policy under
    that name is refused.
    """

    kind: Literal["trained"] = "trained"
    file: str
    digest: str | None = None
    _trained: TrainedPolicy = PrivateAttr()
    _sensor: Sensor = PrivateAttr()
    _seen: tuple[Any, Any] = PrivateAttr()

    def load(self) -> TrainedPolicy:
        """The policy in the file. Raises PolicyError where it cannot be read, or is not that of the digest."""
        trained = TrainedPolicy.load(self.file)
        if self.digest is not None and trained.digest != self.digest:
            raise PolicyError(
                f"{self.file}: holds another policy than the scenario names (digest {trained.digest}, not {self.digest}); "
                "bring the old file back, or leave the digest out"
            )
        return trained

    def check(self, scenario: Scenario, maker: str) -> None:
        self.load().controls.check(scenario, maker)

    def reset(self, setup: PolicySetup) -> None:
        markets = len(setup.episodes)
        self._trained = self.load()
        self._sensor = Sensor(setup.scenario, setup.maker, markets, Reward())
        self._seen = np.empty((markets, 1, len(FEATURES)), np.float32), np.empty((markets, 1, len(FEEDBACK)))

    def act(self, observation: Observation) -> Action:
        features, feedback = self._seen
        self._sensor.read(observation, features, feedback)
        values = self._trained.values(features[:, 0])
        return Action(**{name: values[:, n] for n, name in enumerate(self._trained.controls.names)})
