"""The arithmetic of a tape: from raw draws to prices and orders, without the interpreter lock."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import compiled, kernel
from dealermarket.laws import order_side, relative_spread
from dealermarket.model.investors.sizes import SIZES
from dealermarket.model.market.mid_price import MID_PRICES
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS
from dealermarket.slots import Law

next_mid = Law(MID_PRICES, "law")
first_spread, next_spread = Law(REFERENCE_SPREADS, "first"), Law(REFERENCE_SPREADS, "law")
size_of = Law(SIZES, "law")

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
    """What the draws of a scenario are made into prices and orders with. N investors."""

    initial: float
    mid_price: Array  # (1,) record: kind, and the parameters of all kinds
    mid_numbers: Array  # (1, n)
    reference_spread: Array  # (1,) record, likewise
    spread_numbers: Array  # (1, n)
    size: Array  # (N,) records: kind, whether it takes the uniform number, and the parameters of all kinds
    size_numbers: Array  # (N, n)
    largest: float  # order size
    v_max: float
    curve_exponent: float
    trade_probability: Array  # (N,) and so on
    buy_probability: Array
    oracle_probability: Array
    of_the_papers: bool  # all kinds of mid price, reference spread and sizes: which machine code runs


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
def price_tape(rules, mid_draw, mid, spread_draw, reference_spread):
    """Writes mids (B, T + t_m) and reference spreads (B, T) for the random numbers of every step, (n, B, T + t_m) and
    (n, B, T). The first row of numbers may be the array that is written."""
    mid_rule, mid_numbers = rules.mid_price[0], rules.mid_numbers[0]
    spread_rule, spread_numbers = rules.reference_spread[0], rules.spread_numbers[0]
    for b in range(len(mid)):
        mid[b, 0] = rules.initial
        for t in range(1, mid.shape[1]):
            mid[b, t] = next_mid(mid_rule.kind, mid[b, t - 1], mid_draw[:, b, t], mid_rule, mid_numbers)
        if reference_spread.shape[1] > 0:
            reference_spread[b, 0] = first_spread(spread_rule.kind, spread_draw[:, b, 0], spread_rule, spread_numbers)
        for t in range(1, reference_spread.shape[1]):
            reference_spread[b, t] = next_spread(
                spread_rule.kind, reference_spread[b, t - 1], spread_draw[:, b, t], spread_rule, spread_numbers
            )


@compiled
def order_tape(rules, mid, order_start, investor, size, size_draw, side_draw, oracle_draw, side, curve, capped):
    """Turns standard normals in place into sizes; writes sides, log curves and how many sizes were capped (B,).

    `size_draw` (orders,) are uniform numbers for laws of sizes that take them, or (0,) where there are none. Returns whether
    all sizes are above 0."""
    sound = True
    steps = order_start.shape[1] - 1
    horizon = mid.shape[1] - steps
    for b in range(len(mid)):
        capped[b] = 0
        for t in range(steps):
            move = mid[b, t + horizon] - mid[b, t]
            for n in range(order_start[b, t], order_start[b, t + 1]):
                j = investor[n]
                rule = rules.size[j]
                wanted = size_of(rule.kind, size_draw[n] if rule.uniform else size[n], rule, rules.size_numbers[j])
                capped[b] += wanted > rules.largest * (1.0 + 1e-12)  # beyond rounding
                sound &= wanted > 0.0
                size[n] = min(wanted, rules.largest)
                side[n] = order_side(side_draw[n], oracle_draw[n], rules.buy_probability[j], rules.oracle_probability[j], move)
                curve[n] = log_curve(size[n], rules.v_max, rules.curve_exponent)
    return sound
