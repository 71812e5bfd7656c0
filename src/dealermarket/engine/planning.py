"""Hedging plans: which table of optimal schedules a maker looks up against each rival, and the look-up (section 3.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import kernel
from dealermarket.engine.curve_tables import between_jumps, curve_table
from dealermarket.engine.envelope import FURTHER, HIGHEST, LOWEST, WORTH, best_first, last_unit, rest_of
from dealermarket.engine.hedge_tables import CAP, HedgeTables, Table, interpolate, power_table, size_cell, stacked
from dealermarket.engine.quotes import Prices, cost_of_hedge, cost_with, level_of, quoted_tier, surcharge_of
from dealermarket.errors import ParameterError
from dealermarket.laws import quoted_spread
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging import PlannedHedging
from dealermarket.model.makers.pricing import PricingRule
from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


def plans_of(scenario: Scenario) -> tuple[Array, HedgeTables]:
    """The number of the table of every maker (M) against every rival and the exchange (M + 1) in every tier (K), -1 where it
    does not trade there or plans nothing; and the tables. Builds those that are neither in memory nor on disk.

    Raises ParameterError for a rival's prices that cannot be planned against."""
    makers = scenario.makers
    deepest = max(maker.tiering.tiers for maker in makers)
    number = np.full((len(makers), len(makers) + 1, deepest), -1, np.int64)
    tables: list[Table] = []
    known: dict[tuple[object, ...], int] = {}

    def number_of(key: tuple[object, ...], horizon: int, rival: MarketMakerAgent | None, tier: int) -> int:
        if key not in known:
            known[key] = len(tables)
            tables.append(_table(scenario, horizon, rival, tier))
        return known[key]

    for i, maker in enumerate(makers):
        hedging = maker.hedging
        if not (isinstance(hedging, PlannedHedging) and hedging.plans):
            continue
        if hedging.venue != "makers":
            number[i, -1] = number_of((1.0, hedging.horizon), hedging.horizon, None, 0)
        for j, rival in enumerate(makers):
            if j == i or hedging.venue == "exchange":
                continue
            exponent = rival.pricing.power_of_reference
            for tier in range(rival.tiering.tiers):
                curve = (exponent,) if exponent is not None else (_curve_of(rival.pricing), tier)
                number[i, j, tier] = number_of((*curve, hedging.horizon), hedging.horizon, rival, tier)
    return number, stacked(tables)


def _curve_of(pricing: PricingRule) -> str:
    """What tells curves apart, which skews do not change."""
    return pricing.model_dump_json(exclude={"eps_buy", "eps_sell"})


def _table(scenario: Scenario, horizon: int, rival: MarketMakerAgent | None, tier: int) -> Table:
    """The table against a rival's curve in a tier, or against the exchange."""
    exchange = scenario.exchange
    exponent = 1.0 if rival is None else rival.pricing.power_of_reference
    if rival is None or exponent is not None:
        return power_table(exponent if exponent is not None else 1.0, exchange.lam, horizon)
    try:
        jumps = [size / exchange.v_max for size in rival.pricing.jumps]
        return curve_table(lambda share: rival.pricing.relative_spread(share * exchange.v_max, tier, exchange), horizon, jumps)
    except ParameterError as error:
        raise ParameterError(
            f"{scenario.name}: hedges cannot be planned on the prices of {rival.name!r} in tier {tier} ({rival.pricing.kind!r} "
            f"pricing): {error}; set the hedger's venue = 'exchange', or a kind of hedging that plans nothing"
        ) from None


