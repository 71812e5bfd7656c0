"""The compiled engine against the plain reference market, the identities of the model, and itself in other batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dealermarket.draws.tape import Tape
from dealermarket.engine.records import HEDGE, ORDER
from dealermarket.engine.state import State
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import DEMANDS
from dealermarket.model.investors.sizes import SIZES
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing import PRICINGS
from dealermarket.model.makers.pricing.ladder import LadderPricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.impact import IMPACTS, LinearImpact, NoImpact
from dealermarket.model.market.mid_price import MID_PRICES
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS
from dealermarket.model.scenario import Scenario
from markets import (
    Array,
    DrivenRun,
    EngineRun,
    drive_engine,
    random_scenario,
    random_tape,
    replica_tape,
    run_engine,
    with_impact,
    with_other_kinds,
)
from reference_market import Action, History, simulate

GROUPS, SEEDS_PER_GROUP = 16, 10
GROUPS_WITH_OTHER_KINDS = 5  # fewer: prices by sheet cost a table of hedges for each tier
REWARDS = ("spread_revenue", "position_revenue", "hedging_cost", "risk_cost")
properties = settings(max_examples=60, deadline=None, derandomize=True)


# --- comparing with the reference


def close(found: Any, expected: Any, scale: Any, what: str, tolerance: float = 1e-9) -> None:
    """Equal to `tolerance` of the number itself, or to the last bits of `scale`, the size of what it is a sum of."""
    found, expected = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    assert np.array_equal(np.isnan(found), np.isnan(expected)), f"{what}: NaN elsewhere"
    wrong = ~(np.abs(found - expected) <= tolerance * np.abs(expected) + 1e-13 * np.asarray(scale)) & ~np.isnan(expected)
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        pytest.fail(f"{what}: {wrong.sum()} of {wrong.size} differ, first at {at}: {found[at]!r}, expected {expected[at]!r}")


def same(found: Any, expected: Any, what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if not np.array_equal(found, expected):
        at = tuple(int(k) for k in np.argwhere(found != expected)[0])
        pytest.fail(f"{what}: first differs at {at}: {found[at]}, expected {expected[at]}")


def agree(scenario: Scenario, tape: Tape, run: DrivenRun, b: int, history: History, label: str) -> None:
    """Everything that replica b of the engine's run and the reference market both know."""
    price = float(max(history.mid))
    compare_trades(run.trades[b], history, price, scenario.exchange.v_max, label)
    compare_requests(run.requests[b], history, label)
    gross = compare_steps(run.steps[b], history, price, scenario.exchange.v_max, label)
    compare_totals(run.totals[b], history, price, gross, label)
    close(run.mid[b], history.mid, 0.0, f"{label}: mid", tolerance=1e-14)
    close(run.impact[b], history.impact, price, f"{label}: impact")
    if isinstance(scenario.market.impact, NoImpact):
        assert run.mid[b].tobytes() == tape.mid[b, : tape.steps].tobytes()
    close(run.position[b], history.final_position, scenario.exchange.v_max, f"{label}: final position")
    own = np.arange(len(scenario.makers)), len(scenario.agents) + np.arange(len(scenario.makers))
    psi = np.array([[step.psi for step in row] for row in history.steps])
    largest = max((t.spread for t in history.trades), default=0.0) + np.ptp(history.mid)
    close(run.psi[b], psi, 10 * largest, f"{label}: psi")
    assert not run.psi[b][:, *own].any()


def compare_trades(trades: Array, history: History, price: float, v_max: float, label: str) -> None:
    expected = history.trades
    kind = {"order": ORDER, "hedge": HEDGE}
    exact = {name: [getattr(t, name) for t in expected] for name in ("step", "taker", "maker", "side", "tier")}
    exact["kind"] = [kind[t.kind] for t in expected]
    for name, values in exact.items():
        same(trades[name], np.array(values, dtype=np.int32), f"{label}: trades.{name}")
    spread, revenue = np.array([t.spread for t in expected]), np.array([t.position_revenue for t in expected])
    close(trades["volume"], [t.size for t in expected], v_max, f"{label}: trades.volume")
    close(trades["spread"], spread, 0.0, f"{label}: trades.spread", tolerance=1e-11)
    close(trades["position_revenue"], revenue, v_max * price, f"{label}: trades.position_revenue")
    close(trades["trade_yield"], [t.yield_ for t in expected], 10 * (spread + price), f"{label}: trades.trade_yield")


def compare_requests(requests: Array, history: History, label: str) -> None:
    expected = history.requests
    exact = {
        "step": [r.step for r in expected],
        "client": [r.order.investor for r in expected],
        "side": [r.order.side for r in expected],
        "volume": [r.order.size for r in expected],
        "asked": [len(r.asked) for r in expected],
        "maker": [r.maker for r in expected],
        "traded": [r.traded for r in expected],
    }
    close(requests["mid"], [history.mid[r.step] for r in expected], 0.0, f"{label}: requests.mid", tolerance=1e-14)
    for name, values in exact.items():
        same(requests[name], np.array(values), f"{label}: requests.{name}")
    close(requests["best"], [r.best for r in expected], 0.0, f"{label}: requests.best", tolerance=1e-11)
    close(requests["cover"], [r.cover for r in expected], 0.0, f"{label}: requests.cover", tolerance=1e-11)
    limits, reservations = requests["reservation"] / requests["reference"], [r.order.reservation for r in expected]
    close(
        np.clip(limits, -1e99, 1e99), np.clip(reservations, -1e99, 1e99), 0.0, f"{label}: requests.reservation", tolerance=1e-13
    )


