"""One step told in order: equal to what a run of the same scenario and seed records, and why a request was lost."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from conftest import assert_says, edit_meta, raises, refused
from dealermarket import (
    Action,
    MakerPolicy,
    Observation,
    ParameterError,
    RunFolderError,
    Scenario,
    SimulationResult,
    SimulationRunner,
    StepTrace,
    Tape,
    laws,
    trace,
)
from dealermarket.commands.main import main
from dealermarket.policies.named import with_policies
from dealermarket.runs.trace import Parts, Quote, TracedRequest

REPLICAS, SEED = 2, 5


class Moody(MakerPolicy):
    """Changes all that it may from step to step."""

    def act(self, observation: Observation) -> Action:
        turn = observation.step % 4
        if turn == 0:
            return Action()
        tiers = (np.arange(observation.tiers.shape[1]) + turn) % 5
        return Action(tiers, eps_buy=0.1 * turn, eps_sell=-0.1 * turn, hedge_fraction=0.2 * turn, alpha=1.2, tier_penalty=2e-5)


def _paper(*settings: str) -> Scenario:
    return Scenario.load("paper", ["steps=80", "makers.1.hedging.kind=linear", "makers.1.tiering.kind=revenue_rate", *settings])


SCENARIOS = {
    "paper": _paper,
    "linear": lambda: _paper("makers.0.hedging.kind=linear"),
    "dealers": lambda: Scenario.load("dealers", ["steps=60"]),
    "fx": lambda: Scenario.load("fx", ["steps=60", "makers.*.hedging.kind=linear"]),
    "bonds": lambda: Scenario.load("bonds", ["steps=60"]),
    "learning": lambda: with_policies(Scenario.load("learning", ["steps=60"]), ["learner=adaptive", "competitor=random"]),
    "moody": lambda: market("linear").with_policies({"maker-1": Moody()}),
}
OPTIMAL = ("paper", "dealers")  # as plain Python, working out their plans would take minutes


@cache
def market(name: str) -> Scenario:
    return SCENARIOS[name]()


@cache
def recorded(name: str) -> SimulationResult:
    return SimulationRunner(market(name), REPLICAS, SEED, record="requests").run()


def rows_of(frame: pd.DataFrame, replica: int, step: int) -> list[dict[str, object]]:
    rows = frame[(frame["replica"] == replica) & (frame["step"] == step)]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def same(ours: float | None, recorded: object) -> bool:
    """To the bit; None is what is recorded as NaN, or as infinite."""
    if ours is None:
        return not np.isfinite(recorded)
    return np.float64(ours).tobytes() == np.float64(recorded).tobytes()


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.compiled] * (name in OPTIMAL)) for name in SCENARIOS])
def test_a_trace_is_the_step_that_was_recorded(name: str) -> None:
    scenario, result = market(name), recorded(name)
    chosen = np.random.default_rng(1)
    steps = [0, *sorted(chosen.choice(np.arange(1, scenario.steps - 1), 3, replace=False).tolist()), scenario.steps - 1]
    if name in OPTIMAL:
        steps = steps[1:3]
    for step in steps:
        replica = int(chosen.integers(REPLICAS))
        told = result.trace(replica, step)
        trades = rows_of(result.trades, replica, step)
        assert_same_makers(told, rows_of(result.steps, replica, step))
        assert_same_requests(told, rows_of(result.requests, replica, step), [row for row in trades if row["kind"] == "order"])
        assert_same_hedges(told, rows_of(result.steps, replica, step), [row for row in trades if row["kind"] == "hedge"])
        assert_same_matured(told, rows_of(result.trades, replica, step - scenario.reward_horizon))
    assert told == trace(scenario, SEED, replica, step)


def assert_same_makers(told: StepTrace, steps: list[dict[str, object]]) -> None:
    assert same(told.mid, steps[0]["mid"]) and same(told.reference_spread, steps[0]["reference_spread"])
    for maker, row in zip(told.makers, steps, strict=True):
        assert maker.maker == row["maker"]
        for field in ("position", "risk_cost", "position_revenue", "spread_revenue", "hedging_cost"):
            assert same(getattr(maker, field), row[field])


def assert_same_requests(told: StepTrace, requests: list[dict[str, object]], orders: list[dict[str, object]]) -> None:
    for request, row in zip(told.requests, requests, strict=True):
        assert (request.client, request.side, request.best_maker) == (row["client"], row["side"], row["best_maker"])
        assert ", ".join(quote.maker for quote in request.quotes) == row["asked"]
        for ours, theirs in {
            "size": "size",
            "reference": "reference",
            "best_spread": "best_spread",
            "cover": "cover_spread",
            "reservation": "reservation",
        }.items():
            assert same(getattr(request, ours), row[theirs])
        assert request.traded == (row["outcome"] == "traded")
        best, *others = sorted(quote.spread for quote in request.quotes)
        assert same(best, row["best_spread"]) and same(others[0] if others else None, row["cover_spread"])
    for request, row in zip([request for request in told.requests if request.traded], orders, strict=True):
        won = request.quote_of(request.best_maker)
        assert won and (request.winner, won.tier, request.client) == (row["maker"], row["tier"], row["taker"])
        assert same(won.spread, row["spread"])
        assert request.outcome_of(won.maker) == "won"


def assert_same_hedges(told: StepTrace, steps: list[dict[str, object]], trades: list[dict[str, object]]) -> None:
    for hedge, row in zip(told.hedges, steps, strict=True):
        assert hedge.maker == row["maker"]
        assert same(hedge.fraction, row["hedge_fraction"]) and same(hedge.side * hedge.size, row["hedge_size"])
    for hedge, row in zip([hedge for hedge in told.hedges if hedge.size], trades, strict=True):
        assert (hedge.maker, hedge.winner, hedge.side) == (row["taker"], row["maker"], row["side"])
        assert same(hedge.spread, row["spread"]) and same(hedge.size, row["size"])
        got = hedge.quote_of(hedge.winner or "")
        assert got and same(got.spread, hedge.spread) and (got.tier is None or got.tier == row["tier"])
        venue = {"makers": hedge.quotes[:-1], "exchange": hedge.quotes[-1:], "best": hedge.quotes}[hedge.venue or ""]
        assert same(min(quote.spread for quote in venue), hedge.spread)
        assert len(hedge.quotes) == len(told.makers)  # all rivals and the exchange


def assert_same_matured(told: StepTrace, trades: list[dict[str, object]]) -> None:
    for trade, row in zip(told.matured, trades, strict=True):
        assert (trade.step, trade.taker, trade.maker, trade.kind) == (row["step"], row["taker"], row["maker"], row["kind"])
        assert (trade.side, trade.tier) == (row["side"], row["tier"])
        for ours, theirs in {
            "size": "size",
            "spread": "spread",
            "position_revenue": "position_revenue",
            "trade_yield": "yield",
        }.items():
            assert same(getattr(trade, ours), row[theirs])


def test_metrics_and_tiers_go_on_from_step_to_step() -> None:
    scenario = market("dealers").with_settings("makers.*.hedging.kind=linear")
    tier, metric = {}, {}
    moved = 0
    for step in range(20):
        told = trace(scenario, SEED, 1, step)
        for each in told.standings:
            who = each.maker, each.participant
            assert tier.get(who, each.tier_before) == each.tier_before and metric.get(who, 0.0) == each.metric_before
            tiering = scenario.makers[scenario.maker_names.index(each.maker)].tiering
            matured = [trade.trade_yield for trade in told.matured if (trade.maker, trade.taker) == who]
            average = each.metric_before
            for n, value in enumerate(matured):
                average = laws.updated_average(average, value, tiering.weight, who not in metric and n == 0)
            if tiering.kind == "average_yield":
                assert each.metric == pytest.approx(average, rel=1e-12)
            tier[who] = each.tier
            if matured:
                metric[who] = each.metric
            moved += each.tier != each.tier_before
        for request in told.requests:
            assert all(quote.tier == tier.get((quote.maker, request.client), quote.tier) for quote in request.quotes)
    assert moved > 10 and len(metric) > 20


def test_parts_of_quotes_are_curve_skew_and_tier() -> None:
    skewed = 0
    for name, steps in {"linear": (20, 40), "learning": (10, 50), "moody": (21, 43), "bonds": (7, 30)}.items():
        scenario = market(name)
        for step in steps:
            told = trace(scenario, SEED, 0, step)
            for request in told.requests:
                for quote in request.quotes:
                    parts = quote.parts
                    assert_allclose(parts.curve + parts.skew + parts.tier, quote.spread, rtol=1e-12, atol=1e-20)
                    skewed += parts.skew != 0
                    if name in ("linear", "bonds"):
                        assert_parts(scenario, told, request, quote)
            if name == "moody" and step % 4:
                for request in told.requests:
                    quote = request.quote_of("maker-1")
                    turn = step % 4
                    assert quote and quote.tier == (scenario.participants.index(request.client) + turn) % 5
                    assert_allclose(quote.parts.skew, request.side * 0.1 * turn * quote.parts.curve)
                    assert_allclose(quote.parts.tier, 2e-5 * quote.tier, atol=1e-18)
                    assert_allclose(quote.parts.curve, told.half_spread * (request.reference / told.half_spread) ** 1.2)
    assert skewed > 20


def assert_parts(scenario: Scenario, told: StepTrace, request: TracedRequest, quote: Quote) -> None:
    """By the pricing rule's own method."""
    pricing = scenario.makers[scenario.maker_names.index(quote.maker)].pricing
    unit = told.mid if scenario.market.spreads_scale_with_price else 1.0
    own, best = (
        float(pricing.spread(request.size, tier, told.reference_spread, scenario.exchange)) * unit
        for tier in (quote.tier or 0, 0)
    )
    assert_allclose([quote.parts.curve, quote.parts.tier], [best, own - best], rtol=1e-9, atol=1e-15)
    assert quote.parts.skew == 0


