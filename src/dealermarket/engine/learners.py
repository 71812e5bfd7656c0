"""What features and feedback of learners are made of: the records that hold them, and what they are read off.

Their meanings and units stand in `dealermarket.policies.features`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.records import record
from dealermarket.model.makers.reward import COMPONENTS, Components

if TYPE_CHECKING:
    from dealermarket.engine.state import State

Array = NDArray[Any]

RECENT = 4
"""Of how many steps a learner sees returns and yields."""

FEATURES_RECORD = record(
    [
        ("position", np.float32),
        ("position_pnl", np.float32),
        ("returns", (np.float32, RECENT)),  # the newest first
        ("yields", (np.float32, RECENT)),
        ("reference_spread", np.float32),
        ("bought", np.float32),
        ("sold", np.float32),
        ("share", np.float32),
        ("time_left", np.float32),
    ]
)
"""What a learner sees in one step."""


FEEDBACK_RECORD = record(
    [
        *((name, np.float64) for name in COMPONENTS),
        ("position", np.float64),
        ("penalty", np.float64),
        ("reward", np.float64),
    ]
)
"""A learner's feedback after one step."""


class Scales(NamedTuple):
    """The sizes that features are measured in, and what a reward is made of."""

    position: float  # units of the asset
    volume: float
    move: float  # of the mid over one step, relative
    spread: float  # half of the mean reference spread, price units
    reference_spread: float  # its mean, as drawn
    money: float  # price times units of the asset
    weights: Components
    penalties: Array  # (3,): of inventory P&L squared, inventory squared, inventory losses


class Source(NamedTuple):
    """The parts of B markets, their record and their tape that features are read off."""

    position: Array  # (B, M)
    slot: Array  # (B, 1)
    pending: Array  # (B, t_m, room) TRADE
    pending_count: Array  # (B, t_m)
    flow: Array  # (B, M) MAKER_FLOW
    steps: Array  # (B, T or 2, M) MAKER_STEP: of a record
    price: Array  # (B, 1) PRICE
    reference_spread: Array  # (B, T or 1)


class Moment(NamedTuple):
    """Which step of how many has begun, or that the last one has `ended`; and where it stands in the record and the tape."""

    step: int
    steps: int
    row: int  # of the step in the record
    former_row: int  # of the step before
    column: int  # of the step in the tape
    ended: bool


class Learner(NamedTuple):
    """Whose features they are."""

    maker: int  # its number among the makers
    participant: int  # its number among all participants
    place: int  # its number among the learners


class Memory(NamedTuple):
    """What features need of former steps of B markets; the newest first."""

    mid: Array  # (B,)
    returns: Array  # (B, RECENT)
    yields: Array  # (B, RECENT)


def source_of(state: State, steps: Array, reference_spread: Array) -> Source:
    """Where features are read: a state, the steps of a record, and the reference spreads of a tape."""
    return Source(
        state.position, state.slot, state.pending, state.pending_count, state.flow, steps, state.price, reference_spread
    )