def compare_steps(steps: Array, history: History, price: float, v_max: float, label: str) -> Array:
    """Also returns, for each maker, the gross amounts that its money is a sum of."""

    def column(name: str) -> Array:
        return np.array([[getattr(step, name) for step in row] for row in history.steps])

    for name in REWARDS:
        close(steps[name], column(name), v_max * price, f"{label}: steps.{name}")
    position = column("position")
    close(steps["position"], position, v_max, f"{label}: steps.position")
    close(steps["hedge_size"], column("hedge_size"), v_max, f"{label}: steps.hedge_size")
    close(steps["step_volatility"], column("step_volatility"), 0.0, f"{label}: steps.step_volatility", tolerance=1e-14)
    for name in ("eps_buy", "eps_sell"):
        same(steps[name], column(name), f"{label}: steps.{name}")
    solid = np.abs(position) > 1e-9 * v_max  # what rounding leaves of a position has no fraction to speak of
    fraction = column("hedge_fraction")
    close(steps["hedge_fraction"][solid], fraction[solid], 0.0, f"{label}: steps.hedge_fraction")
    return np.asarray(sum(np.abs(column(name)).sum(axis=0) for name in REWARDS) + np.abs(position).sum(axis=0) * price)


def compare_totals(totals: Array, history: History, price: float, gross: Array, label: str) -> None:
    makers, participants = range(len(totals)), len(history.steps[0][0].tiers)
    first = participants - len(totals)
    for name in REWARDS:
        expected = [sum(getattr(row[i], name) for row in history.steps) for i in makers]
        close(totals[name], expected, gross, f"{label}: totals.{name}")
    traded = np.array([sum(t.size for t in history.trades if first + i in (t.taker, t.maker)) for i in makers])
    close(totals["pnl"], [history.steps[-1][i].pnl for i in makers], 100 * (gross + traded * price), f"{label}: totals.pnl")
    shift = np.diff(history.impact, prepend=0.0)
    moved = np.array([[row[i].position for i in makers] for row in history.steps]) * shift[:, None]
    close(totals["impact_pnl"], moved.sum(axis=0), 100 * (gross + traded * price), f"{label}: totals.impact_pnl")
    close(totals["abs_position"], [sum(abs(row[i].position) for row in history.steps) for i in makers], gross, "abs_position")
    received = [[t for t in history.trades if t.maker == first + i] for i in makers]
    same(totals["trades"], [len(trades) for trades in received], f"{label}: totals.trades")
    close(totals["volume"], [sum(t.size for t in trades) for trades in received], 0.0, f"{label}: totals.volume")
    clients = [sum(t.size for t in trades if t.kind == "order") for trades in received]
    close(totals["client_volume"], clients, 0.0, f"{label}: totals.client_volume")
    asked = [[request for request in history.requests if i in request.asked] for i in makers]
    same(totals["requests"], [len(history.requests)] * len(totals), f"{label}: totals.requests")
    same(totals["asked"], [len(requests) for requests in asked], f"{label}: totals.asked")
    same(totals["won"], [sum(t.kind == "order" for t in trades) for trades in received], f"{label}: totals.won")
    lost = [[request for request in requests if not request.traded] for requests in asked]
    same(totals["refused"], [len(requests) for requests in lost], f"{label}: totals.refused")
    volumes = {"asked_volume": asked, "refused_volume": lost}
    for name, groups in volumes.items():
        close(totals[name], [sum(r.order.size for r in requests) for requests in groups], 0.0, f"{label}: totals.{name}")
    hedged = [sum(t.size for t in history.trades if t.taker == first + i) for i in makers]
    close(totals["hedge_volume"], hedged, 0.0, f"{label}: totals.hedge_volume")


def check_against_reference(scenario: Scenario, tape: Tape, label: str) -> DrivenRun:
    """Runs a tape whole and step by step, both the same to the bit, and compares them with the reference."""
    run = drive_engine(scenario, tape)
    assert_same_bits(run_engine(scenario, tape), run)
    for b in range(tape.replicas):
        compare_replica(scenario, tape, run, b, f"{label}, replica {b}")
    return run


def compare_replica(scenario: Scenario, tape: Tape, run: DrivenRun, b: int, label: str) -> None:
    history = simulate(scenario, replica_tape(tape, b), hedge_fractions=run.steps[b]["hedge_fraction"].tolist())
    agree(scenario, tape, run, b, history, label)
    tiers = np.array([[step.tiers for step in row] for row in history.steps])
    same(run.tier[b], np.where(tiers < 0, 0, tiers), f"{label}: tiers")


