"""The investors of a calibrated scenario: how often clients ask, how much, on which side, and what they know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.arrivals import Arrivals
from dealermarket.data.competition import Competition
from dealermarket.data.findings import Findings, rounded
from dealermarket.data.informed import oracle_probabilities
from dealermarket.data.log import RequestLog
from dealermarket.data.members import Members
from dealermarket.data.shares import shares
from dealermarket.data.sizes import size_laws
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import AlwaysTrades, Demand, LogisticDemand
from dealermarket.model.investors.group import InvestorGroup

Array = NDArray[Any]


def investors_of(
    log: RequestLog,
    group: Members,
    rivalry: Competition,
    rivals: Array,
    makers: int,
    moves: Array,
    arrivals: Arrivals,
    busiest: float,
    told: Findings,
) -> tuple[InvestorAgent | InvestorGroup, ...]:
    """The clients, or groups of them, of a market of so many `makers` whose factor of activity is `busiest` at most; `rivals` and
    `moves`, (requests,), are how many others were asked, and how the mid moved after each."""
    member, members = group.of_request, len(group)
    buying = shares(np.bincount(member[log.side > 0], minlength=members), np.bincount(member, minlength=members))
    oracle, buyer = oracle_probabilities(member, members, log.side, moves)
    sizes, why = size_laws(member, members, log.size)
    told.found("investors.*.size", None, f"{sizes[0].kind}: {why}")
    demand: Demand = AlwaysTrades()
    if rivalry.reservation_mean is not None and rivalry.reservation_scale is not None:
        mean, scale = rivalry.reservation_mean, rivalry.reservation_scale
        demand = LogisticDemand(mean=rounded(mean.value), scale=rounded(scale.value))
        for field, estimate in (("mean", mean), ("scale", scale)):
            how = "greatest likelihood of won and lost requests; one law for all"
            told.found(f"investors.*.demand.{field}", estimate, how)
    asked = np.array([int(np.median(rivals[member == number])) for number in range(members)])
    made: list[InvestorAgent | InvestorGroup] = []
    for number, name in enumerate(group.names):
        arrival, often = arrivals.probability[number], float(arrivals.probability.value[number])
        if often * busiest > 1.0:
            told.unknown.append(
                f"investors.{name}.trade_probability: {often:.3g} would be above 1 at the busiest time of day; "
                f"{1.0 / busiest:.3g}"
            )
            often = 1.0 / busiest * (1.0 - 1e-6)
        panel: Any = "all" if asked[number] >= makers - 1 else ("desk", *(f"rival-{n + 1}" for n in range(asked[number])))
        informed = bool(oracle.low[number] > 0)
        fields: dict[str, Any] = {
            "name": name,
            "trade_probability": rounded(often),
            "size": sizes[number],
            "buy_probability": rounded(buyer[number] if informed else buying.value[number]),
            "oracle_probability": rounded(oracle.value[number]),
            "asks": panel,
            "demand": demand,
        }
        count = int(group.counts[number])
        made.append(InvestorAgent(**fields) if count == 1 else InvestorGroup(count=count, **fields))
        how = "requests a step, shrunk towards all clients'"
        if arrivals.clustered[number]:
            how += f"; in clusters: {arrivals.dispersion[number]:.2f} times the variance that the market draws"
        told.found(f"investors.{name}.trade_probability", arrival, how)
        told.found(f"investors.{name}.oracle_probability", oracle[number], "mids after all its requests")
    return tuple(made)
