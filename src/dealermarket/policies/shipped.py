"""What the actors of the policies that ship have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from dealermarket.model.makers.policies import Policy
from dealermarket.policies.policy import Action, PolicySetup

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.observation import Observation

P = TypeVar("P", bound=Policy)


class ShippedActor(ABC, Generic[P]):
    """Acts as `policy`, a value, says; made for the B markets of `setup`, whose memory it holds."""

    def __init__(self, policy: P, setup: PolicySetup) -> None:
        self._policy = policy

    @classmethod
    def check(cls, policy: P, scenario: Scenario, maker: str) -> None:
        """Raises a DealerMarketError where the policy cannot act as this maker of the scenario."""

    @abstractmethod
    def act(self, observation: Observation) -> Action:
        """The maker's action of this step, for all B markets together."""
