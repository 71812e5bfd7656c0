"""What the engine works on: the rules of a market, fixed for a run, and its state, which every step changes.

Records have named fields; participants are numbered investors first, then makers, and the exchange comes after the
last maker. Sizes are in units of the asset, spreads and money in price units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.engine.hedge_tables import HedgeTables, hedge_tables
from dealermarket.model.makers.hedging.base import HedgingPolicy
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

# kinds of policies and venues, as the compiled code knows them
AVERAGE_YIELD, REVENUE_RATE, FIXED = 0, 1, 2
TIERINGS = {AverageYield: AVERAGE_YIELD, RevenueRate: REVENUE_RATE, FixedTiers: FIXED}
NONE, FULL, FRACTION, LINEAR, OPTIMAL = 0, 1, 2, 3, 4
HEDGINGS = {NoHedge: NONE, FullHedge: FULL, ConstantFraction: FRACTION, LinearSchedule: LINEAR, AlmgrenChriss: OPTIMAL}
MAKERS, EXCHANGE, BEST = 0, 1, 2
VENUES = {"makers": MAKERS, "exchange": EXCHANGE, "best": BEST}
ORDER, HEDGE = 0, 1


def _record(fields: list[tuple[str, Any]]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(fields, align=True)))


MAKER_RULES = _record(
    [
        ("tiering", np.int64),
        ("tiers", np.int64),
        ("weight", np.float64),
        ("alpha", np.float64),
        ("tier_penalty", np.float64),
        ("eps_buy", np.float64),
        ("eps_sell", np.float64),
        ("hedging", np.int64),
        ("venue", np.int64),
        ("fraction", np.float64),
        ("risk_aversion", np.float64),
        ("horizon", np.int64),
        ("volatility", np.float64),  # of one step, relative to the mid: sigma sqrt(dt); 0 for who never hedges
    ]
)
"""The policies of one maker."""

TRADE = _record(
    [
        ("step", np.int32),
        ("taker", np.int32),
        ("maker", np.int32),
        ("side", np.int32),  # +1 the taker buys
        ("tier", np.int32),
        ("kind", np.int32),
        ("volume", np.float64),  # `size` is taken: every NumPy scalar has one
        ("spread", np.float64),
        ("position_revenue", np.float64),  # of the maker; NaN until it is known
        ("trade_yield", np.float64),
    ]
)
"""One trade; `maker` and `taker` are participants, the exchange is number J."""

MAKER_STEP = _record(
    [
        ("position", np.float64),  # held into the step
        ("spread_revenue", np.float64),
        ("position_revenue", np.float64),
        ("hedging_cost", np.float64),
        ("risk_cost", np.float64),
        ("hedge_fraction", np.float64),
        ("hedge_size", np.float64),  # signed, from the maker's side
        ("step_volatility", np.float64),
    ]
)
"""What one maker did and earned in one step."""

MAKER_FLOW = _record(
    [
        ("bought", np.float64),  # volume that investors bought from the maker in the last step
        ("sold", np.float64),
        ("market", np.float64),  # volume of all investors in the last step
    ]
)
"""The last step's trades as a policy sees them."""

MAKER_TOTALS = _record(
    [
        ("spread_revenue", np.float64),
        ("position_revenue", np.float64),
        ("hedging_cost", np.float64),
        ("risk_cost", np.float64),
        ("pnl", np.float64),
        ("volume", np.float64),  # as the quoting side
        ("client_volume", np.float64),  # of it, with investors
        ("hedge_volume", np.float64),  # as the hedger
        ("trades", np.int64),  # as the quoting side
        ("abs_position", np.float64),  # summed over the steps
    ]
)
"""One maker's sums over a run."""


class Rules(NamedTuple):
    """What stays the same during a run. N investors, M makers, J = N + M participants."""

    makers: Array  # (M,) MAKER_RULES
    fixed_tier: Array  # (M, J) int64: the tier that no ranking moves, else -1
    tier_at: Array  # (M, J - 1) int64: the tier of each rank
    tier_start: Array  # (M, K at most) int64: the first rank of each tier
    table: Array  # (M, M + 1) int64: hedge table of maker i (row) against rival j, the exchange last; -1 for none
    tables: HedgeTables
    investors: int
    reward_horizon: int
    curve_exponent: float
    v_max: float
    scale_with_price: bool


