"""No impact."""

from __future__ import annotations

from typing import Any, Literal

from dealermarket.model.market.impact.base import MarketImpact


class NoImpact(MarketImpact):
    """The mid is the tape's, whatever makers do: the paper's market."""

    kind: Literal["none"] = "none"

    @staticmethod
    def next_permanent(before: Any) -> Any:
        """0, as ever."""
        return before

    @staticmethod
    def next_transient(before: Any) -> Any:
        """0, as ever."""
        return before
