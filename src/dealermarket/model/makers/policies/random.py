"""Random prices."""

from __future__ import annotations

from typing import Literal

from dealermarket.model.makers.policies.drawn import DrawnPrices


class RandomMaker(DrawnPrices):
    """New prices at every step, whatever happens: eps ~ U[`low`, `high`] for each side (follow-up paper)."""

    kind: Literal["random"] = "random"