def assert_same_bits(first: EngineRun, second: EngineRun) -> None:
    assert first.totals.tobytes() == second.totals.tobytes()
    assert first.position.tobytes() == second.position.tobytes()
    if first.steps.shape == second.steps.shape:
        assert first.steps.tobytes() == second.steps.tobytes()
    for kept in ("trades", "requests"):
        for ours, theirs in zip(getattr(first, kept), getattr(second, kept), strict=True):
            assert ours.tobytes() == theirs.tobytes()


# --- the same as the reference, on random markets


@pytest.mark.compiled
@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_equals_the_reference_on_drawn_tapes(group: int) -> None:
    for seed in range(group * SEEDS_PER_GROUP, (group + 1) * SEEDS_PER_GROUP):
        scenario = random_scenario(np.random.default_rng(seed))
        tape = Tape.draw(scenario, seed, range(seed, seed + 2))
        run = drive_engine(scenario, tape)
        assert_same_bits(run_engine(scenario, tape), run)
        for b in range(2):
            compare_replica(scenario, tape, run, b, f"seed {seed}, replica {b}")


@pytest.mark.compiled
@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_equals_the_reference_on_hand_made_tapes(group: int) -> None:
    for seed in range(1000 + group * SEEDS_PER_GROUP, 1000 + (group + 1) * SEEDS_PER_GROUP):
        rng = np.random.default_rng(seed)
        scenario = random_scenario(rng)
        tape = random_tape(rng, scenario)
        run = drive_engine(scenario, tape)
        assert_same_bits(run_engine(scenario, tape), run)
        compare_replica(scenario, tape, run, 0, f"seed {seed}")


@pytest.mark.compiled
@pytest.mark.parametrize("group", range(GROUPS_WITH_OTHER_KINDS))
def test_engine_equals_the_reference_with_every_kind_of_part(group: int) -> None:
    for seed in range(2000 + group * SEEDS_PER_GROUP, 2000 + (group + 1) * SEEDS_PER_GROUP):
        rng = np.random.default_rng(seed)
        scenario = with_other_kinds(rng, random_scenario(rng, steps=int(rng.integers(2, 31))))
        tape = Tape.draw(scenario, seed) if seed % 2 else random_tape(rng, scenario)
        run = drive_engine(scenario, tape)
        assert_same_bits(run_engine(scenario, tape), run)
        compare_replica(scenario, tape, run, 0, f"seed {seed}")


def test_random_scenarios_cover_every_policy() -> None:
    scenarios = [random_scenario(np.random.default_rng(seed)) for seed in range(GROUPS * SEEDS_PER_GROUP)]
    makers = [maker for scenario in scenarios for maker in scenario.makers]
    venues = {(m.hedging.kind, m.hedging.venue) for m in makers if not isinstance(m.hedging, NoHedge)}
    assert len(venues) == 4 * 3
    assert {m.tiering.kind for m in makers} == {"average_yield", "revenue_rate", "fixed"}
    assert any(m.tiering.pins.keys() & s.maker_names for s in scenarios for m in s.makers)
    over_time = [m.hedging for m in makers if isinstance(m.hedging, LinearSchedule | AlmgrenChriss)]
    assert {h.horizon for h in over_time} >= {1, 2, 20}
    assert {h.risk_aversion for h in over_time} >= {0.0, 0.25, 10.0}
    assert {type(h.volatility) for h in over_time} == {str, float}
    assert {len(s.makers) for s in scenarios} == set(range(1, 6))
    assert {len(s.agents) for s in scenarios} == set(range(1, 13))
    assert len({s.exchange.lam for s in scenarios}) == 7
    assert any(s.reward_horizon == 1 and s.steps == 2 for s in scenarios)
    assert any(s.reward_horizon == 1 and s.steps > 5 for s in scenarios)
    assert any(s.reward_horizon == s.steps - 1 > 5 for s in scenarios)
    assert any(s.market.spreads_scale_with_price and s.market.mid_price.initial != 1 for s in scenarios)


def test_random_scenarios_cover_every_kind_of_part() -> None:
    scenarios = []
    for seed in range(2000, 2000 + GROUPS_WITH_OTHER_KINDS * SEEDS_PER_GROUP):
        rng = np.random.default_rng(seed)
        scenarios.append(with_other_kinds(rng, random_scenario(rng, steps=int(rng.integers(2, 31)))))
    assert {s.market.mid_price.kind for s in scenarios} == set(MID_PRICES.kinds) - {"recorded"}
    assert {s.market.reference_spread.kind for s in scenarios} == set(REFERENCE_SPREADS.kinds) - {"clipped_normal", "recorded"}
    assert {s.market.impact.kind for s in scenarios} == set(IMPACTS.kinds)
    assert {agent.order_size.kind for s in scenarios for agent in s.agents} == set(SIZES.kinds)
    assert {agent.demand.kind for s in scenarios for agent in s.agents} == set(DEMANDS.kinds)
    assert {type(agent.asks) for s in scenarios for agent in s.agents} == {str, int, tuple}
    makers = [maker for s in scenarios for maker in s.makers]
    assert {maker.pricing.kind for maker in makers} == set(PRICINGS.kinds)
    ladders = [maker.pricing for maker in makers if isinstance(maker.pricing, LadderPricing)]
    assert {(ladder.absolute, len(ladder.bounds)) for ladder in ladders} >= {(False, 0), (True, 0), (False, 3), (True, 3)}
    assert any(getattr(m.pricing, "absolute", False) for s in scenarios if s.market.spreads_scale_with_price for m in s.makers)


