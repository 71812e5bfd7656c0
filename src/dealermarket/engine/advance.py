"""Markets advanced in time: many of them from start to end in one call, or half a step at a time.

Time is counted in half steps: 2t is the first half of step t (prices, maturing trades, tiers), 2t + 1 the second
(orders, hedges, positions). Policies written in Python act between the two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.engine.compiled import entry, kernel
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
    steps = tape.reference_spread.shape[1]
    for b in range(len(record.totals)):
        market = market_at(state, b % len(state.clock))
        if first == 0:
            start(rules, market, tape.tie_break[b], tape.ranking[b])
        for half in range(first, last):
            t = half // 2
            k = t % steps  # a live tape holds the current step alone
            earned = record.steps[b % record.steps.shape[0], t % record.steps.shape[1]]
            if half % 2 == 0:
                begin_step(rules, market, tape.mid[b, k], earned)
                log_pending(rules, market, record, b, t)
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
            for t in range(last // 2, last // 2 + rules.reward_horizon):
                log_pending(rules, market, record, b, t)
        for i in range(len(rules.makers)):
            record.totals[b, i] = market.totals[i]
            record.position[b, i] = market.position[i]


@kernel
def market_at(state, b):
    """The state of market b: views, without the replica axis."""
    return State(
        state.clock[b],
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
        state.given_fraction[b],
        state.flow[b],
        state.totals[b],
    )


@kernel
def log_pending(rules, market, record, b, t):
    """Copies the trades of step t - t_m, which have matured or never will, to the log."""
    if len(record.trades) == 0 or t < rules.reward_horizon:
        return
    slot = t % rules.reward_horizon
    for n in range(market.pending_count[slot]):
        record.trades[record.trade_start[b] + record.trade_count[b]] = market.pending[slot, n]
        record.trade_count[b] += 1
