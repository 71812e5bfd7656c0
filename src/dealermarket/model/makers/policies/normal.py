"""Prices around a mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import Skew
from dealermarket.values import Value


class NormalMaker(Value, Policy):
    """New prices at every step: eps ~ N(`mean`, `std`) for each side, no price below 0. A rival as a log of requests shows it."""

    kind: Literal["normal"] = "normal"
    mean: Annotated[
        Skew, Field(description="Mean skew eps: a client is quoted S_ref(0) (1 + eps), so that 0.4 is 40 % dearer.")
    ] = 0.0
    std: Annotated[
        float, Field(ge=0, le=1e6, description="Standard deviation of the skew from step to step."), Quantity("", 0.0, 1.0)
    ] = 0.2
