"""The market of the experiment contagion: equal dealers, some of whom externalize, impact of hedges, and what is measured."""

from __future__ import annotations

import numpy as np

from dealermarket.model.makers.policies import HeuristicMaker, SkewMaker
from dealermarket.model.market.impact import LinearImpact, MarketImpact, NoImpact
from dealermarket.model.scenario import Scenario
from dealermarket.runs.tables import Chunk
from dealermarket.study import Measures

NONE, LASTING, PASSING = "none", "permanent", "transient"
IMPACTS = (NONE, LASTING, PASSING)
DECAY = 0.8  # of transient impact, a step
STRENGTH = 0.95  # of the impact at which a round trip at the exchange could earn something


def market(scenario: Scenario, impact: str, externalizers: int, eps: float) -> Scenario:
    """The market in which the first dealers externalize, all have this ε, and hedges have this impact."""
    makers = []
    for number_of, maker in enumerate(scenario.makers):
        pricing = maker.pricing.replace(eps_buy=float(eps), eps_sell=float(eps))
        assert isinstance(maker.policy, SkewMaker)  # `needs` has seen to it
        policy = HeuristicMaker() if number_of < externalizers else maker.policy.replace(eps=float(eps))
        makers.append(maker.replace(pricing=pricing, policy=policy))
    return scenario.replace(makers=tuple(makers), market=scenario.market.replace(impact=law_of(scenario, impact)))


def law_of(scenario: Scenario, impact: str) -> MarketImpact:
    """The law of an impact: STRENGTH of what would let round trips earn more than their spread, docs/model.md, "Impact"."""
    gain = largest_gain(scenario)
    if impact == LASTING:
        return LinearImpact(permanent=2.0 * gain)
    return LinearImpact(transient=(1.0 + DECAY) * gain, decay=DECAY) if impact == PASSING else NoImpact()


def largest_gain(scenario: Scenario) -> float:
    """STRENGTH of the least S_ref(v) / v, price units per unit of the asset."""
    return STRENGTH * scenario.market.mean_half_spread * scenario.exchange.least_slope


def measures(scenario: Scenario, chunk: Chunk) -> Measures:
    """`income`, `paid` by clients, their `volume` and what is `hedged`, each (B, M); `squared_move` of the mid and
    `squared_shift`, that of impact alone, means over the steps, (B,)."""
    totals = chunk.record.totals
    by_maker = {
        "income": totals["spread_revenue"] + totals["hedging_cost"] + totals["impact_pnl"],
        "paid": totals["client_revenue"].copy(),
        "volume": totals["client_volume"].copy(),
        "hedged": totals["hedge_volume"].copy(),
    }
    paths = {"squared_move": chunk.record.mid, "squared_shift": chunk.record.impact}
    squared = {name: (np.diff(path, axis=1) ** 2).mean(axis=1) for name, path in paths.items()}
    return Measures(by_maker, scenario.maker_names, squared)
