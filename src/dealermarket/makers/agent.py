"""The market maker: who tiers, prices and hedges."""

from __future__ import annotations

from dealermarket.investors import Name
from dealermarket.makers.hedging import AlmgrenChriss, Hedging
from dealermarket.makers.pricing import PowerPricing, Pricing
from dealermarket.makers.tiering import AverageYield, Tiering
from dealermarket.policies import HeuristicMaker, Policy
from dealermarket.values import Value


class MarketMakerAgent(Value):
    """A market maker (section 3.3): quotes to investors and to other makers, warehouses the risk, hedges with others."""

    name: Name
    tiering: Tiering = AverageYield()
    pricing: Pricing = PowerPricing()
    hedging: Hedging = AlmgrenChriss()
    policy: Policy = HeuristicMaker()
