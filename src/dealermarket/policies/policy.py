"""What a policy written in Python is: it is set up once, and acts once a step on arrays of all replicas at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from dealermarket.draws.streams import Episode
    from dealermarket.model.scenario import Scenario
    from dealermarket.policies.observation import Observation

_STEPS_AT_ONCE = 128


@dataclass(frozen=True)
class Action:
    """What a maker does in one step; a part left out is decided by the maker's built-in policy.

    With B replicas and J participants: `tiers` (B, J) whole numbers in 0..K-1, the maker's own entry without effect;
    `eps_buy` and `eps_sell` (B,) in [-1, 1e6], the skew of the curve for clients who buy and sell, in place of the
    scenario's; `hedge_fraction` (B,) in [0, 1] of the position held into the step; `alpha` (B,) in (0, 10] and
    `tier_penalty` (B,) in [0, 1e12], price units, in place of the scenario's. Anything that broadcasts will do.
    A rival with `optimal` hedging plans on the scenario's alpha of this maker, and pays what it is quoted.
    """

    tiers: ArrayLike | None = None
    eps_buy: ArrayLike | None = None
    eps_sell: ArrayLike | None = None
    hedge_fraction: ArrayLike | None = None
    alpha: ArrayLike | None = None
    tier_penalty: ArrayLike | None = None


class PolicySetup:
    """What a policy is told when B markets start: the scenario, its maker, and its own random numbers.

    `episodes` are the random numbers of each market: which seed, which replica.
    """

    def __init__(self, scenario: Scenario, maker: str, episodes: Sequence[Episode]) -> None:
        self.scenario, self.maker, self.episodes = scenario, maker, tuple(episodes)
        self.index = scenario.maker_names.index(maker)  # of the maker among the makers
        self.participant = len(scenario.agents) + self.index  # of the maker among all participants
        self._streams: list[np.random.Generator] | None = None

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Uniform draws on [0, 1), shape (B, *shape), from each market's own stream for this maker."""
        from dealermarket.draws.streams import Stream

        if self._streams is None:
            self._streams = [episode.streams().at(Stream.POLICY + self.index) for episode in self.episodes]
        return np.stack([generator.random(shape) for generator in self._streams])

    def uniform_by_step(self, count: int) -> Iterator[NDArray[np.float64]]:
        """`count` uniform draws for every step, (B, count) each, step by step without end; drawn in bulk."""
        while True:
            block = self.uniform(_STEPS_AT_ONCE, count)
            yield from np.moveaxis(block, 1, 0)


class MakerPolicy(ABC):
    """A market maker's behaviour in Python. `act` is called once a step for all replicas of a chunk together."""

    def reset(self, setup: PolicySetup) -> None:  # noqa: B027
        """Called before the first step of every chunk of replicas; forget everything here. Optional."""

    @abstractmethod
    def act(self, observation: Observation) -> Action:
        """The maker's action of this step."""
