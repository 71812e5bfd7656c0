"""The process that a dealer controls, simulated: requests as they come, inventories that are traded away in between.

Nothing of the grid is in it but the controls, read off between its nodes. Requests come at rates that no quote changes; between
two of them the inventory follows dq/dt = v*(q), by Runge and Kutta's method of fourth order. The mid moves independently of the
inventory, so that a day's gain from it is normal, given that day's inventories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.arrays import HoldsArrays
from dealermarket.control.dealer.chain import Array
from dealermarket.control.dealer.ergodic import Solution
from dealermarket.control.dealer.hamiltonians import fill_probability, hedging_cost
from dealermarket.draws.streams import Episode, Stream
from dealermarket.errors import ParameterError
from dealermarket.values import short, whole_number

MOST_REQUESTS = 50_000_000
"""Of all replicas in a day: more would not fit into memory."""

_PART = 0.25  # of the time in which hedging would end at the pace at which it begins: one step of Runge and Kutta's
_MOST_PARTS = 100_000


@dataclass(frozen=True, eq=False)
class Simulated(HoldsArrays):
    """What came of each replica, in the mean of its days, as `simulate` finds it.

    Parameters
    ----------
    spread_income : array, (replicas,)
        From clients, bp M a day.
    hedging_expense : array, (replicas,)
        Costs and impact of hedging, bp M a day.
    mid_gain : array, (replicas,)
        What the mid did to the inventory's value, hedges' impact apart, bp M a day.
    client_volume : array, (replicas, tiers)
        What clients traded, M a day.
    hedged_volume : array, (replicas,)
        What was hedged, M a day.
    inventory : array, (replicas,)
        The mean size of the inventory, M.
    variance : array, (replicas,)
        Of the inventory's value, (bp M)^2 a day.
    pnl_by_day : array, (replicas, days)
        P&L, bp M.
    beyond_zone : array, (replicas,)
        The share of time beyond the internalization zone.

    """

    spread_income: Array
    hedging_expense: Array
    mid_gain: Array
    client_volume: Array
    hedged_volume: Array
    inventory: Array
    variance: Array
    pnl_by_day: Array
    beyond_zone: Array

    @property
    def pnl(self) -> Array:
        """P&L of a day, bp M."""
        return np.asarray(self.pnl_by_day.mean(axis=1))


class _Day(NamedTuple):
    """The requests of a day: times (replicas, requests + 1), the last of which is the end; kinds, and uniform numbers."""

    times: Array
    kinds: NDArray[np.int64]
    uniform: Array


def simulate(solution: Solution, days: int = 1, replicas: int = 100, seed: int = 0, start: float | None = None) -> Simulated:
    """The process under the solution's controls, simulated.

    Parameters
    ----------
    solution : Solution
        The dealer and what it does.
    days : int, default 1
        How many days each replica has.
    replicas : int, default 100
        How many replicas; each depends on the seed and its number alone.
    seed : int, default 0
        Seed of all that is drawn.
    start : float, optional
        The inventory to start from, M; drawn from the long run if not given.

    Returns
    -------
    Simulated
        What came of each replica.

    Raises
    ------
    ParameterError
        If one of these is not allowed, or the requests of a day would not fit into memory.

    """
    whole_number("days", days, 1)
    whole_number("replicas", replicas, 1)
    whole_number("seed", seed, 0)
    requests = 2.0 * float(solution.controls.chain.rates.sum())
    if requests * replicas > MOST_REQUESTS:
        raise ParameterError(f"replicas: must be at most {int(MOST_REQUESTS / requests):,} at {requests:,.0f} requests a day")
    played = _Played(solution, _inventories(solution, replicas, seed, start))
    for day in range(days):
        played.play(seed, day)
    return played.found(days)


def _inventories(solution: Solution, replicas: int, seed: int, start: float | None) -> Array:
    """Where replicas start, (replicas,), M."""
    largest = solution.problem.largest_inventory
    if start is not None:
        if isinstance(start, bool) or not isinstance(start, (int, float)) or not -largest <= start <= largest:
            raise ParameterError(f"start: must be an inventory from {-largest:g} to {largest:g} M, got {short(start)}")
        return np.full(replicas, float(start))
    below = np.cumsum(solution.long_run.probability)
    drawn = np.array([Episode(seed, replica).generator(Stream.DEALER_START).random(2) for replica in range(replicas)])
    place = np.minimum(np.searchsorted(below, drawn[:, 0] * below[-1], side="right"), len(below) - 1)
    return np.asarray(np.where(drawn[:, 1] < 0.5, -1.0, 1.0) * solution.controls.chain.inventory[place])


class _Played:
    """Replicas and what has come of them so far."""

    def __init__(self, solution: Solution, inventory: Array) -> None:
        self.problem, self.controls, self.at = solution.problem, solution.controls, inventory
        chain = solution.controls.chain
        tiers, sizes = chain.rates.shape
        self.kinds = np.indices((2, tiers, sizes)).reshape(3, -1)  # side, tier and size of each kind of request
        rates = chain.rates[self.kinds[1], self.kinds[2]]
        self.rate, self.below = float(rates.sum()), np.cumsum(rates) / rates.sum()
        self.a, self.b = (np.array([getattr(tier, name) for tier in self.problem.tiers]) for name in ("a", "b"))
        replicas = len(inventory)
        self.income, self.expense, self.gain, self.hedged, self.held, self.squared, self.beyond = np.zeros((7, replicas))
        self.volume = np.zeros((replicas, tiers))
        self.pnl: list[Array] = []

    def play(self, seed: int, day: int) -> None:
        """One day more."""
        replicas = len(self.at)
        drawn = self._drawn(seed, day)
        before, squared = self.income - self.expense, self.squared.copy()
        now = np.zeros(replicas)
        for n in range(drawn.times.shape[1]):
            self._hedge(drawn.times[:, n] - now)
            now = drawn.times[:, n]
            self._trade(np.flatnonzero(drawn.kinds[:, n] >= 0), drawn.kinds[:, n], drawn.uniform[:, n])
        normal = np.array(
            [Episode(seed, replica, day).generator(Stream.DEALER_MID).standard_normal() for replica in range(replicas)]
        )
        gain = self.problem.volatility * np.sqrt(self.squared - squared) * normal
        self.gain += gain
        self.pnl.append(self.income - self.expense - before + gain)

    def _drawn(self, seed: int, day: int) -> _Day:
        rows = []
        for replica in range(len(self.at)):
            generator = Episode(seed, replica, day).generator(Stream.DEALER_REQUESTS)
            rows.append((np.sort(generator.random(count := generator.poisson(self.rate))), generator.random((2, count))))
        most = max(len(times) for times, _ in rows)
        found = _Day(np.ones((len(rows), most + 1)), np.full((len(rows), most + 1), -1), np.ones((len(rows), most + 1)))
        for row, (times, (kind, uniform)) in enumerate(rows):
            found.times[row, : len(times)] = times
            found.kinds[row, : len(times)] = np.minimum(np.searchsorted(self.below, kind, side="right"), len(self.below) - 1)
            found.uniform[row, : len(times)] = uniform
        return found

    def _hedge(self, time: Array) -> None:
        """Lets time pass, (replicas,) days."""
        size = np.abs(self.at)
        beyond = np.flatnonzero(size > self.controls.zone)
        still = time.copy()
        still[beyond] = 0.0
        self.held += size * still
        self.squared += size**2 * still
        if not len(beyond):
            return
        state = np.zeros((5, len(beyond)))
        state[0] = size[beyond]
        ending = (state[0] - self.controls.zone) / self.controls.pace(state[0])
        parts = np.ceil(time[beyond] / (_PART * ending)).clip(1.0, _MOST_PARTS)  # its own: a replica depends on no other
        for n in range(int(parts.max())):
            part = np.where(n < parts, time[beyond] / parts, 0.0)
            first = self._slope(state)
            second = self._slope(state + first * part / 2)
            third = self._slope(state + second * part / 2)
            state += (first + 2 * second + 2 * third + self._slope(state + third * part)) * part / 6
        self.at[beyond] = np.sign(self.at[beyond]) * state[0]
        for total, more in zip((self.held, self.squared, self.expense, self.hedged), state[1:], strict=True):
            total[beyond] += more
        self.beyond[beyond] += time[beyond]

    def _slope(self, state: Array) -> Array:
        """How |inventory|, and the integrals of itself, its square, hedging expense and volume, change a day, (5, replicas)."""
        problem, size = self.problem, state[0]
        v = self.controls.pace(size)
        expense = hedging_cost(v, problem.linear_cost, problem.quadratic_cost) + problem.impact * size * v
        return np.stack([-v, size, size**2, expense, v])

    def _trade(self, who: NDArray[np.intp], kinds: NDArray[np.int64], uniform: Array) -> None:
        """A request of each of some replicas."""
        side, tier, number = self.kinds[:, kinds[who]]
        markup = self.controls.markup(self.at[who], side, tier, number)
        trades = uniform[who] < fill_probability(markup, self.a[tier], self.b[tier])  # not without a quote, where it is NaN
        done, size = who[trades], self.controls.chain.sizes[number[trades]]
        self.at[done] += np.where(side[trades] == 0, size, -size)
        self.income[done] += markup[trades] * size
        self.volume[done, tier[trades]] += size

    def found(self, days: int) -> Simulated:
        """What came of all days."""
        return Simulated(
            spread_income=self.income / days,
            hedging_expense=self.expense / days,
            mid_gain=self.gain / days,
            client_volume=self.volume / days,
            hedged_volume=self.hedged / days,
            inventory=self.held / days,
            variance=self.problem.volatility**2 * self.squared / days,
            pnl_by_day=np.stack(self.pnl, axis=1),
            beyond_zone=self.beyond / days,
        )
