"""Policies written in Python: subclass MakerPolicy, act on arrays of all replicas at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.errors import PolicyError
from dealermarket.scenario import Scenario
from dealermarket.tape import Stream, Streams
from dealermarket.values import short

if TYPE_CHECKING:
    from dealermarket.engine.advance import Record
    from dealermarket.engine.state import State

Array = NDArray[Any]

_LARGEST_SKEW = 1e6  # as in a scenario: quotes must stay numbers


@dataclass(frozen=True)
class Action:
    """What a maker does in one step; a part left out is decided by the maker's built-in policy.

    With B replicas and J participants: `tiers` (B, J) whole numbers in 0..K-1, the maker's own entry without effect;
    `eps_buy` and `eps_sell` (B,) in [-1, 1e6], the skew of the curve for clients who buy and sell, in place of the
    scenario's; `hedge_fraction` (B,) in [0, 1] of the position held into the step. Anything that broadcasts will do.
    """

    tiers: ArrayLike | None = None
    eps_buy: ArrayLike | None = None
    eps_sell: ArrayLike | None = None
    hedge_fraction: ArrayLike | None = None


class PolicySetup:
    """What a policy is told when a run of B replicas starts: the scenario, its maker, and its own random numbers."""

    def __init__(self, scenario: Scenario, maker: str, seed: int, replicas: range) -> None:
        self.scenario, self.maker, self.replicas = scenario, maker, replicas
        self.index = scenario.maker_names.index(maker)  # of the maker among the makers
        self.participant = len(scenario.agents) + self.index  # of the maker among all participants
        self._seed = seed
        self._streams: list[np.random.Generator] | None = None

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Uniform draws on [0, 1), shape (B, *shape), from each replica's own stream for this maker."""
        if self._streams is None:
            self._streams = [Streams(self._seed, replica).at(Stream.POLICY + self.index) for replica in self.replicas]
        return np.stack([generator.random(shape) for generator in self._streams])


class Observation:
    """What maker `index` sees when it acts: P_t, s0_t and its own state, but not the orders of this step.

    Arrays have the replica axis first, (B,) unless another shape is named; each access makes a copy. Valid while
    `act` runs. Sizes in units of the asset, prices and money in price units.
    """

    def __init__(self, state: State, record: Record, index: int, steps: int) -> None:
        self._state, self._record, self._index = state, record, index
        self.step, self.steps = 0, steps
        self._mid: Array = np.empty(0)
        self._reference_spread: Array = np.empty(0)

    def _advance(self, step: int, mid: Array, reference_spread: Array) -> Observation:
        self.step, self._mid, self._reference_spread = step, mid, reference_spread
        return self

    def _earned(self, field: str, step: int) -> Array:
        steps = self._record.steps
        return np.array(steps[:, step % steps.shape[1], self._index][field])

    @property
    def mid(self) -> Array:
        """The mid-price P_t."""
        return self._mid.copy()

    @property
    def reference_spread(self) -> Array:
        """The reference spread s0_t as drawn."""
        return self._reference_spread.copy()

    @property
    def position(self) -> Array:
        """The position held into the step."""
        return self._state.position[:, self._index].copy()

    @property
    def pnl(self) -> Array:
        """Mark-to-market P&L at this step's mid, before its trades."""
        return np.array(self._state.totals[:, self._index]["pnl"])

    @property
    def psi(self) -> Array:
        """Average yield of every participant, (B, J)."""
        return self._state.psi[:, self._index].copy()

    @property
    def tiers(self) -> Array:
        """The tier the maker's own policy has put every participant in, (B, J)."""
        return self._state.tier[:, self._index].copy()

    @property
    def risk_cost(self) -> Array:
        """Risk cost of the step."""
        return self._earned("risk_cost", self.step)

    @property
    def position_revenue(self) -> Array:
        """Position revenue of the step, of the trades of t_m steps ago."""
        return self._earned("position_revenue", self.step)

    @property
    def spread_revenue(self) -> Array:
        """The last step's spread revenue; 0 at the start."""
        return self._last("spread_revenue")

    @property
    def hedging_cost(self) -> Array:
        """The last step's hedging cost; 0 at the start."""
        return self._last("hedging_cost")

    @property
    def bought(self) -> Array:
        """Volume that investors bought from this maker in the last step."""
        return np.array(self._state.flow[:, self._index]["bought"])

    @property
    def sold(self) -> Array:
        """Volume that investors sold to this maker in the last step."""
        return np.array(self._state.flow[:, self._index]["sold"])

    @property
    def market_volume(self) -> Array:
        """Volume that investors traded with anybody in the last step."""
        return np.array(self._state.flow[:, self._index]["market"])

    def _last(self, field: str) -> Array:
        return self._earned(field, self.step - 1) if self.step else np.zeros(len(self._mid))


