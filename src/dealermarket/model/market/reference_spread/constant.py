"""A spread that stays."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.model.market.reference_spread.base import ReferenceSpread
from dealermarket.model.part import Draw


class ConstantSpread(ReferenceSpread):
    """s0_t = `mean` at every step."""

    kind: Literal["constant"] = "constant"
    mean: Annotated[
        float, Field(ge=1e-20, le=1e12, description="The reference spread."), Quantity("price units", 1e-5, 1e-2, log=True)
    ] = 0.00015
    parameters: ClassVar = ("mean",)
    draws: ClassVar[tuple[Draw, ...]] = ()

    @staticmethod
    def first(rule: Any) -> Any:
        """The mean."""
        return rule.mean

    @staticmethod
    def law(rule: Any) -> Any:
        """The mean."""
        return rule.mean
