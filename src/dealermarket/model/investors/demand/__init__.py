"""Laws of demand: at which quotes a request trades, what an investor takes as `demand`."""

from __future__ import annotations

from dealermarket.model.investors.demand.always import AlwaysTrades
from dealermarket.model.investors.demand.base import Demand
from dealermarket.model.investors.demand.logistic import LogisticDemand
from dealermarket.model.investors.demand.normal import NormalDemand
from dealermarket.slots import Slot

DEMANDS = Slot(
    "demand",
    Demand,
    [AlwaysTrades],
    beyond=[
        LogisticDemand,
        NormalDemand,
    ],
)

__all__ = ["DEMANDS", "AlwaysTrades", "Demand", "LogisticDemand", "NormalDemand"]
