"""What is recorded of markets: room for it, and the log of trades."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import kernel
from dealermarket.engine.quotes import (
    cheapest,
    cover,
    exchange_quote,
    prices_of,
    quoted_tier,
    quotes_of_all,
    request_of,
    reservation_of,
)
from dealermarket.engine.records import MAKER_STEP, MAKER_TOTALS, MAKERS, REQUEST, TRADE
from dealermarket.engine.rules import Rules
from dealermarket.laws import affected_mid, trades_at

Array = NDArray[Any]

NEVER = 2**62
"""A step that no market reaches."""


class Record(NamedTuple):
    """Where the engine writes what happened, and how much of it is kept."""

    keeps_steps: bool
    keeps_trades: bool
    keeps_requests: bool
    in_turn: bool  # whether each market goes from start to end before the next, all in the state of one
    mid: Array  # (B, T), as is all of steps that is kept; (B, 0) if not kept
    impact: Array  # (B, T) of the mid, what makers' trades have added
    broken: Array  # (B,) int64: the first step whose mid impact has moved to what is no price, NEVER where there is none
    steps: Array  # (B, T, M) MAKER_STEP; else, as room for the steps under way, (1, 1, M) in turn or (B, 2, M)
    totals: Array  # (B, M) MAKER_TOTALS
    position: Array  # (B, M): the last
    trades: Array  # (room,) TRADE: each replica has a stretch of its own
    trade_start: Array  # (B,) int64
    trade_count: Array  # (B,) int64
    requests: Array  # (orders,) REQUEST, in the order of the tape
    request_start: Array  # (B + 1,) int64: where those of each replica begin
    quotes: Array  # (orders, M) spread that each maker quotes for a request, NaN where it is not asked; (0, M) if not kept
    quoted_tiers: Array  # (orders, M) int32: the tier that it quotes in


def empty_record(rules: Rules, order_count: Array, steps: int, kept: Collection[str] = (), in_turn: bool = False) -> Record:
    """Room for replicas with `order_count` (B,) orders and `steps` steps, run `in_turn` or all at once; `kept` names what is, of
    "steps", "trades", "requests", and with these "quotes"."""
    replicas, makers = len(order_count), len(rules.pricing)
    keep_steps, keep_trades, keep_requests = (table in kept for table in ("steps", "trades", "requests"))
    room = (order_count + steps * makers) * keep_trades
    shape = (replicas, steps) if keep_steps else (1, 1) if in_turn else (replicas, 2)
    return Record(
        keeps_steps=keep_steps,
        keeps_trades=keep_trades,
        keeps_requests=keep_requests,
        in_turn=in_turn,
        mid=np.zeros((replicas, steps * keep_steps)),
        impact=np.zeros((replicas, steps * keep_steps)),
        broken=np.full(replicas, NEVER, np.int64),
        steps=np.zeros((*shape, makers), MAKER_STEP),
        totals=np.zeros((replicas, makers), MAKER_TOTALS),
        position=np.zeros((replicas, makers)),
        trades=np.empty(room.sum(), TRADE),
        trade_start=np.cumsum(room) - room,
        trade_count=np.zeros(replicas, np.int64),
        requests=np.empty(order_count.sum() * keep_requests, REQUEST),
        quotes=np.empty((order_count.sum() * ("quotes" in kept), makers)),
        quoted_tiers=np.empty((order_count.sum() * ("quotes" in kept), makers), np.int32),
        request_start=np.concatenate([[0], np.cumsum(order_count)]) * keep_requests,
    )


@kernel
def step_place(record, b, t):
    """Where among `record.steps` step t of market b is written."""
    if record.keeps_steps:
        return b, t
    return (0, 0) if record.in_turn else (b, t & 1)


@kernel
def log_price(market, record, b, t, unaffected):
    """Writes the mid of step t of market b, and whether it is a price, above 0; `unaffected` is the mid without impact."""
    price = market.price[0]
    if price.mid != affected_mid(unaffected, price.permanent, price.transient):
        record.broken[b] = min(record.broken[b], t)
    if record.keeps_steps:
        record.mid[b, t], record.impact[b, t] = price.mid, price.permanent + price.transient


@kernel
def log_pending(market, record, b, slot):
    """Copies the trades in a slot of the circular buffer, which have matured or never will, to the log."""
    if not record.keeps_trades:
        return
    for n in range(market.pending_count[slot]):
        record.trades[record.trade_start[b] + record.trade_count[b]] = market.pending[slot, n]
        record.trade_count[b] += 1


@kernel
def log_requests(rules, market, record, first, orders, s0):
    """Writes the requests of a step, number `first` of the tape and on, before they are matched, at the mid of the step."""
    if not record.keeps_requests:
        return
    mid = market.price[0].mid
    prices = prices_of(rules, mid, s0)
    for n in range(len(orders.investor)):
        request, limit = request_of(rules, orders, n), reservation_of(orders, n)
        row = record.requests[first + n]
        row.step, row.client, row.side, row.volume = market.clock[0], request.participant, request.side, request.size
        row.maker, row.best = cheapest(rules, market, request, MAKERS, prices)
        row.cover, row.asked = cover(rules, market, request, prices)
        row.mid, row.reference = mid, exchange_quote(request, prices)
        row.reservation = limit * row.reference
        if len(record.quotes) > 0:
            quotes_of_all(rules, market, request, prices, record.quotes[first + n])
            for i in range(len(rules.pricing)):
                record.quoted_tiers[first + n, i] = quoted_tier(market, i, request.participant)
        row.traded = trades_at(row.best, row.reference, limit)
