"""Prices that stay."""

from __future__ import annotations

from typing import Literal

from dealermarket.model.makers.policies.drawn import DrawnPrices


class PersistentMaker(DrawnPrices):
    """The same prices all day: eps ~ U[`low`, `high`] for each side, drawn once a run (follow-up paper).

    With `low` = `high` it is a constant eps."""

    kind: Literal["persistent"] = "persistent"
