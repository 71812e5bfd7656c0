"""Hedging: how much of its position a maker trades away now, and where (section 3.3)."""

from __future__ import annotations

from dealermarket.model.makers.hedging.base import CostCurve, HedgingPolicy, PlannedHedging, Situation, TradingPolicy
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.slots import Slot

HEDGINGS = Slot("hedging", HedgingPolicy, [NoHedge, FullHedge, ConstantFraction, LinearSchedule, AlmgrenChriss])

__all__ = [
    "HEDGINGS",
    "AlmgrenChriss",
    "ConstantFraction",
    "CostCurve",
    "FullHedge",
    "HedgingPolicy",
    "LinearSchedule",
    "NoHedge",
    "PlannedHedging",
    "Situation",
    "TradingPolicy",
]
