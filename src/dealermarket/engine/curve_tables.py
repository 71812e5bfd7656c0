"""Tables of the optimal first hedge against any cost curve, convex or not, with or without jumps.

The same tables as in `hedge_tables`, over q = |z| / v_max and the risk G = gamma s / level, for curves that are no power of the
reference curve. For a weight w dynamic programming over a grid finds the schedule with the least E + w sum y_k^2. Where
E + G sqrt(sum y_k^2) is least, which is concave in E and the sum, is a corner of the convex hull of all schedules' E and sums,
so some weight finds it; it is the best of those that 66 weights find (section 3.3, eq. 7; see also
`model/makers/hedging/schedule.py`).

Against prices that jump, such as those of size buckets, good trades end exactly at the jumps, and from one node of
the table to the next the first trade may leap from one bucket to another. What lies between two such trades is worse than
either: it pays the price of the larger for little more than the smaller. So the first trade stays in the bucket of the
nearest node, and what it leaves in the buckets of what is left there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt
from dealermarket.compiled import compiled, kernel
from dealermarket.engine.hedge_tables import (
    CAP,
    LARGEST_RISK,
    RISKS,
    SIZES,
    Table,
    first_trade,
    risk_coordinate,
    size_of_row,
    stored,
    table_name,
    write_node,
)
from dealermarket.errors import ParameterError

Floats = NDArray[np.float64]

LONGEST = 100  # steps that a schedule may have
_POINTS = 120  # of the grid over the whole position, about
_WEIGHTS = 64


def curve_table(curve: Callable[[Floats], Floats], horizon: int, jumps: Sequence[float] = ()) -> Table:
    """The table against a curve: the price of sizes (n,), given as shares of v_max in (0, 0.99], in units of its level, (n,).

    `jumps` are the sizes, as such shares and rising, beyond which the price jumps. Raises ParameterError for a curve that
    is not above 0 and finite everywhere, or a horizon of more than 100 steps."""
    if horizon > LONGEST:
        raise ParameterError(f"the horizon must be at most {LONGEST} steps, got {horizon}")
    points = grid_points(horizon)
    share = np.arange(1, points + 1) / points
    sizes = _table_sizes(horizon)[:, None] * share
    tradable = sizes <= CAP * (1.0 + 1e-9)
    price = np.full(sizes.shape, np.inf)
    price[tradable] = curve(_at_jumps(sizes, jumps, sizes[:, :1])[tradable].clip(max=CAP))
    wrong = tradable & ~((price > 0) & (price < np.inf))
    if wrong.any():
        raise ParameterError(
            f"every price must be above 0 and finite, that of {sizes[wrong][0]:g} v_max is {price[wrong][0]:g} levels"
        )
    cost = np.concatenate([np.zeros((len(sizes), 1)), price * share], axis=1)
    return _built(cost.tobytes(), points, horizon, float(price[tradable].min()), tuple(jumps))


@lru_cache(maxsize=64)
def _built(cost: bytes, points: int, horizon: int, least: float, jumps: tuple[float, ...]) -> Table:
    costs, sizes = np.frombuffer(cost).reshape(-1, points + 1), _table_sizes(horizon)
    name = table_name("curve", Path(__file__).read_bytes(), hashlib.sha256(cost).hexdigest(), horizon, jumps)

    def build() -> tuple[Floats, Floats]:
        scale, nodes = np.empty(len(costs)), np.empty((len(costs), RISKS + 1, 2))
        weights = np.geomspace(1e-5, 1e5, _WEIGHTS)
        for i, size in enumerate(sizes):
            interrupt.check()
            fill_curve_row(i, size, costs[i].copy(), horizon, weights, scale, nodes)
        largest = np.minimum(sizes, CAP)[:, None]
        first = _at_jumps(largest * (1.0 - nodes[:, :, 0]), jumps, sizes[:, None] / points)
        nodes[:, :, 0] = (1.0 - first / largest).clip(0.0, 1.0)
        return scale, nodes

    return Table(horizon, least, *stored(name, build), jumps=np.array(jumps))


def grid_points(horizon):
    """Of the grid over the whole position: a multiple of the horizon."""
    return int(horizon * max(1, round(_POINTS / horizon)))


def _table_sizes(horizon: int) -> Floats:
    """Q of every row of a table, (sizes,)."""
    return np.array([size_of_row(i, horizon) for i in range(SIZES)])


def _at_jumps(sizes: Floats, jumps: Sequence[float], spacing: Floats) -> Floats:
    """Sizes of a grid, those next to a jump being moved to it: grids then know all jumps, whatever their `spacing`."""
    moved = sizes.copy()
    for jump in jumps:
        moved[np.abs(sizes - jump) <= 0.5 * spacing * (1.0 + 1e-9)] = jump
    return moved


@compiled
def fill_curve_row(i, size, cost, horizon, weights, scale, nodes):
    """Fills row i of a table, of positions of `size`: of `scale` (sizes,) and of `nodes` (sizes, risks, 2), from the `cost`
    (points + 1,) of trading 0, 1, ... points of the grid at once, as a share of the level."""
    points = len(cost) - 1
    expected, left, first = np.empty(len(weights) + 2), np.empty(len(weights) + 2), np.empty(len(weights) + 2)
    value = np.empty((horizon, points + 1))
    evenly = cost[points // horizon] * horizon  # of equal trades
    # the risk at which schedules change, about: what trading at once costs more than equal trades, or a part of the price
    most = points
    while cost[most] == np.inf:
        most -= 1
    at_once = cost[most] * points / most  # or at the price of the largest trade
    typical = max(abs(at_once - evenly), 0.01 * evenly)
    scale[i] = typical / size
    for n in range(len(weights) + 2):
        weight = 0.0 if n == 0 else weights[n - 1] * typical if n <= len(weights) else 1e9 * typical
        expected[n], left[n], first[n] = grid_schedule(cost, horizon, weight, value)
    for j in range(RISKS + 1):
        r = j / (RISKS - j) if j < RISKS else np.inf
        risk = typical * min(r**4, LARGEST_RISK)
        best = 0
        for n in range(1, len(expected)):
            if expected[n] + risk * np.sqrt(left[n]) < expected[best] + risk * np.sqrt(left[best]):
                best = n
        optimum = expected[best] + risk * np.sqrt(left[best])
        write_node(nodes[i, j], size, risk, first[best], optimum, expected[0], 0.0)


@compiled
def grid_schedule(cost, horizon, weight, value):
    """Expected cost, sum of y_k^2 and first fraction of the schedule with the least E + weight sum y_k^2 on the grid.

    `cost` (points + 1,) is that of trading so many points at once, infinite where that is too much. `value`
    (horizon, points + 1) is room: in row k, the least cost from step k on of what may be left then, its own risk included."""
    points = len(cost) - 1
    most = points
    while cost[most] == np.inf:
        most -= 1
    for k in range(horizon - 1, 0, -1):
        row = value[k]
        if k == horizon - 1:
            row[:] = cost
        else:
            row[:] = np.inf
            for trade in range(most + 1):  # the inner loop has no dependence: several points at once
                for y in range(trade, points + 1):
                    row[y] = min(row[y], cost[trade] + value[k + 1, y - trade])
        for y in range(points + 1):
            row[y] += weight * (y / points) ** 2
    expected, squares, first, left = 0.0, 0.0, 0, points
    for k in range(horizon):
        trade = left
        if k < horizon - 1:
            least = np.inf
            for t in range(min(left, most) + 1):
                total = cost[t] + value[k + 1, left - t]
                if total < least:
                    least, trade = total, t
        if k == 0:
            first = trade
        expected += cost[trade]
        left -= trade
        squares += (left / points) ** 2
    return expected, squares, first / points


@kernel
def between_jumps(tables, table, i, a, q, risk, level, fraction):
    """The first fraction against a curve with jumps: the interpolated `fraction`, kept between the jumps around the first
    trade of the nearest node. The other arguments are those of `interpolate`."""
    jumps = tables.jumps[table]
    nearest = i + (a > 0.5)
    scale = tables.scale[table]
    w = risk_coordinate(risk, level * q * ((1.0 - a) * scale[i] + a * scale[i + 1]))
    horizon = tables.horizon[table]
    size = size_of_row(nearest, horizon)
    traded = first_trade(tables.nodes[table, nearest, int(w + 0.5), 0], size)
    trade = fraction * q
    low, high = bucket_of(traded * (1.0 - 1e-9), jumps)
    if trade <= low:
        trade = traded
    if horizon > 1.0:  # what is left then fits into as small pieces as at the node, whose grid moves each by half a point
        _, piece = bucket_of((size - traded) / (horizon - 1.0) - 0.5 * size / grid_points(horizon), jumps)
        trade = max(trade, q - (horizon - 1.0) * piece)
    return min(min(trade, high) / q, 1.0)


@kernel
def bucket_of(size, jumps):
    """The jumps between which a size lies, 0 and CAP where there is none; a size at a jump lies below it."""
    low, high = 0.0, CAP
    for jump in jumps:
        if jump < size:
            low = jump
        elif jump < high:
            high = jump
    return low, high
