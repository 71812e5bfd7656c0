"""Who acts for the optimal maker."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dealermarket.control import Decision, Optimum
from dealermarket.control.nearest import WAY_OUT
from dealermarket.errors import ParameterError
from dealermarket.model.makers.policies import OptimalMaker
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, PolicySetup
from dealermarket.policies.shipped import ShippedActor

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario


class OptimalActor(ShippedActor[OptimalMaker]):
    """The solution of the maker's decision problem, looked up at every step."""

    def __init__(self, policy: OptimalMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        self._optimum = _optimum(decision_of(policy, setup.scenario, setup.maker))

    @classmethod
    def check(cls, policy: OptimalMaker, scenario: Scenario, maker: str) -> None:
        decision_of(policy, scenario, maker)

    def act(self, observation: Observation) -> Action:
        eps_buy, eps_sell, fraction = self._optimum.quotes(observation.step, observation.position, observation.reference_spread)
        return Action(eps_buy=eps_buy, eps_sell=eps_sell, hedge_fraction=fraction)


def decision_of(policy: OptimalMaker, scenario: Scenario, maker: str) -> Decision:
    """The decision problem of a maker with this policy. Raises ParameterError where it is not solved."""
    try:
        return Decision.of(scenario, maker, policy.reward, approximate=policy.approximate)
    except ParameterError as error:
        reasons = str(error).replace(
            WAY_OUT, "approximate = true in the policy (optimal:approximate=true) solves the nearest exact one"
        )
        raise ParameterError(f"policy of {maker!r}: 'optimal' does not know the optimum here:\n{reasons}") from None


@lru_cache(maxsize=8)
def _optimum(decision: Decision) -> Optimum:
    """One for all markets that run in this process."""
    return decision.solve()
