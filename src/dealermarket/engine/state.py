"""The state of markets, which every step changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.engine.records import MAKER_FLOW, MAKER_TOTALS, PRICE, STANDING, TRADE
from dealermarket.engine.rules import Rules

Array = NDArray[Any]


class State(NamedTuple):
    """B markets, the replica axis first in every array; one market is the same without it."""

    clock: Array  # (B, 1) int64: steps begun
    slot: Array  # (B, 1) int64: t mod t_m, the place of step t in the circular buffers
    price: Array  # (B, 1) PRICE of the step under way, or of the last one
    mids: Array  # (B, t_m) the last t_m mids
    pending: Array  # (B, t_m, room) TRADE: the trades of the last t_m steps, J of a step or more
    pending_count: Array  # (B, t_m) int64
    position: Array  # (B, M)
    standing: Array  # (B, M, J) STANDING of every participant with every maker
    ranked: Array  # (B, M, J - 1) and so on: see `dealermarket.engine.ranking.Ranking`
    key: Array
    tie: Array
    edge: Array
    block: Array
    tier: Array  # (B, J, M) int64 of each participant, by ranking or fixed; who asks for quotes has its tiers side by side
    tiers_given: Array  # (B, M) bool: whether a Python policy gave the tiers of this step
    given_tier: Array  # (B, J, M) int64: these
    pricing: Array  # (B, M) records as in Rules: those of this step
    given_fraction: Array  # (B, M) hedge fraction of a Python policy for this step, NaN where it gave none
    flow: Array  # (B, M) MAKER_FLOW
    totals: Array  # (B, M) MAKER_TOTALS


def empty_state(rules: Rules, replicas: int, most_orders: int = 0) -> State:
    """Room for `replicas` markets with an order of each investor a step, or with as many as `most_orders` in all where that is
    more; `step.start` makes them new."""
    makers, participants = rules.fixed_tier.shape
    b, m, j, horizon = replicas, makers, participants, rules.reward_horizon
    return State(
        clock=np.zeros((b, 1), np.int64),
        slot=np.zeros((b, 1), np.int64),
        price=np.zeros((b, 1), PRICE),
        mids=np.zeros((b, horizon)),
        pending=np.zeros((b, horizon, max(j, most_orders + m)), TRADE),
        pending_count=np.zeros((b, horizon), np.int64),
        position=np.zeros((b, m)),
        standing=np.zeros((b, m, j), STANDING),
        ranked=np.zeros((b, m, j - 1), np.int32),
        key=np.zeros((b, m, j - 1), np.int64),
        tie=np.zeros((b, m, j - 1), np.int32),
        block=np.zeros((b, m, 2, int(rules.tier_block.max())), np.int64),
        edge=np.zeros((b, m, 2, rules.tier_start.shape[1] - 1), np.int32),
        tier=np.zeros((b, j, m), np.int64),
        tiers_given=np.zeros((b, m), np.bool_),
        given_tier=np.zeros((b, j, m), np.int64),
        pricing=np.zeros((b, m), rules.pricing.dtype),
        given_fraction=np.full((b, m), np.nan),
        flow=np.zeros((b, m), MAKER_FLOW),
        totals=np.zeros((b, m), MAKER_TOTALS),
    )


def with_room(state: State, most_orders: int) -> State:
    """The same markets, with room for as many orders a step and a hedge of each maker."""
    replicas, horizon, room = state.pending.shape
    more = most_orders + state.position.shape[1] - room
    if more <= 0:
        return state
    pending = np.concatenate([state.pending, np.zeros((replicas, horizon, more), TRADE)], axis=2)
    return state._replace(pending=pending)
