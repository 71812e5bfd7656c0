"""One step of the market, in the order of docs/model.md, "One step": the engine as the paper reads.

`begin_step` is everything up to the point where policies written in Python act, `finish_step` the rest; without such
policies they are called back to back. No randomness inside: prices, orders and the draws that break ties are handed
in. Functions take the rules and the state of one market, `earned` (M,) MAKER_STEP being this step's record.
"""

from __future__ import annotations

import numpy as np

from dealermarket import laws
from dealermarket.compiled import kernel
from dealermarket.draws.arithmetic import log_curve
from dealermarket.engine.hedge_tables import CAP, interpolate, size_cell
from dealermarket.engine.ranking import move_in_ranking, rank_all
from dealermarket.engine.state import EXCHANGE, FIXED, FRACTION, FULL, HEDGE, LINEAR, MAKERS, NONE, ORDER, REVENUE_RATE

quoted_spread = kernel(laws.quoted_spread)
tied_winner = kernel(laws.tied_winner)
trade_yield = kernel(laws.trade_yield)
updated_average = kernel(laws.updated_average)
risk_cost = kernel(laws.risk_cost)
position_revenue = kernel(laws.position_revenue)
uniform_variance = kernel(laws.uniform_variance)
mean_plus_risk = kernel(laws.mean_plus_risk)


@kernel
def start(rules, market, tie_break, ranking):
    """A new market: nobody holds, has earned or is owed anything. Equal metrics rank by `tie_break` (M, J), in whose
    order `ranking` (M, J) lists all participants."""
    market.clock[0], market.slot[0] = 0, 0
    for slot in range(rules.reward_horizon):
        market.pending_count[slot] = 0
    for i in range(len(rules.makers)):
        rule, totals, flow = rules.makers[i], market.totals[i], market.flow[i]
        market.position[i] = 0.0
        for j in range(market.psi.shape[1]):
            market.psi[i, j], market.matured[i, j], market.matured_volume[i, j] = 0.0, 0, 0.0
            market.metric[i, j], market.tie_break[i, j] = 0.0, tie_break[i, j]
        rank_all(rules.investors + i, ranking[i], market.ranking[i], market.tier[i], rules.fixed_tier[i], rules.tier_at[i])
        market.skew[i, 0], market.skew[i, 1] = rule.eps_buy, rule.eps_sell
        market.alpha[i], market.tier_penalty[i] = rule.alpha, rule.tier_penalty
        market.tiers_given[i], market.given_fraction[i] = False, np.nan
        flow.bought, flow.sold, flow.market = 0.0, 0.0, 0.0
        totals.spread_revenue, totals.position_revenue, totals.hedging_cost, totals.risk_cost = 0.0, 0.0, 0.0, 0.0
        totals.pnl, totals.volume, totals.client_volume, totals.hedge_volume = 0.0, 0.0, 0.0, 0.0
        totals.trades, totals.abs_position = 0, 0.0


@kernel
def begin_step(rules, market, mid, earned):
    """Steps 1 to 3: what the new mid does to positions, trades and tiers."""
    charge_risk(market, mid, earned)
    mature_trades(rules, market, mid, earned)
    update_tiers(rules, market)
    market.mids[market.slot[0]] = mid


@kernel
def finish_step(rules, market, s0, investor, side, size, curve, tie, hedge_tie, earned):
    """Steps 4 to 6: orders (arrays, one entry each), hedges and positions, at the mid of `begin_step`.

    `curve` is log(S_ref(size) / S_ref(0)); `hedge_tie` (M,) are the draws that break ties among hedge quotes.
    """
    mid = market.mids[market.slot[0]]
    unit = mid if rules.scale_with_price else 1.0
    market.pending_count[market.slot[0]] = 0
    match_orders(rules, market, 0.5 * s0 * unit, unit, investor, side, size, curve, tie, earned)
    hedge_positions(rules, market, mid, 0.5 * s0 * unit, unit, hedge_tie, earned)
    move_positions(rules, market)
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
        if i == len(rules.makers):
            continue  # the exchange neither earns nor tiers
        trade.position_revenue = position_revenue(-trade.side * trade.volume, move)
        trade.trade_yield = trade_yield(trade.spread, trade.side, move)
        earned[i].position_revenue += trade.position_revenue
        if rules.makers[i].tiering != FIXED:
            first = market.matured[i, j] == 0
            market.psi[i, j] = updated_average(market.psi[i, j], trade.trade_yield, rules.makers[i].weight, first)
            market.matured[i, j] += 1
            market.matured_volume[i, j] += trade.volume