@pytest.mark.compiled
def test_plans_are_those_of_the_policy() -> None:
    skews = "makers.0.pricing.eps_buy=2.0", "makers.1.pricing.eps_sell=-0.5"
    scenario, compared = market("paper").with_settings("makers.*.hedging.risk_aversion=0.02", *skews), 0
    for step in range(20, 40, 4):
        optimal, linear = trace(scenario, SEED, 1, step).hedges
        for hedge in (optimal, linear):
            if hedge.size:
                assert hedge.schedule is not None and sum(hedge.schedule) == pytest.approx(1.0)
                assert hedge.schedule[0] == pytest.approx(hedge.fraction, rel=1e-12 if hedge is linear else 0.02)
                compared += 0 < hedge.fraction < 1
    assert compared > 4
    assert all(hedge.schedule is None for hedge in trace(market("learning"), SEED, 0, 30).hedges)
    own = {step: trace(market("moody"), SEED, 0, step).hedges[0] for step in (40, 42)}
    assert own[40].schedule is not None and own[42].schedule is None
    assert own[42].fraction == 0.4


REQUEST = TracedRequest(
    side=1,
    size=2.0,
    quotes=tuple(
        Quote(maker, 0, sum(parts), Parts(*parts))
        for maker, parts in {"a": (3.0, 0.0, 1.0), "b": (2.0, -0.5, 0.0), "c": (1.0, 0.5, 0.0)}.items()
    ),
    client="x",
    reference=1.0,
    reservation=None,
    best_maker="c",
    best_spread=1.5,
    cover=1.5,
    traded=True,
)


