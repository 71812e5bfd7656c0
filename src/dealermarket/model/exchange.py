"""The exchange: the reference price curve every maker's quotes start from."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket import laws
from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.values import Value, short

LARGEST_LOG_PRICE = 600
"""The log of the dearest quote, in half spreads, that stays far from the largest number a computer holds."""


class Exchange(Value):
    """A limit order book whose depth falls with the distance from mid like a power law (section 3.1, Appendix A.1).

    Hedges are planned well for `lam` from 1.01 (a book that is empty but for the best prices) to 100 (one price for nearly
    all units).
    """

    lam: Annotated[
        float,
        Field(
            ge=1.01,
            le=100,
            description="How fast the book thins out away from mid, lambda of section 3.1: the smaller, the dearer large trades.",
            json_schema_extra={
                "reasons": {
                    "ge": "below, next to nothing trades; the paper uses 1.6",
                    "le": "above, all sizes cost the same; the paper uses 1.6",
                }
            },
        ),
        Quantity("", 1.2, 4.0),
    ] = 1.6
    v_max: Annotated[
        float,
        Field(ge=1e-15, le=1e15, description="Depth of the book on either side; at once, nobody trades more than 0.99 of it."),
        Quantity("units of the asset", 10.0, 100_000.0, log=True),
    ] = 10_000.0

    def reference_spread(self, size: ArrayLike, s0: ArrayLike) -> NDArray[np.float64]:
        """S_ref(v): cost per unit, relative to mid, of a trade of `size`; the same for both sides.

        `size` and `s0` (the bid-ask spread of the smallest trade, price units) broadcast; returns their shape.
        At size 0 it is s0 / 2. Raises ParameterError for a size below 0 or not below v_max, or s0 < 0.
        """
        s0 = np.asarray(s0, dtype=np.float64)
        if not np.all((s0 >= 0) & np.isfinite(s0)):
            raise ParameterError(f"s0: must be finite and >= 0, got {short(s0.tolist())}")
        return np.asarray(0.5 * s0 * self.relative_spread(size))

    def relative_spread(self, size: ArrayLike) -> NDArray[np.float64]:
        """S_ref(v) / S_ref(0), the curve without its level: shape of `size`, 1 at size 0, no unit."""
        size = np.asarray(size, dtype=np.float64)
        if not np.all((size >= 0) & (size < self.v_max)):
            raise ParameterError(f"size: must be >= 0 and below v_max = {self.v_max:g}, got {short(size.tolist())}")
        return np.asarray(laws.relative_spread(size / self.v_max, laws.curve_exponent(self.lam)))

    @property
    def largest_trade(self) -> float:
        """The largest size that trades at once, 0.99 v_max: orders are capped at it and hedges split to it."""
        return laws.LARGEST_TRADE * self.v_max

    @cached_property
    def least_slope(self) -> float:
        """The least of S_ref(v) / (S_ref(0) v) over all sizes v that trade at once: what a unit of a trade pays at least for each
        unit of it, in half spreads per unit of the asset."""
        sizes = self.largest_trade * np.linspace(0.0, 1.0, 1001)[1:]
        return float((self.relative_spread(sizes) / sizes).min())

    @cached_property
    def largest_alpha(self) -> float:
        """The largest power of the reference curve whose quote for the largest trade stays below e^LARGEST_LOG_PRICE."""
        with np.errstate(over="ignore"):
            steepest = float(np.log(laws.relative_spread(laws.LARGEST_TRADE, laws.curve_exponent(self.lam))))
        return LARGEST_LOG_PRICE / max(steepest, 1e-300)
