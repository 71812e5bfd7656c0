"""A fan: where the replicas are over time, as their median with bands of half and of nine in ten of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.figure import Band, Line, Mark

Array = NDArray[Any]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def fan(time: Array, values: Array, colour: Any) -> list[Mark]:
    """Bands and the median of values (B, n) at times (n,); of one replica, its line."""
    if len(values) == 1:
        return [Line(time, values[0], "the one replica", colour)]
    low, lower, middle, higher, high = np.quantile(values, LEVELS, axis=0)
    return [
        Band(time, low, high, colour, 0.2, "90 % of replicas"),
        Band(time, lower, higher, colour, 0.35, "half of them"),
        Line(time, middle, "median", colour, 1.6),
    ]


def middle(values: Array, share: float = 0.98, room: float = 0.08) -> tuple[float, float]:
    """Limits of an axis that a few extreme values do not set: the middle `share` of the values, and `room` on both sides."""
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    beside = room * (high - low) or 0.5 * abs(float(high)) or 1.0
    return float(low - beside), float(high + beside)


def alike(ranges: Array) -> bool:
    """Whether panels with these limits, (panels, 2), can have one scale: the widest is not much wider than the narrowest."""
    widths = ranges[:, 1] - ranges[:, 0]
    return bool(widths.max() <= 4 * widths.min())
