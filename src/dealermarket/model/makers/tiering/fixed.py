"""Tiers from a table."""

from __future__ import annotations

from typing import Literal

from dealermarket.frozen import FrozenMapping
from dealermarket.model.makers.tiering.base import TieringPolicy, TierTable


class FixedTiers(TieringPolicy):
    """A given `table` of tiers by participant; who is not listed gets tier 0."""

    kind: Literal["fixed"] = "fixed"
    table: TierTable = FrozenMapping()

    @property
    def fixed_tiers(self) -> TierTable:
        return FrozenMapping({**self.table, **self.pins})
