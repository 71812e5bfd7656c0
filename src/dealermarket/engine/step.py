"""One step of the market, in the order of docs/model.md, "One step": the engine as the paper reads.

`begin_step` is everything up to the point where policies written in Python act, `finish_step` the rest; without such
policies they are called back to back. No randomness inside: prices, orders and the draws that break ties are handed
in. Functions take the rules and the state of one market, `earned` (M,) MAKER_STEP being this step's record.
"""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import kernel
from dealermarket.draws.arithmetic import log_curve
from dealermarket.engine.planning import planned_fraction
from dealermarket.engine.quotes import (
    Request,
    cheapest,
    cost_of_hedge,
    exchange_quote,
    is_asked,
    prices_of,
    quoted_tier,
    request_of,
    reservation_of,
)
from dealermarket.engine.ranking import Ranking, move_in_ranking, rank_all
from dealermarket.engine.records import HEDGE, MAKERS, ORDER
from dealermarket.laws import (
    LARGEST_TRADE,
    affected_mid,
    counts_as_zero,
    position_revenue,
    risk_cost,
    trade_yield,
    trades_at,
    updated_average,
)
from dealermarket.model.makers.hedging import HEDGINGS, Situation
from dealermarket.model.makers.tiering import TIERINGS
from dealermarket.model.market.impact import IMPACTS
from dealermarket.slots import Law

metric_of = Law(TIERINGS, "law")
fraction_of = Law(HEDGINGS, "law")
next_permanent, next_transient = Law(IMPACTS, "next_permanent"), Law(IMPACTS, "next_transient")


@kernel
def start(rules, market, tie_order):
    """A new market: nobody holds, has earned or is owed anything. Equal metrics rank in `tie_order` (M, J)."""
    market.clock[0], market.slot[0] = 0, 0
    price = market.price[0]
    price.permanent, price.transient, price.shift = 0.0, 0.0, 0.0
    for slot in range(rules.reward_horizon):
        market.pending_count[slot] = 0
    for i in range(len(rules.pricing)):
        totals, flow = market.totals[i], market.flow[i]
        market.position[i] = 0.0
        for j in range(market.standing.shape[1]):
            standing = market.standing[i, j]
            standing.psi, standing.matured, standing.matured_volume = 0.0, 0, 0.0
        rank_all(ranking_of(rules, market, i), rules.investors + i, tie_order[i])
        market.pricing[i] = rules.pricing[i]
        market.tiers_given[i], market.given_fraction[i] = False, np.nan
        flow.bought, flow.sold, flow.market = 0.0, 0.0, 0.0
        totals.spread_revenue, totals.position_revenue, totals.hedging_cost, totals.risk_cost = 0.0, 0.0, 0.0, 0.0
        totals.pnl, totals.impact_pnl, totals.client_revenue = 0.0, 0.0, 0.0
        totals.volume, totals.client_volume, totals.hedge_volume, totals.trades = 0.0, 0.0, 0.0, 0
        totals.requests, totals.asked, totals.won, totals.refused = 0, 0, 0, 0
        totals.asked_volume, totals.refused_volume = 0.0, 0.0
        totals.abs_position, totals.position_squared, totals.position_product = 0.0, 0.0, 0.0


@kernel
def begin_step(rules, market, unaffected, earned):
    """Steps 1 to 3: what the new mid does to positions, trades and tiers. `unaffected` is the mid without makers' impact."""
    price = market.price[0]
    mid = affected_mid(unaffected, price.permanent, price.transient)
    mid = mid if 0.0 < mid < np.inf else unaffected  # goes on at some price: the record says that the market cannot be
    price.mid = mid
    charge_risk(market, mid, earned)
    mature_trades(rules, market, mid, earned)
    update_tiers(rules, market)
    market.mids[market.slot[0]] = mid


@kernel
def finish_step(rules, market, s0, orders, hedge_tie, earned):
    """Steps 4 to 6: orders, hedges and positions, at the mid of `begin_step`.

    `s0` is the reference spread as drawn, `hedge_tie` (M,) the draws that break ties among hedge quotes.
    """
    prices = prices_of(rules, market.price[0].mid, s0)
    market.pending_count[market.slot[0]] = 0
    match_orders(rules, market, prices, orders, earned)
    bought = hedge_positions(rules, market, prices, hedge_tie, earned)
    move_positions(rules, market)
    move_impact(rules, market, bought)
    add_to_totals(market, earned)
    market.clock[0] += 1
    market.slot[0] = market.slot[0] + 1 if market.slot[0] + 1 < rules.reward_horizon else 0


