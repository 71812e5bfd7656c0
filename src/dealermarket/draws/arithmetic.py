"""The arithmetic of a tape: from random numbers to prices and orders, without the interpreter lock."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.arrays import PIECE, pieces
from dealermarket.compiled import compiled
from dealermarket.draws.philox import fill_normal, fill_uniform, fill_words, uniform_at
from dealermarket.draws.streams import Stream
from dealermarket.laws import order_side, relative_spread
from dealermarket.model.investors.demand import DEMANDS
from dealermarket.model.investors.sizes import SIZES
from dealermarket.model.market.mid_price import MID_PRICES
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS
from dealermarket.slots import Law

next_mid = Law(MID_PRICES, "law")
first_spread, next_spread = Law(REFERENCE_SPREADS, "first"), Law(REFERENCE_SPREADS, "law")
size_of = Law(SIZES, "law")
reservation_of = Law(DEMANDS, "law")

Array = NDArray[Any]


def log_curve(size, v_max, k):
    """log(S_ref(size) / S_ref(0)), which every quote for a trade of this size needs."""
    return np.log(relative_spread(size / v_max, k))


def log_curves(size: Array, v_max: float, k: float) -> Array:
    """`log_curve` of an array (sizes,), by NumPy, which takes several logarithms at a time."""
    curves = np.empty(len(size))
    for piece in pieces(len(size)):
        curves[piece] = log_curve(size[piece], v_max, k)
    return curves


class TapeArrays(NamedTuple):
    """A tape as it is drawn, and read by the engine; shapes in `dealermarket.draws.tape.Tape`."""

    mid: Array
    reference_spread: Array
    order_start: Array
    investor: Array
    side: Array
    size: Array
    log_curve: Array
    tie: Array
    reservation: Array
    asked: Array
    hedge_tie: Array
    tie_order: Array
    capped: Array


def most_orders(tape: TapeArrays) -> int:
    """How many orders there are in the step that has the most, of all replicas."""
    return int(np.diff(tape.order_start, axis=1).max(initial=0))


class TapeRules(NamedTuple):
    """What the random numbers of a scenario are made into prices and orders with. N investors."""

    initial: float
    mid_is_there: bool  # recorded, and written before orders are drawn
    spread_is_there: bool
    orders_are_there: bool  # recorded: investors, sides and sizes, and where those of each step begin
    reservations_are_there: bool
    panels_are_there: bool
    mid_price: Array  # (1,) record: kind, and the parameters of all kinds
    mid_numbers: Array  # (1, n)
    mid_normal: Array  # (draws,) bool: which of the numbers that a step takes are normal, the others being uniform
    reference_spread: Array  # (1,) record, likewise
    spread_numbers: Array  # (1, n)
    spread_normal: Array  # (draws,) bool
    size: Array  # (N,) records: kind, whether it takes the uniform number, and the parameters of all kinds
    size_numbers: Array  # (N, n)
    uniform_sizes: bool  # whether any takes it
    demand: Array  # (N,) records, likewise
    demand_numbers: Array  # (N, n)
    uniform_demand: bool
    panel: Array  # (N,) int64: how many makers are asked
    allowed: Array  # (N, M) bool: of which
    largest: float  # order size
    trade_probability: Array  # (N,) and so on
    activity: Array  # (1 or B, 1 or T) by what the probability to trade is multiplied: in all episodes, or steps, alike
    buy_probability: Array
    oracle_probability: Array
    of_the_papers: bool  # all kinds of mid price, reference spread, sizes and demand: which machine code runs


_WORDS = 2.0**32


@compiled
def draw_tapes(rules, places, tape):
    """Draws the tapes of episodes, `places` (B, 4), into arrays as of `Tape`, all but the log curves; those of orders have room
    for some number.

    Returns how many orders there are, -1 where there is no room for all, and whether all sizes are above 0."""
    orders, sound = 0, True
    for b in range(len(places)):
        place, first = places[b], orders
        draw_prices(rules, place, tape.mid[b], tape.reference_spread[b])
        if rules.orders_are_there:
            orders = tape.order_start[b, -1]
        else:
            activity = rules.activity[b % len(rules.activity)]
            orders = draw_arrivals(place, rules.trade_probability, activity, tape.order_start[b], tape.investor, first)
        if orders < 0:
            return orders, sound
        own = slice(first, orders)
        tape.capped[b] = 0
        if not rules.orders_are_there:
            tape.capped[b], positive = draw_sizes(rules, place, tape.investor[own], tape.size[own])
            draw_sides(rules, place, tape.mid[b], tape.order_start[b], tape.investor, tape.side)
            sound &= positive
        fill_uniform(place, Stream.TIE, 0, tape.tie[own])
        if not rules.reservations_are_there:
            draw_reservations(rules, place, tape.investor[own], tape.reservation[own])
        if not rules.panels_are_there:
            draw_panels(rules, place, tape.investor[own], tape.asked[own])
        fill_uniform(place, Stream.HEDGE_TIE, 0, tape.hedge_tie[b].reshape(-1))
        draw_orders_of_ties(place, tape.tie_order[b])
    return orders, sound


@compiled
def draw_prices(rules, place, mid, reference_spread):
    """Writes the mids (T + t_m,) and reference spreads (T,) of an episode, but for recorded ones, which are there already."""
    if not rules.mid_is_there:
        rule, numbers = rules.mid_price[0], rules.mid_numbers[0]
        draws = step_numbers(place, Stream.PRICE, rules.mid_normal, len(mid))
        mid[0] = rules.initial
        for t in range(1, len(mid)):
            mid[t] = next_mid(rule.kind, mid[t - 1], draws[:, t], rule, numbers)
    if rules.spread_is_there:
        return
    rule, numbers = rules.reference_spread[0], rules.spread_numbers[0]
    draws = step_numbers(place, Stream.SPREAD, rules.spread_normal, len(reference_spread))
    reference_spread[0] = first_spread(rule.kind, draws[:, 0], rule, numbers)
    for t in range(1, len(reference_spread)):
        reference_spread[t] = next_spread(rule.kind, reference_spread[t - 1], draws[:, t], rule, numbers)


@compiled
def step_numbers(place, stream, normal, steps):
    """What the steps of a process take, (draws, steps): the numbers of each kind come from a stream of their own."""
    numbers = np.empty((len(normal), steps))
    for n in range(len(normal)):
        if normal[n]:
            fill_normal(place, stream + n, numbers[n])
        else:
            fill_uniform(place, stream + n, 0, numbers[n])
    return numbers


@compiled
def draw_arrivals(place, trade_probability, activity, order_start, investor, count):
    """Who trades when: writes `investor` from index `count` on and `order_start` (T + 1,); returns the new count, -1 where
    there is no room for more. `activity` (1,) or (T,) multiplies the probabilities (N,).

    An investor trades where 32 random bits are below 2^32 times its probability; where they are equal to its whole part, 53
    more bits decide: the law is exact."""
    steps, investors = len(order_start) - 1, len(trade_probability)
    factor, probability, threshold = -1.0, trade_probability, np.empty(investors, np.int64)
    blocks = (investors + 3) // 4  # of a step
    words = np.empty((min(max(PIECE // (4 * blocks), 1), steps), 4 * blocks), np.uint32)
    order_start[0] = count
    for t in range(steps):
        if t % len(words) == 0:
            fill_words(place, Stream.ARRIVAL, t * blocks, words[: steps - t].reshape(-1))
        if count + investors >= len(investor):
            return -1
        if activity[t % len(activity)] != factor:
            factor = activity[t % len(activity)]
            probability = np.minimum(trade_probability * factor, 1.0)  # beyond rounding
            threshold[:] = np.floor(probability * _WORDS).astype(np.int64)
        bits = words[t % len(words)]
        for j in range(investors):
            trades = bits[j] < threshold[j]
            if bits[j] == threshold[j]:
                rest = probability[j] * _WORDS - threshold[j]
                trades = uniform_at(place, Stream.ARRIVAL_REST, t * investors + j) < rest
            investor[count] = j  # overwritten by the next unless this one trades: no branch to guess
            count += trades
        order_start[t + 1] = count
    return count


@compiled
def draw_sizes(rules, place, investor, size):
    """Writes the sizes of an episode's orders; returns how many were capped, and whether all are above 0."""
    capped, positive = 0, True
    uniform = fill_both(place, Stream.SIZE, size, rules.uniform_sizes)
    for n in range(len(size)):
        j = investor[n]
        rule = rules.size[j]
        wanted = size_of(rule.kind, uniform[n] if rule.uniform else size[n], rule, rules.size_numbers[j])
        capped += wanted > rules.largest * (1.0 + 1e-12)  # beyond rounding
        positive &= wanted > 0.0
        size[n] = min(wanted, rules.largest)
    return capped, positive


