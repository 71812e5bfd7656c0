"""Tiers from a table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.frozen import FrozenMapping
from dealermarket.model.makers.tiering.base import TieringPolicy, TierTable


class FixedTiers(TieringPolicy):
    """Tiers from a table, whatever trades bring."""

    kind: Literal["fixed"] = "fixed"
    table: Annotated[
        TierTable, Field(description="Tiers by name of the participant; whoever is not listed is in tier 0, the best.")
    ] = FrozenMapping()

    @property
    def fixed_tiers(self) -> TierTable:
        return FrozenMapping({**self.table, **self.pins})
