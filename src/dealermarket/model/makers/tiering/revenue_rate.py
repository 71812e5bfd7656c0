"""Tiers by revenue a step."""

from __future__ import annotations

from typing import Any, Literal

from dealermarket.model.makers.tiering.base import RankedTiering


class RevenueRate(RankedTiering):
    """Ranks by average yield times average matured volume per step."""

    kind: Literal["revenue_rate"] = "revenue_rate"

    @staticmethod
    def law(average_yield: Any, volume: Any) -> Any:
        """Average yield times volume, over the number of steps, which is common to all."""
        return average_yield * volume
