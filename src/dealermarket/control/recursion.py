"""The recursion backwards in time: what is still to be earned from each position before each step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dealermarket.control.numbers import Numbers

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_CONVERGED = 1e-9
_MOST_ROUNDS = 20_000
_STRIDE = 8


class Recursion:
    """One step backwards, by the best prices and hedges."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        sizes = np.asarray(numbers.step * np.arange(numbers.reach + 1))
        self._costs = [numbers.hedging_cost(sizes, sells) for sells in (True, False)]  # of a long position, and of a short one

    def before(self, step: int, later: Floats) -> Floats:
        """What is to be earned from a step on, (positions,), where `later` is to be earned from the next step on."""
        numbers, middle = self._numbers, self._numbers.reach
        to_go = numbers.to_go(step, later, numbers.reach)
        if numbers.symmetric:
            to_go = to_go[:, :, middle:]
        s0 = numbers.spreads[:, None]
        value = numbers.quoting.best(numbers.income(step, s0), to_go).value
        if numbers.symmetric:
            half = numbers.weights @ self._hedged(value, 0)
            return np.asarray(np.concatenate([half[:0:-1], half]))
        if not numbers.hedges:
            return np.asarray(numbers.weights @ value)
        long, short = self._hedged(value[:, middle:], 0), self._hedged(value[:, middle::-1], 1)
        return np.asarray(numbers.weights @ np.concatenate([short[:, :0:-1], long], axis=1))

    def _hedged(self, value: Floats, side: int) -> Floats:
        """The value with the best hedge, (spreads, positions), from that without one, positions rising from 0 in size."""
        if not self._numbers.hedges:
            return value
        cost = self._costs[side]
        left = np.arange(value.shape[1])
        place = best_places(value, self._numbers.spreads, cost)

        def hedged_to(target: Places) -> Floats:
            return np.asarray(np.take_along_axis(value, target, axis=1) - self._numbers.spreads[:, None] * cost[left - target])

        inside = (place > 0) & (place < left)
        return peak(hedged_to(np.maximum(place - 1, 0)), hedged_to(place), hedged_to(np.minimum(place + 1, left)), inside)[0]


def best_places(value: Floats, spreads: Floats, cost: Floats) -> Places:
    """To which of the places up to its own it is best to hedge, (spreads, places).

    Where the cost is convex in the size, whoever holds more keeps no less: between two known places few are to be tried."""
    places = np.arange(value.shape[1])
    finite = cost[np.isfinite(cost)]
    convex = bool((np.diff(finite, 2) >= -1e-9 * np.diff(finite)[1:]).all())
    known = np.union1d(places[:: _STRIDE if convex else 1], places[-1:])
    sizes = known[:, None] - places
    costs = np.where(sizes >= 0, cost[np.abs(sizes)], np.inf)
    best = np.stack([np.argmax(row - s0 * costs, axis=1) for row, s0 in zip(value, spreads, strict=True)])
    if len(known) == len(places):
        return best
    block = np.searchsorted(known, places, side="right") - 1
    first = best[:, block]
    last = np.minimum(best[:, np.minimum(block + 1, len(known) - 1)], places)
    width = int((last - first).max()) + 1
    tried = np.minimum(first[:, :, None] + np.arange(width), last[:, :, None])
    worth = value[np.arange(len(value))[:, None, None], tried] - spreads[:, None, None] * cost[places[:, None] - tried]
    return np.asarray(first + np.argmax(worth, axis=2))


def peak(left: Floats, middle: Floats, right: Floats, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The height of the parabola through three neighbours, of which the middle one is highest, and where it is, in steps from
    the middle; the middle itself where it is not `inside`."""
    bend = left - 2.0 * middle + right
    curved = inside & (bend < 0) & np.isfinite(bend)
    with np.errstate(invalid="ignore"):
        slope = np.where(curved, right - left, 0.0)
    bend = np.where(curved, bend, -1.0)
    return middle - slope * slope / (8.0 * bend), -slope / (2.0 * bend)


def solved(numbers: Numbers) -> Floats:
    """What is still to be earned before each step, (T + 1, positions): 0 after the last."""
    recursion = Recursion(numbers)
    values = np.zeros((numbers.steps + 1, len(numbers.positions)))
    for step in range(numbers.steps - 1, -1, -1):
        values[step] = recursion.before(step, values[step + 1])
    return values


def stationary_gain(numbers: Numbers) -> float:
    """What the best stationary maker earns a step in the long run, by relative value iteration with the moves of step 0."""
    recursion, middle = Recursion(numbers), numbers.reach
    values = np.zeros(len(numbers.positions))
    for _ in range(_MOST_ROUNDS):
        found = recursion.before(0, values)
        gained = found - values
        core = gained[middle // 2 : -(middle // 2)]
        values = found - found[middle]
        if np.ptp(core) < _CONVERGED:
            break
    return float(gained[middle])
