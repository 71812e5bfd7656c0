"""The market maker: who tiers, prices and hedges."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.model.investors.agent import Name
from dealermarket.model.makers.hedging import HEDGINGS, AlmgrenChriss, HedgingPolicy
from dealermarket.model.makers.policies import POLICIES, HeuristicMaker, Policy
from dealermarket.model.makers.pricing import PRICINGS, PowerPricing, PricingRule
from dealermarket.model.makers.tiering import TIERINGS, AverageYield, TieringPolicy
from dealermarket.values import Value


class MarketMakerAgent(Value):
    """A market maker (section 3.3): quotes to investors and to other makers, warehouses the risk, hedges with others."""

    name: Annotated[Name, Field(description="Name of the maker; every participant has its own.")]
    tiering: Annotated[
        TieringPolicy, TIERINGS, Field(description="How it sorts all other participants into tiers, which decide their prices.")
    ] = AverageYield()
    pricing: Annotated[PricingRule, PRICINGS, Field(description="What it charges for a size and a tier.")] = PowerPricing()
    hedging: Annotated[
        HedgingPolicy, HEDGINGS, Field(description="How much of its position it trades away at each step, and where.")
    ] = AlmgrenChriss()
    policy: Annotated[
        Policy,
        POLICIES,
        Field(
            description="What it does at each step beyond these rules: a policy that ships, or any `dealermarket.MakerPolicy`."
        ),
    ] = HeuristicMaker()