@kernel
def planned_fraction(situation, risk):
    """x_0 of the schedule with the rival whose own optimum is the cheapest, from the tables, or where another is cheaper for some
    sizes, of the best schedule with several; `risk` = gamma s."""
    rules, i = situation.rules, situation.maker
    q, horizon = situation.size / rules.v_max, rules.hedging[i].horizon
    fraction, best = min(CAP / q, 1.0), np.inf
    # the largest trade at every step is not enough; or what is NaN, as kinds of others may make it, has no place in a table
    if not (q < CAP * horizon and risk >= 0.0):
        return fraction
    cell, within = size_cell(q, horizon)
    cheapest, its_floor, other_floor, its_level, its_surcharge, its_alpha = -1, np.inf, np.inf, 0.0, 0.0, 0.0
    for j in range(len(rules.pricing) + 1):
        table, level, surcharge = terms_of(situation, j)
        if table < 0:
            continue
        alpha = rules.tables.alpha[table]
        if alpha >= its_alpha > 0.0 and level >= its_level and surcharge >= its_surcharge:
            continue  # dearer for every size
        floor = quoted_spread(level, rules.tables.least[table], surcharge)
        if floor >= best:
            continue  # no schedule costs less than trades at the least price without risk
        first, relative = interpolate(rules.tables, table, cell, within, q, risk, level)
        value = quoted_spread(level, relative, surcharge)
        if value < best:
            fraction, best, cheapest = first, value, j
            its_level, its_surcharge, its_alpha = level, surcharge, alpha
            its_floor, floor = floor, its_floor
        other_floor = min(other_floor, floor)
    if cheapest >= 0 and rules.tables.jumps.shape[1] > 0:
        table, _, _ = terms_of(situation, cheapest)
        return between_jumps(rules.tables, table, cell, within, q, risk, its_level, fraction)
    alone = other_floor >= best or horizon == 1.0
    if alone or not pays_to_share(situation, risk, cheapest, fraction, best, its_floor, other_floor):
        return fraction
    return fraction_with_several(situation, risk, cell, within, fraction, best)


@kernel
def terms_of(situation, j):
    """The table of maker j, or the exchange, for the hedger, -1 where there is none; the level of its curve; its surcharge."""
    rules, market, i = situation.rules, situation.market, situation.maker
    if j == i:
        return -1, 0.0, 0.0
    if j == len(rules.pricing):
        return rules.table[i, j, 0], situation.half_spread, 0.0
    prices = Prices(situation.mid, situation.half_spread, situation.unit)
    rule, tier = market.pricing[j], quoted_tier(market, j, rules.investors + i)
    surcharge = surcharge_of(rule.kind, tier, situation.unit, rule, rules.pricing_numbers[j])
    return rules.table[i, j, tier], level_of(rule, situation.side, prices), surcharge


@kernel
def pays_to_share(situation, risk, cheapest, fraction, best, its_floor, other_floor):
    """Whether it may pay to trade with several: `fraction` and `best` are those of the cheapest rival's own optimum, `its_floor`
    and `other_floor` its price at size 0 and the least of the others'."""
    if its_floor > other_floor:  # another is cheaper for small trades
        return fraction < 1.0 or risk + other_floor < last_unit(situation, cheapest, fraction)[1]
    if fraction >= 1.0:
        return False
    larger = min(FURTHER * fraction, situation.largest / situation.size)
    price = cost_with(situation, cheapest, situation.size * larger)
    return larger * (price - cost_of_hedge(situation, situation.size * larger)) > WORTH * best


@kernel
def fraction_with_several(situation, risk, cell, within, fraction, best):
    """x_0 where large trades may go to one rival and small ones to another; `fraction` and `best` are those of the cheapest
    rival's own optimum."""
    rules, horizon = situation.rules, situation.rules.hedging[situation.maker].horizon
    q = situation.size / rules.v_max
    least = max(1.0 / horizon, 1.0 - (horizon - 1.0) * CAP / q, LOWEST * fraction)
    most, cost = min(CAP / q, 1.0, HIGHEST * fraction), best * (1.0 - WORTH)
    for j in range(len(rules.pricing) + 1):
        table, level, surcharge = terms_of(situation, j)
        if table < 0:
            continue
        floor = quoted_spread(level, rules.tables.least[table], surcharge)
        if floor >= best:
            continue
        first, relative = interpolate(rules.tables, table, cell, within, q, risk, level)
        rest = rest_of(situation, j, risk, horizon, first, quoted_spread(level, relative, surcharge), floor)
        other, other_cost = best_first(situation, rest, least, most)
        if other_cost < cost:
            fraction, cost = other, other_cost
    return fraction
