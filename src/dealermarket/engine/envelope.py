"""The first hedge against several rivals whose curves cross: large trades with one of them, small ones with another.

The best schedule on the envelope of all quotes needs a search over schedules, which no table can hold: prices of tiers, in half
spreads, differ from step to step. So only the first trade is chosen anew, at the best quote for its size, and what is left
is traded with one rival, at the cost R(y) of the best schedule for a part y of the position. The tables of that rival's own
optimum, of value V, first fraction x_0 and y_0 = 1 - x_0 left, tell four things about R, which is convex:

    R(0) = 0,  R'(0) = c(0) + gamma s,  R(y_0) = V - x_0 c(|z| x_0),  R'(y_0) = d(x c(|z| x))/dx at x_0.

The curve R'(0) y + b y^p through them stands for R (section 3.3, eq. 7). Where it is cheaper, what is left is traded in pieces
like the first instead, at the best quotes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dealermarket.compiled import kernel
from dealermarket.engine.hedge_tables import CAP
from dealermarket.engine.quotes import cost_of_hedge, cost_with
from dealermarket.laws import mean_plus_risk

FURTHER = 1.25  # times the first trade: where another rival must be cheaper for that to be worth a search
LOWEST, HIGHEST = 0.75, 2.0  # times the first trade: where the search goes
POINTS = 8  # first trades that are tried at first
HALVINGS = 6  # of the interval around the best of them
WORTH = 1e-3  # the least part of the cost that another first trade must save


class Rest(NamedTuple):
    """What trading a part y of the position later costs with one rival, R(y), per unit of the whole, price units."""

    rival: Any
    steps: Any  # that are left after the first trade
    risk: Any  # gamma s
    part: Any  # y_0
    first_slope: Any  # R'(0)
    bent: Any  # R(y_0) - R'(0) y_0
    power: Any  # p


@kernel
def last_unit(situation, rival, first):
    """The price of a first trade with a rival, and what its last unit costs: d(x c(|z| x))/dx at x = `first`; price units."""
    step, price, slope = 1e-6, 0.0, 0.0
    for kept in (1.0 - step, 1.0):  # a loop, so that the machine code of a quote stands here once
        former, price = price, cost_with(situation, rival, situation.size * first * kept)
        slope = (price - former * (1.0 - step)) / step
    return price, slope


@kernel
def rest_of(situation, rival, risk, horizon, first, value, floor):
    """The Rest after the first trade of a rival's own optimum: `first` fraction and `value`; `floor` is its price at size 0."""
    part, first_slope = 1.0 - first, floor + risk
    price, slope = last_unit(situation, rival, first)
    bent = max(value - first * price - first_slope * part, 0.0)
    power = (slope - first_slope) * part / bent if bent > 0.0 else 1.0
    return Rest(rival, horizon - 1.0, risk, part, first_slope, bent, min(max(power, 1.0), 1e3))


@kernel
def cost_of_rest(situation, rest, part):
    """R(y) for any part y of the position."""
    size, at_once = situation.size * part, np.inf  # what all of it costs in the next step
    if size <= CAP * situation.rules.v_max * (1.0 + 1e-9):
        at_once = part * (cost_with(situation, rest.rival, size) + rest.risk) if size > 0.0 else 0.0
    if rest.steps < 2.0 or rest.part < 1e-9:
        return at_once
    return min(rest.first_slope * part + rest.bent * (part / rest.part) ** rest.power, at_once)


@kernel
def cost_from(situation, rest, first):
    """What a first trade at the best quote and the rest cost, per unit of the position, price units."""
    pieces = min(np.floor(1.0 / first), rest.steps)  # like the first, before the last one
    last = max(1.0 - pieces * first, 0.0)
    price, last_price = 0.0, 0.0
    for part in (last, first):
        last_price = price
        if part > 1e-12:
            price = cost_of_hedge(situation, situation.size * part)
    variance = pieces * (1.0 - first * (pieces + 1.0) * (1.0 - first * (2.0 * pieces + 1.0) / 6.0))
    alike = mean_plus_risk(pieces * first * price + last * last_price, max(variance, 0.0), rest.risk)
    return min(alike, first * price + cost_of_rest(situation, rest, 1.0 - first))


@kernel
def best_first(situation, rest, least, most):
    """The first fraction between `least` and `most` from which `cost_from` is least, and this cost."""
    first, cost, middle, spacing = most, np.inf, most, (most - least) / POINTS
    for n in range(POINTS + 1 + 2 * HALVINGS):
        if n <= POINTS:
            other = most - n * spacing
        elif (n - POINTS) % 2 == 1:
            middle, spacing = first, 0.5 * spacing
            other = max(middle - spacing, least)
        else:
            other = min(middle + spacing, most)
        other_cost = cost_from(situation, rest, other)
        if other_cost < cost:
            first, cost = other, other_cost
    return first, cost
