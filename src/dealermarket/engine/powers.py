"""Powers of the reference curve: most makers' prices are one, so they are worked out for all orders in bulk, once for all
makers that have the same exponent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.arrays import pieces
from dealermarket.laws import power_curve
from dealermarket.model.makers.pricing import PricingRule

Array = NDArray[Any]

NO_COLUMN = -1


def exponents_of(pricings: Sequence[PricingRule]) -> tuple[Array, Array]:
    """The exponents of rules that are powers of the reference curve, (E,), and the place of each rule's among them, (M,)."""
    exponents = [pricing.power_of_reference for pricing in pricings]
    known = sorted({exponent for exponent in exponents if exponent is not None})
    columns = [NO_COLUMN if exponent is None else known.index(exponent) for exponent in exponents]
    return np.array(known, np.float64), np.array(columns, np.int64)


def powers_of(log_curve: Array, exponents: Array) -> Array:
    """(S_ref(v) / S_ref(0))^alpha of orders, (E, orders), for their `log_curve` (orders,) and `exponents` (E,)."""
    powers = np.empty((len(exponents), len(log_curve)))
    for piece in pieces(len(log_curve)):
        for row, exponent in zip(powers, exponents, strict=True):
            row[piece] = power_curve(log_curve[piece], exponent)
    return powers
