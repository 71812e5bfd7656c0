"""Quotes: what makers charge a participant, and who is the cheapest (section 3.3)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dealermarket.compiled import kernel
from dealermarket.draws.arithmetic import log_curve
from dealermarket.engine.records import EXCHANGE, MAKERS
from dealermarket.laws import power_curve, quoted_spread, skewed_level, tied_winner
from dealermarket.model.makers.pricing import PRICINGS
from dealermarket.slots import Law

curve_of, surcharge_of = Law(PRICINGS, "curve"), Law(PRICINGS, "surcharge")


@kernel
def quoted_tier(market, i, participant):
    """The tier in which maker i quotes to a participant."""
    own, given = market.tier[participant, i], market.given_tier[participant, i]
    return given if market.tiers_given[i] else own


class Prices(NamedTuple):
    """Prices of a step, price units."""

    mid: Any
    half_spread: Any  # S_ref(0)
    unit: Any  # what one price unit is: 1, or the mid where spreads scale with the price


@kernel
def prices_of(rules, mid, s0):
    """The prices of a step; `s0` is the reference spread as drawn."""
    unit = mid if rules.scale_with_price else 1.0
    return Prices(mid, 0.5 * s0 * unit, unit)


class Request(NamedTuple):
    """Who asks for a quote, and for what."""

    participant: Any
    side: Any  # +1 buys, -1 sells
    size: Any
    log_curve: Any  # log(S_ref(size) / S_ref(0))
    tie: Any  # decides among equal quotes, in [0, 1)
    panel: Any  # (M,) bool: which makers are asked; (0,) where all others are


class Orders(NamedTuple):
    """The orders of a step, an entry each."""

    investor: Any
    side: Any  # +1 buys, -1 sells
    size: Any
    log_curve: Any  # log(S_ref(size) / S_ref(0))
    tie: Any  # decides among equal quotes, in [0, 1)
    reservation: Any  # the dearest best quote that trades, in units of S_ref(size); none where all trade
    asked: Any  # (M,) bool of each: which makers are asked; none where all are


@kernel
def orders_between(tape, first, last):
    """The orders `first` to `last` - 1 of a tape."""
    chosen = slice(first, last)
    return Orders(
        tape.investor[chosen],
        tape.side[chosen],
        tape.size[chosen],
        tape.log_curve[chosen],
        tape.tie[chosen],
        tape.reservation[chosen],
        tape.asked[chosen],
    )


@kernel
def request_of(rules, orders, n):
    """Order n as a request for quotes."""
    panel = orders.asked[n] if len(orders.asked) > 0 else rules.no_panel
    return Request(orders.investor[n], orders.side[n], orders.size[n], orders.log_curve[n], orders.tie[n], panel)


@kernel
def is_asked(rules, request, i):
    """Whether maker i is asked for a quote, which a maker never is by itself."""
    return rules.investors + i != request.participant and (len(request.panel) == 0 or request.panel[i])


@kernel
def reservation_of(orders, n):
    """The dearest best quote at which order n trades, in units of the reference curve at its size."""
    return orders.reservation[n] if len(orders.reservation) > 0 else np.inf


@kernel
def cheapest(rules, market, request, venue, prices):
    """The maker (M for the exchange) with the best quote for a request, and its spread; ties are drawn fairly."""
    best, ties, winner = np.inf, 0, len(rules.pricing)
    if venue != EXCHANGE:
        for i in range(len(rules.pricing)):
            if is_asked(rules, request, i):
                spread = quote(rules, market, i, request, prices)
                ahead = (spread < best) | (ties == 0)  # selected without branches, which nobody could guess
                ties = 1 if ahead else ties + (spread == best)
                winner = i if ahead else winner
                best = spread if ahead else best
    if ties > 1:
        behind = int(tied_winner(request.tie, ties))  # how many of the equals to pass over
        while behind > 0:
            winner += 1
            if is_asked(rules, request, winner):
                behind -= quote(rules, market, winner, request, prices) == best
    if venue != MAKERS:
        reference = exchange_quote(request, prices)
        if reference < best:
            best, winner = reference, len(rules.pricing)
    return winner, best


@kernel
def cover(rules, market, request, prices):
    """The second best quote of the makers asked, NaN where one was asked; and how many were."""
    best, second, asked = np.inf, np.inf, 0
    for i in range(len(rules.pricing)):
        if is_asked(rules, request, i):
            spread = quote(rules, market, i, request, prices)
            second = min(second, max(spread, best))
            best = min(best, spread)
            asked += 1
    return second if asked > 1 else np.nan, asked


@kernel
def quotes_of_all(rules, market, request, prices, quotes):
    """Writes the spread that each maker quotes for a request, NaN of who is not asked, into the first M of `quotes`."""
    for i in range(len(rules.pricing)):
        quotes[i] = quote(rules, market, i, request, prices) if is_asked(rules, request, i) else np.nan


@kernel
def quote(rules, market, i, request, prices):
    """Maker i's spread for a request."""
    rule, numbers, tier = market.pricing[i], rules.pricing_numbers[i], quoted_tier(market, i, request.participant)
    return quoted_spread(
        level_of(rule, request.side, prices),
        curve_of(rule.kind, request.size, request.log_curve, tier, rule, numbers),
        surcharge_of(rule.kind, tier, prices.unit, rule, numbers),
    )


@kernel
def exchange_quote(request, prices):
    """The exchange's spread for a request."""
    return quoted_spread(prices.half_spread, power_curve(request.log_curve, 1.0), 0.0)


@kernel
def level_of(rule, side, prices):
    """What a maker's curve is a multiple of for clients on a side, price units."""
    level = prices.unit if rule.in_price_units else prices.half_spread
    return skewed_level(level, rule.eps_buy if side > 0 else rule.eps_sell)


@kernel
def asked_by_hedger(situation, size):
    """The request for a hedge of this size, and the prices of its step."""
    rules = situation.rules
    curve = log_curve(size, rules.v_max, rules.curve_exponent)
    request = Request(rules.investors + situation.maker, situation.side, size, curve, 0.0, rules.no_panel)
    return request, Prices(situation.mid, situation.half_spread, situation.unit)


@kernel
def cost_of_hedge(situation, size):
    """The best quote of the venue for a hedge of this size, cost per unit."""
    rules, market = situation.rules, situation.market
    request, prices = asked_by_hedger(situation, size)
    return cheapest(rules, market, request, rules.hedging[situation.maker].venue, prices)[1]


@kernel
def cost_with(situation, rival, size):
    """What one maker, or the exchange (M), charges for a hedge of this size, cost per unit."""
    request, prices = asked_by_hedger(situation, size)
    if rival == len(situation.rules.pricing):
        return exchange_quote(request, prices)
    return quote(situation.rules, situation.market, rival, request, prices)
