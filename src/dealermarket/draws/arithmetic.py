"""The arithmetic of a tape: from raw draws to prices and orders, without the interpreter lock."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.compiled import compiled, kernel
from dealermarket.engine.hedge_tables import relative_spread

gbm_growth = compiled(laws.gbm_growth)
clipped_normal = compiled(laws.clipped_normal)
order_size = compiled(laws.order_size)
order_side = compiled(laws.order_side)

Array = NDArray[Any]


@kernel
def log_curve(size, v_max, k):
    """log(S_ref(size) / S_ref(0)), which every quote for a trade of this size needs."""
    return np.log(relative_spread(size / v_max, k))


@compiled
def log_curves(size, v_max, k):
    """`log_curve` of an array (sizes,)."""
    curves = np.empty(len(size))
    for n in range(len(size)):
        curves[n] = log_curve(size[n], v_max, k)
    return curves


class TapeArrays(NamedTuple):
    """A tape as the engine reads it; shapes in `dealermarket.draws.tape.Tape`."""

    mid: Array
    reference_spread: Array
    order_start: Array
    investor: Array
    side: Array
    size: Array
    log_curve: Array
    tie: Array
    hedge_tie: Array
    tie_break: Array
    ranking: Array  # (B, M, J) int32: participants in the order of `tie_break`


class TapeRules(NamedTuple):
    """What the draws of a scenario are made into prices and orders with."""

    initial: float
    drift: float
    volatility: float
    dt: float
    spread_mean: float
    spread_std: float
    spread_minimum: float
    spread_maximum: float
    largest: float  # order size
    v_max: float
    curve_exponent: float
    trade_probability: Array  # (N,) and so on
    log_mean: Array
    log_std: Array
    buy_probability: Array
    oracle_probability: Array


@compiled
def collect_orders(arrival_draw, trade_probability, order_end, investor, count):
    """Who trades when: writes investors from index `count` on and `order_end` (steps,); returns the new count.

    `investor` needs room for one more than all that could trade.
    """
    steps, investors = arrival_draw.shape
    for t in range(steps):
        for j in range(investors):
            investor[count] = j  # overwritten by the next unless this one trades: no branch to guess
            count += arrival_draw[t, j] < trade_probability[j]
        order_end[t] = count
    return count


@compiled
def price_tape(rules, mid, reference_spread):
    """Turns standard normals in place into mids (B, T + t_m) and reference spreads (B, T)."""
    for b in range(len(mid)):
        mid[b, 0] = rules.initial
        for t in range(1, mid.shape[1]):
            mid[b, t] = mid[b, t - 1] * gbm_growth(mid[b, t], rules.drift, rules.volatility, rules.dt)
        for t in range(reference_spread.shape[1]):
            reference_spread[b, t] = clipped_normal(
                reference_spread[b, t], rules.spread_mean, rules.spread_std, rules.spread_minimum, rules.spread_maximum
            )


@compiled
def order_tape(rules, mid, order_start, investor, size, side_draw, oracle_draw, side, curve, capped):
    """Turns standard normals in place into sizes; writes sides, log curves and how many sizes were capped (B,)."""
    steps = order_start.shape[1] - 1
    horizon = mid.shape[1] - steps
    for b in range(len(mid)):
        capped[b] = 0
        for t in range(steps):
            move = mid[b, t + horizon] - mid[b, t]
            for n in range(order_start[b, t], order_start[b, t + 1]):
                j = investor[n]
                wanted = order_size(size[n], rules.log_mean[j], rules.log_std[j], np.inf)
                capped[b] += wanted > rules.largest * (1.0 + 1e-12)  # beyond rounding
                size[n] = min(wanted, rules.largest)
                side[n] = order_side(side_draw[n], oracle_draw[n], rules.buy_probability[j], rules.oracle_probability[j], move)
                curve[n] = log_curve(size[n], rules.v_max, rules.curve_exponent)
