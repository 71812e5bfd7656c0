"""Random markets and hand-made tapes, and the compiled engine run on them, for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from dealermarket.compiled import among
from dealermarket.draws.arithmetic import TapeArrays, most_orders
from dealermarket.draws.tape import Tape
from dealermarket.engine.advance import advance
from dealermarket.engine.recorder import Record, empty_record
from dealermarket.engine.rules import Rules, rules_of
from dealermarket.engine.state import State, empty_state
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import AlwaysTrades, LogisticDemand, NormalDemand
from dealermarket.model.investors.group import InvestorGroup
from dealermarket.model.investors.sizes.ladder import LadderSize
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.ladder import LadderPricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.impact.linear import LinearImpact
from dealermarket.model.market.mid_price.base import MidPrice
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.mid_price.jump_diffusion import JumpDiffusion
from dealermarket.model.market.mid_price.ornstein_uhlenbeck import OrnsteinUhlenbeck
from dealermarket.model.market.reference_spread.base import ReferenceSpread
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.model.market.reference_spread.constant import ConstantSpread
from dealermarket.model.market.reference_spread.log_ar1 import LogAR1
from dealermarket.model.scenario import Scenario
from reference_market import Order, ReplicaTape

LAMS = (1.05, 1.3, 1.6, 2.0, 2.0 + 1e-9, 3.0, 10.0)
HORIZONS = (1, 2, 3, 8, 20)
TABLE_ALPHAS = (1.1, 1.5)  # of scenarios with optimal hedging: few, because every one costs tables
Array = np.ndarray[Any, Any]
Entry = InvestorAgent | InvestorGroup
Between = Callable[[int, State], None]
"""What a test does between the two halves of step t, at which policies written in Python act: takes t and the state."""


# --- the engine


@dataclass(frozen=True)
class EngineRun:
    """What the engine did with the B replicas of a tape."""

    steps: Array  # (B, T, M) MAKER_STEP; (1, 1, M) or (B, 1, M) where they were not kept
    totals: Array  # (B, M) MAKER_TOTALS
    position: Array  # (B, M) after the last step
    trades: list[Array]  # of each replica: TRADE, in the order done; empty where they were not kept
    requests: list[Array]  # of each replica: REQUEST, in the order made; empty where they were not kept
    mid: Array  # (B, T), (B, 0) where steps were not kept
    impact: Array  # the same


@dataclass(frozen=True)
class DrivenRun(EngineRun):
    """The same, driven one half step at a time, with what only the state knows."""

    tier: Array  # (B, T, M, J) as quoted by ranking, table or pin
    psi: Array  # (B, T, M, J) after the step's maturation
    flow: Array  # (B, T, M) MAKER_FLOW, of the step itself


def _record(rules: Rules, tape: Tape, *, steps: bool = True, trades: bool = True, in_turn: bool = True) -> Record:
    kept = [table for table, is_kept in (("steps", steps), ("trades", trades), ("requests", trades)) if is_kept]
    return empty_record(rules, np.diff(tape.order_start[:, [0, -1]], axis=1)[:, 0], tape.steps, kept, in_turn)


def _trades(record: Record) -> list[Array]:
    if len(record.trades) == 0:
        return [record.trades for _ in record.trade_start]
    return [record.trades[start : start + n].copy() for start, n in zip(record.trade_start, record.trade_count, strict=True)]


def _requests(record: Record) -> list[Array]:
    return [record.requests[a:b].copy() for a, b in pairwise(record.request_start)]


def run_engine(scenario: Scenario, tape: Tape, *, steps: bool = True, trades: bool = True, in_turn: bool = True) -> EngineRun:
    """The whole tape in one call: replica after replica in the same room (`in_turn`), or each in its own."""
    rules = rules_of(scenario)
    record = _record(rules, tape, steps=steps, trades=trades, in_turn=in_turn)
    arrays = tape.arrays()
    state = empty_state(rules, 1 if in_turn else tape.replicas, most_orders(arrays))
    among(advance, rules.of_the_papers)(rules, state, arrays, 0, 2 * tape.steps, True, record)
    return EngineRun(record.steps, record.totals, record.position, _trades(record), _requests(record), record.mid, record.impact)


def drive_engine(scenario: Scenario, tape: Tape, between: Between | None = None, *, live: bool = False) -> DrivenRun:
    """The tape one half step a call, all replicas side by side; `live`: from tapes that hold one step each."""
    rules = rules_of(scenario)
    whole, proceed = tape.arrays(), among(advance, rules.of_the_papers)
    record, state = _record(rules, tape, in_turn=False), empty_state(rules, tape.replicas, most_orders(whole))
    tier, psi, flow = [], [], []
    for t in range(tape.steps):
        arrays = _one_step(whole, t) if live else whole
        proceed(rules, state, arrays, 2 * t, 2 * t + 1, False, record)
        tier.append(state.tier.swapaxes(1, 2).copy())
        psi.append(state.standing["psi"].copy())
        if between is not None:
            between(t, state)
        proceed(rules, state, arrays, 2 * t + 1, 2 * t + 2, t == tape.steps - 1, record)
        flow.append(state.flow.copy())
    return DrivenRun(
        record.steps,
        record.totals,
        record.position,
        _trades(record),
        _requests(record),
        record.mid,
        record.impact,
        np.stack(tier, axis=1),
        np.stack(psi, axis=1),
        np.stack(flow, axis=1),
    )


def _one_step(arrays: TapeArrays, t: int) -> TapeArrays:
    """The tape of step t alone."""
    return arrays._replace(
        mid=np.ascontiguousarray(arrays.mid[:, t : t + 1]),
        reference_spread=np.ascontiguousarray(arrays.reference_spread[:, t : t + 1]),
        order_start=np.ascontiguousarray(arrays.order_start[:, t : t + 2]),
        hedge_tie=np.ascontiguousarray(arrays.hedge_tie[:, t : t + 1]),
    )


def replica_tape(tape: Tape, b: int) -> ReplicaTape:
    """Replica b as the reference market reads it."""
    orders = [[_order(tape, n) for n in range(tape.order_start[b, t], tape.order_start[b, t + 1])] for t in range(tape.steps)]
    return ReplicaTape(
        mid=tape.mid[b].tolist(),
        reference_spread=tape.reference_spread[b].tolist(),
        orders=orders,
        hedge_tie=tape.hedge_tie[b].tolist(),
        ranking=np.argsort(tape.tie_order[b], axis=-1).tolist(),
    )


def _order(tape: Tape, n: int) -> Order:
    return Order(
        int(tape.investor[n]),
        int(tape.side[n]),
        float(tape.size[n]),
        float(tape.tie[n]),
        float(tape.reservation[n]) if len(tape.reservation) else np.inf,
        tuple(np.flatnonzero(tape.asked[n]).tolist()) if len(tape.asked) else None,
    )


# --- random scenarios


def random_scenario(rng: np.random.Generator, steps: int | None = None) -> Scenario:
    """Any market: every tiering, hedging and venue, pins and tables, few or many participants, small or large sizes.

    Kept out: makers whose quote equals the exchange's but for rounding (alpha 1 without a tier cost, at the venue `best`).
    """
    pick = rng.choice
    steps = int(pick([2, 3, 5, rng.integers(6, 61), rng.integers(6, 61), rng.integers(6, 61)])) if steps is None else steps
    lam, v_max = float(pick(LAMS)), float(pick([1.0, 100.0, 10_000.0, 10 ** rng.uniform(0, 5)]))
    # near lam = 1 large sizes cost 1e30 times what others do, next to which tier costs vanish
    investors = _random_investors(rng, int(rng.integers(1, 13)), v_max, largest_level=-1.2 if lam < 1.2 else -0.4)
    count = int(rng.integers(1, 6))
    initial = float(pick([1.0, 1.0, 10 ** rng.uniform(-2, 3)]))
    return Scenario(
        name="random",
        steps=steps,
        reward_horizon=int(pick([1, steps - 1, rng.integers(1, steps)])),
        exchange=Exchange(lam=lam, v_max=v_max),
        market=MarketEnvironment(
            mid_price=GeometricBrownianMotion(
                initial=initial, drift=float(pick([0.0, 1.0])), volatility=float(pick([0.0, 0.1, 0.3, 1.0]))
            ),
            reference_spread=ClippedNormal(std=float(pick([0.0, 5e-5]))),
            steps_per_day=int(pick([96, 8])),
            days_per_year=int(pick([252, 365])),
            spreads_scale_with_price=bool(rng.random() < (0.2 if initial == 1.0 else 0.7)),
        ),
        investors=investors,
        makers=_random_makers(rng, count, [agent.name for agent in _agents(investors)]),
    )


def _agents(investors: tuple[Entry, ...]) -> list[InvestorAgent]:
    return [agent for entry in investors for agent in (entry.members() if isinstance(entry, InvestorGroup) else (entry,))]


def _random_investors(rng: np.random.Generator, count: int, v_max: float, largest_level: float) -> tuple[Entry, ...]:
    pick = rng.choice
    crowded = rng.random() < 0.2  # all buy much: positions far beyond what one trade can hedge
    level = v_max * 10 ** (largest_level + rng.uniform(-0.5 if crowded else -3.5, 0, count))
    widest = float(np.log(0.99 * v_max / level.max()) / 2.6)  # keeps less than 1 % of the sizes above 0.99 v_max
    if rng.random() < 0.25 and not crowded:
        return (
            InvestorGroup(
                name="group",
                count=count,
                trade_probability=(1.0, 0.2),
                log_mean=(float(np.log(level[0])), float(np.log(level[-1]))),
                log_std=(0.1 * widest, widest),
                buy_probability=(float(rng.random()), float(rng.random())),
                oracle_probability=(0.0, float(rng.random())),
            ),
        )
    return tuple(
        InvestorAgent(
            name=f"investor-{j}",
            trade_probability=float(pick([1.0, 0.5, rng.random(), 1.0 if crowded or j == 0 else 0.0])),
            log_mean=float(np.log(level[j])),
            log_std=float(widest * pick([0.05, 1.0])),
            buy_probability=1.0 if crowded else float(pick([0.5, 0.0, 1.0, rng.random()])),
            oracle_probability=0.0 if crowded else float(pick([0.0, 0.0, rng.random(), 1.0])),
        )
        for j in range(count)
    )


def _random_makers(rng: np.random.Generator, count: int, investors: list[str]) -> tuple[MarketMakerAgent, ...]:
    names = [f"maker-{i}" for i in range(count)]
    hedgings = [_random_hedging(rng, alone=count == 1) for _ in names]
    hedging_alike = rng.random() < 0.3
    hedgings = [hedgings[0]] * count if hedging_alike else hedgings
    few = any(isinstance(hedging, AlmgrenChriss) for hedging in hedgings)
    reaches_exchange = any(getattr(hedging, "venue", "") == "best" for hedging in hedgings)
    pricings = [_random_pricing(rng, few, reaches_exchange) for _ in names]
    tierings = [_random_tiering(rng, investors, [name for name in names if name != own]) for own in names]
    if rng.random() < 0.3:  # nobody can tell them apart: exact ties
        pricings, tierings = [pricings[0]] * count, [_random_tiering(rng, investors, [])] * count
        tierings = [tierings[0].replace(tiers=min(tierings[0].tiers, len(investors) + count - 1))] * count
    return tuple(
        MarketMakerAgent(name=name, tiering=tiering, pricing=pricing, hedging=hedging)
        for name, tiering, pricing, hedging in zip(names, tierings, pricings, hedgings, strict=True)
    )


def _random_tiering(rng: np.random.Generator, investors: list[str], rivals: list[str]) -> AverageYield | RevenueRate | FixedTiers:
    others = investors + rivals
    tiers = int(rng.integers(1, len(others) + 1))

    def some(share: float) -> dict[str, int]:
        return {name: int(rng.integers(0, tiers)) for name in others if rng.random() < share}

    pins = some(float(rng.choice([0.0, 0.0, 0.2])))
    weight = float(rng.choice([0.05, 0.5, rng.uniform(0.01, 1.0)]))
    kind = rng.integers(0, 5)
    if kind == 0:
        return FixedTiers(tiers=tiers, pins=pins, table=some(0.7))
    return (AverageYield if kind < 3 else RevenueRate)(tiers=tiers, pins=pins, weight=weight)


def _random_pricing(rng: np.random.Generator, few_alphas: bool, reaches_exchange: bool) -> PowerPricing:
    alphas = [*TABLE_ALPHAS] if few_alphas else [1.5, rng.uniform(0.5, 2.0)]
    skewed = rng.random() < 0.3
    return PowerPricing(
        alpha=float(rng.choice(alphas if reaches_exchange else [*alphas, 1.0])),
        tier_penalty=float(rng.choice([0.0, 1e-5, 10 ** rng.uniform(-6, -3.5)])),
        eps_buy=float(rng.uniform(-0.9, 1.0)) if skewed else 0.0,
        eps_sell=float(rng.uniform(-0.9, 1.0)) if skewed else 0.0,
    )


def _random_hedging(
    rng: np.random.Generator, alone: bool
) -> AlmgrenChriss | LinearSchedule | ConstantFraction | FullHedge | NoHedge:
    common: dict[str, Any] = {
        "venue": str(rng.choice(["exchange", "best"] if alone else ["makers", "makers", "exchange", "best"])),
        "volatility": "market" if rng.random() < 0.5 else float(rng.choice([0.0, rng.uniform(0.0, 0.5)])),
    }
    over_time: dict[str, Any] = {
        "risk_aversion": float(rng.choice([0.0, 0.01, 0.05, 0.25, 1.0, 10.0])),
        "horizon": int(rng.choice(HORIZONS)),
    }
    kind = rng.choice(["none", "full", "fraction", "linear", "optimal"], p=[0.15, 0.15, 0.2, 0.2, 0.3])
    if kind == "none":
        return NoHedge()
    if kind == "full":
        return FullHedge(**common)
    if kind == "fraction":
        return ConstantFraction(fraction=float(rng.choice([0.0, 0.3, rng.random(), 1.0])), **common)
    return (LinearSchedule if kind == "linear" else AlmgrenChriss)(**over_time, **common)


# --- the same with the other kinds of parts


def with_other_kinds(rng: np.random.Generator, scenario: Scenario) -> Scenario:
    """A random scenario of the paper's kinds with others in some of its slots: prices, spreads, sizes and pricing.

    Ladders have their steps among each other's: sizes that end exactly at a bound are common."""
    v_max = scenario.exchange.v_max
    rungs = np.unique(np.round(v_max * 10 ** rng.uniform(-3, np.log10(0.9), 6), 6))
    rungs = rungs[(rungs > 0) & (rungs < 0.95 * v_max)]
    other = scenario.replace(
        market=scenario.market.replace(
            mid_price=_other_mid_price(rng, scenario.market.mid_price), reference_spread=_other_spread(rng)
        ),
        investors=tuple(
            with_demand(rng, _with_ladder(rng, entry, rungs) if rng.random() < 0.7 else entry, scenario.maker_names)
            for entry in scenario.investors
        ),
        makers=tuple(
            maker.replace(pricing=_random_sheet(rng, maker.tiering.tiers, rungs)) if rng.random() < 0.6 else maker
            for maker in scenario.makers
        ),
    )
    return with_impact(rng, other) if rng.random() < 0.5 else other


