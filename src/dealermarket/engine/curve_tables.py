"""Tables of the optimal first hedge against any cost curve, convex or not.

The same tables as in `hedge_tables`, over q = |z| / v_max and the risk G = gamma s / level, for curves that are no power of the
reference curve. For a weight w dynamic programming over a grid finds the schedule with the least E + w sum y_k^2; each lies on
the frontier of expected cost and variance, and the optimum at risk G is the one of them with the least E + G sqrt(sum y_k^2)
(section 3.3, eq. 7; see also `model/makers/hedging/schedule.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import compiled
from dealermarket.engine.hedge_tables import ABOVE_CAP, BELOW_CAP, CAP, LARGEST_RISK, RISKS, Table, digest_of, stored
from dealermarket.errors import ParameterError

Floats = NDArray[np.float64]

LONGEST = 100  # steps that a schedule may have
_POINTS = 120  # of the grid over the whole position, about; a multiple of the horizon
_WEIGHTS = 64


def curve_table(curve: Callable[[Floats], Floats], horizon: int) -> Table:
    """The table against a curve: the price of sizes, given as shares of v_max in (0, 0.99], in units of its level.

    Raises ParameterError for a curve that is not above 0 and finite there, or a horizon of more than 100 steps."""
    if horizon > LONGEST:
        raise ParameterError(f"the horizon must be at most {LONGEST} steps, got {horizon}")
    points = horizon * max(1, round(_POINTS / horizon))
    share = np.arange(1, points + 1) / points
    sizes = table_sizes(horizon)[:, None] * share
    price = np.full(sizes.shape, np.inf)
    tradable = sizes <= CAP * (1.0 + 1e-9)
    price[tradable] = curve(np.minimum(sizes[tradable], CAP))
    wrong = tradable & ~((price > 0) & (price < np.inf))
    if wrong.any():
        size, found = sizes[wrong][0], price[wrong][0]
        raise ParameterError(f"every price must be above 0 and finite, that of {size:g} v_max is {found:g} levels")
    cost = np.concatenate([np.zeros((len(sizes), 1)), price * share], axis=1)
    return _built(cost.tobytes(), points, horizon, float(price[tradable].min()))


@lru_cache(maxsize=64)
def _built(cost: bytes, points: int, horizon: int, least: float) -> Table:
    costs = np.frombuffer(cost).reshape(-1, points + 1)
    name = digest_of("curve", hashlib.sha256(cost).hexdigest(), horizon, _POINTS, _WEIGHTS)

    def build() -> tuple[Floats, Floats]:
        scale, nodes = np.empty(len(costs)), np.empty((len(costs), RISKS + 1, 2))
        fill_curve_table(costs.copy(), table_sizes(horizon), horizon, np.geomspace(1e-5, 1e5, _WEIGHTS), scale, nodes)
        return scale, nodes

    return Table(horizon, least, *stored(name, build))


def table_sizes(horizon: int) -> Floats:
    """Q of every row of a table, (sizes,)."""
    below = CAP * (np.arange(BELOW_CAP + 1) / BELOW_CAP) ** 2
    above = CAP * (1.0 + (horizon - 1.0) * (np.arange(1, ABOVE_CAP + 1) / ABOVE_CAP) ** 2)
    return np.asarray(np.minimum(np.maximum(np.concatenate([below, above]), 1e-6), CAP * horizon * (1.0 - 1e-9)))


@compiled
def fill_curve_table(costs, sizes, horizon, weights, scale, nodes):
    """Fills one table: `scale` (sizes,) and `nodes` (sizes, risks, 2), from the `costs` (sizes, points + 1) of trading
    0, 1, ... points of the grid at once, as a share of the level."""
    points = costs.shape[1] - 1
    expected, left, first = np.empty(len(weights) + 2), np.empty(len(weights) + 2), np.empty(len(weights) + 2)
    value, after, choice = np.empty(points + 1), np.empty(points + 1), np.empty((horizon, points + 1), np.int64)
    for i in range(len(sizes)):
        cost = costs[i]
        evenly = cost[points // horizon] * horizon  # of equal trades
        # the risk at which schedules change, about: what trading at once costs more than equal trades, or a part of the price
        at_once = cost[points] if cost[points] < np.inf else 2.0 * evenly
        typical = max(abs(at_once - evenly), 0.01 * evenly)
        scale[i] = typical / sizes[i]
        for n in range(len(weights) + 2):
            weight = 0.0 if n == 0 else weights[n - 1] * typical if n <= len(weights) else 1e9 * typical
            expected[n], left[n], first[n] = grid_schedule(cost, horizon, weight, value, after, choice)
        for j in range(RISKS + 1):
            r = j / (RISKS - j) if j < RISKS else np.inf
            risk = typical * min(r**4, LARGEST_RISK)
            best = 0
            for n in range(1, len(expected)):
                if expected[n] + risk * np.sqrt(left[n]) < expected[best] + risk * np.sqrt(left[best]):
                    best = n
            nodes[i, j, 0] = 1.0 - first[best]
            nodes[i, j, 1] = np.log(expected[best] + risk * np.sqrt(left[best]))


@compiled
def grid_schedule(cost, horizon, weight, value, after, choice):
    """Expected cost, sum of y_k^2 and first fraction of the schedule with the least E + weight sum y_k^2 on the grid.

    `cost` (points + 1,) is that of trading so many points at once, infinite where that is too much; the others are room:
    `value`, `after` (points + 1,) and `choice` (horizon, points + 1)."""
    points = len(cost) - 1
    most = points
    while cost[most] == np.inf:
        most -= 1
    for y in range(points + 1):
        value[y] = cost[y]
        choice[horizon - 1, y] = y
    for k in range(horizon - 2, -1, -1):
        for y in range(points + 1):
            after[y] = value[y] + weight * (y / points) ** 2
        for y in range(points + 1):
            best, best_trade = np.inf, 0
            for trade in range(min(y, most) + 1):
                total = cost[trade] + after[y - trade]
                if total < best:
                    best, best_trade = total, trade
            value[y], choice[k, y] = best, best_trade
    expected, squares, y = 0.0, 0.0, points
    first = choice[0, points] / points
    for k in range(horizon):
        trade = choice[k, y]
        expected += cost[trade]
        y -= trade
        squares += (y / points) ** 2
    return expected, squares, first
