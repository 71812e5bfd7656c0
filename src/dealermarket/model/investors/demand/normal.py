"""Reservations with a normal law."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.investors.demand.base import Demand, Middle
from dealermarket.model.part import Draw


class NormalDemand(Demand):
    """A request's reservation is N(mean, std), in units of the reference curve at its size.

    As in Fermanian, Guéant and Pu (2016), "The behavior of dealers and clients on the European corporate bond market".
    """

    kind: Literal["normal"] = "normal"
    mean: Middle
    std: Annotated[
        float,
        Field(ge=0, le=1e6, description="How much the dearest quote that is still taken differs from request to request."),
        Quantity("times S_ref(v)", 0.0, 2.0),
    ]
    parameters: ClassVar = ("mean", "std")
    draw: ClassVar[Draw] = "normal"

    @staticmethod
    def law(draw: Any, rule: Any) -> Any:
        """For a standard normal number."""
        return rule.mean + rule.std * draw

    def trade_share(self, relative_spread: ArrayLike) -> NDArray[np.float64]:
        from scipy.special import ndtr

        spread = np.asarray(relative_spread, dtype=np.float64)
        if self.std == 0:
            return (spread <= self.mean).astype(np.float64)
        return np.asarray(ndtr((self.mean - spread) / self.std))
