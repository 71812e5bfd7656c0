"""Linear impact, a part of which lasts and a part of which decays."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.laws import permanent_impact, round_trip_gain, transient_impact
from dealermarket.model.market.impact.base import MarketImpact


class LinearImpact(MarketImpact):
    """A net volume w bought at the exchange in step t gives I_{t+1} = I_t + k w and J_{t+1} = rho J_t + eta w.

    The permanent part is that of Almgren and Chriss (2000), the transient one has the exponential kernel of Obizhaeva and Wang
    (2013).
    """

    kind: Literal["linear"] = "linear"
    permanent: Annotated[
        float,
        Field(ge=0, le=1e12, description="By how much a unit bought at the exchange raises the mid for good, k."),
        Quantity("price units per unit of the asset", 1e-7, 1e-3, log=True),
    ] = 0.0
    transient: Annotated[
        float,
        Field(ge=0, le=1e12, description="By how much it raises the mid besides for some steps, eta."),
        Quantity("price units per unit of the asset", 1e-7, 1e-3, log=True),
    ] = 0.0
    decay: Annotated[
        float,
        Field(ge=0, lt=1, description="The share of the transient impact that is left a step later, rho."),
        Quantity("", 0.0, 0.99),
    ] = 0.0
    parameters: ClassVar = ("permanent", "transient", "decay")

    @property
    def round_trip_gain(self) -> float:
        return float(round_trip_gain(self.permanent, self.transient, self.decay))

    @staticmethod
    def next_permanent(before: Any, volume: Any, rule: Any) -> Any:
        """What volume adds stays."""
        return permanent_impact(before, volume, rule.permanent)

    @staticmethod
    def next_transient(before: Any, volume: Any, rule: Any) -> Any:
        """What volume adds decays from the next step on."""
        return transient_impact(before, volume, rule.transient, rule.decay)
