"""Tiers by average yield."""

from __future__ import annotations

from typing import Any, Literal

from dealermarket.model.makers.tiering.base import RankedTiering


class AverageYield(RankedTiering):
    """Ranks by psi, the exponentially weighted average of the yields of past trades."""

    kind: Literal["average_yield"] = "average_yield"

    @staticmethod
    def law(average_yield: Any) -> Any:
        """The average yield itself."""
        return average_yield
