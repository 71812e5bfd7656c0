"""What is recorded of markets: room for it, and the log of trades."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import kernel
from dealermarket.engine.records import MAKER_STEP, MAKER_TOTALS, TRADE
from dealermarket.engine.rules import Rules

Array = NDArray[Any]


class Record(NamedTuple):
    """Where the engine writes what happened, and how much of it is kept."""

    keeps_steps: bool
    keeps_trades: bool
    in_turn: bool  # whether each market goes from start to end before the next, all in the state of one
    steps: Array  # (B, T, M) MAKER_STEP; else, as room for the steps under way, (1, 1, M) in turn or (B, 2, M)
    totals: Array  # (B, M) MAKER_TOTALS
    position: Array  # (B, M): the last
    trades: Array  # (room,) TRADE: each replica has a stretch of its own
    trade_start: Array  # (B,) int64
    trade_count: Array  # (B,) int64


def empty_record(rules: Rules, order_count: Array, steps: int, keep_steps: bool, keep_trades: bool, in_turn: bool) -> Record:
    """Room for replicas with `order_count` (B,) orders and `steps` steps, run `in_turn` or all at once."""
    replicas, makers = len(order_count), len(rules.pricing)
    room = (order_count + steps * makers) * keep_trades
    shape = (replicas, steps) if keep_steps else (1, 1) if in_turn else (replicas, 2)
    return Record(
        keeps_steps=keep_steps,
        keeps_trades=keep_trades,
        in_turn=in_turn,
        steps=np.zeros((*shape, makers), MAKER_STEP),
        totals=np.zeros((replicas, makers), MAKER_TOTALS),
        position=np.zeros((replicas, makers)),
        trades=np.empty(room.sum(), TRADE),
        trade_start=np.cumsum(room) - room,
        trade_count=np.zeros(replicas, np.int64),
    )


@kernel
def step_place(record, b, t):
    """Where among `record.steps` step t of market b is written."""
    if record.keeps_steps:
        return b, t
    return (0, 0) if record.in_turn else (b, t & 1)


@kernel
def log_pending(market, record, b, slot):
    """Copies the trades in a slot of the circular buffer, which have matured or never will, to the log."""
    if not record.keeps_trades:
        return
    for n in range(market.pending_count[slot]):
        record.trades[record.trade_start[b] + record.trade_count[b]] = market.pending[slot, n]
        record.trade_count[b] += 1
