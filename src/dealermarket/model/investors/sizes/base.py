"""What every law of order sizes answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.part import Draw, Numbers, Part, drawn
from dealermarket.slots import applied


class OrderSize(Part):
    """A law of order sizes (section 3.2), units of the asset.

    `law(draw, rule, numbers)` is a size above 0 for one random number: standard normal, or uniform on [0, 1), as `draw` says.
    The market caps it at the largest trade.
    """

    reserved: ClassVar = ("uniform",)
    formulas: ClassVar = {"law": ("draw", "rule", "numbers")}
    law: ClassVar[Callable[..., Any]]
    draw: ClassVar[Draw] = "normal"

    @property
    def uniform(self) -> bool:
        """Whether the law takes a uniform number."""
        return self.draw == "uniform"

    @abstractmethod
    def moment(self, order: int, largest: float) -> float:
        """The mean of size^`order`, and never more than that of the `largest` size."""

    @abstractmethod
    def share_above(self, largest: float) -> float:
        """The probability that a size exceeds `largest`."""

    @property
    def typical_largest(self) -> float:
        """A size that few orders exceed, for the axis of a figure: three standard deviations above the mean."""
        mean, square = self.moment(1, np.inf), self.moment(2, np.inf)
        return float(mean + 3.0 * np.sqrt(max(square - mean * mean, 0.0)))

    def sample(self, rng: np.random.Generator, count: int, largest: float = np.inf) -> NDArray[np.float64]:
        """`count` sizes, shape (count,), capped at `largest`."""
        draws = drawn(rng, self.draw, (count,))
        return np.asarray(np.minimum(applied(self.law, draw=draws, rule=Numbers(self), numbers=self.numbers), largest))
