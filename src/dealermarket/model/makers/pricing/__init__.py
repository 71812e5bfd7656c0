"""Pricing: what a maker charges for a size and a tier (section 3.3)."""

from dealermarket.model.makers.pricing.power import PowerPricing, Skew

Pricing = PowerPricing

__all__ = ["PowerPricing", "Pricing", "Skew"]
