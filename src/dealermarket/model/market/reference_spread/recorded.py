"""Spreads from the file of the mids."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.market.reference_spread.base import ReferenceSpread
from dealermarket.model.part import Clock


class RecordedSpread(ReferenceSpread):
    """The spread between bid and ask at each step of the file that `market.mid_price` is recorded in."""

    kind: Literal["recorded"] = "recorded"
    formulas: ClassVar = {}  # it is read, not drawn step by step
    also_needed: ClassVar[tuple[str, ...]] = ()  # the mean is in the file: `MarketEnvironment.mean_spread`

    def sample(self, rng: np.random.Generator, steps: int, replicas: int, clock: Clock) -> NDArray[np.float64]:
        """Paths (replicas, steps), which there are with their mids alone."""
        raise ParameterError("market.reference_spread: recorded spreads are read, not sampled; draw a tape: Tape.draw(scenario)")
