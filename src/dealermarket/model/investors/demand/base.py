"""What every law of demand answers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.part import Draw, SingleDraw

Middle = Annotated[
    float,
    Field(ge=-1e6, le=1e6, description="The quote, as a multiple of the reference curve, at which half of the requests trade."),
    Quantity("times S_ref(v)", 0.5, 8.0),
]


class Demand(SingleDraw):
    """At which quotes a request trades (docs/model.md, "Requests"): the law of its reservation.

    `law(draw, rule, numbers)` is the reservation r for one random number: standard normal, or uniform on [0, 1), as `draw`
    says. The request trades if the best quote S among the makers it asked is at most r S_ref(v), r times the reference curve
    at its size; an infinite r takes every quote.
    """

    draw: ClassVar[Draw] = "uniform"

    @abstractmethod
    def trade_share(self, relative_spread: ArrayLike) -> NDArray[np.float64]:
        """The probability that a request trades whose best quote is S = x S_ref(v), for x of any shape."""

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """`count` reservations, shape (count,), in units of the reference curve."""
        return self.drawn_values(rng, count)
