"""The paper's pricing: a power of the reference curve, and a penalty for each tier."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.laws import power_curve
from dealermarket.model.exchange import LARGEST_LOG_PRICE, Exchange
from dealermarket.model.makers.pricing.base import PricingRule


class PowerPricing(PricingRule):
    """s(v, u) = S_ref(0) (1 + eps) (S_ref(v) / S_ref(0))^alpha + delta u (section 3.3, eq. 5)."""

    kind: Literal["power"] = "power"
    alpha: Annotated[
        float,
        Field(gt=0, le=10, description="Volume penalty, alpha of eq. 5: above 1, large trades are dearer than at the exchange."),
        Quantity("", 1.0, 2.0),
    ] = 1.5
    tier_penalty: Annotated[
        float,
        Field(ge=0, le=1e12, description="What each tier below the best pays more, delta of eq. 5."),
        Quantity("price units", 1e-6, 1e-3, log=True),
    ] = 1e-5
    parameters: ClassVar = ("alpha", "tier_penalty")
    actions: ClassVar = ("alpha", "tier_penalty")

    @staticmethod
    def curve(log_curve: Any, rule: Any) -> Any:
        """The same for every tier."""
        return power_curve(log_curve, rule.alpha)

    @staticmethod
    def surcharge(tier: Any, unit: Any, rule: Any) -> Any:
        """Delta u."""
        return rule.tier_penalty * unit * tier

    @property
    def power_of_reference(self) -> float:
        return self.alpha

    def problems(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        if not self.alpha <= exchange.largest_alpha:
            yield (
                "alpha",
                f"{self.alpha:g} with exchange.lam = {exchange.lam:g} prices the "
                f"largest trade beyond e^{LARGEST_LOG_PRICE} half spreads; lower alpha or raise exchange.lam",
            )
