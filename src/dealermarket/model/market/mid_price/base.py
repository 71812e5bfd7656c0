"""What every mid-price process answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.part import Clock, Draw, Numbers, Part, drawn_by_step
from dealermarket.slots import applied

Price = Annotated[float, Field(ge=1e-20, le=1e12), Quantity("price units", 0.5, 200.0, log=True)]
Drift = Annotated[
    float,
    Field(ge=-100, le=100, description="Annual drift of the price, mu of section 3.1: 0.05 is 5 % a year."),
    Quantity("1/year", -1.0, 1.0),
]
Volatility = Annotated[float, Field(ge=0, le=100), Quantity("1/sqrt(year)", 0.0, 0.5)]


class MidPrice(Part):
    """A mid-price process (section 3.1).

    `law(before, draw, rule, numbers)` is the price one step after `before`, price units. `draw` (n,) holds the step's random
    numbers, one for each entry of `draws`: standard normal, or uniform on [0, 1).
    """

    formulas: ClassVar = {"law": ("before", "draw", "rule", "numbers")}
    law: ClassVar[Callable[..., Any]]
    draws: ClassVar[tuple[Draw, ...]] = ("normal",)
    initial: Annotated[Price, Field(description="Price at step 0, P_0.")] = 1.0

    def first_price(self, clock: Clock) -> float:
        """The price that stands for the asset's where one is needed: in basis points, and on axes."""
        return self.initial

    @property
    def is_martingale(self) -> bool:
        """Whether its mean change is 0, whatever has happened; a process that does not say so is not taken for one."""
        return False

    @abstractmethod
    def step_volatility(self, clock: Clock) -> float:
        """Standard deviation of the log return of a step, which is that of the price, relative to it: a maker's risk."""

    def sample(self, rng: np.random.Generator, steps: int, replicas: int, clock: Clock) -> NDArray[np.float64]:
        """Paths (replicas, steps), price units, from `initial` on."""
        rule, numbers = Numbers(self, clock), self.numbers
        draw = drawn_by_step(rng, self.draws, steps, replicas)
        mids = np.empty((steps, replicas))
        mids[0] = self.initial
        for step in range(1, steps):
            mids[step] = applied(self.law, before=mids[step - 1], draw=draw[step], rule=rule, numbers=numbers)
        return mids.T
