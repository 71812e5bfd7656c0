"""A clipped normal, independent at each step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dealermarket.values import Value


class ClippedNormal(Value):
    """Reference-spread process (section 3.1): s0_t ~ N(mean, std) clipped to [minimum, maximum], independent each step.

    In price units where the price is near 1; see `spreads_scale_with_price` of :class:`MarketEnvironment`.
    """

    kind: Literal["clipped_normal"] = "clipped_normal"
    mean: Annotated[float, Field(gt=0, le=1e12)] = 0.00015
    std: Annotated[float, Field(ge=0, le=1e12)] = 0.00005
    minimum: Annotated[float, Field(gt=0, le=1e12)] = 0.00002
    maximum: Annotated[float, Field(gt=0, le=1e12)] = 0.0005

    @model_validator(mode="after")
    def _ordered(self) -> ClippedNormal:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum: must be <= maximum = {self.maximum:g}, got {self.minimum:g}")
        return self
