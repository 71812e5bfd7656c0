"""Policies written in Python: what one is, what it is given when markets start, and what acts for it in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.arrays import HoldsArrays
from dealermarket.model.makers.policies import Policy

if TYPE_CHECKING:
    from dealermarket.draws.streams import Episode
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.observation import Observation

_STEPS_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class Action(HoldsArrays):
    """What a maker does in one step; a part left out is decided by the maker's rules in the scenario.

    B is the number of replicas, J of participants, K of the maker's tiers. Anything that broadcasts to these shapes will do.

    Parameters
    ----------
    tiers : array of int, (B, J), optional
        The tier of every participant, 0 to K - 1; the maker's own entry has no effect.
    eps_buy : array, (B,), optional
        Skew of the price for clients who buy, in [-1, 1e6].
    eps_sell : array, (B,), optional
        Skew of the price for clients who sell, in [-1, 1e6].
    hedge_fraction : array, (B,), optional
        The part of the position held into the step that is traded away, in [0, 1].
    alpha : array, (B,), optional
        Volume penalty of `power` pricing, in (0, 10]. A rival with `optimal` hedging plans on the scenario's alpha of this
        maker, and pays what it is quoted.
    tier_penalty : array, (B,), optional
        Tier penalty of `power` pricing, price units, in [0, 1e12].

    """

    tiers: ArrayLike | None = None
    eps_buy: ArrayLike | None = None
    eps_sell: ArrayLike | None = None
    hedge_fraction: ArrayLike | None = None
    alpha: ArrayLike | None = None
    tier_penalty: ArrayLike | None = None


class PolicySetup:
    """What a policy is given when B markets start: the scenario, its maker, and random numbers of its own.

    `index` is the place of the maker among the makers, `participant` that among all participants.

    Parameters
    ----------
    scenario : Scenario
        What is simulated.
    maker : str
        Name of the maker that the policy acts for.
    episodes : sequence of Episode, (B,)
        Whose random numbers each market has: which seed, which replica.

    """

    def __init__(self, scenario: Scenario, maker: str, episodes: Sequence[Episode]) -> None:
        self.scenario, self.maker, self.episodes = scenario, maker, tuple(episodes)
        self.index = scenario.maker_names.index(maker)
        self.participant = len(scenario.agents) + self.index
        self._blocks = 0  # drawn of each market's stream

    @property
    def generators(self) -> list[np.random.Generator]:
        """A NumPy generator for each market, at the start of a stream of this maker's own: new ones at every call."""
        from dealermarket.draws.streams import Stream

        return [episode.generator(Stream.POLICY + self.index) for episode in self.episodes]

    @cached_property
    def _places(self) -> NDArray[np.uint64]:
        from dealermarket.draws.streams import places_of

        return places_of(self.episodes)

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Uniform draws on [0, 1), shape (B, *shape), from each market's own stream for this maker."""
        from dealermarket.draws.philox import fill_uniform_of_all
        from dealermarket.draws.streams import Stream

        numbers = np.empty((len(self.episodes), *shape))
        rows = numbers.reshape(len(numbers), -1)
        fill_uniform_of_all(self._places, Stream.POLICY + self.index, self._blocks, rows)
        self._blocks += (rows.shape[1] + 1) // 2
        return numbers

    def uniform_by_step(self, count: int) -> Iterator[NDArray[np.float64]]:
        """`count` uniform draws for every step, (B, count) each, step by step without end; drawn in bulk."""
        while True:
            block = self.uniform(_STEPS_AT_ONCE, count)
            yield from np.moveaxis(block, 1, 0)


class Actor(Protocol):
    """What acts for one maker in B markets that run in step with each other, from their first step to their last.

    Whatever it remembers is its own: no other run or chunk of replicas sees it.
    """

    def act(self, observation: Observation) -> Action:
        """The maker's action of this step, for all B markets together."""


class MakerPolicy(Policy):
    """A policy of your own; usable wherever one that ships is.

    Without memory, it implements `act`. With memory, it implements `start`, which returns a new object whose `act` is called
    instead: the policy itself is shared by all markets, which run side by side on threads, so nothing may change in it.
    Scenarios with equal policies are equal. A file can name a policy that is a frozen `dealermarket.values.Value`, too, and
    registered by `dealermarket.register`.
    """

    def start(self, setup: PolicySetup) -> Actor:
        """What acts in the B markets of `setup`, which are about to start. Without memory, the policy itself."""
        return self

    def act(self, observation: Observation) -> Action:
        """The maker's action of this step, for all B markets together."""
        raise NotImplementedError  # not abstract: a policy with memory leaves this to what it starts

    def check(self, scenario: Scenario, maker: str) -> None:
        """Raises a DealerMarketError where it cannot act as this maker of the scenario; asked before a run begins."""