def with_impact(rng: np.random.Generator, scenario: Scenario) -> Scenario:
    """The same where hedges move the mid, by a quarter of the price at most if all makers always buy, or always sell, as much as
    they can at the exchange."""
    most = 0.25 * scenario.market.mid_price.initial / (len(scenario.makers) * scenario.exchange.v_max)
    decay = float(rng.choice([0.0, 0.5, 0.99]))
    permanent, transient = (most * rng.choice([0.0, 1e-3, 1.0], 2) / (scenario.steps, 1.0 / (1.0 - decay))).tolist()
    impact = LinearImpact(permanent=permanent, transient=transient, decay=decay)
    return scenario.replace(market=scenario.market.replace(impact=impact))


def _other_mid_price(rng: np.random.Generator, former: MidPrice) -> MidPrice:
    initial, volatility = former.initial, float(rng.choice([0.0, 0.1, 0.5]))
    kind = rng.integers(0, 3)
    if kind == 0:
        return former
    if kind == 1:
        level = None if rng.random() < 0.3 else initial * float(rng.uniform(0.8, 1.25))
        return OrnsteinUhlenbeck(initial=initial, level=level, rate=float(10 ** rng.uniform(-1, 4)), volatility=volatility)
    return JumpDiffusion(
        initial=initial,
        volatility=volatility,
        intensity=float(rng.choice([0.0, 1.0, 100.0])),
        jump_mean=float(rng.choice([0.0, -0.002])),
        jump_std=float(rng.choice([0.0, 0.003])),
    )


