"""Markets advanced in time: many of them from start to end in one call, or half a step at a time.

Time is counted in half steps: 2t is the first half of step t (prices, maturing trades, tiers), 2t + 1 the second
(orders, hedges, positions). Policies written in Python act between the two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import entry, kernel
from dealermarket.engine.state import MAKER_STEP, MAKER_TOTALS, TRADE, Rules, State
from dealermarket.engine.step import begin_step, finish_step, start

Array = NDArray[Any]


class Record(NamedTuple):
    """Where the engine writes what happened; room for a step or two and for one market is enough where nobody will
    look."""

    steps: Array  # (B or 1, T or fewer, M) MAKER_STEP
    totals: Array  # (B, M) MAKER_TOTALS
    position: Array  # (B, M): the last
    trades: Array  # (room,) TRADE, or (0,) for none: each replica has a stretch of its own
    trade_start: Array  # (B,) int64
    trade_count: Array  # (B,) int64


def empty_record(rules: Rules, order_count: Array, steps: int, keep_steps: bool, keep_trades: bool, in_turn: bool) -> Record:
    """Room for replicas with `order_count` (B,) orders and `steps` steps, run `in_turn` or all at once."""
    replicas, makers = len(order_count), len(rules.makers)
    room = (order_count + steps * makers) * keep_trades
    return Record(
        steps=np.zeros(
            (replicas if keep_steps or not in_turn else 1, steps if keep_steps else 1 if in_turn else 2, makers), MAKER_STEP
        ),
        totals=np.zeros((replicas, makers), MAKER_TOTALS),
        position=np.zeros((replicas, makers)),
        trades=np.empty(room.sum(), TRADE),
        trade_start=np.cumsum(room) - room,
        trade_count=np.zeros(replicas, np.int64),
    )


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
        for i in range(len(rules.makers)):
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
        state.skew[b],
        state.alpha[b],
        state.tier_penalty[b],
        state.given_fraction[b],
        state.flow[b],
        state.totals[b],
    )


@kernel
def log_pending(market, record, b, slot):
    """Copies the trades in a slot of the circular buffer, which have matured or never will, to the log."""
    if len(record.trades) == 0:
        return
    for n in range(market.pending_count[slot]):
        record.trades[record.trade_start[b] + record.trade_count[b]] = market.pending[slot, n]
        record.trade_count[b] += 1
