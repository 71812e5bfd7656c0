"""What a learner gets at every step, read off the markets: features to act on, and feedback on what it earned."""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import entry, kernel
from dealermarket.laws import risk_penalty, weighted
from dealermarket.model.makers.reward import Components


@entry
def read_features(source, scales, learner, moment, memory, features, feedback):
    """Writes features[b, place] and feedback[b, place] of one learner, for all b, and keeps its memory.

    `features` (B, learners, 1) FEATURES_RECORD, `feedback` (B, learners, 1) FEEDBACK_RECORD. To be called once a step.
    """
    step, maker = moment.step, learner.maker
    for b in range(len(source.position)):
        position, flow = source.position[b, maker], source.flow[b, maker]
        mid = source.price[b, 0].mid
        before = memory.mid[b] if step > 0 else mid
        returns, yields = memory.returns[b], memory.yields[b]
        for n in range(len(returns) - 1, 0, -1):
            returns[n] = returns[n - 1] if step > 0 else 0.0
            yields[n] = yields[n - 1] if step > 0 else 0.0
        memory.mid[b] = mid
        returns[0] = np.log(mid / before)
        yields[0] = matured_yield(source, b, learner.participant)

        seen = features[b, learner.place, 0]
        seen.position = bounded(position / scales.position)
        seen.position_pnl = bounded(position * (mid - before) / (scales.position * scales.move * mid))
        for n in range(len(returns)):
            seen.returns[n] = bounded(returns[n] / scales.move)
            seen.yields[n] = bounded(yields[n] / scales.spread)
        seen.reference_spread = bounded(source.reference_spread[b, moment.column] / scales.reference_spread - 1.0)
        seen.bought = bounded(flow.bought / scales.volume)
        seen.sold = bounded(flow.sold / scales.volume)
        seen.share = (flow.bought + flow.sold) / flow.market if flow.market > 0.0 else 0.0
        seen.time_left = max(1.0 - step / moment.steps, 0.0)

        spread_revenue = position_revenue = hedging_cost = risk_cost = inventory_pnl = penalty = gain = 0.0
        if step > 0:
            last = source.steps[b, moment.former_row, maker]
            spread_revenue, hedging_cost = last.spread_revenue, last.hedging_cost
            if not moment.ended:
                now = source.steps[b, moment.row, maker]
                position_revenue, risk_cost, inventory_pnl = now.position_revenue, now.risk_cost, position * (mid - before)
            penalty = risk_penalty(inventory_pnl / scales.money, position / scales.position, scales.penalties)
            components = Components(spread_revenue, position_revenue, hedging_cost, risk_cost, inventory_pnl)
            gain = weighted(components, scales.weights, scales.money) - penalty
        earned = feedback[b, learner.place, 0]
        earned.spread_revenue, earned.position_revenue = spread_revenue, position_revenue
        earned.hedging_cost, earned.risk_cost, earned.inventory_pnl = hedging_cost, risk_cost, inventory_pnl
        earned.position, earned.penalty, earned.reward = position, penalty, gain


@kernel
def matured_yield(source, b, participant):
    """Revenue per unit of the trades that matured at this step, as the quoting side; 0 where none did."""
    revenue, volume, slot = 0.0, 0.0, source.slot[b, 0]
    for n in range(source.pending_count[b, slot]):
        trade = source.pending[b, slot, n]
        if trade.maker == participant and not np.isnan(trade.trade_yield):  # NaN: will never mature
            revenue += trade.trade_yield * trade.volume
            volume += trade.volume
    return revenue / volume if volume > 0.0 else 0.0


@kernel
def bounded(value):
    """A feature within the bounds that the observation space promises."""
    return min(max(value, -10.0), 10.0)