@kernel
def update_tiers(rules, market):
    """Step 3: whoever's metric has changed moves in the maker's ranking, and tiers follow."""
    slot = market.slot[0]  # what stands there was done t_m steps ago; nothing does in the first t_m steps
    for n in range(market.pending_count[slot]):
        j, i = market.pending[slot, n].taker, market.pending[slot, n].maker - rules.investors
        if i == len(rules.makers) or rules.makers[i].tiering == FIXED:
            continue
        metric = market.psi[i, j]
        if rules.makers[i].tiering == REVENUE_RATE:
            metric *= market.matured_volume[i, j]  # over t, which is common to all
        if metric != market.metric[i, j]:
            move_in_ranking(
                j,
                metric,
                market.metric[i],
                market.tie_break[i],
                market.ranking[i],
                market.tier[i],
                rules.fixed_tier[i],
                rules.tier_at[i],
                rules.tier_start[i],
            )


@kernel
def match_orders(rules, market, half, unit, investor, side, size, curve, tie, earned):
    """Step 4: every order trades with its cheapest maker."""
    bought, sold = 0.0, 0.0
    for i in range(len(earned)):
        market.flow[i].bought, market.flow[i].sold = 0.0, 0.0
    for n in range(len(investor)):
        i, spread = cheapest(rules, market, investor[n], MAKERS, side[n], curve[n], half, unit, tie[n])
        record_trade(rules, market, investor[n], i, side[n], size[n], spread, ORDER)
        earned[i].spread_revenue += spread * size[n]
        market.totals[i].client_volume += size[n]
        if side[n] > 0:
            market.flow[i].bought += size[n]
            bought += size[n]
        else:
            market.flow[i].sold += size[n]
            sold += size[n]
    for i in range(len(earned)):
        market.flow[i].market = bought + sold


@kernel
def hedge_positions(rules, market, mid, half, unit, hedge_tie, earned):
    """Step 5: every maker hedges the position it held into the step, all at once."""
    for i in range(len(rules.makers)):
        rule, position = rules.makers[i], market.position[i]
        earned[i].step_volatility = rule.volatility * mid
        if position == 0.0:
            continue
        side = -1 if position > 0.0 else 1
        fraction = market.given_fraction[i]
        if np.isnan(fraction):
            fraction = hedge_fraction(rules, market, i, abs(position), side, mid, half, unit)
        fraction = min(fraction, CAP * rules.v_max / abs(position))
        size = abs(position) * fraction
        if size == 0.0:
            continue
        curve = log_curve(size, rules.v_max, rules.curve_exponent)
        hedger = rules.investors + i
        j, spread = cheapest(rules, market, hedger, rule.venue, side, curve, half, unit, hedge_tie[i])
        record_trade(rules, market, hedger, j, side, size, spread, HEDGE)
        earned[i].hedge_fraction = fraction
        earned[i].hedge_size = side * size
        earned[i].hedging_cost -= spread * size
        market.totals[i].hedge_volume += size
        if j < len(rules.makers):
            earned[j].spread_revenue += spread * size


@kernel
def move_positions(rules, market):
    """Step 6: positions move by all trades of the step."""
    slot = market.slot[0]
    for n in range(market.pending_count[slot]):
        trade = market.pending[slot, n]
        maker, taker = trade.maker - rules.investors, trade.taker - rules.investors
        if maker < len(rules.makers):
            market.position[maker] -= trade.side * trade.volume
        if taker >= 0:
            market.position[taker] += trade.side * trade.volume


@kernel
def add_to_totals(market, earned):
    """Adds the step's rewards to the sums of the run."""
    for i in range(len(earned)):
        totals = market.totals[i]
        totals.spread_revenue += earned[i].spread_revenue
        totals.position_revenue += earned[i].position_revenue
        totals.hedging_cost += earned[i].hedging_cost
        totals.risk_cost += earned[i].risk_cost
        totals.pnl += earned[i].spread_revenue + earned[i].hedging_cost
        totals.abs_position += abs(earned[i].position)


@kernel
def quoted_tier(market, i, participant):
    """The tier in which maker i quotes to a participant."""
    return market.given_tier[i, participant] if market.tiers_given[i] else market.tier[i, participant]