def _other_spread(rng: np.random.Generator) -> ReferenceSpread:
    if rng.random() < 0.5:
        return ConstantSpread(mean=float(10 ** rng.uniform(-5, -3)))
    return LogAR1(std=float(rng.choice([0.0, 5e-5, 3e-4])), autocorrelation=float(rng.choice([-0.5, 0.0, 0.9])))


def _with_ladder(rng: np.random.Generator, entry: Entry, rungs: Array) -> Entry:
    sizes = np.sort(rng.choice(rungs, rng.integers(1, len(rungs) + 1), replace=False))
    size = LadderSize(sizes=sizes.tolist(), weights=rng.uniform(0.1, 10.0, len(sizes)).tolist())
    fields = {name: getattr(entry, name) for name in entry.model_fields_set - {"mean_size", "log_mean", "log_std"}}
    return type(entry)(**fields | {"size": size})


def with_demand(rng: np.random.Generator, entry: Entry, makers: Sequence[str]) -> Entry:
    """The same, asking few or all makers, and with a law of reservations near usual quotes, or none."""
    some = sorted(rng.choice(makers, rng.integers(1, len(makers) + 1), replace=False).tolist())
    asks = (["all", int(rng.integers(1, len(makers) + 1)), some])[rng.integers(0, 3)]
    mean, width = float(rng.uniform(0.5, 1.6)), float(rng.choice([0.01, 0.3, 1.0]))
    normal = NormalDemand(mean=mean, std=float(rng.choice([0.0, width])))
    demands = (AlwaysTrades(), LogisticDemand(mean=mean, scale=width), normal)
    return entry.replace(asks=asks, demand=demands[rng.integers(0, 3)])


