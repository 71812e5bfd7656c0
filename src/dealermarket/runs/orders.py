"""Orders as arrays: their sums by client, maker or time, and their markouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.laws import position_revenue

Array = NDArray[Any]


def sums_by_cell(shape: tuple[int, ...], index: tuple[Array, ...], values: Array) -> Array:
    """Sums of values (n,) by the cell that they belong to; `index` has an array (n,) for each axis of `shape`."""
    return np.bincount(np.ravel_multi_index(index, shape), values, int(np.prod(shape))).reshape(shape)


def markouts_by_group(mid: Array, orders: Mapping[str, Array], member: Array, groups: int, longest: int) -> tuple[Array, Array]:
    """Position revenue of orders h = 0..longest steps later, summed by replica and group, (B, groups, longest + 1), and the
    volume to divide it by, (B, groups).

    `mid` (B, T) are the mids, `orders` have `replica`, `step`, `side` and `size` (n,), and `member` (n,) is the group of each.
    Orders of the last `longest` steps are left out, so that every horizon has the same orders."""
    early = orders["step"] < mid.shape[1] - longest
    replica, start = orders["replica"][early], orders["step"][early]
    index, shape = (replica, member[early]), (len(mid), groups)
    signed = -orders["side"][early] * orders["size"][early]
    moves = (mid[replica, start + h] - mid[replica, start] for h in range(longest + 1))
    revenue = [sums_by_cell(shape, index, position_revenue(signed, move)) for move in moves]
    return np.stack(revenue, axis=-1), sums_by_cell(shape, index, orders["size"][early])