@kernel
def cheapest(rules, market, participant, venue, side, curve, half, unit, tie):
    """The maker (M for the exchange) with the best quote to a participant, and its spread; ties are drawn fairly."""
    best, ties, winner = np.inf, 0, len(rules.makers)
    if venue != EXCHANGE:
        for i in range(len(rules.makers)):
            if rules.investors + i != participant:
                spread = quote(market, i, participant, side, curve, half, unit)
                if spread < best or ties == 0:
                    best, ties, winner = spread, 1, i
                elif spread == best:
                    ties += 1
    if ties > 1:
        behind = int(tied_winner(tie, ties))  # how many of the equals to pass over
        while behind > 0:
            winner += 1
            if rules.investors + winner != participant:
                behind -= quote(market, winner, participant, side, curve, half, unit) == best
    if venue != MAKERS:
        reference = quoted_spread(curve, half, 1.0, 0.0, 0.0)
        if reference < best:
            best, winner = reference, len(rules.makers)
    return winner, best


@kernel
def quote(market, i, participant, side, curve, half, unit):
    """Maker i's spread for a participant who buys (side +1) or sells."""
    skew = market.skew[i, 0] if side > 0 else market.skew[i, 1]
    tier_cost = market.tier_penalty[i] * unit * quoted_tier(market, i, participant)
    return quoted_spread(curve, half, market.alpha[i], skew, tier_cost)


@kernel
def record_trade(rules, market, taker, maker, side, size, spread, kind):
    """Writes a trade, to be booked when it matures, into the circular buffer."""
    t, slot = market.clock[0], market.slot[0]
    trade = market.pending[slot, market.pending_count[slot]]
    market.pending_count[slot] += 1
    trade.step, trade.taker, trade.maker, trade.side, trade.kind = t, taker, rules.investors + maker, side, kind
    trade.volume, trade.spread, trade.position_revenue, trade.trade_yield = size, spread, np.nan, np.nan
    trade.tier = 0
    if maker < len(rules.makers):
        trade.tier = quoted_tier(market, maker, taker)
        market.totals[maker].volume += size
        market.totals[maker].trades += 1


@kernel
def hedge_fraction(rules, market, i, size, side, mid, half, unit):
    """The fraction of its position that maker i's own policy trades away now."""
    rule = rules.makers[i]
    if rule.hedging == NONE:
        return 0.0
    if rule.hedging == FULL:
        return 1.0
    if rule.hedging == FRACTION:
        return rule.fraction
    risk = rule.risk_aversion * rule.volatility * mid
    if rule.hedging == LINEAR:
        return linear_fraction(rules, market, i, size, side, risk, half, unit)
    return optimal_fraction(rules, market, i, size, side, risk, half, unit)


@kernel
def optimal_fraction(rules, market, i, size, side, risk, half, unit):
    """x_0 of the schedule with the rival whose own optimum is the cheapest, from the tables."""
    hedger, q = rules.investors + i, size / rules.v_max
    fraction, best = min(CAP / q, 1.0), np.inf
    if q >= CAP * rules.makers[i].horizon:
        return fraction  # the largest trade at every step is not enough
    cell, within = size_cell(q, rules.makers[i].horizon)
    for j in range(len(rules.makers) + 1):
        if rules.table[i, j] < 0:
            continue
        level, tier_cost = half, 0.0
        if j < len(rules.makers):
            level *= 1.0 + (market.skew[j, 0] if side > 0 else market.skew[j, 1])
            tier_cost = market.tier_penalty[j] * unit * quoted_tier(market, j, hedger)
        if level + tier_cost >= best:
            continue  # no schedule costs less than trades of size 0 without risk
        first, relative = interpolate(rules.tables, rules.table[i, j], cell, within, q, risk, level)
        value = level * relative + tier_cost
        if value < best:
            fraction, best = first, value
    return fraction


@kernel
def linear_fraction(rules, market, i, size, side, risk, half, unit):
    """1/n for the best n equal trades, n in 1..H, at the best of the venue's quotes."""
    rule = rules.makers[i]
    fraction, best = CAP * rules.v_max / size, np.inf
    for pieces in range(1, rule.horizon + 1):
        if size / pieces > CAP * rules.v_max:
            continue
        curve = log_curve(size / pieces, rules.v_max, rules.curve_exponent)
        _, spread = cheapest(rules, market, rules.investors + i, rule.venue, side, curve, half, unit, 0.0)
        value = mean_plus_risk(spread, uniform_variance(pieces), risk)
        if value < best:
            fraction, best = 1.0 / pieces, value
    return fraction
