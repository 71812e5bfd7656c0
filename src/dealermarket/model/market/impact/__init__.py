"""Market impact: how makers' trades at the exchange move the mid, what the market takes as `impact`."""

from __future__ import annotations

from dealermarket.model.market.impact.base import MarketImpact
from dealermarket.model.market.impact.linear import LinearImpact
from dealermarket.model.market.impact.none import NoImpact
from dealermarket.slots import Slot

IMPACTS = Slot(
    "impact",
    MarketImpact,
    [NoImpact],
    beyond=[
        LinearImpact,
    ],
    default="none",
)

__all__ = ["IMPACTS", "LinearImpact", "MarketImpact", "NoImpact"]