class MakerPolicy(ABC):
    """A market maker's behaviour in Python. `act` is called once a step for all replicas of a chunk together."""

    def reset(self, setup: PolicySetup) -> None:  # noqa: B027
        """Called before the first step of every chunk of replicas; forget everything here. Optional."""

    @abstractmethod
    def act(self, observation: Observation) -> Action:
        """The maker's action of this step."""


class Seat:
    """Where the actions of one maker's policy go: checks them and puts them where the engine reads them."""

    def __init__(self, state: State, makers: Array, index: int, maker: str) -> None:
        from dealermarket.engine.state import VENUES

        rule = makers[index]
        self._maker = maker
        self._skew, self._fraction = state.skew[:, index], state.given_fraction[:, index]
        self._eps_buy, self._eps_sell = self._skew[:, 0], self._skew[:, 1]
        self._own_eps_buy, self._own_eps_sell = float(rule["eps_buy"]), float(rule["eps_sell"])
        self._tiers_given, self._tiers = state.tiers_given[:, index], state.given_tier[:, index]
        self._worst_tier = int(rule["tiers"]) - 1
        self._nobody_to_hedge_with = len(makers) == 1 and rule["venue"] == VENUES["makers"]

    def take(self, action: Action) -> None:
        """Raises PolicyError for a wrong type, shape or range, or a hedge with nobody to trade with."""
        if not isinstance(action, Action):
            raise PolicyError(f"policy of {self._maker!r}: act must return an Action, got {short(action)}")
        self._fill("eps_buy", self._eps_buy, action.eps_buy, self._own_eps_buy, -1.0, _LARGEST_SKEW)
        self._fill("eps_sell", self._eps_sell, action.eps_sell, self._own_eps_sell, -1.0, _LARGEST_SKEW)
        self._fill("hedge_fraction", self._fraction, action.hedge_fraction, np.nan, 0.0, 1.0)
        if self._nobody_to_hedge_with and self._fraction.max() > 0:
            raise PolicyError(
                f"policy of {self._maker!r}: there is no other maker to hedge with; in the scenario give its hedging "
                "kind = 'fraction', fraction = 0.0 and venue = 'exchange'"
            )
        self._tiers_given[...] = action.tiers is not None
        if action.tiers is not None:
            if not np.issubdtype(np.asarray(action.tiers).dtype, np.integer):
                raise PolicyError(f"policy of {self._maker!r}: tiers must be whole numbers, got {short(action.tiers)}")
            self._fill("tiers", self._tiers, action.tiers, 0, 0, self._worst_tier)

    def _fill(self, name: str, target: Array, given: ArrayLike | None, own: float, low: float, high: float) -> None:
        """Writes a part of an action, or what the maker does without it, and checks its range."""
        if given is None:
            target[...] = own
            return
        try:
            target[...] = given
        except (ValueError, TypeError):
            said = f"must broadcast to shape {target.shape}"
        else:
            # the bare reductions, since this is done several times a step; NaN fails both comparisons
            if np.minimum.reduce(target, axis=None) >= low and np.maximum.reduce(target, axis=None) <= high:
                return
            said = f"must be in [{low:g}, {high:g}]"
        raise PolicyError(f"policy of {self._maker!r}: {name} {said}, got {short(np.asarray(given).tolist())}")
