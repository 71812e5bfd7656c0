"""Tiering: how a maker sorts every other participant, investors and makers alike, into tiers (section 3.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.base import TieringPolicy
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate

Tiering = Annotated[AverageYield | RevenueRate | FixedTiers, Field(discriminator="kind")]

__all__ = ["AverageYield", "FixedTiers", "RevenueRate", "Tiering", "TieringPolicy"]