@compiled
def fill_both(place, stream, normal, uniform_too):
    """Fills (n,) with normal numbers of a stream; returns as many uniform numbers of the next one, or none."""
    fill_normal(place, stream, normal)
    uniform = np.empty(len(normal) if uniform_too else 0)
    fill_uniform(place, stream + 1, 0, uniform)
    return uniform


@compiled
def draw_reservations(rules, place, investor, reservation):
    """Writes the reservations of an episode's orders; there is no room for any where every request trades."""
    uniform = fill_both(place, Stream.RESERVATION, reservation, rules.uniform_demand)
    for n in range(len(reservation)):
        j = investor[n]
        rule = rules.demand[j]
        draw = uniform[n] if rule.uniform else reservation[n]
        reservation[n] = reservation_of(rule.kind, draw, rule, rules.demand_numbers[j])


@compiled
def draw_panels(rules, place, investor, asked):
    """Writes which makers an episode's orders ask, (orders, M): of those allowed, who have the smallest of M uniform numbers.

    There is no room for any where everybody asks all makers."""
    makers = asked.shape[1]
    draw = np.empty(asked.size)
    fill_uniform(place, Stream.PANEL, 0, draw)
    for n in range(len(asked)):
        j, own = investor[n], draw[n * makers : (n + 1) * makers]
        for i in range(makers):
            before = 0
            for k in range(makers):
                before += rules.allowed[j, k] and (own[k] < own[i] or (own[k] == own[i] and k < i))
            asked[n, i] = rules.allowed[j, i] and before < rules.panel[j]


