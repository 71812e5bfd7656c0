"""Whole runs of many markets in one compiled call, and single steps of them for policies written in Python."""

from __future__ import annotations

import numpy as np

from dealermarket.engine.compiled import compiled
from dealermarket.engine.state import State
from dealermarket.engine.step import begin_step, finish_step, start


@compiled
def market_at(state, b):  # type: ignore[no-untyped-def]
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


@compiled
def run_markets(rules, state, tape, totals, position, steps, trades, trade_start):  # type: ignore[no-untyped-def]
    """Runs the B markets of a tape from start to end, one after the other, in the room of one market.

    Writes `totals` (B, M), final `position` (B, M), `steps` (B, T, M) unless it has no steps, and `trades` with
    `trade_start` (B + 1,) unless it has no room.
    """
    market = market_at(state, 0)
    scratch = np.empty(len(rules.makers), steps.dtype)
    written = 0
    for b in range(len(totals)):
        start(rules, market, tape.tie_break[b])
        trade_start[b] = written
        for t in range(tape.reference_spread.shape[1]):
            earned = steps[b, t] if steps.shape[1] > 0 else scratch
            begin_step(rules, market, tape.mid[b, t], earned)
            if len(trades) > 0:
                written = log_pending(rules, market, t, trades, written)
            finish(rules, market, tape, b, t, earned)
        if len(trades) > 0:
            for t in range(market.clock[0], market.clock[0] + rules.reward_horizon):
                written = log_pending(rules, market, t, trades, written)
        totals[b] = market.totals
        position[b] = market.position
    trade_start[len(totals)] = written


@compiled
def start_markets(rules, state, tie_break):  # type: ignore[no-untyped-def]
    """Makes every market of the state new."""
    for b in range(len(tie_break)):
        start(rules, market_at(state, b), tie_break[b])


@compiled
def begin_markets(rules, state, mid, earned):  # type: ignore[no-untyped-def]
    """The first half of the next step of every market, at mids (B,); `earned` (B, M) is its record."""
    for b in range(len(mid)):
        begin_step(rules, market_at(state, b), mid[b], earned[b])


@compiled
def finish_markets(rules, state, tape, t, earned):  # type: ignore[no-untyped-def]
    """The second half of the step, with the orders of step t of the tape."""
    for b in range(len(earned)):
        finish(rules, market_at(state, b), tape, b, t, earned[b])


@compiled
def log_markets(rules, state, t, trades, written):  # type: ignore[no-untyped-def]
    """Copies the trades of step t - t_m of every market, as `run_markets` does; returns how many were written so far."""
    for b in range(len(state.clock)):
        written = log_pending(rules, market_at(state, b), t, trades, written)
    return written


@compiled
def finish(rules, market, tape, b, t, earned):  # type: ignore[no-untyped-def]
    """`finish_step` with the orders of replica b and step t of a tape."""
    first, last = tape.order_start[b, t], tape.order_start[b, t + 1]
    finish_step(
        rules,
        market,
        tape.reference_spread[b, t],
        tape.investor[first:last],
        tape.side[first:last],
        tape.size[first:last],
        tape.log_curve[first:last],
        tape.tie[first:last],
        tape.hedge_tie[b, t],
        earned,
    )


@compiled
def log_pending(rules, market, t, trades, written):  # type: ignore[no-untyped-def]
    """Copies the trades of step t - t_m, which have matured or never will, to the log; returns its new length."""
    if t < rules.reward_horizon:
        return written
    slot = t % rules.reward_horizon
    for n in range(market.pending_count[slot]):
        trades[written] = market.pending[slot, n]
        written += 1
    return written
