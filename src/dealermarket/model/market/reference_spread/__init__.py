"""Reference-spread processes (section 3.1): what the market takes as `reference_spread`."""

from __future__ import annotations

from dealermarket.model.market.reference_spread.base import ReferenceSpread
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.model.market.reference_spread.constant import ConstantSpread
from dealermarket.model.market.reference_spread.log_ar1 import LogAR1
from dealermarket.model.market.reference_spread.recorded import RecordedSpread
from dealermarket.slots import Slot

REFERENCE_SPREADS = Slot(
    "reference spread",
    ReferenceSpread,
    [ClippedNormal],
    beyond=[
        ConstantSpread,
        LogAR1,
        RecordedSpread,
    ],
    default="clipped_normal",
)

__all__ = ["REFERENCE_SPREADS", "ClippedNormal", "ConstantSpread", "LogAR1", "RecordedSpread", "ReferenceSpread"]