@compiled
def draw_sides(rules, place, mid, order_start, investor, side):
    """Writes the sides of an episode's orders; oracles look at the mids (T + t_m,)."""
    steps = len(order_start) - 1
    horizon, first = len(mid) - steps, order_start[0]
    side_draw, oracle_draw = np.empty(order_start[-1] - first), np.zeros(order_start[-1] - first)
    fill_uniform(place, Stream.SIDE, 0, side_draw)
    if np.any(rules.oracle_probability > 0.0):
        fill_uniform(place, Stream.ORACLE, 0, oracle_draw)
    for t in range(steps):
        move = mid[t + horizon] - mid[t]
        for n in range(order_start[t], order_start[t + 1]):
            j = investor[n]
            side[n] = order_side(
                side_draw[n - first], oracle_draw[n - first], rules.buy_probability[j], rules.oracle_probability[j], move
            )


@compiled
def draw_orders_of_ties(place, tie_order):
    """Writes all participants in random order, all orders being equally likely, for every maker, (M, J)."""
    makers, participants = tie_order.shape
    draw = np.empty(makers * participants)
    fill_uniform(place, Stream.RANKING, 0, draw)
    for i in range(makers):
        order = tie_order[i]
        for j in range(participants):
            other = int(draw[i * participants + j] * (j + 1))  # takes the place of one of those before, or its own
            order[j] = order[other]
            order[other] = j