# --- the same as the reference, where it gets tight


def market(*makers: MarketMakerAgent, investors: int = 4, steps: int = 12, reward_horizon: int = 2, **fields: Any) -> Scenario:
    return Scenario(
        steps=steps,
        reward_horizon=reward_horizon,
        investors=tuple(InvestorAgent(name=f"i{j}", trade_probability=0.8, mean_size=5.0) for j in range(investors)),
        makers=makers,
        **({"exchange": Exchange(v_max=100.0)} | fields),
    )


def maker(name: str, hedging: Any = None, tiering: Any = None, **pricing: float) -> MarketMakerAgent:
    return MarketMakerAgent(
        name=name,
        hedging=hedging or NoHedge(),
        tiering=tiering or AverageYield(tiers=2),
        pricing=PowerPricing(**pricing),
    )


def flat_tape(scenario: Scenario, orders: Sequence[Sequence[float]], **fields: Any) -> Tape:
    return Tape.from_orders(scenario, np.ones(scenario.steps), np.full(scenario.steps, 1.5e-4), orders, **fields)


@pytest.mark.parametrize("hedging", [AlmgrenChriss(), LinearSchedule(), FullHedge()], ids=lambda hedging: hedging.kind)
@pytest.mark.parametrize(("last", "hedged"), [(0.3, False), (0.3 - 3e-13, False), (0.3 - 3e-12, True)])
def test_what_rounding_leaves_of_a_position_is_not_hedged(hedging: Any, last: float, hedged: bool) -> None:
    scenario = market(maker("a", hedging, tier_penalty=0.0), maker("b", eps_buy=5.0, eps_sell=5.0), steps=4, investors=3)
    tape = flat_tape(scenario, [(0, 0, 1, 0.1), (0, 1, 1, 0.2), (0, 2, -1, last)])
    run = check_against_reference(scenario, tape, "rounding")
    own = run.steps[0][:, 0]
    assert 0.0 < abs(own["position"][1]) < 1e-11
    assert (own["hedge_size"][1] != 0.0, own["hedge_fraction"][1] != 0.0) == (hedged, hedged)
    assert len(run.trades[0]) == 3 + np.count_nonzero(own["hedge_size"])
    assert hedged or run.position[0, 0] == own["position"][1]


def test_the_smallest_market_with_one_step_of_orders() -> None:
    scenario = market(maker("a", FullHedge()), maker("b"), steps=2, reward_horizon=1, investors=2)
    tape = flat_tape(scenario, [(0, 0, 1, 30.0, 0.7), (0, 1, -1, 99.0, 0.2)])
    run = check_against_reference(scenario, tape, "orders at step 0")
    # at equal quotes the first goes to b, the second to a, who has to pass its 99 on to b at step 1
    assert run.position.tolist() == [[0.0, 69.0]]
    run = check_against_reference(scenario, flat_tape(scenario, [(1, 0, 1, 30.0)]), "orders at step 1")
    assert run.position.tolist() == [[-30.0, 0.0]]
    assert np.isnan(run.trades[0]["position_revenue"]).all()
    run = check_against_reference(scenario, flat_tape(scenario, []), "no orders")
    assert len(run.trades[0]) == 0
    assert not run.totals["pnl"].any()


@pytest.mark.parametrize("kind", [LinearSchedule, AlmgrenChriss])
@pytest.mark.parametrize("venue", ["makers", "exchange", "best"])
def test_positions_beyond_what_the_horizon_can_hedge(kind: type[LinearSchedule | AlmgrenChriss], venue: Any) -> None:
    hedging = kind(horizon=2, risk_aversion=0.0, venue=venue)
    scenario = market(maker("a", hedging, tier_penalty=0.0), maker("b", eps_buy=5.0, eps_sell=5.0), steps=8)
    tape = flat_tape(scenario, [(0, j, 1, 90.0) for j in range(4)])
    steps = check_against_reference(scenario, tape, "beyond").steps[0][:, 0]
    assert steps["position"][1] == -360.0
    assert steps["hedge_size"][1:3] == pytest.approx([99.0, 99.0])  # 360 and 261 are above 198
    assert steps["hedge_size"][3:5] == pytest.approx([81.0, 40.5])  # 162 fits into two steps, of 81 each