@kernel
def charge_risk(market, mid, earned):
    """Step 1: the risk cost of the position held into the step; also opens the step's record."""
    before = market.slot[0] - 1 if market.slot[0] > 0 else len(market.mids) - 1
    move = mid - market.mids[before] if market.clock[0] > 0 else 0.0
    for i in range(len(earned)):
        position = market.position[i]
        earned[i].position = position
        earned[i].risk_cost = risk_cost(position, move)
        earned[i].spread_revenue, earned[i].position_revenue, earned[i].hedging_cost = 0.0, 0.0, 0.0
        earned[i].hedge_fraction, earned[i].hedge_size, earned[i].step_volatility = 0.0, 0.0, 0.0
        market.totals[i].pnl += position * move
        market.totals[i].impact_pnl += position * market.price[0].shift


@kernel
def mature_trades(rules, market, mid, earned):
    """Step 2: the trades of t_m steps ago get their position revenue and yield, in the order they were made."""
    slot = market.slot[0]  # what stands there was done t_m steps ago; nothing does in the first t_m steps
    move = mid - market.mids[slot]
    for n in range(market.pending_count[slot]):
        trade = market.pending[slot, n]
        taker, i, j = trade.taker - rules.investors, trade.maker - rules.investors, trade.taker
        if taker >= 0:
            earned[taker].position_revenue += position_revenue(trade.side * trade.volume, move)
        if i == len(rules.pricing):
            continue  # the exchange neither earns nor tiers
        trade.position_revenue = position_revenue(-trade.side * trade.volume, move)
        trade.trade_yield = trade_yield(trade.spread, trade.side, move)
        earned[i].position_revenue += trade.position_revenue
        if rules.tiering[i].ranks:
            standing = market.standing[i, j]
            first = standing.matured == 0
            standing.psi = updated_average(standing.psi, trade.trade_yield, rules.tiering[i].weight, first)
            standing.matured += 1
            standing.matured_volume += trade.volume


@kernel
def update_tiers(rules, market):
    """Step 3: whoever's metric has changed moves in the maker's ranking, and tiers follow."""
    slot = market.slot[0]  # what stands there was done t_m steps ago; nothing does in the first t_m steps
    for n in range(market.pending_count[slot]):
        j, i = market.pending[slot, n].taker, market.pending[slot, n].maker - rules.investors
        if i == len(rules.tiering) or not rules.tiering[i].ranks:
            continue
        rule, standing = rules.tiering[i], market.standing[i, j]
        metric = metric_of(rule.kind, standing.psi, standing.matured_volume, standing.matured, rule, rules.tiering_numbers[i])
        move_in_ranking(ranking_of(rules, market, i), j, metric)


@kernel
def ranking_of(rules, market, i):
    """Maker i's ranking of the others."""
    return Ranking(
        market.standing[i],
        market.ranked[i],
        market.key[i],
        market.tie[i],
        market.edge[i],
        rules.tier_start[i],
        market.block[i],
        rules.tier_block[i],
        rules.tiering[i].tiers,
        rules.fixed_tier[i],
        market.tier[:, i],
    )


@kernel
def match_orders(rules, market, prices, orders, earned):
    """Step 4: every order trades with the cheapest of the makers that it asks, unless even that is too dear for it."""
    bought, sold, refused = 0.0, 0.0, 0.0
    for i in range(len(earned)):
        market.flow[i].bought, market.flow[i].sold = 0.0, 0.0
        earned[i].eps_buy, earned[i].eps_sell = market.pricing[i].eps_buy, market.pricing[i].eps_sell
    for n in range(len(orders.investor)):
        request = request_of(rules, orders, n)
        i, spread = cheapest(rules, market, request, MAKERS, prices)
        limit = reservation_of(orders, n)
        if limit < np.inf and not trades_at(spread, exchange_quote(request, prices), limit):
            refused += request.size
            count_refusal(rules, market, request)
            continue
        record_trade(rules, market, request, i, spread, ORDER)
        earned[i].spread_revenue += spread * request.size
        market.totals[i].client_volume += request.size
        market.totals[i].won += 1
        if request.side > 0:
            market.flow[i].bought += request.size
            bought += request.size
        else:
            market.flow[i].sold += request.size
            sold += request.size
    for i in range(len(earned)):
        market.flow[i].market = bought + sold
        earned[i].client_revenue = earned[i].spread_revenue
    count_requests(market, orders, bought + sold + refused)


@kernel
def count_refusal(rules, market, request):
    """Counts a request that does not trade, for each maker that was asked."""
    for i in range(len(market.totals)):
        if is_asked(rules, request, i):
            market.totals[i].refused += 1
            market.totals[i].refused_volume += request.size


