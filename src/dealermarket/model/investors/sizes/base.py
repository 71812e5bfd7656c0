"""What every law of order sizes answers."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.part import Draw, SingleDraw


class OrderSize(SingleDraw):
    """A law of order sizes (section 3.2), units of the asset.

    `law(draw, rule, numbers)` is a size above 0 for one random number: standard normal, or uniform on [0, 1), as `draw` says.
    The market caps it at the largest trade.
    """

    draw: ClassVar[Draw] = "normal"

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
        return np.minimum(self.drawn_values(rng, count), largest)