def test_exact_ties_of_many_makers_and_of_yields() -> None:
    makers = [maker(f"m{i}", ConstantFraction(fraction=0.3), AverageYield(tiers=3), tier_penalty=0.0) for i in range(5)]
    scenario = market(*makers, investors=6, steps=20)
    rng = np.random.default_rng(5)
    orders = [(t, j, rng.choice([-1, 1]), 8.0, tie) for t in range(20) for j, tie in enumerate(rng.random(6))]
    check_against_reference(scenario, flat_tape(scenario, orders, hedge_tie=rng.random((20, 5))), "ties")
    check_against_reference(
        scenario, flat_tape(scenario, orders, tie_order=rng.permuted(np.tile(np.arange(11), (5, 1)), axis=1)), "ties"
    )


@pytest.mark.parametrize("hedging", [AlmgrenChriss(horizon=3), LinearSchedule(horizon=3)], ids=["optimal", "linear"])
def test_a_rival_who_charges_for_the_tier_alone(hedging: AlmgrenChriss | LinearSchedule) -> None:
    table = FixedTiers(tiers=3, table={"a": 2})
    free = maker("b", None, table, eps_buy=-1.0, eps_sell=-1.0, tier_penalty=1e-5)
    scenario = market(maker("a", hedging, FixedTiers(tiers=2), eps_buy=-1.0, eps_sell=-1.0), free)
    orders = [(t, j, (-1) ** (t // 2), 4.0 + j, 0.3 * j) for t in range(12) for j in range(4)]
    run = check_against_reference(scenario, flat_tape(scenario, orders), "free")
    hedges = run.trades[0][run.trades[0]["kind"] == HEDGE]
    assert len(hedges) > 5
    assert hedges["spread"] == pytest.approx(2e-5)
    assert run.steps["hedge_fraction"][0, 1:, 0].max() == 1.0  # nothing is saved by waiting


@pytest.mark.compiled
@pytest.mark.parametrize("seed", range(4))
def test_optimal_fraction_costs_what_the_best_schedule_costs(seed: int) -> None:
    """The engine's first trade against the solver of the policy itself: on the envelope of all quotes it costs, followed well,
    within 2.5 % of the best schedule; where one rival is the cheapest for all sizes it is that rival's own optimum."""
    rng = np.random.default_rng(seed)
    hedging = AlmgrenChriss(horizon=int(rng.choice([2, 5])), risk_aversion=float(rng.choice([1e-3, 4e-3, 0.02])), venue="best")
    penalties = rng.uniform(1e-6, 2e-5, 3)
    makers = [
        maker(f"m{i}", hedging, alpha=(1.1, 1.5, 1.7)[i], tier_penalty=penalties[i], eps_buy=0.1 * i, eps_sell=-0.05 * i)
        for i in range(3)
    ]
    scenario = market(*makers, steps=30, market=MarketEnvironment(mid_price=GeometricBrownianMotion(volatility=0.2)))
    tape = Tape.draw(scenario, seed)
    run = drive_engine(scenario, tape)
    curve, compared = scenario.exchange.relative_spread, 0
    for t, i in [(t, i) for t in range(3, 30, 5) for i in range(3)]:
        step, half = run.steps[0, t, i], 0.5 * tape.reference_spread[0, t]
        if step.position == 0:
            continue

        def cost(j: int, sizes: Array, step: Any = step, half: float = half, t: int = t, i: int = i) -> Array:
            if j == 3:
                return np.asarray(half * curve(sizes))
            pricing = makers[j].pricing
            skew = pricing.eps_sell if step.position > 0 else pricing.eps_buy
            tier = run.tier[0, t, j, 4 + i]
            return np.asarray(half * (1 + skew) * curve(sizes) ** pricing.alpha + pricing.tier_penalty * tier)

        rivals = [partial(cost, j) for j in range(4) if j != i]

        def envelope(sizes: Array, rivals: Any = rivals) -> Array:
            return np.min([rival(sizes) for rival in rivals], axis=0)

        def on(quotes: Any, schedule: Array, step: Any = step) -> float:
            return float(hedging.objective(schedule, step.position, quotes, step.step_volatility))

        plans = [hedging.schedule(step.position, quotes, step.step_volatility, 99.0) for quotes in (*rivals, envelope)]
        first, followed = float(step.hedge_fraction), []
        for plan in plans:
            rest = plan[1:] if plan[1:].sum() > 1e-9 else np.eye(len(plan) - 1)[0]
            followed.append(on(envelope, np.array([first, *((1 - first) * rest / rest.sum())])))
        assert min(followed) < on(envelope, plans[-1]) * 1.025, f"step {t}, maker {i}: {first}, {plans}"
        sizes = np.linspace(0.0, min(abs(step.position), 99.0), 50)
        alone = [n for n, rival in enumerate(rivals) if (rival(sizes) <= envelope(sizes)).all()]
        if alone:  # the tables round off the corner at which everything trades at once
            assert first == pytest.approx(plans[alone[0]][0], abs=0.02 if first > 0.9 else 2e-3)
        compared += bool(alone)
    assert compared >= 1


# --- policies written in Python


def random_actions(rng: np.random.Generator, scenario: Scenario) -> list[dict[int, Action]]:
    """What they decide at each step: everything, parts, or nothing."""
    participants = len(scenario.participants)
    alone = len(scenario.makers) == 1

    def some(value: Any) -> Any:
        return value if rng.random() < 0.6 else None

    def action(i: int) -> Action:
        no_venue = alone and isinstance(scenario.makers[i].hedging, NoHedge)
        return Action(
            tiers=some(rng.integers(0, scenario.makers[i].tiering.tiers, participants).tolist()),
            eps_buy=some(float(rng.uniform(-0.5, 0.5))),
            eps_sell=some(float(rng.uniform(-0.5, 0.5))),
            hedge_fraction=None if no_venue else some(float(rng.choice([0.0, 1.0, rng.random()]))),
        )

    return [
        {i: action(i) for i in range(len(scenario.makers)) if rng.random() < 0.7} if rng.random() < 0.8 else {}
        for _ in range(scenario.steps)
    ]


def act(scenario: Scenario, state: State, b: int, actions: dict[int, Action]) -> None:
    """Hands the decisions of one step to replica b of the engine."""
    for i, agent in enumerate(scenario.makers):
        asked, own = actions.get(i, Action()), agent.pricing
        state.tiers_given[b, i] = asked.tiers is not None
        state.given_tier[b, :, i] = -7 if asked.tiers is None else asked.tiers
        state.pricing[b, i]["eps_buy"] = own.eps_buy if asked.eps_buy is None else asked.eps_buy
        state.pricing[b, i]["eps_sell"] = own.eps_sell if asked.eps_sell is None else asked.eps_sell
        state.given_fraction[b, i] = np.nan if asked.hedge_fraction is None else asked.hedge_fraction


@pytest.mark.parametrize("group", range(8))
def test_engine_equals_the_reference_under_actions(group: int) -> None:
    for seed in range(2000 + 5 * group, 2005 + 5 * group):
        rng = np.random.default_rng(seed)
        scenario = random_scenario(rng)
        tape = Tape.draw(scenario, seed, 2)
        actions = [random_actions(rng, scenario) for _ in range(2)]

        def between(t: int, state: State, scenario: Scenario = scenario, actions: Any = actions) -> None:
            for b in range(2):
                act(scenario, state, b, actions[b][t])

        run = drive_engine(scenario, tape, between)
        assert_same_bits(run, drive_engine(scenario, tape, between, live=True))
        for b in range(2):
            fractions = run.steps[b]["hedge_fraction"].tolist()
            history = simulate(scenario, replica_tape(tape, b), fractions, actions[b])
            agree(scenario, tape, run, b, history, f"seed {seed}, replica {b}")


def test_actions_of_one_replica_do_not_touch_another() -> None:
    scenario = market(maker("a", LinearSchedule()), maker("b", AlmgrenChriss()), steps=20)
    tape = Tape.draw(scenario, 3, 3)
    actions = random_actions(np.random.default_rng(3), scenario)
    run = drive_engine(scenario, tape, lambda t, state: act(scenario, state, 1, actions[t]))
    untouched = drive_engine(scenario, tape)
    for b in (0, 2):
        assert run.steps[b].tobytes() == untouched.steps[b].tobytes()
        assert run.trades[b].tobytes() == untouched.trades[b].tobytes()
    assert run.steps[1].tobytes() != untouched.steps[1].tobytes()


# --- the identities of the model, on hand-made markets


@st.composite
def hand_made(draw: st.DrawFn) -> tuple[Scenario, Tape]:
    scenario = random_scenario(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(2, 12)))
    largest = scenario.exchange.largest_trade
    order = st.tuples(
        st.integers(0, scenario.steps - 1),
        st.integers(0, len(scenario.agents) - 1),
        st.sampled_from([-1, 1]),
        st.floats(1e-9 * largest, largest) | st.sampled_from([largest, largest / 4]),
        st.floats(0, 1, exclude_max=True),
    )
    orders = draw(st.lists(order, max_size=40, unique_by=lambda row: row[:2]))
    length = scenario.steps + scenario.reward_horizon
    ticks = draw(st.lists(st.integers(-50, 50), min_size=length, max_size=length))
    spreads = draw(st.lists(st.floats(1e-6, 1e-2), min_size=scenario.steps, max_size=scenario.steps))
    mid = scenario.market.mid_price.initial * np.exp(1e-3 * np.cumsum(ticks))
    tape = Tape.from_orders(scenario, mid, spreads, orders)
    return with_impact(np.random.default_rng(length), scenario) if draw(st.booleans()) else scenario, tape


def signed_volumes(scenario: Scenario, tape: Tape, trades: Array) -> Array:
    """Volume of every participant and the exchange in each step, bought above 0: (T, J + 1)."""
    volume = np.zeros((tape.steps, len(scenario.participants) + 1))
    np.add.at(volume, (trades["step"], trades["taker"]), trades["side"] * trades["volume"])
    np.add.at(volume, (trades["step"], trades["maker"]), -trades["side"] * trades["volume"])
    return volume


def by_step_and(who: str, trades: Array, shape: tuple[int, int], amounts: Array) -> Array:
    total = np.zeros(shape)
    np.add.at(total, (trades["step"], trades[who]), amounts)
    return total


@properties
@given(hand_made())
def test_positions_sum_to_zero(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run = run_engine(scenario, tape)
    trades, investors = run.trades[0], len(scenario.agents)
    volume = signed_volumes(scenario, tape, trades)
    scale = trades["volume"].sum()
    held = np.cumsum(volume, axis=0)
    others = held[-1, :investors].sum() + held[-1, -1]
    close(run.position[0].sum(), -others, scale, "all positions")
    close(run.position[0], held[-1, investors:-1], scale, "final positions")
    before = np.vstack([np.zeros(held.shape[1]), held[:-1]])
    close(run.steps["position"][0], before[:, investors:-1], scale, "positions held into the steps")


@properties
@given(hand_made())
def test_every_unit_of_spread_revenue_is_paid_by_somebody(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run = run_engine(scenario, tape)
    trades, exchange = run.trades[0], len(scenario.participants)
    paid = trades["spread"] * trades["volume"]
    by_investors = np.bincount(trades["step"], paid * (trades["kind"] == ORDER), tape.steps)
    to_exchange = np.bincount(trades["step"], paid * (trades["maker"] == exchange), tape.steps)
    earned = run.steps["spread_revenue"][0].sum(axis=1)
    close(earned + to_exchange, by_investors - run.steps["hedging_cost"][0].sum(axis=1), paid.sum(), "spread revenue")
    assert (trades["maker"][trades["kind"] == ORDER] < exchange).all()
    assert (trades["taker"] != trades["maker"]).all()


@properties
@given(hand_made())
def test_rewards_follow_from_trades_and_mids_alone(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run = run_engine(scenario, tape)
    steps, trades, investors, t_m = run.steps[0], run.trades[0], len(scenario.agents), scenario.reward_horizon
    mid, shape = run.mid[0], (tape.steps, len(scenario.participants) + 1)
    own = slice(investors, -1)
    paid = trades["spread"] * trades["volume"]
    close(steps["spread_revenue"], by_step_and("maker", trades, shape, paid)[:, own], 0.0, "spread revenue")
    hedging = -by_step_and("taker", trades, shape, paid)[:, own]
    close(steps["hedging_cost"], hedging, 0.0, "hedging cost")
    volume = signed_volumes(scenario, tape, trades)[:, own]
    gross = trades["volume"].sum() * mid.max()
    matured = np.zeros_like(volume)
    matured[t_m:] = (mid[t_m:] - mid[:-t_m])[:, None] * volume[:-t_m]
    close(steps["position_revenue"], matured, gross, "position revenue")
    risk = np.minimum(steps["position"] * np.diff(mid, prepend=mid[0])[:, None], 0.0)
    close(steps["risk_cost"], risk, gross, "risk cost")
    for name in REWARDS:
        close(run.totals[name][0], steps[name].sum(axis=0), np.abs(steps[name]).sum(axis=0), f"totals.{name}")
    # what a single trade earns
    known = trades["step"] + t_m < tape.steps
    move = np.where(known, np.append(mid, np.nan)[np.minimum(trades["step"] + t_m, tape.steps)], np.nan) - mid[trades["step"]]
    move[trades["maker"] == shape[1] - 1] = np.nan  # the exchange
    close(trades["position_revenue"], -trades["side"] * trades["volume"] * move, gross, "position revenue of trades")
    close(trades["trade_yield"], trades["spread"] - trades["side"] * move, 10 * mid.max() + trades["spread"], "yields")


@properties
@given(hand_made())
def test_profit_and_loss_is_what_was_earned_and_is_cash_and_position(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run = run_engine(scenario, tape)
    steps, trades, investors = run.steps[0], run.trades[0], len(scenario.agents)
    mid = run.mid[0]
    price = mid[trades["step"]] + trades["side"] * trades["spread"]
    money = trades["side"] * trades["volume"] * price
    shape = (tape.steps, len(scenario.participants) + 1)
    cash = (by_step_and("maker", trades, shape, money) - by_step_and("taker", trades, shape, money)).sum(axis=0)
    gross = np.abs(money).sum() + trades["volume"].sum() * mid.max()
    close(run.totals["pnl"][0], cash[investors:-1] + run.position[0] * mid[-1], 10 * gross, "cash and position")
    moved = (steps["position"] * np.diff(mid, prepend=mid[0])[:, None]).sum(axis=0)
    earned = steps["spread_revenue"].sum(axis=0) + steps["hedging_cost"].sum(axis=0) + moved
    close(run.totals["pnl"][0], earned, gross, "spread revenue, hedging cost and moves")


@properties
@given(hand_made())
def test_impact_is_what_makers_bought_at_the_exchange(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run, law = run_engine(scenario, tape), scenario.market.impact
    bought = -signed_volumes(scenario, tape, run.trades[0])[:, -1]
    impact = np.zeros(tape.steps)
    if isinstance(law, LinearImpact):
        since = np.arange(tape.steps)[:, None] - np.arange(tape.steps) - 1  # steps since what was bought moved the mid
        kernel = law.permanent + law.transient * law.decay ** np.maximum(since, 0)
        impact = (kernel * bought * (since >= 0)).sum(axis=1)
    close(run.impact[0], impact, run.mid[0].max(), "impact")
    close(run.mid[0] - tape.mid[0, : tape.steps], impact, run.mid[0].max(), "move of the mid")


@properties
@given(hand_made())
def test_every_tier_has_its_share_of_participants(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    tier = drive_engine(scenario, tape).tier[0]
    names = scenario.participants
    for i, agent in enumerate(scenario.makers):
        tiering, own = agent.tiering, len(scenario.agents) + i
        others = np.delete(tier[:, i], own, axis=1)
        ranked = len(names) - 1
        assert (others >= 0).all()
        assert (others < tiering.tiers).all()
        pinned = tiering.table | tiering.pins if isinstance(tiering, FixedTiers) else tiering.pins
        for j, name in enumerate(names):
            if name in pinned:
                assert (tier[:, i, j] == pinned[name]).all()
        if not pinned and not isinstance(tiering, FixedTiers):
            sizes = np.bincount(np.arange(ranked) * tiering.tiers // ranked, minlength=tiering.tiers)
            assert all(np.bincount(row, minlength=tiering.tiers).tolist() == sizes.tolist() for row in others)
            assert np.ptp(sizes) <= 1


@properties
@given(hand_made())
def test_flow_is_what_investors_traded_in_the_step(case: tuple[Scenario, Tape]) -> None:
    scenario, tape = case
    run = drive_engine(scenario, tape)
    trades = run.trades[0][run.trades[0]["kind"] == ORDER]
    shape, own = (tape.steps, len(scenario.participants)), slice(len(scenario.agents), None)
    for name, side in (("bought", 1), ("sold", -1)):
        expected = by_step_and("maker", trades, shape, trades["volume"] * (trades["side"] == side))
        close(run.flow[name][0], expected[:, own], 0.0, name)
    everybody = np.bincount(trades["step"], trades["volume"], tape.steps)
    close(run.flow["market"][0], np.repeat(everybody[:, None], len(scenario.makers), axis=1), 0.0, "market")


# --- the same bits, however it is run


@pytest.mark.parametrize("seed", range(3000, 3012))
def test_a_batch_of_replicas_is_the_replicas(seed: int) -> None:
    scenario = random_scenario(np.random.default_rng(seed))
    tape = Tape.draw(scenario, seed, 4)
    batch = run_engine(scenario, tape)
    assert_same_bits(batch, run_engine(scenario, tape, in_turn=False))
    assert_same_bits(batch, drive_engine(scenario, tape))
    assert_same_bits(batch, drive_engine(scenario, tape, live=True))
    for b in range(4):
        single = run_engine(scenario, Tape.draw(scenario, seed, range(b, b + 1)))
        assert single.totals[0].tobytes() == batch.totals[b].tobytes()
        assert single.position[0].tobytes() == batch.position[b].tobytes()
        assert single.steps[0].tobytes() == batch.steps[b].tobytes()
        assert single.trades[0].tobytes() == batch.trades[b].tobytes()
    reversed_order = run_engine(scenario, Tape.draw(scenario, seed, range(3, -1, -1)))
    assert reversed_order.totals[::-1].tobytes() == batch.totals.tobytes()


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize("trades", [True, False])
@pytest.mark.parametrize("steps", [True, False])
def test_what_is_recorded_changes_nothing(steps: bool, trades: bool, in_turn: bool) -> None:
    for seed in (3100, 3101, 3102):
        scenario = random_scenario(np.random.default_rng(seed))
        tape = Tape.draw(scenario, seed, 3)
        whole, run = run_engine(scenario, tape), run_engine(scenario, tape, steps=steps, trades=trades, in_turn=in_turn)
        assert run.totals.tobytes() == whole.totals.tobytes()
        assert run.position.tobytes() == whole.position.tobytes()
        assert steps or run.steps.size <= 2 * run.position.size  # room for little else than the current step
        if steps:
            assert run.steps.tobytes() == whole.steps.tobytes()
        assert [t.tobytes() for t in run.trades] == [t.tobytes() if trades else b"" for t in whole.trades]


def test_a_makers_policy_changes_no_draw() -> None:
    scenario = market(maker("a", FullHedge()), maker("b"), steps=40)
    changed = [
        market(maker("a", ConstantFraction(fraction=0.3)), maker("b"), steps=40),
        market(maker("a", FullHedge(), RevenueRate(tiers=5, weight=0.3, pins={"b": 1})), maker("b"), steps=40),
        market(maker("a", FullHedge(), alpha=1.1, tier_penalty=1e-3, eps_buy=0.4), maker("b", AlmgrenChriss()), steps=40),
    ]
    tape = Tape.draw(scenario, 11, 3)
    before = run_engine(scenario, tape)
    for other in changed:
        same_tape = Tape.draw(other, 11, 3)
        for name, array in tape.arrays()._asdict().items():
            assert array.tobytes() == getattr(same_tape.arrays(), name).tobytes(), name
        assert run_engine(other, same_tape).totals.tobytes() != before.totals.tobytes()
