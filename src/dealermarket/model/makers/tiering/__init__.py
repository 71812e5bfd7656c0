"""Tiering: how a maker sorts every other participant, investors and makers alike, into tiers (section 3.3)."""

from __future__ import annotations

from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.base import RankedTiering, TieringPolicy
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.slots import Slot

TIERINGS = Slot("tiering", TieringPolicy, [AverageYield, RevenueRate, FixedTiers])

__all__ = ["TIERINGS", "AverageYield", "FixedTiers", "RankedTiering", "RevenueRate", "TieringPolicy"]