@kernel
def count_requests(market, orders, volume):
    """Counts the requests of a step, for each maker that was asked; `volume` is the size of all."""
    chosen = len(orders.asked) > 0
    for i in range(len(market.totals)):
        totals = market.totals[i]
        totals.requests += len(orders.investor)
        if not chosen:
            totals.asked += len(orders.investor)
            totals.asked_volume += volume
            continue
        for n in range(len(orders.investor)):
            if orders.asked[n, i]:
                totals.asked += 1
                totals.asked_volume += orders.size[n]


@kernel
def hedge_positions(rules, market, prices, hedge_tie, earned):
    """Step 5: every maker hedges the position it held into the step, all at once. Returns what all bought at the exchange."""
    largest, bought = LARGEST_TRADE * rules.v_max, 0.0
    for i in range(len(rules.hedging)):
        rule, position = rules.hedging[i], market.position[i]
        earned[i].step_volatility = rule.volatility * prices.mid
        if counts_as_zero(position, market.totals[i].volume + market.totals[i].hedge_volume):
            continue
        side = -1 if position > 0.0 else 1
        fraction = market.given_fraction[i]
        if np.isnan(fraction):
            mid, half_spread, unit = prices
            situation = Situation(
                position, abs(position), side, mid, half_spread, unit, rule.volatility, largest, i, rules, market
            )
            fraction = fraction_of(rule.kind, situation, rule, cost_of_hedge, planned_fraction)
        fraction = min(max(fraction, 0.0), largest / abs(position))
        size = abs(position) * fraction
        if size == 0.0:
            continue
        curve = log_curve(size, rules.v_max, rules.curve_exponent)
        request = Request(rules.investors + i, side, size, curve, hedge_tie[i], rules.no_panel)
        j, spread = cheapest(rules, market, request, rule.venue, prices)
        record_trade(rules, market, request, j, spread, HEDGE)
        earned[i].hedge_fraction = fraction
        earned[i].hedge_size = side * size
        earned[i].hedging_cost -= spread * size
        market.totals[i].hedge_volume += size
        if j < len(rules.hedging):
            earned[j].spread_revenue += spread * size
        else:
            bought += side * size
    return bought


@kernel
def move_positions(rules, market):
    """Step 6: positions move by all trades of the step."""
    slot = market.slot[0]
    for n in range(market.pending_count[slot]):
        trade = market.pending[slot, n]
        maker, taker = trade.maker - rules.investors, trade.taker - rules.investors
        if maker < len(rules.pricing):
            market.position[maker] -= trade.side * trade.volume
        if taker >= 0:
            market.position[taker] += trade.side * trade.volume


@kernel
def move_impact(rules, market, bought):
    """Step 6: what the net volume `bought` at the exchange adds to the mid, from the next step on."""
    rule, numbers, price = rules.impact[0], rules.impact_numbers[0], market.price[0]
    permanent = next_permanent(rule.kind, price.permanent, bought, rule, numbers)
    transient = next_transient(rule.kind, price.transient, bought, rule, numbers)
    price.shift = permanent + transient - (price.permanent + price.transient)
    price.permanent, price.transient = permanent, transient


@kernel
def add_to_totals(market, earned):
    """Adds what the step brought, once positions have moved, to the sums of the run."""
    for i in range(len(earned)):
        totals = market.totals[i]
        totals.spread_revenue += earned[i].spread_revenue
        totals.position_revenue += earned[i].position_revenue
        totals.hedging_cost += earned[i].hedging_cost
        totals.risk_cost += earned[i].risk_cost
        totals.pnl += earned[i].spread_revenue + earned[i].hedging_cost
        totals.client_revenue += earned[i].client_revenue
        totals.abs_position += abs(earned[i].position)
        totals.position_squared += earned[i].position ** 2
        totals.position_product += earned[i].position * market.position[i]


@kernel
def record_trade(rules, market, request, maker, spread, kind):
    """Writes a trade, to be booked when it matures, into the circular buffer."""
    t, slot, taker = market.clock[0], market.slot[0], request.participant
    trade = market.pending[slot, market.pending_count[slot]]
    market.pending_count[slot] += 1
    trade.step, trade.taker, trade.maker, trade.side, trade.kind = t, taker, rules.investors + maker, request.side, kind
    trade.volume, trade.spread, trade.position_revenue, trade.trade_yield = request.size, spread, np.nan, np.nan
    trade.tier = 0
    if maker < len(rules.pricing):
        trade.tier = quoted_tier(market, maker, taker)
        market.totals[maker].volume += request.size
        market.totals[maker].trades += 1
