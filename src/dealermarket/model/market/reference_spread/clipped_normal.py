"""A clipped normal, independent at each step."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.laws import clipped_normal
from dealermarket.model.market.reference_spread.base import ReferenceSpread


class ClippedNormal(ReferenceSpread):
    """s0_t ~ N(mean, std) clipped to [minimum, maximum], independent each step (section 3.1)."""

    kind: Literal["clipped_normal"] = "clipped_normal"
    mean: Annotated[
        float,
        Field(ge=1e-20, le=1e12, description="Mean of the reference spread before it is clipped."),
        Quantity("price units", 1e-5, 1e-3, log=True),
    ] = 0.00015
    std: Annotated[
        float,
        Field(ge=0, le=1e12, description="Standard deviation of the reference spread before it is clipped."),
        Quantity("price units", 1e-6, 1e-3, log=True),
    ] = 0.00005
    minimum: Annotated[
        float,
        Field(ge=1e-20, le=1e12, description="The smallest reference spread: smaller ones are raised to it."),
        Quantity("price units", 1e-6, 1e-3, log=True),
    ] = 0.00002
    maximum: Annotated[
        float,
        Field(ge=1e-20, le=1e12, description="The largest reference spread: larger ones are cut to it."),
        Quantity("price units", 1e-5, 1e-2, log=True),
    ] = 0.0005
    parameters: ClassVar = ("mean", "std", "minimum", "maximum")

    @model_validator(mode="after")
    def _ordered(self) -> ClippedNormal:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum: must be <= maximum = {self.maximum:g}, got {self.minimum:g}")
        return self

    @staticmethod
    def first(draw: Any, rule: Any) -> Any:
        """As at every other step."""
        return clipped_normal(draw[0], rule.mean, rule.std, rule.minimum, rule.maximum)

    @staticmethod
    def law(draw: Any, rule: Any) -> Any:
        """Whatever was before."""
        return clipped_normal(draw[0], rule.mean, rule.std, rule.minimum, rule.maximum)
