"""Markets advanced in time: many of them from start to end in one call, or half a step at a time.

Time is counted in half steps: 2t is the first half of step t (prices, maturing trades, tiers), 2t + 1 the second
(orders, hedges, positions). Policies written in Python act between the two.
"""

from __future__ import annotations

from dealermarket.compiled import entry, kernel
from dealermarket.engine.recorder import log_pending
from dealermarket.engine.state import State
from dealermarket.engine.step import begin_step, finish_step, start


@entry
def advance(rules, state, tape, first, last, ended, record):
    """Advances the markets of a tape over the half steps `first` to `last` - 1.

    A state with room for one market serves any number of them, one after the other, if each goes from start to end.
    `ended` says that no step follows: trades that have not matured are logged as they stand.
    """
    # no remainders here and in the steps: a division of whole numbers costs as much as ten other operations
    steps, rows = tape.reference_spread.shape[1], record.steps.shape[1]
    for b in range(len(record.totals)):
        market = market_at(state, min(b, len(state.clock) - 1))
        if first == 0:
            start(rules, market, tape.tie_break[b], tape.ranking[b])
        for half in range(first, last):
            t = half >> 1
            k = min(t, steps - 1)  # a live tape holds the current step alone
            earned = record.steps[min(b, len(record.steps) - 1), t if rows > 2 else t & (rows - 1)]
            if half & 1 == 0:
                begin_step(rules, market, tape.mid[b, k], earned)
                log_pending(market, record, b, market.slot[0])
            else:
                orders = slice(tape.order_start[b, k], tape.order_start[b, k + 1])
                finish_step(
                    rules,
                    market,
                    tape.reference_spread[b, k],
                    tape.investor[orders],
                    tape.side[orders],
                    tape.size[orders],
                    tape.log_curve[orders],
                    tape.tie[orders],
                    tape.hedge_tie[b, k],
                    earned,
                )
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
        state.mids[b],
        state.pending[b],
        state.pending_count[b],
        state.position[b],
        state.psi[b],
        state.matured[b],
        state.matured_volume[b],
        state.tie_break[b],
        state.metric[b],
        state.ranking[b],
        state.tier[b],
        state.tiers_given[b],
        state.given_tier[b],
        state.pricing[b],
        state.given_fraction[b],
        state.flow[b],
        state.totals[b],
    )
