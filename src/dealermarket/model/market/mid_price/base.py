"""What every mid-price process answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.model.part import Draw, Numbers, Part, drawn
from dealermarket.slots import applied


class MidPrice(Part):
    """A mid-price process (section 3.1): `initial` is the price at step 0.

    `law(before, draw, rule, numbers)` is the price one step after `before`, price units. `draw` (n,) holds the step's random
    numbers, one for each entry of `draws`: standard normal, or uniform on [0, 1).
    """

    formulas: ClassVar = {"law": ("before", "draw", "rule", "numbers")}
    law: ClassVar[Callable[..., Any]]
    draws: ClassVar[tuple[Draw, ...]] = ("normal",)
    initial: Annotated[float, Field(gt=0, le=1e12)] = 1.0

    @abstractmethod
    def step_volatility(self, dt: float) -> float:
        """Standard deviation of the price over a step of `dt` years, relative to the price: what a maker takes for risk."""

    def sample(self, rng: np.random.Generator, steps: int, replicas: int, dt: float) -> NDArray[np.float64]:
        """Paths (replicas, steps), price units, from `initial` on."""
        rule, numbers = Numbers(self, dt), self.numbers
        draw = np.stack([drawn(rng, kind, (steps, replicas)) for kind in self.draws], axis=1)
        mids = np.empty((steps, replicas))
        mids[0] = self.initial
        for step in range(1, steps):
            mids[step] = applied(self.law, before=mids[step - 1], draw=draw[step], rule=rule, numbers=numbers)
        return mids.T
