"""Policies to compete with and to beat, each a kind that a scenario names: `[makers.policy] kind = "random"`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, model_validator

from dealermarket.model.makers.pricing import Skew
from dealermarket.policies.action_slot import LARGEST_SKEW
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, MakerPolicy, PolicySetup
from dealermarket.values import Value

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


class BuiltInPolicy(Value, MakerPolicy):
    """A policy that ships: its fields are its parameters, its private attributes the memory of a run."""

    def check(self, scenario: Scenario, maker: str) -> None:
        """Raises a DealerMarketError where it cannot act as this maker of the scenario; asked before a run begins."""


def check_seats(scenario: Scenario, policies: Mapping[str, MakerPolicy]) -> None:
    """Raises a DealerMarketError where a policy that ships cannot act as the maker whose it is."""
    for maker, policy in policies.items():
        if isinstance(policy, BuiltInPolicy):
            policy.check(scenario, maker)


class HeuristicMaker(BuiltInPolicy):
    """The paper's maker: tiering, pricing and hedging as the scenario says, and nothing else (section 3.3)."""

    kind: Literal["heuristic"] = "heuristic"

    def act(self, observation: Observation) -> Action:
        return Action()


class _Drawn(BuiltInPolicy):
    """What policies with drawn prices share: eps ~ U[`low`, `high`], for each side its own."""

    low: Skew = -1.0
    high: Skew = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> _Drawn:
        if self.low > self.high:
            raise ValueError(f"low: must be <= high = {self.high:g}, got {self.low:g}")
        return self

    def _action(self, draws: Array) -> Action:
        eps = self.low + (self.high - self.low) * draws
        return Action(eps_buy=eps[:, 0], eps_sell=eps[:, 1])


class RandomMaker(_Drawn):
    """New prices at every step, whatever happens: eps ~ U[`low`, `high`] for each side (follow-up paper)."""

    kind: Literal["random"] = "random"
    _draws: Iterator[Array] = PrivateAttr()

    def reset(self, setup: PolicySetup) -> None:
        self._draws = setup.uniform_by_step(2)

    def act(self, observation: Observation) -> Action:
        return self._action(next(self._draws))


class PersistentMaker(_Drawn):
    """The same prices all day: eps ~ U[`low`, `high`] for each side, drawn once a run (follow-up paper).

    With `low` = `high` it is a constant eps."""

    kind: Literal["persistent"] = "persistent"
    _held: Action = PrivateAttr()

    def reset(self, setup: PolicySetup) -> None:
        self._held = self._action(setup.uniform(2))

    def act(self, observation: Observation) -> Action:
        return self._held


class SkewMaker(BuiltInPolicy):
    """Shades its prices against its position: eps = `eps` -/+ `strength` tanh(z / `scale`) for clients who buy / sell.

    Long, it sells cheaper and buys lower; `scale` is a position in units of the asset. It hedges `hedge_fraction` of its
    position at every step, or as the scenario says where that is left out.
    """

    kind: Literal["skew"] = "skew"
    eps: Skew = 0.0
    strength: Annotated[float, Field(ge=0, le=1e6)] = 0.5
    scale: Annotated[float, Field(gt=0, le=1e12)] = 20.0
    hedge_fraction: Annotated[float, Field(ge=0, le=1)] | None = None

    def act(self, observation: Observation) -> Action:
        lean = self.strength * np.tanh(observation.position / self.scale)
        buy, sell = np.clip(self.eps - lean, -1.0, LARGEST_SKEW), np.clip(self.eps + lean, -1.0, LARGEST_SKEW)
        return Action(eps_buy=buy, eps_sell=sell, hedge_fraction=self.hedge_fraction)
