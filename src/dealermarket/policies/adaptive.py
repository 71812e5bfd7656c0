"""The adaptive maker of the follow-up paper: it learns what its prices attract, and aims at a share of the market."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.draws.files import volume_moment
from dealermarket.model.makers.policies import AdaptiveMaker
from dealermarket.policies.observation import Observation
from dealermarket.policies.policy import Action, PolicySetup
from dealermarket.policies.shipped import ShippedActor

Array = NDArray[Any]

_HEDGES = np.linspace(0.0, 1.0, 21)[:, None]  # what is tried, as fractions of what can trade at once
_ROUNDING = 1e-9  # a share that is within the tolerance but for rounding is within it
_NO_VOLUME = 1e-300  # stands for 0 where a share of no volume is 0


class FlowTable:
    """What each price of a grid would attract in a step, on each side: forgetting estimates of volume and volume squared.

    `grid` (G,) rising, `weight` that of the newest step, `volume` what investors are expected to trade in a step, for
    `replicas` B markets. `moments` (2, G, 2, B): the two estimates, for clients who buy and who sell; `market` (B,) that
    of the volume of all investors. Replicas come last, as they are many: NumPy's inner loops are then long.

    How a step at one price teaches about the others [ours]: a side gave volume v at eps, out of D in all. The lowest price
    of the grid would have got D, the highest nothing, and between these three points volume moves in straight lines, as it
    does on average if the rival's price is equally likely to be anywhere that v leaves open. So does volume squared. D is
    not observed: what others traded is split evenly between the sides. At the start, the highest price got nothing. What is
    known of a price fades unless it is tried, so that no price is given up for good.
    """

    def __init__(self, grid: Array, weight: float, volume: float, replicas: int) -> None:
        dearer_by = grid[:, None] - grid  # the price asked about (row) than the price quoted (column)
        lost, gained = np.zeros_like(dearer_by), np.zeros_like(dearer_by)
        np.divide(dearer_by, grid[-1] - grid, out=lost, where=dearer_by > 0)
        np.divide(dearer_by, grid[0] - grid, out=gained, where=dearer_by < 0)
        self._kept, self._gained = 1.0 - lost - gained, gained
        self._weight, self.market = weight, np.full(replicas, volume)
        highest, demand = np.full((2, replicas), len(grid) - 1), np.full((2, replicas), 0.5 * volume)
        self.moments = self._inferred(highest, np.zeros_like(demand), demand)

    def learn(self, quoted: Array, volume: Array, market: Array) -> None:
        """The last step: `quoted` (2, B) numbers of the grid, `volume` (2, B) attracted, `market` (B,) that of everybody."""
        demand = volume + 0.5 * (market - volume.sum(axis=0))
        self.moments += self._weight * (self._inferred(quoted, volume, demand) - self.moments)
        self.market += self._weight * (market - self.market)

    def share(self) -> Array:
        """Share of the market's volume, both sides together, at each price: (G, B)."""
        return np.asarray(self.moments[0].sum(axis=1) / np.maximum(self.market, _NO_VOLUME))

    def of(self, sells: Array) -> tuple[Array, Array]:
        """Mean and variance of the volume at each price, (G, B) each, of clients who sell where `sells` (B,), else buy."""
        return _mean_and_variance(*np.where(sells, self.moments[:, :, 1], self.moments[:, :, 0]))

    def at(self, number: Array, sells: Array) -> tuple[Array, Array]:
        """The same at one price each, its `number` (B,) on the grid: (B,) each."""
        return _mean_and_variance(*self.moments[:, number, sells.astype(np.int64), np.arange(len(sells))])

    def _inferred(self, quoted: Array, volume: Array, demand: Array) -> Array:
        """Volume and volume squared that each price would have attracted: (2, G, 2, B)."""
        kept, gained = self._kept.take(quoted, axis=1), self._gained.take(quoted, axis=1)
        return np.stack([kept * volume + gained * demand, kept * volume**2 + gained * demand**2])