def _random_sheet(rng: np.random.Generator, tiers: int, rungs: Array) -> LadderPricing:
    """Prices that rise with size and tier, or any."""
    bounds = np.sort(rng.choice(rungs, rng.integers(0, min(4, len(rungs)) + 1), replace=False))
    shape = (len(bounds) + 1, tiers + int(rng.integers(0, 2)))
    rising = 1.0 + np.cumsum(rng.uniform(0.0, 0.3, shape), axis=0).cumsum(axis=1)
    spreads = rising if rng.random() < 0.7 else rng.uniform(0.2, 3.0, shape)
    absolute = bool(rng.random() < 0.4)
    skewed = rng.random() < 0.3
    return LadderPricing(
        bounds=bounds.tolist(),
        spreads=((7e-5 if absolute else 1.0) * spreads).tolist(),
        absolute=absolute,
        eps_buy=float(rng.uniform(-0.9, 1.0)) if skewed else 0.0,
        eps_sell=float(rng.uniform(-0.9, 1.0)) if skewed else 0.0,
    )


# --- hand-made tapes


def random_tape(rng: np.random.Generator, scenario: Scenario) -> Tape:
    """A tape of one replica made by hand: jumpy or flat prices, round sizes that repeat, orders bunched in few steps, and of
    half of the tapes several of an investor in a step."""
    steps, makers, investors = scenario.steps, len(scenario.makers), len(scenario.agents)
    participants = makers + investors
    busy = np.flatnonzero(rng.random(steps) < rng.choice([0.1, 0.5, 1.0]))
    busy = busy if len(busy) else np.array([rng.integers(steps)])
    jump = rng.choice([0.0, 1e-4, 0.01])
    # equal yields must be equal to the bit, or be far apart: where no price moves, no two steps have the same spread
    spread = rng.uniform(2e-5, 5e-4, steps) if jump == 0 or rng.random() < 0.5 else np.full(steps, 0.01 * rng.random() + 1e-5)
    largest = scenario.exchange.largest_trade * (0.999 if scenario.exchange.lam > 1.2 else 0.2)
    unit = largest / 32  # round sizes: positions often cancel, up to rounding
    most = int(rng.choice([1, 4]))  # of an investor in a step
    orders = [
        (t, j, rng.choice([-1, 1]), _random_size(rng, unit, largest), rng.choice([0.0, 0.5, rng.random(), 1 - 2**-53]))
        for t in busy
        for j in range(investors)
        for _ in range(rng.integers(1, most, endpoint=True))
        if rng.random() < 0.6
    ]
    rng.shuffle(orders)
    demanding = rng.random() < 0.5  # but no reservation that a quote may equal but for rounding
    return Tape.from_orders(
        scenario,
        scenario.market.mid_price.initial * np.exp(np.cumsum(jump * rng.standard_normal(steps + scenario.reward_horizon))),
        spread,
        orders,
        reservation=rng.choice([np.inf, -np.inf, 1.0 + 1e-9, 1.3], len(orders)) if demanding else None,
        asked=_some_of_each(rng, len(orders), makers) if rng.random() < 0.5 else None,
        hedge_tie=rng.random((steps, makers)) if rng.random() < 0.7 else None,
        tie_order=rng.permuted(np.tile(np.arange(participants), (makers, 1)), axis=1) if rng.random() < 0.7 else None,
    )


def _some_of_each(rng: np.random.Generator, orders: int, makers: int) -> Array:
    asked = rng.random((orders, makers)) < 0.5
    asked[np.arange(orders), rng.integers(0, makers, orders)] = True
    return asked


def _random_size(rng: np.random.Generator, unit: float, largest: float) -> float:
    return float(rng.choice([unit * rng.integers(1, 5), unit * rng.integers(1, 32), largest]))
