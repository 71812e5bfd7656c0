"""What every reference-spread process answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.part import Clock, Draw, Numbers, Part, drawn_by_step
from dealermarket.slots import applied


class ReferenceSpread(Part):
    """A process for s0_t, the bid-ask spread of the smallest trade (section 3.1).

    In price units where the price is near 1; see `spreads_scale_with_price` of MarketEnvironment. `first(draw, rule, numbers)`
    is the spread of step 0, `law(before, draw, rule, numbers)` that of the step after `before`. `draw` (n,) holds the
    step's random numbers, one for each entry of `draws`: standard normal, or uniform on [0, 1). Every spread is above 0.
    """

    also_needed: ClassVar[tuple[str, ...]] = ("mean",)
    formulas: ClassVar = {"first": ("draw", "rule", "numbers"), "law": ("before", "draw", "rule", "numbers")}
    first: ClassVar[Callable[..., Any]]
    law: ClassVar[Callable[..., Any]]
    draws: ClassVar[tuple[Draw, ...]] = ("normal",)
    if TYPE_CHECKING:

        @property
        def mean(self) -> float:
            """The mean spread, price units: a field or a property of every kind."""

    def sample(self, rng: np.random.Generator, steps: int, replicas: int, clock: Clock) -> NDArray[np.float64]:
        """Paths (replicas, steps), price units."""
        rule, numbers = Numbers(self, clock), self.numbers
        draw = drawn_by_step(rng, self.draws, steps, replicas)
        spreads = np.empty((steps, replicas))
        spreads[0] = applied(self.first, draw=draw[0], rule=rule, numbers=numbers)
        for step in range(1, steps):
            spreads[step] = applied(self.law, before=spreads[step - 1], draw=draw[step], rule=rule, numbers=numbers)
        return spreads.T
