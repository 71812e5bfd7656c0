"""Tiers by average yield."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.model.makers.tiering.base import TieringPolicy


class AverageYield(TieringPolicy):
    """Ranks by psi, the exponentially weighted average of the yields of past trades, with `weight` on the newest."""

    kind: Literal["average_yield"] = "average_yield"
    weight: Annotated[float, Field(gt=0, le=1)] = 0.05
