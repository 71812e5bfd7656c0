"""Tiers by revenue a step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.model.makers.tiering.base import TieringPolicy


class RevenueRate(TieringPolicy):
    """Ranks by average yield times average matured volume per step."""

    kind: Literal["revenue_rate"] = "revenue_rate"
    weight: Annotated[float, Field(gt=0, le=1)] = 0.05
