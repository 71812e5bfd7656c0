"""The makers of a calibrated scenario: the desk by its prices and tiers, and its rivals by theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.competition import Competition
from dealermarket.data.findings import Findings, rounded
from dealermarket.data.members import Members
from dealermarket.data.pricing import DeskPricing
from dealermarket.estimates import Estimate
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging import AlmgrenChriss, NoHedge
from dealermarket.model.makers.policies import NormalMaker
from dealermarket.model.makers.pricing import PowerPricing
from dealermarket.model.makers.tiering import AverageYield, FixedTiers, TieringPolicy

Array = NDArray[Any]


def desk_maker(
    pricing: DeskPricing, members: Members, client: Array, others: int, at_other_depths: str, told: Findings
) -> MarketMakerAgent:
    """The desk by its prices, whose requests are of `client` (requests,); `at_other_depths` is said of alpha."""
    tiers = min(pricing.tiers, others)
    if tiers < pricing.tiers:
        told.unknown.append(f"makers.desk.tiering.tiers: {pricing.tiers} tiers for {others} others; {tiers}")
    told.found(
        "makers.desk.pricing.alpha",
        pricing.alpha,
        f"least squares of the desk's quotes{at_other_depths}",
    )
    told.found("makers.desk.pricing.tier_penalty", pricing.tier_penalty, "least squares of the desk's quotes, by tier")
    told.found("makers.desk.pricing.eps_buy", pricing.eps, "least squares of the desk's quotes, both sides alike")
    eps = max(rounded(pricing.eps.value), -1.0)
    return MarketMakerAgent(
        name="desk",
        tiering=_tiering(pricing, members, client, tiers, told),
        pricing=PowerPricing(
            alpha=rounded(pricing.used),
            tier_penalty=0.0 if pricing.tier_penalty is None else max(rounded(pricing.tier_penalty.value), 0.0),
            eps_buy=eps,
            eps_sell=eps,
        ),
        hedging=AlmgrenChriss(venue="exchange"),
    )


def rival_makers(rivalry: Competition, count: int, told: Findings) -> list[MarketMakerAgent]:
    """As many rivals, all alike; none where the log does not tell their prices."""
    if rivalry.rival_mean is None or rivalry.rival_std is None:
        return []
    mean, std = rivalry.rival_mean, rivalry.rival_std
    shifted = Estimate(mean.value - 1.0, mean.error, mean.low - 1.0, mean.high - 1.0)
    told.unknown.append(
        "makers.rival-1.hedging: the log has no hedges of rivals; none, so that their positions and P&L mean nothing"
    )
    told.found("makers.rival-1.policy.mean", shifted, "greatest likelihood of won and lost requests; all rivals alike")
    told.found("makers.rival-1.policy.std", std, "greatest likelihood of won and lost requests; all rivals alike")
    policy = NormalMaker(mean=max(rounded(shifted.value), -1.0), std=rounded(std.value))
    return [
        MarketMakerAgent(
            name=f"rival-{number}",
            tiering=FixedTiers(tiers=1),
            pricing=PowerPricing(alpha=1.0, tier_penalty=0.0),
            hedging=NoHedge(),
            policy=policy,
        )
        for number in range(1, count + 1)
    ]


def _tiering(pricing: DeskPricing, members: Members, client: Array, tiers: int, told: Findings) -> TieringPolicy:
    """The desk's tiers: a table, where clients stay in theirs."""
    if pricing.levels is not None:
        how = "levels of what clients are quoted over the curve: a mixture of normal laws, the least BIC"
        told.found("makers.desk.tiering.tiers", pricing.levels, how)
    if tiers == 1:
        return FixedTiers(tiers=1)
    if pricing.tier_of is None:
        told.unknown.append(
            "makers.desk.tiering: the log says in which tiers clients were, and they move, not by which rule; average yield"
        )
        return AverageYield(tiers=tiers)
    usual = np.minimum(members.usual(pricing.tier_of, np.bincount(client)), tiers - 1)
    where = "in the log" if pricing.levels is None else "found from its quotes"
    told.found("makers.desk.tiering.table", None, f"each client in the tier {where}, since clients stay in theirs")
    table = {name: int(tier) for number, tier in enumerate(usual) if tier for name in members.participants(number)}
    return FixedTiers(tiers=tiers, table=table)
