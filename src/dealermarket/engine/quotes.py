"""Quotes: what makers charge a participant, and who is the cheapest (section 3.3)."""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import kernel
from dealermarket.draws.arithmetic import log_curve
from dealermarket.engine.records import EXCHANGE, MAKERS
from dealermarket.laws import power_curve, quoted_spread, tied_winner
from dealermarket.model.makers.pricing import PRICINGS
from dealermarket.slots import Law

curve_of, surcharge_of = Law(PRICINGS, "curve"), Law(PRICINGS, "surcharge")


@kernel
def quoted_tier(market, i, participant):
    """The tier in which maker i quotes to a participant."""
    return market.given_tier[i, participant] if market.tiers_given[i] else market.tier[i, participant]


@kernel
def cheapest(rules, market, participant, venue, side, size, curve, half, unit, tie):
    """The maker (M for the exchange) with the best quote to a participant, and its spread; ties are drawn fairly."""
    best, ties, winner = np.inf, 0, len(rules.pricing)
    if venue != EXCHANGE:
        for i in range(len(rules.pricing)):
            if rules.investors + i != participant:
                spread = quote(rules, market, i, participant, side, size, curve, half, unit)
                if spread < best or ties == 0:
                    best, ties, winner = spread, 1, i
                elif spread == best:
                    ties += 1
    if ties > 1:
        behind = int(tied_winner(tie, ties))  # how many of the equals to pass over
        while behind > 0:
            winner += 1
            if rules.investors + winner != participant:
                behind -= quote(rules, market, winner, participant, side, size, curve, half, unit) == best
    if venue != MAKERS:
        reference = quoted_spread(half, 0.0, power_curve(curve, 1.0), 0.0)
        if reference < best:
            best, winner = reference, len(rules.pricing)
    return winner, best


@kernel
def quote(rules, market, i, participant, side, size, curve, half, unit):
    """Maker i's spread for a participant who buys (side +1) or sells; `curve` is log(S_ref(size) / S_ref(0))."""
    rule, numbers, tier = market.pricing[i], rules.pricing_numbers[i], quoted_tier(market, i, participant)
    skew = rule.eps_buy if side > 0 else rule.eps_sell
    return quoted_spread(
        unit if rule.in_price_units else half,
        skew,
        curve_of(rule.kind, size, curve, tier, rule, numbers),
        surcharge_of(rule.kind, tier, unit, rule, numbers),
    )


@kernel
def cost_of_hedge(situation, size):
    """The best quote of the venue for a hedge of this size, cost per unit."""
    rules, market, i = situation.rules, situation.market, situation.maker
    curve = log_curve(size, rules.v_max, rules.curve_exponent)
    _, spread = cheapest(
        rules,
        market,
        rules.investors + i,
        rules.hedging[i].venue,
        situation.side,
        size,
        curve,
        situation.half_spread,
        situation.unit,
        0.0,
    )
    return spread
