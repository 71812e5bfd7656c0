"""The solution of a decision problem: what it is worth, what it does, and what other actions cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.control.decision import Decision
from dealermarket.control.numbers import MOST_POSITIONS, Numbers
from dealermarket.control.plain import Function, plain_policy
from dealermarket.control.quoting import Income, Quotes, weights_of
from dealermarket.control.recursion import best_places, peak, stationary_gain
from dealermarket.errors import ParameterError
from dealermarket.model.makers.policies import Policy
from dealermarket.values import short, whole_number

Floats = NDArray[np.float64]

_AT_ONCE = 2048
_MOST_KEPT = 4_000_000  # numbers, for lack of which tables of a step are made again


class Advantage(NamedTuple):
    """How much less an action earns than the best one, in the reward's unit, split in two.

    Parameters
    ----------
    prices : array
        What its prices lose against the best ones, each with the best hedge; at most 0.
    hedging : array of the same shape
        What its hedge loses against the best one at its prices; at most 0.

    """

    prices: Floats
    hedging: Floats

    @property
    def total(self) -> Floats:
        """Of the action as a whole: its value less that of the best one."""
        return self.prices + self.hedging


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best a maker can do, as `Decision.solve` finds it. Rewards are those of a step, in the unit of the decision's reward.

    Where the decision is not exact, all of this is of another market, and no measure of what is lost in this one.

    Parameters
    ----------
    decision : Decision
        What was solved.
    values : array, (T + 1, positions)
        What is still to be earned before each step at the positions of `positions`, in the unit of the reward; 0 after the last.

    """

    decision: Decision
    values: Floats

    def __post_init__(self) -> None:
        self.values.flags.writeable = False

    def __repr__(self) -> str:
        said = "optimum" if self.exact else f"approximation ({len(self.decision.replaced)} replaced)"
        return f"<Optimum of {self.decision.maker!r} in {self.decision.scenario.name!r}: {said} {self.value:.6f} a step>"

    @property
    def exact(self) -> bool:
        """Whether this is the optimum of the market as it was given."""
        return self.decision.exact

    @property
    def replaced(self) -> tuple[str, ...]:
        """What was replaced to get a problem that is solved."""
        return self.decision.replaced

    @property
    def positions(self) -> Floats:
        """The positions of `values`, (positions,), rising, units of the asset."""
        return self._numbers.positions.copy()

    @property
    def value(self) -> float:
        """V*: the expected reward of a step, mean over the steps, from a flat position."""
        return float(self.values[0, self._numbers.reach] / self._numbers.steps)

    @cached_property
    def stationary_gain(self) -> float:
        """What the best maker earns a step in a market that never ends, whose mid moves as in the first step."""
        return stationary_gain(self._numbers)

    def quotes(self, step: int, position: ArrayLike, reference_spread: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """The best action: eps_buy, eps_sell and the fraction of the position to hedge, each of the shape to which `position`,
        held into the step, and `reference_spread`, s0 as drawn, broadcast."""
        shape, parts = _parts(position, reference_spread)
        moment = self._moment(step, position)
        found = [moment.best(held, s0) for held, s0 in parts]
        eps_buy, eps_sell, fraction = (
            np.concatenate([each[n] for each in found]).reshape(shape) if found else np.empty(shape) for n in (1, 2, 3)
        )
        return eps_buy, eps_sell, fraction

    def advantage(
        self,
        step: int,
        position: ArrayLike,
        reference_spread: ArrayLike,
        action: tuple[ArrayLike, ArrayLike, ArrayLike],
    ) -> Advantage:
        """What an action, (eps_buy, eps_sell, hedge fraction), loses against the best one, there and afterwards; all broadcast.

        The sum of a run's advantages is, in the mean, what the policy earns less what the best one does. Raises ParameterError
        for an action that is not these three."""
        if len(action) != 3:
            raise ParameterError(f"action: must be eps_buy, eps_sell and a hedge fraction, got {short(action)}")
        shape, parts = _parts(position, reference_spread, *action)
        moment = self._moment(step, position)
        found = [moment.advantage(*part) for part in parts]
        prices, hedging = (
            np.concatenate([each[n] for each in found]).reshape(shape) if found else np.empty(shape) for n in (0, 1)
        )
        return Advantage(prices, hedging)

    def evaluate(self, policy: Policy | Function) -> float:
        """What a policy that is a function of the state earns: the expected reward of a step, mean over the steps, without
        simulation.

        `policy`: a kind that has no memory and draws no prices, or a function of step, positions (n,) and s0 (n,) that returns
        eps_buy, eps_sell and the fraction to hedge. Raises ParameterError for another one."""
        return float(self.values_of(policy)[0, self._numbers.reach] / self._numbers.steps)

    def values_of(self, policy: Policy | Function) -> Floats:
        """The same from each position and step on: (T + 1, positions), as `values`."""
        numbers = self._numbers
        acting = plain_policy(policy, self.decision.scenario, self.decision.index)
        values = np.zeros_like(self.values)
        weights, s0 = numbers.weights, numbers.spreads
        if not acting.sees_spread:  # the reward is linear in s0
            weights, s0 = np.ones(1), np.array([numbers.weights @ numbers.spreads])
        held, spread = np.broadcast_arrays(numbers.positions, s0[:, None])
        for step in range(numbers.steps - 1, -1, -1):
            action = acting.act(step, held.ravel(), spread.ravel())
            moment = _Moment(numbers, step, values[step + 1], numbers.reach)
            worth = moment.worth(held.ravel(), spread.ravel(), *action)
            values[step] = weights @ worth.reshape(held.shape)
        return values

    @property
    def _numbers(self) -> Numbers:
        return self.decision.numbers

    def _moment(self, step: int, position: ArrayLike) -> _Moment:
        """The step's tables, wide enough for these positions."""
        whole_number("step", step, 0, self._numbers.steps - 1)
        numbers, known = self._numbers, self._known
        far = int(np.ceil(np.abs(np.asarray(position)).max(initial=0.0) / numbers.step))
        if far > MOST_POSITIONS:
            raise ParameterError(
                f"position: must be at most {MOST_POSITIONS * numbers.step:g} in size, far beyond what the optimum holds, got "
                f"{far * numbers.step:g}"
            )
        reach = numbers.reach
        while reach < far:
            reach *= 2
        found = known.get((step, reach))
        if found is None:
            found = _Moment(numbers, step, self.values[step + 1], reach)
            if len(known) * len(numbers.spreads) * reach > _MOST_KEPT:
                known.clear()
            known[step, reach] = found
        return found

    @cached_property
    def _known(self) -> dict[tuple[int, int], _Moment]:
        return {}


class _Moment:
    """One step: what prices and hedges are worth, after which `later` (positions,) is still to be earned."""

    def __init__(self, numbers: Numbers, step: int, later: Floats, reach: int) -> None:
        self._numbers, self._step, self._reach = numbers, step, reach + 2
        self._to_go = numbers.to_go(step, later, self._reach)
        sizes = numbers.step * np.arange(self._reach + 1)
        largest = numbers.scenario.exchange.largest_trade
        self._costs = [numbers.hedging_cost(np.minimum(sizes, largest), sells) for sells in (True, False)]

    def _income(self, s0: Any) -> Income:
        return self._numbers.income(self._step, s0)

    def _kept(self, position: Floats) -> Floats:
        return np.asarray(position / self._numbers.step + self._reach)

    def _cost(self, hedged: Floats, long: NDArray[np.bool_], s0: Floats) -> Floats:
        """Of hedges of a size, of long positions and of short ones."""
        largest = self._numbers.scenario.exchange.largest_trade
        place = np.minimum(hedged, largest) / self._numbers.step
        of_long, of_short = self._costs
        cost = interpolated(of_long, place)
        if of_long is not of_short:
            cost = np.where(long, cost, interpolated(of_short, place))
        return np.asarray(np.where(hedged <= largest * (1.0 + 1e-12), s0 * cost, np.inf))

    def worth(self, position: Floats, s0: Floats, eps_buy: Floats, eps_sell: Floats, fraction: Floats) -> Floats:
        """The value of actions; all (n,)."""
        size = np.abs(position)
        largest = self._numbers.scenario.exchange.largest_trade
        hedged = np.minimum(size * fraction, largest) if self._numbers.hedges else np.zeros_like(size)
        after = position - np.sign(position) * hedged
        to_go = interpolated(self._to_go, self._kept(after))
        value = self._numbers.quoting.value(self._income(s0), to_go, eps_buy, eps_sell)
        return np.asarray(value - self._cost(hedged, position > 0, s0))

    def best(self, position: Floats, s0: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """The value of the best actions, and what they are: eps_buy, eps_sell and the fraction hedged; all (n,)."""
        size, sign = np.abs(position), np.where(position < 0, -1.0, 1.0)
        tried = size[:, None]
        if self._numbers.hedges:
            aim = self._aim(size, position > 0, s0)[:, None] + self._numbers.step * np.array([-1.0, 0.0, 1.0])
            tried = np.concatenate([tried, np.clip(aim, 0.0, tried)], axis=1)
        quotes = self._quotes_after(tried, sign, size, position > 0, s0)
        if self._numbers.hedges:
            values = quotes.value[:, 1:]
            inside = (values[:, 1] >= values[:, 0]) & (values[:, 1] >= values[:, 2])
            move = peak(values[:, 0], values[:, 1], values[:, 2], inside)[1]
            width = np.minimum(tried[:, 3] - tried[:, 2], tried[:, 2] - tried[:, 1])
            last = np.clip(tried[:, 2] + move * width, 0.0, size)[:, None]
            refined = self._quotes_after(last, sign, size, position > 0, s0)
            quotes = Quotes(*(np.concatenate([first, second], axis=1) for first, second in zip(quotes, refined, strict=True)))
            tried = np.concatenate([tried, last], axis=1)
        rows, chosen = np.arange(len(size)), np.argmax(quotes.value, axis=1)
        value, eps_buy, eps_sell = (part[rows, chosen] for part in quotes)
        with np.errstate(divide="ignore", invalid="ignore"):
            fraction = np.where(size > 0, 1.0 - tried[rows, chosen] / size, 0.0)
        return value, eps_buy, eps_sell, np.clip(fraction, 0.0, 1.0)

    def advantage(
        self, position: Floats, s0: Floats, eps_buy: Floats, eps_sell: Floats, fraction: Floats
    ) -> tuple[Floats, Floats]:
        """What is lost by prices and by hedges; all (n,)."""
        value = self.worth(position, s0, eps_buy, eps_sell, fraction)
        hedged_best = np.maximum(value, self._best_hedge(position, s0, eps_buy, eps_sell))
        best = np.maximum(hedged_best, self.best(position, s0)[0])
        return hedged_best - best, value - hedged_best

    def _best_hedge(self, position: Floats, s0: Floats, eps_buy: Floats, eps_sell: Floats) -> Floats:
        """The value of given prices with the best hedge."""
        size, sign = np.abs(position), np.where(position < 0, -1.0, 1.0)
        plain = self.worth(position, s0, eps_buy, eps_sell, np.zeros_like(size))
        if not self._numbers.hedges:
            return plain
        quoting = self._numbers.quoting
        sides = (quoting.buying, quoting.selling)
        buy, sell = (
            np.stack(weights_of(side, *side.chances(eps)), axis=1) for side, eps in zip(sides, (eps_buy, eps_sell), strict=True)
        )
        weights = (buy[:, :, None] * sell[:, None, :]).reshape(len(size), -1)
        places = int(np.floor(size.max(initial=0.0) / self._numbers.step)) + 1
        far, whole = places - 1, np.arange(places)
        near = slice(self._reach - far, self._reach + far + 1)
        both = weights @ self._to_go[:, :, near].reshape(weights.shape[1], -1)
        rough = np.take_along_axis(both, (far + sign[:, None] * whole).astype(np.int64), axis=1)
        hedged = size[:, None] / self._numbers.step - whole
        of_long, of_short = (np.interp(hedged, np.arange(len(cost)), cost) for cost in self._costs)
        rough -= s0[:, None] * np.where(position[:, None] > 0, of_long, of_short)
        rough[hedged < 0] = -np.inf
        aim = np.argmax(rough, axis=1)[:, None] + np.array([-1.0, 0.0, 1.0])
        kept = np.clip(self._numbers.step * aim, 0.0, size[:, None])

        def worth(after: Floats) -> Floats:
            with np.errstate(divide="ignore", invalid="ignore"):
                fraction = np.where(size > 0, 1.0 - after / size, 0.0)
            return self.worth(position, s0, eps_buy, eps_sell, fraction)

        values = [worth(after) for after in kept.T]
        inside = (values[1] >= values[0]) & (values[1] >= values[2])
        move = peak(values[0], values[1], values[2], inside)[1]
        width = np.minimum(kept[:, 2] - kept[:, 1], kept[:, 1] - kept[:, 0])
        last = worth(np.clip(kept[:, 1] + move * width, 0.0, size))
        return np.asarray(np.max([plain, *values, last], axis=0))

    def _aim(self, size: Floats, long: NDArray[np.bool_], s0: Floats) -> Floats:
        """What about is best to be kept of positions of a size, from the targets at the two nearest spreads."""
        nodes, targets = self._numbers.spreads, self._targets
        place = np.minimum(np.ceil(size / self._numbers.step - 1e-9).astype(np.int64), targets.shape[2] - 1)
        above = np.clip(np.searchsorted(nodes, s0), min(1, len(nodes) - 1), len(nodes) - 1)
        below = np.maximum(above - 1, 0)
        part = np.clip((s0 - nodes[below]) / np.maximum(nodes[above] - nodes[below], 1e-300), 0.0, 1.0)
        side = np.where(long, 0, 1)
        return np.asarray((1.0 - part) * targets[side, below, place] + part * targets[side, above, place])

    @cached_property
    def _targets(self) -> Floats:
        """What to keep of long and of short positions on the lattice, for the spreads of the quadrature: (2, spreads, places)."""
        s0, middle = self._numbers.spreads, self._reach
        value = self._numbers.quoting.best(self._income(s0[:, None]), self._to_go).value
        sides = (value[:, middle:], value[:, middle::-1])
        places = [best_places(side, s0, cost) for side, cost in zip(sides, self._costs, strict=True)]
        return np.asarray(self._numbers.step * np.stack(places))

    def _quotes_after(self, kept: Floats, sign: Floats, size: Floats, long: NDArray[np.bool_], s0: Floats) -> Quotes:
        """The best prices where a size (n, k) is kept."""
        to_go = interpolated(self._to_go, self._kept(sign[:, None] * kept))
        quotes = self._numbers.quoting.best(self._income(s0[:, None]), to_go)
        cost = self._cost(size[:, None] - kept, long[:, None], s0[:, None])
        return quotes._replace(value=quotes.value - cost)


def interpolated(table: Floats, place: Floats) -> Floats:
    """Values of a table (..., n) at places of any shape, in 0..n - 1, by the cubic through four neighbours; (..., shape)."""
    last = table.shape[-1] - 1
    first = np.clip(np.floor(place).astype(np.int64) - 1, 0, max(last - 3, 0))
    x = place - first
    found = table[..., first] * (-(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0)
    found = found + table[..., first + 1] * (x * (x - 2.0) * (x - 3.0) / 2.0)
    found = found + table[..., first + 2] * (-x * (x - 1.0) * (x - 3.0) / 2.0)
    return np.asarray(found + table[..., first + 3] * (x * (x - 1.0) * (x - 2.0) / 6.0))


def _parts(*given: ArrayLike) -> tuple[tuple[int, ...], Iterator[tuple[Floats, ...]]]:
    """The shape to which arrays broadcast, and their numbers, some at once."""
    try:
        arrays = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in given))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"position, reference_spread and action must be numbers that broadcast: {error}") from None
    if not all(np.isfinite(each).all() for each in arrays):
        raise ParameterError(f"position, reference_spread and action must be finite, got {short(list(given))}")
    flat = [each.ravel() for each in arrays]
    count = len(flat[0])
    return arrays[0].shape, (tuple(each[n : n + _AT_ONCE] for each in flat) for n in range(0, count, _AT_ONCE))
