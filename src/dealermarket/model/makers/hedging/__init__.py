"""Hedging: how much of its position a maker trades away now, and where (section 3.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermarket.model.makers.hedging.base import CostCurve, HedgingPolicy
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss

Hedging = Annotated[AlmgrenChriss | LinearSchedule | ConstantFraction | FullHedge | NoHedge, Field(discriminator="kind")]

__all__ = [
    "AlmgrenChriss",
    "ConstantFraction",
    "CostCurve",
    "FullHedge",
    "Hedging",
    "HedgingPolicy",
    "LinearSchedule",
    "NoHedge",
]
