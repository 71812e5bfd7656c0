"""Laws of order sizes (section 3.2): what an investor takes as `size`."""

from __future__ import annotations

from dealermarket.model.investors.sizes.base import OrderSize
from dealermarket.model.investors.sizes.ladder import LadderSize
from dealermarket.model.investors.sizes.lognormal import LogNormalSize
from dealermarket.slots import Slot

SIZES = Slot(
    "order size",
    OrderSize,
    [LogNormalSize],
    beyond=[
        LadderSize,
    ],
    default="lognormal",
)

__all__ = ["SIZES", "LadderSize", "LogNormalSize", "OrderSize"]
