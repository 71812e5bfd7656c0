"""Pricing: what a maker charges for a size and a tier (section 3.3)."""

from __future__ import annotations

from dealermarket.model.makers.pricing.base import LARGEST_SKEW, PricingRule, Skew
from dealermarket.model.makers.pricing.ladder import LadderPricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.slots import Slot

PRICINGS = Slot(
    "pricing",
    PricingRule,
    [PowerPricing],
    beyond=[
        LadderPricing,
    ],
    default="power",
)

__all__ = ["LARGEST_SKEW", "PRICINGS", "LadderPricing", "PowerPricing", "PricingRule", "Skew"]
