"""The market maker: who tiers, prices and hedges."""

from __future__ import annotations

from dealermarket.model.investors.agent import Name
from dealermarket.model.makers.hedging import Hedging
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing import Pricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering import Tiering
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.policies import HeuristicMaker, Policy
from dealermarket.values import Value


class MarketMakerAgent(Value):
    """A market maker (section 3.3): quotes to investors and to other makers, warehouses the risk, hedges with others."""

    name: Name
    tiering: Tiering = AverageYield()
    pricing: Pricing = PowerPricing()
    hedging: Hedging = AlmgrenChriss()
    policy: Policy = HeuristicMaker()
