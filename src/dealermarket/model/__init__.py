"""What a market is: frozen, validated values. Nothing here acts, draws or compiles.

The base classes for kinds of your own, one for each slot; see docs/extending.md and `dealermarket.register`.
"""

from dealermarket.model.investors.demand import Demand
from dealermarket.model.investors.sizes import OrderSize
from dealermarket.model.makers.hedging import PlannedHedging, TradingPolicy
from dealermarket.model.makers.pricing import PricingRule
from dealermarket.model.makers.tiering import RankedTiering
from dealermarket.model.market.impact import MarketImpact
from dealermarket.model.market.mid_price import MidPrice
from dealermarket.model.market.reference_spread import ReferenceSpread

__all__ = [
    "Demand",
    "MarketImpact",
    "MidPrice",
    "OrderSize",
    "PlannedHedging",
    "PricingRule",
    "RankedTiering",
    "ReferenceSpread",
    "TradingPolicy",
]


def __dir__() -> list[str]:
    return sorted(__all__)
