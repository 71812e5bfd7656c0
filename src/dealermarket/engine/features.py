"""What a learner gets after every step: numbers to act on, and what it earned. Entries in `dealermarket.policies.features`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.compiled import entry, kernel
from dealermarket.engine.state import State
from dealermarket.laws import risk_penalty

Array = NDArray[Any]


class Gauges(NamedTuple):
    """The sizes that entries are measured in, and what a reward is made of."""

    position: float  # units of the asset
    volume: float
    move: float  # of the mid over one step, relative
    spread: float  # half of the mean reference spread, price units
    reference_spread: float  # its mean, as drawn
    money: float  # price times units of the asset
    weights: Array  # (5,): of spread revenue, position revenue, hedging cost, risk cost, inventory P&L
    penalties: Array  # (3,): of inventory P&L squared, inventory squared, inventory losses


class View(NamedTuple):
    """What `look` reads of the markets: B of them, T steps or the current one alone."""

    position: Array  # (B, M)
    slot: Array  # (B, 1)
    pending: Array  # (B, t_m, J) TRADE
    pending_count: Array  # (B, t_m)
    flow: Array  # (B, M) MAKER_FLOW
    steps: Array  # (B, T or 2, M) MAKER_STEP
    mid: Array  # (B, T or more)
    reference_spread: Array  # (B, T)


def view_of(state: State, steps: Array, mid: Array, reference_spread: Array) -> View:
    """The part of a state and a tape that a learner's numbers are made of."""
    return View(state.position, state.slot, state.pending, state.pending_count, state.flow, steps, mid, reference_spread)


@entry
def look(view, gauges, maker, number, memory, features, told, place, column, step, steps, ended):
    """Writes features[b, place] and told[b, place] of the maker with this `number` among the participants, for all b.

    `step` of `steps` has begun, or has not where the run has `ended`. `column` is that of the step in the tape.
    `memory` (B, 1 + 2 n) holds the last mid, the last n returns and the last n yields, the newest first.
    """
    rows, recent = view.steps.shape[1], memory.shape[1] // 2
    for b in range(len(view.position)):
        position, flow = view.position[b, maker], view.flow[b, maker]
        mid = view.mid[b, column]
        before = memory[b, 0] if step > 0 else mid
        for n in range(recent - 1, 0, -1):
            memory[b, 1 + n] = memory[b, n] if step > 0 else 0.0
            memory[b, 1 + recent + n] = memory[b, recent + n] if step > 0 else 0.0
        memory[b, 0] = mid
        memory[b, 1] = np.log(mid / before)
        memory[b, 1 + recent] = matured_yield(view, b, number)

        seen = features[b, place]
        seen[0] = bounded(position / gauges.position)
        seen[1] = bounded(position * (mid - before) / (gauges.position * gauges.move * mid))
        for n in range(recent):
            seen[2 + n] = bounded(memory[b, 1 + n] / gauges.move)
            seen[2 + recent + n] = bounded(memory[b, 1 + recent + n] / gauges.spread)
        seen = features[b, place, 2 + 2 * recent :]
        seen[0] = bounded(view.reference_spread[b, column] / gauges.reference_spread - 1.0)
        seen[1] = bounded(flow.bought / gauges.volume)
        seen[2] = bounded(flow.sold / gauges.volume)
        seen[3] = (flow.bought + flow.sold) / flow.market if flow.market > 0.0 else 0.0
        seen[4] = max(1.0 - step / steps, 0.0)

        money = told[b, place]
        money[:] = 0.0
        if step > 0:
            last = view.steps[b, (step - 1) % rows, maker]
            money[0], money[2] = last.spread_revenue, last.hedging_cost
            if not ended:
                now = view.steps[b, step % rows, maker]
                money[1], money[3], money[4] = now.position_revenue, now.risk_cost, position * (mid - before)
            money[6] = risk_penalty(money[4] / gauges.money, position / gauges.position, gauges.penalties)
            for n in range(len(gauges.weights)):
                money[7] += gauges.weights[n] * money[n] / gauges.money
            money[7] -= money[6]
        money[5] = position


@kernel
def matured_yield(view, b, number):
    """Revenue per unit of the trades that matured at this step, as the quoting side; 0 where none did."""
    revenue, volume, slot = 0.0, 0.0, view.slot[b, 0]
    for n in range(view.pending_count[b, slot]):
        trade = view.pending[b, slot, n]
        if trade.maker == number and not np.isnan(trade.trade_yield):  # NaN: will never mature
            revenue += trade.trade_yield * trade.volume
            volume += trade.volume
    return revenue / volume if volume > 0.0 else 0.0


@kernel
def bounded(value):
    """A feature within the bounds that the observation space promises."""
    return min(max(value, -10.0), 10.0)
