"""Prices around a mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import Skew
from dealermarket.values import Value


class NormalMaker(Value, Policy):
    """New prices at every step: eps ~ N(`mean`, `std`) for each side, no price below 0. A rival as a log of requests shows it."""

    kind: Literal["normal"] = "normal"
    mean: Skew = 0.0
    std: Annotated[float, Field(ge=0, le=1e6)] = 0.2