def test_why_a_request_was_lost() -> None:
    gap = REQUEST.behind("a")
    assert gap and gap.spread == 2.5 and gap.parts == Parts(2.0, -0.5, 1.0)
    assert [REQUEST.outcome_of(maker) for maker in "abcd"] == ["traded away", "traded away", "won", "not asked"]
    assert REQUEST.behind("d") is None
    assert REQUEST.tied == ("b", "c") and REQUEST.ahead == 0.0


def test_what_concerns_one_maker() -> None:
    told = trace(market("fx"), SEED, 0, 40)
    own = told.of("core")
    assert 0 < len(own.requests) < len(told.requests)
    assert own.requests == tuple(request for request in told.requests if request.quote_of("core"))
    assert [maker.maker for maker in own.makers] == ["core"]
    frame = told.frame()
    assert len(frame) == sum(len(each.quotes) for each in (*told.requests, *told.hedges))
    won = frame[frame["won"]]
    assert (won["behind"] == 0).all() and len(won) == sum(each.winner is not None for each in (*told.requests, *told.hedges))
    with raises(ParameterError, "maker", names=["'cor'"]):
        told.of("cor")


def test_what_cannot_be_traced(tmp_path: Path) -> None:
    scenario = market("linear")
    with raises(ParameterError, "step", scenario.steps, names=[str(scenario.steps - 1)]):
        trace(scenario, step=scenario.steps)
    with raises(ParameterError, "replica", -1):
        trace(scenario, replica=-1)
    with raises(ParameterError, "scenario", "'paper'"):
        trace("paper")  # type: ignore[arg-type]
    with raises(ParameterError, "replica", REPLICAS, names=[str(REPLICAS - 1)]):
        recorded("linear").trace(REPLICAS)
    on_tape = SimulationRunner(scenario).run(tape=Tape.draw(scenario, 1))
    with raises(RunFolderError, "paper", names=["tape"]):
        on_tape.trace()
    on_tape.save(tmp_path / "tape")
    with raises(RunFolderError, tmp_path / "tape", names=["tape"]):
        SimulationResult.load(tmp_path / "tape").trace()
    with raises(RunFolderError, "paper", names=["maker-1", "with_policies"]):
        SimulationRunner(scenario, policies={"maker-1": Moody()}).run().trace()


