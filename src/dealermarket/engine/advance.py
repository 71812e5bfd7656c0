"""Markets advanced in time: many of them from start to end in one call, or a phase of a step at a time.

Time is counted in phases: 2t is the first of step t (prices, maturing trades, tiers), 2t + 1 the second
(orders, hedges, positions). Policies written in Python act between the two.
"""

from __future__ import annotations

from dealermarket.compiled import entry, kernel
from dealermarket.engine.quotes import orders_between
from dealermarket.engine.recorder import log_pending, log_price, log_requests, step_place
from dealermarket.engine.state import State
from dealermarket.engine.step import begin_step, finish_step, start


@entry
def advance(rules, state, tape, first, last, ended, record):
    """Advances the markets of a tape over the phases `first` to `last` - 1.

    Where the record says `in_turn`, the state has room for one market, which serves all of them one after the other.
    `ended` says that no step follows: trades that have not matured are logged as they stand. The record says where impact has
    moved a mid to what is no price.
    """
    # no remainders here and in the steps: a division of whole numbers costs as much as ten other operations
    steps = tape.reference_spread.shape[1]
    for b in range(len(record.totals)):
        market = market_at(state, 0 if record.in_turn else b)
        if first == 0:
            start(rules, market, tape.tie_order[b])
        for phase in range(first, last):
            t = phase >> 1
            k = min(t, steps - 1)  # a live tape holds the current step alone
            row, column = step_place(record, b, t)
            earned = record.steps[row, column]
            if phase & 1 == 0:
                begin_step(rules, market, tape.mid[b, k], earned)
                log_pending(market, record, b, market.slot[0])
                log_price(market, record, b, t, tape.mid[b, k])
            else:
                first_order, s0 = tape.order_start[b, k], tape.reference_spread[b, k]
                orders = orders_between(tape, first_order, tape.order_start[b, k + 1])
                log_requests(rules, market, record, first_order, orders, s0)
                finish_step(rules, market, s0, orders, tape.hedge_tie[b, k], earned)
        if ended:
            for n in range(rules.reward_horizon):
                log_pending(market, record, b, (market.slot[0] + n) % rules.reward_horizon)
        for i in range(len(rules.pricing)):
            record.totals[b, i] = market.totals[i]
            record.position[b, i] = market.position[i]


@kernel
def market_at(state, b):
    """The state of market b: views, without the replica axis."""
    return State(
        state.clock[b],
        state.slot[b],
        state.price[b],
        state.mids[b],
        state.pending[b],
        state.pending_count[b],
        state.position[b],
        state.standing[b],
        state.ranked[b],
        state.key[b],
        state.tie[b],
        state.edge[b],
        state.block[b],
        state.tier[b],
        state.tiers_given[b],
        state.given_tier[b],
        state.pricing[b],
        state.given_fraction[b],
        state.flow[b],
        state.totals[b],
    )
