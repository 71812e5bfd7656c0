"""The market maker: who tiers, prices and hedges."""

from __future__ import annotations

from typing import Annotated

from dealermarket.model.investors.agent import Name
from dealermarket.model.makers.hedging import HEDGINGS, AlmgrenChriss, HedgingPolicy
from dealermarket.model.makers.policies import POLICIES, HeuristicMaker, Policy
from dealermarket.model.makers.pricing import PRICINGS, PowerPricing, PricingRule
from dealermarket.model.makers.tiering import TIERINGS, AverageYield, TieringPolicy
from dealermarket.values import Value


class MarketMakerAgent(Value):
    """A market maker (section 3.3): quotes to investors and to other makers, warehouses the risk, hedges with others.

    `policy` may go beyond these rules at every step: one that ships, or any `dealermarket.MakerPolicy`.
    """

    name: Name
    tiering: Annotated[TieringPolicy, TIERINGS] = AverageYield()
    pricing: Annotated[PricingRule, PRICINGS] = PowerPricing()
    hedging: Annotated[HedgingPolicy, HEDGINGS] = AlmgrenChriss()
    policy: Annotated[Policy, POLICIES] = HeuristicMaker()
