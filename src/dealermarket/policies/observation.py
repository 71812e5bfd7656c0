"""What a maker sees when it acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.engine.learners import Moment, Source, source_of

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays
    from dealermarket.engine.recorder import Record
    from dealermarket.engine.state import State

Array = NDArray[Any]


class Observation:
    """What maker `index` sees when it acts: P_t, s0_t and its own state, but not the orders of this step.

    Arrays have the replica axis first, (B,) unless another shape is named; each access makes a copy. Valid while
    `act` runs. Sizes in units of the asset, prices and money in price units. The library makes it; a policy reads it.

    Parameters
    ----------
    state : State
        The state of the markets.
    record : Record
        What is recorded of them.
    index : int
        The maker's place among the makers.
    steps : int
        How many steps there are.

    """

    def __init__(self, state: State, record: Record, index: int, steps: int) -> None:
        self._state, self._record, self._index = state, record, index
        self.step, self.steps = 0, steps
        self._tape: TapeArrays

    def _move_to(self, state: State) -> None:
        """Reads another state from now on: the same markets, with more room."""
        self._state = state

    def at(self, step: int, tape: TapeArrays) -> Observation:
        """The same view at the beginning of a step."""
        self.step, self._tape = step, tape
        return self

    def _source(self) -> Source:
        """What features of learners are read off."""
        return source_of(self._state, self._record.steps, self._tape.reference_spread)

    def _moment(self, ended: bool) -> Moment:
        """Which step has begun, or that the last one has `ended`, and where it stands in the arrays."""
        step = self.step
        return Moment(step, self.steps, self._row(step), self._row(step - 1), self._column(min(step, self.steps - 1)), ended)

    def _row(self, step: int) -> int:
        """Where a step stands in the record, as in `engine.recorder.step_place`."""
        return step if self._record.keeps_steps else step & 1

    def _column(self, step: int) -> int:
        """Where a step stands in the tape; that of a live market holds the step alone."""
        return step % int(self._tape.reference_spread.shape[1])

    def _now(self, series: Array) -> Array:
        return np.array(series[:, self._column(self.step)])

    def _earned(self, field: str, step: int) -> Array:
        return np.array(self._record.steps[:, self._row(step), self._index][field])

    @property
    def mid(self) -> Array:
        """The mid-price P_t, with the impact of former hedges."""
        return self._state.price[:, 0]["mid"].copy()

    @property
    def reference_spread(self) -> Array:
        """The reference spread s0_t as drawn."""
        return self._now(self._tape.reference_spread)

    @property
    def position(self) -> Array:
        """The position held into the step."""
        return self._state.position[:, self._index].copy()

    @property
    def pnl(self) -> Array:
        """Mark-to-market P&L at this step's mid, before its trades."""
        return np.array(self._state.totals[:, self._index]["pnl"])

    @property
    def psi(self) -> Array:
        """Average yield of every participant, (B, J)."""
        return self._state.standing[:, self._index]["psi"].copy()

    @property
    def tiers(self) -> Array:
        """The tier the maker's own policy has put every participant in, (B, J)."""
        return self._state.tier[:, :, self._index].copy()

    @property
    def risk_cost(self) -> Array:
        """Risk cost of the step."""
        return self._earned("risk_cost", self.step)

    @property
    def position_revenue(self) -> Array:
        """Position revenue of the step, of the trades of t_m steps ago."""
        return self._earned("position_revenue", self.step)

    @property
    def spread_revenue(self) -> Array:
        """The last step's spread revenue; 0 at the start."""
        return self._last("spread_revenue")

    @property
    def hedging_cost(self) -> Array:
        """The last step's hedging cost; 0 at the start."""
        return self._last("hedging_cost")

    @property
    def bought(self) -> Array:
        """Volume that investors bought from this maker in the last step."""
        return np.array(self._state.flow[:, self._index]["bought"])

    @property
    def sold(self) -> Array:
        """Volume that investors sold to this maker in the last step."""
        return np.array(self._state.flow[:, self._index]["sold"])

    @property
    def market_volume(self) -> Array:
        """Volume that investors traded with anybody in the last step."""
        return np.array(self._state.flow[:, self._index]["market"])

    def _last(self, field: str) -> Array:
        return self._earned(field, self.step - 1) if self.step else np.zeros(len(self._state.clock))