class AdaptiveActor(ShippedActor[AdaptiveMaker]):
    """The adaptive maker at work; its rule is that of :class:`AdaptiveMaker`, whose steps the methods below are."""

    def __init__(self, policy: AdaptiveMaker, setup: PolicySetup) -> None:
        super().__init__(policy, setup)
        self._scenario = scenario = setup.scenario
        own = scenario.makers[setup.index]
        self._can_hedge = len(scenario.makers) > 1 or getattr(own.hedging, "venue", "makers") != "makers"
        self._grid = np.linspace(policy.low, policy.high, policy.points)
        self._table = FlowTable(self._grid, policy.weight, volume_moment(scenario, 1), len(setup.episodes))
        self._quoted: Array  # (2, B): the numbers on the grid of the prices for clients who buy and sell, from the first step on

    def act(self, observation: Observation) -> Action:
        if observation.step:
            self._table.learn(self._quoted, np.stack([observation.bought, observation.sold]), observation.market_volume)
        market, mid = self._scenario.market, observation.mid
        half_spread = 0.5 * observation.reference_spread * (mid if market.spreads_scale_with_price else 1.0)
        volatility = market.step_volatility(mid)
        short, size = observation.position < 0, np.abs(observation.position)

        best = self._aim()
        skewed, added, variance = self._skew(best, short, size, half_spread, volatility)
        self._quoted = np.where([~short, short], skewed, best)
        eps = self._grid[self._quoted]
        fraction = self._hedge(size, added, variance, half_spread, volatility) if self._can_hedge else 0.0
        return Action(eps_buy=eps[0], eps_sell=eps[1], hedge_fraction=fraction)

    def _aim(self) -> Array:
        """Step 1: the number of eps* on the grid, (B,)."""
        distance = np.abs(self._policy.eta - self._table.share())
        near = distance <= distance.min(axis=0) + self._policy.tolerance + _ROUNDING
        return np.asarray(self._policy.points - 1 - np.argmax(near[::-1], axis=0))

    def _skew(self, best: Array, short: Array, size: Array, half_spread: Array, volatility: Array) -> tuple[Array, Array, Array]:
        """Step 2: the number on the grid of the price of the side that sheds, and mean and variance of what clients will
        then add to the `size` of the position; (B,) each."""
        shed, shed_variance = self._table.of(sells=short)
        held, held_variance = self._table.at(best, sells=~short)
        charged, held_charged = 1.0 + self._grid[:, None], 1.0 + self._grid[best]
        income = charged * shed + held_charged * held
        income_variance = charged**2 * shed_variance + held_charged**2 * held_variance
        added, variance = held - shed, held_variance + shed_variance
        risk = half_spread**2 * income_variance + volatility**2 * ((size + added) ** 2 + variance)
        value = laws.mean_plus_risk(-half_spread * income, risk, self._policy.risk_aversion)
        value[np.arange(self._policy.points)[:, None] > best] = np.inf
        skewed = np.where(size == 0, best, np.argmin(value, axis=0))
        market = np.arange(len(skewed))
        return skewed, added[skewed, market], variance[skewed, market]

    def _hedge(self, size: Array, added: Array, variance: Array, half_spread: Array, volatility: Array) -> Array:
        """Step 3: the fraction of the position to trade away, (B,); 0 without a position."""
        exchange = self._scenario.exchange
        most = exchange.largest_trade / np.maximum(size, exchange.largest_trade)
        traded = _HEDGES * most * size
        cost = traded * half_spread * exchange.relative_spread(traded)
        risk = volatility**2 * ((size - traded + added) ** 2 + variance)
        value = laws.mean_plus_risk(cost, risk, self._policy.risk_aversion)
        return np.asarray(_HEDGES[np.argmin(value, axis=0), 0] * most)


def _mean_and_variance(mean: Array, square: Array) -> tuple[Array, Array]:
    return mean, np.maximum(square - mean * mean, 0.0)