class State(NamedTuple):
    """B markets, the replica axis first in every array; one market is the same without it."""

    clock: Array  # (B, 1) int64: steps begun
    slot: Array  # (B, 1) int64: t mod t_m, the place of step t in the circular buffers
    mids: Array  # (B, t_m) the last t_m mids
    pending: Array  # (B, t_m, J) TRADE: the trades of the last t_m steps
    pending_count: Array  # (B, t_m) int64
    position: Array  # (B, M)
    psi: Array  # (B, M, J) average yield
    matured: Array  # (B, M, J) int64 number of matured trades
    matured_volume: Array  # (B, M, J)
    tie_break: Array  # (B, M, J) orders equal metrics, lowest first
    metric: Array  # (B, M, J) what the ranking below is sorted by
    ranking: Array  # (B, M, J - 1) int32 participants, best first
    tier: Array  # (B, M, J) int64 of each participant, by ranking or fixed
    tiers_given: Array  # (B, M) bool: whether a Python policy gave the tiers of this step
    given_tier: Array  # (B, M, J) int64: these
    skew: Array  # (B, M, 2) of this step, for clients who buy and sell
    alpha: Array  # (B, M) volume penalty of this step
    tier_penalty: Array  # (B, M) of this step
    given_fraction: Array  # (B, M) hedge fraction of a Python policy for this step, NaN where it gave none
    flow: Array  # (B, M) MAKER_FLOW
    totals: Array  # (B, M) MAKER_TOTALS


def rules_of(scenario: Scenario) -> Rules:
    """The scenario as the engine reads it; builds or loads the hedging tables that it needs."""
    makers, investors, participants = scenario.makers, len(scenario.agents), scenario.participants
    number = {name: index for index, name in enumerate(participants)}
    records = np.zeros(len(makers), MAKER_RULES)
    fixed_tier = np.full((len(makers), len(participants)), -1, np.int64)
    table = np.full((len(makers), len(makers) + 1), -1, np.int64)
    ranks = np.arange(len(participants) - 1)
    tier_at = np.stack([laws.tier_of_rank(ranks, maker.tiering.tiers, len(ranks)) for maker in makers])
    tier_start = np.stack([np.searchsorted(tiers, np.arange(tier_at.max() + 1)) for tiers in tier_at])
    wanted: dict[tuple[float, int], int] = {}
    for i, maker in enumerate(makers):
        tiering, pricing, hedging = maker.tiering, maker.pricing, maker.hedging
        record = records[i]
        record["tiering"], record["tiers"] = TIERINGS[type(tiering)], tiering.tiers
        record["weight"] = getattr(tiering, "weight", 0.0)
        for field in ("alpha", "tier_penalty", "eps_buy", "eps_sell"):
            record[field] = getattr(pricing, field)
        record["hedging"] = HEDGINGS[type(hedging)]
        if isinstance(hedging, HedgingPolicy):
            record["venue"] = VENUES[hedging.venue]
            own = None if hedging.volatility == "market" else hedging.volatility
            record["volatility"] = scenario.market.step_volatility(1.0, own)
        for field in ("fraction", "risk_aversion", "horizon"):
            record[field] = getattr(hedging, field, 0)
        if isinstance(tiering, FixedTiers):
            fixed_tier[i] = 0
        for name, tier in tiering.fixed_tiers.items():
            fixed_tier[i, number[name]] = tier
        if isinstance(hedging, AlmgrenChriss):
            for j, alpha in enumerate([rival.pricing.alpha for rival in makers] + [1.0]):
                in_venue = hedging.venue != "makers" if j == len(makers) else hedging.venue != "exchange" and j != i
                if in_venue:
                    table[i, j] = wanted.setdefault((alpha, hedging.horizon), len(wanted))
    return Rules(
        makers=records,
        fixed_tier=fixed_tier,
        tier_at=tier_at,
        tier_start=tier_start,
        table=table,
        tables=hedge_tables(list(wanted), scenario.exchange.lam),
        investors=investors,
        reward_horizon=scenario.reward_horizon,
        curve_exponent=laws.curve_exponent(scenario.exchange.lam),
        v_max=scenario.exchange.v_max,
        scale_with_price=scenario.market.spreads_scale_with_price,
    )


def empty_state(rules: Rules, replicas: int) -> State:
    """Room for `replicas` markets; `step.start` makes them new."""
    makers, participants = rules.fixed_tier.shape
    b, m, j, horizon = replicas, makers, participants, rules.reward_horizon
    return State(
        clock=np.zeros((b, 1), np.int64),
        slot=np.zeros((b, 1), np.int64),
        mids=np.zeros((b, horizon)),
        pending=np.zeros((b, horizon, j), TRADE),
        pending_count=np.zeros((b, horizon), np.int64),
        position=np.zeros((b, m)),
        psi=np.zeros((b, m, j)),
        matured=np.zeros((b, m, j), np.int64),
        matured_volume=np.zeros((b, m, j)),
        tie_break=np.zeros((b, m, j)),
        metric=np.zeros((b, m, j)),
        ranking=np.zeros((b, m, j - 1), np.int32),
        tier=np.zeros((b, m, j), np.int64),
        tiers_given=np.zeros((b, m), np.bool_),
        given_tier=np.zeros((b, m, j), np.int64),
        skew=np.zeros((b, m, 2)),
        alpha=np.zeros((b, m)),
        tier_penalty=np.zeros((b, m)),
        given_fraction=np.full((b, m), np.nan),
        flow=np.zeros((b, m), MAKER_FLOW),
        totals=np.zeros((b, m), MAKER_TOTALS),
    )
