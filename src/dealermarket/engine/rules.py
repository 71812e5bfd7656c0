"""The rules of a market, fixed for a run: the scenario as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.draws.records import number_rows, rule_records
from dealermarket.engine.hedge_tables import HedgeTables
from dealermarket.engine.planning import plans_of
from dealermarket.engine.ranking import BLOCK
from dealermarket.engine.records import VENUES
from dealermarket.model.makers.hedging import HEDGINGS, HedgingPolicy
from dealermarket.model.makers.pricing import PRICINGS
from dealermarket.model.makers.tiering import TIERINGS
from dealermarket.model.market.impact import IMPACTS, NoImpact
from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


class Rules(NamedTuple):
    """What stays the same during a run. N investors, M makers, J = N + M participants, K tiers at most."""

    tiering: Array  # (M,) records: kind, tiers, ranks, weight, and the parameters of all kinds
    pricing: Array  # (M,) records: kind, eps_buy, eps_sell, in_price_units, and the parameters of all kinds
    hedging: Array  # (M,) records: kind, venue, volatility, and the parameters of all kinds
    tiering_numbers: Array  # (M, n)
    pricing_numbers: Array  # (M, n)
    fixed_tier: Array  # (M, J) int64: the tier that no ranking moves, else -1
    tier_start: Array  # (M, K + 1) int64: the first rank of each tier, and J - 1
    tier_block: Array  # (M, K + 1) int64: the first block of each tier, and how many there are, see `dealermarket.engine.ranking`
    impact: Array  # (1,) record: kind, and the parameters of all kinds
    impact_numbers: Array  # (1, n)
    table: Array  # (M, M + 1, K) int64: hedge table of maker i against rival j, the exchange last, in a tier; -1 for none
    tables: HedgeTables
    no_panel: Array  # (0,) bool: of requests that ask all makers
    investors: int
    reward_horizon: int
    curve_exponent: float
    v_max: float
    scale_with_price: bool
    has_impact: bool
    of_the_papers: bool  # all kinds of tiering, pricing, hedging and impact: which machine code runs


def rules_of(scenario: Scenario) -> Rules:
    """The scenario as the engine reads it; builds or loads the hedging tables that it needs.

    Raises ParameterError where a maker plans its hedges on a rival's prices that cannot be planned against."""
    makers, participants, impact = scenario.makers, scenario.participants, scenario.market.impact
    clock, of_the_papers = scenario.market.clock, is_of_the_papers(scenario)
    tierings, pricings = [maker.tiering for maker in makers], [maker.pricing for maker in makers]
    hedgings = [maker.hedging for maker in makers]
    ranks = np.arange(len(participants) - 1)
    tier_at = np.stack([laws.tier_of_rank(ranks, tiering.tiers, len(ranks)) for tiering in tierings])
    tier_start = np.stack([np.searchsorted(tiers, np.arange(tier_at.max() + 2)) for tiers in tier_at])
    table, tables = plans_of(scenario)
    return Rules(
        tiering=rule_records(TIERINGS, tierings, clock, of_the_papers),
        pricing=rule_records(PRICINGS, pricings, clock, of_the_papers),
        hedging=rule_records(
            HEDGINGS,
            hedgings,
            clock,
            of_the_papers,
            venue=[VENUES[getattr(part, "venue", "makers")] for part in hedgings],
            volatility=[_step_volatility(scenario, part) for part in hedgings],
        ),
        tiering_numbers=number_rows(tierings),
        pricing_numbers=number_rows(pricings),
        fixed_tier=_fixed_tiers(scenario),
        tier_start=tier_start,
        tier_block=np.cumsum(-(-np.diff(tier_start, axis=1, prepend=0) // BLOCK), axis=1),
        impact=rule_records(IMPACTS, [impact], clock, of_the_papers),
        impact_numbers=number_rows([impact]),
        table=table,
        tables=tables,
        no_panel=np.empty(0, np.bool_),
        investors=len(scenario.agents),
        reward_horizon=scenario.reward_horizon,
        curve_exponent=laws.curve_exponent(scenario.exchange.lam),
        v_max=scenario.exchange.v_max,
        scale_with_price=scenario.market.spreads_scale_with_price,
        has_impact=not isinstance(impact, NoImpact),
        of_the_papers=of_the_papers,
    )


def is_of_the_papers(scenario: Scenario) -> bool:
    """Whether the papers know how all makers tier, price and hedge, and what hedges do to the mid."""
    slots = {"tiering": TIERINGS, "pricing": PRICINGS, "hedging": HEDGINGS}
    of_makers = all(slot.of_the_papers(getattr(maker, part) for maker in scenario.makers) for part, slot in slots.items())
    return of_makers and IMPACTS.of_the_papers([scenario.market.impact])


def _step_volatility(scenario: Scenario, hedging: HedgingPolicy) -> float:
    """What a maker believes of one step, relative to the mid; 0 for who never trades."""
    believed = getattr(hedging, "volatility", 0.0)
    return float(scenario.market.step_volatility(1.0, None if believed == "market" else believed))


def _fixed_tiers(scenario: Scenario) -> Array:
    number = {name: index for index, name in enumerate(scenario.participants)}
    fixed = np.full((len(scenario.makers), len(number)), -1, np.int64)
    for row, maker in zip(fixed, scenario.makers, strict=True):
        if not maker.tiering.ranks:
            row[:] = 0
        for name, tier in maker.tiering.fixed_tiers.items():
            row[number[name]] = tier
    return fixed
