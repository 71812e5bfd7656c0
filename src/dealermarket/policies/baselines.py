"""Who acts for the policies that are to be competed with and beaten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.makers.policies import DrawnPrices, HeuristicMaker, NormalMaker, PersistentMaker, RandomMaker, SkewMaker
from dealermarket.model.makers.pricing import LARGEST_SKEW
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, PolicySetup
from dealermarket.policies.shipped import ShippedActor


class HeuristicActor(ShippedActor[HeuristicMaker]):
    """Leaves everything to the maker's rules. Runs do without it: the engine knows the rules."""

    def act(self, observation: Observation) -> Action:
        return Action()


class RandomActor(ShippedActor[RandomMaker]):
    """New prices at every step."""

    def __init__(self, policy: RandomMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        self._draws = setup.uniform_by_step(2)

    def act(self, observation: Observation) -> Action:
        return _prices(self._policy, next(self._draws))


class PersistentActor(ShippedActor[PersistentMaker]):
    """The prices drawn at the start."""

    def __init__(self, policy: PersistentMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        self._action = _prices(policy, setup.uniform(2))

    def act(self, observation: Observation) -> Action:
        return self._action


class NormalActor(ShippedActor[NormalMaker]):
    """New prices at every step."""

    def __init__(self, policy: NormalMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        self._draws = setup.uniform_by_step(2)

    def act(self, observation: Observation) -> Action:
        from scipy.special import ndtri

        draws = np.maximum(next(self._draws), 2.0**-54)  # 0 would be a price below all
        eps = np.clip(self._policy.mean + self._policy.std * ndtri(draws), -1.0, LARGEST_SKEW)
        return Action(eps_buy=eps[:, 0], eps_sell=eps[:, 1])


class SkewActor(ShippedActor[SkewMaker]):
    """Prices against the position."""

    def act(self, observation: Observation) -> Action:
        buy, sell = self._policy.prices(observation.position)
        return Action(eps_buy=buy, eps_sell=sell, hedge_fraction=self._policy.hedge_fraction)


def _prices(policy: DrawnPrices, draws: NDArray[np.float64]) -> Action:
    """The prices that uniform draws (B, 2) stand for, one column a side."""
    eps = policy.low + (policy.high - policy.low) * draws
    return Action(eps_buy=eps[:, 0], eps_sell=eps[:, 1])
