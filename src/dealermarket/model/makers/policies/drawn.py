"""What policies with drawn prices have in common."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from dealermarket.model.makers.policies.base import Policy
from dealermarket.model.makers.pricing import Skew
from dealermarket.values import Value


class DrawnPrices(Value, Policy):
    """Prices from a range: eps ~ U[`low`, `high`], for each side its own."""

    low: Annotated[
        Skew, Field(description="The lowest skew eps: a client is quoted S_ref(0) (1 + eps), so that -0.2 is 20 % cheaper.")
    ] = -1.0
    high: Annotated[Skew, Field(description="The highest skew eps.")] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low: must be <= high = {self.high:g}, got {self.low:g}")
        return self