# --- the command


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traced")
    SimulationRunner(market("fx"), REPLICAS, SEED).run(path / "run")  # its summary alone
    return path


@pytest.fixture
def folder(kept: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(kept)
    return "run"


def test_the_command_tells_a_step(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = trace(market("fx"), SEED, 1, 40)
    assert main(["trace", folder, "--replica", "1", "--step", "40"]) == 0
    shown = capsys.readouterr().out
    for request in told.requests:
        assert f"{request.client} {'buys' if request.side > 0 else 'sells'} {request.size:.4g}" in shown
    lost = next(request for request in told.requests if request.traded and request.behind("core") and request.winner != "core")
    assert (
        main(["trace", f"{folder}/scenario.toml", "--seed", str(SEED), "--replica", "1", "--step", "40", "--maker", "core"]) == 0
    )
    shown = capsys.readouterr().out
    gap = lost.behind("core")
    assert gap is not None
    said = next(
        line for line in shown.splitlines() if line.startswith(f"{lost.client} ") and f"core lost to {lost.winner}" in line
    )
    assert f"{1e4 * gap.spread / told.mid:.3f}"[:-1] in said and f"tier {1e4 * gap.parts.tier / told.mid:+.3f}"[:-1] in said


def test_the_command_prints_json(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = trace(market("fx"), SEED, 1, 40).of("core")
    assert main(["trace", folder, "--replica", "1", "--step", "40", "--maker", "0", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["scenario"], printed["seed"], printed["mid"]) == (told.scenario, SEED, told.mid)
    for shown, request in zip(printed["requests"], told.requests, strict=True):
        gap = request.behind("core")
        assert gap and (shown["winner"], shown["best_spread"], shown["behind"]["spread"]) == (
            request.winner,
            request.best_spread,
            gap.spread,
        )
        assert [quote["spread"] for quote in shown["quotes"]] == [quote.spread for quote in request.quotes]
        assert shown["cover"] == request.cover


def test_the_command_traces_another_price(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["trace", f"{folder}/scenario.toml", "--seed", str(SEED), "--step", "0", "--json"]
    quoted = []
    for setting in ("makers.core.pricing.eps_buy=0", "makers.core.pricing.eps_buy=0.5"):
        assert main([*asked, "--set", setting]) == 0
        printed = json.loads(capsys.readouterr().out)
        quoted.append([quote for request in printed["requests"] for quote in request["quotes"] if quote["maker"] == "core"])
    assert quoted[0] and len(quoted[0]) == len(quoted[1]) and quoted[0] != quoted[1]


def test_the_command_says_what_was_wrong(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_says(refused(capsys, "trace", folder, "--step", "60"), "step", 60, names=["59"])
    assert_says(refused(capsys, "trace", folder, "--step", "-1"), "step", -1)
    assert_says(refused(capsys, "trace", folder, "--step", "1", "--replica", "2"), "replica", 2, names=["1"])
    assert_says(refused(capsys, "trace", folder, "--step", "1", "--maker", "cor"), "maker 'cor'", names=["core"])
    assert_says(refused(capsys, "trace", folder, "--step", "1", "--seed", "1"), "--seed", names=["scenario.toml"])
    assert_says(refused(capsys, "trace", "nowhere", "--step", "1"), "nowhere", names=["exist"])
    assert_says(refused(capsys, "trace", ".", "--step", "1"), ".", names=["meta.json"])
    assert_says(refused(capsys, "trace", "", "--step", "1"), "scenario", names=["empty"])
    assert "--step" in refused(capsys, "trace", folder)
    shutil.copytree(folder, "other")
    edit_meta(Path("other"), policies=["core"])
    assert_says(refused(capsys, "trace", "other", "--step", "1"), "other", names=["core"])
