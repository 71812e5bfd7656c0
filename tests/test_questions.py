"""Questions: sweeps, searches, equilibria, games and sensitivities, against what is known of the answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import lambertw

from conftest import assert_says, raises, refused
from dealermarket import (
    ConstantSpread,
    FixedTiers,
    InvestorGroup,
    LadderSize,
    LogisticDemand,
    MarketEnvironment,
    MarketMakerAgent,
    NoHedge,
    ParameterError,
    PowerPricing,
    Scenario,
    SimulationRunner,
)
from dealermarket.commands.main import main
from dealermarket.questions import BestResponses, Game, Objective, Played, Range, Search, Sensitivity, Sweep, Varied
from dealermarket.questions.climb import best_of, climb
from dealermarket.questions.equilibrium import CONVERGED, CYCLE
from dealermarket.questions.payoffs import Payoffs
from dealermarket.questions.sensitivity import indices, saltelli
from dealermarket.study import compare
from test_league import saved_policy

Array = np.ndarray[Any, Any]
ALPHA, PENALTY = "makers.0.pricing.alpha", "makers.0.pricing.tier_penalty"
DEMAND = LogisticDemand(mean=1.0, scale=0.25)
BEST_QUOTE = 0.25 * (1.0 + float(lambertw(math.exp(1.0 / 0.25 - 1.0)).real))
"""Of a single maker, in units of the reference curve: the first-order condition of quote times the logistic share."""


def maker(name: str, eps: float = 0.0) -> MarketMakerAgent:
    """Quotes 1 + eps times the reference curve to everybody, whatever the size."""
    pricing = PowerPricing(alpha=1.0, tier_penalty=0.0, eps_buy=eps, eps_sell=eps)
    return MarketMakerAgent(name=name, tiering=FixedTiers(tiers=1), pricing=pricing, hedging=NoHedge())


def market(*makers: MarketMakerAgent, **agent: Any) -> Scenario:
    """Clients of one size, whose requests a maker's spread revenue is a function of the quotes alone."""
    groups = agent.pop("groups", ({"name": "client"},))
    fields: dict[str, Any] = {
        "count": 20,
        "trade_probability": 0.5,
        "mean_size": None,
        "size": LadderSize(sizes=(2.0,), weights=(1.0,)),
    }
    investors = tuple(InvestorGroup(**{**fields, **agent, **group}) for group in groups)
    environment = MarketEnvironment(reference_spread=ConstantSpread(mean=1e-4))
    return Scenario(steps=50, market=environment, investors=investors, makers=makers)


# --- sweeps


@pytest.mark.usefixtures("tiny_chunks")
def test_a_sweep_has_the_numbers_of_runs_and_of_comparisons(small: Scenario) -> None:
    swept = Sweep.of(small, {ALPHA: (1.3, 1.7), "makers.*.hedging.kind": ("none",)}, replicas=5, seed=3).run(threads=2)
    changed = small.with_settings(f"{ALPHA}=1.7", "makers.*.hedging.kind=none")
    label = swept.labels[1]
    pnl = SimulationRunner(changed, 5, 3).run().summary["pnl"].to_numpy().reshape(5, 2)
    assert_array_equal(swept.by_replica(label, "pnl"), pnl)
    paired = compare(small, changed, 5, 3).frame()
    rows = swept.frame().query("point == @label").reset_index(drop=True)
    rows = rows.set_index(["maker", "statistic"]).loc[list(zip(paired["maker"], paired["statistic"], strict=True))]
    assert_array_equal(
        rows[["difference", "difference_low", "difference_high"]].to_numpy(), paired[["difference", "low", "high"]].to_numpy()
    )


def test_points_with_other_markets_run_on_tapes_of_the_same_seed(small: Scenario) -> None:
    sweep = Sweep.of(small, {"market.mid_price.volatility": (0.05, 0.2)}, replicas=3, seed=1)
    assert len(sweep.studies) == 3
    swept = sweep.run()
    investors = Sweep.of(small, {"investors.0.trade_probability": (0.1, 0.2)}, replicas=2).run().frame()
    assert set(investors["investors.0.trade_probability"]) >= {"0.1", "0.2"}  # beside what the scenario has, which is a range
    alone = SimulationRunner(small.with_settings("market.mid_price.volatility=0.2"), 3, 1).run().summary
    assert_array_equal(swept.by_replica("volatility=0.2", "pnl").ravel(), alone["pnl"].to_numpy())


@pytest.mark.compiled
def test_the_best_and_its_equals_are_told_by_paired_differences() -> None:
    """Revenue at the best quote, beside it, and far off, and what less is better of."""
    scenario = market(maker("only"), demand=DEMAND)
    eps = (BEST_QUOTE - 1.0, BEST_QUOTE - 1.004, -0.6, 0.5)
    swept = Sweep.of(scenario, {"makers.0.pricing.eps_buy+makers.0.pricing.eps_sell": eps}, replicas=60).run()
    assert swept.labels.index(swept.best("spread_revenue")) in (0, 1)
    assert swept.as_good_as_the_best("spread_revenue").tolist() == [True, True, False, False]
    assert swept.labels.index(swept.best("mean_abs_position")) == 3  # the dearest holds the least
    with raises(ParameterError, "hit_ratio"):
        swept.best("hit_ratio")


def test_a_point_is_named_by_its_values_and_one_replica_tells_nothing_apart(small: Scenario) -> None:
    sweep = Sweep.of(small, {ALPHA: (1.2, 1.5), "makers.1.hedging": ({"kind": "none"}, {"kind": "full"})}, replicas=1)
    assert sweep.label_of('1.50, {kind = "full"}') == sweep.label_of("1.5,full") == "alpha=1.5, hedging=full"
    assert sweep.run().as_good_as_the_best("pnl").all()
    makers = (
        Sweep.of(small.with_settings("makers.0.pricing.alpha=1.9"), {"makers.*.pricing.alpha": (1.2,)}, replicas=2).run().frame()
    )
    assert np.isnan(makers["makers.*.pricing.alpha"].iloc[0])  # as it is they have several


def test_values_from_one_end_to_the_other_have_a_true_zero() -> None:
    around, above = Range(ALPHA, -0.3, 0.2).spaced(6), Range(ALPHA, 1e-15, 1e-13, log=True).spaced(3)
    assert around == Varied(ALPHA, (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2))
    assert above == Varied(ALPHA, (1e-15, 1e-14, 1e-13))


def test_a_measure_without_a_value_is_said_and_not_taken_for_one() -> None:
    """A maker that never trades has no P&L per volume."""
    path, measure = "makers.0.pricing.eps_buy+makers.0.pricing.eps_sell", Objective.parsed("pnl_bp")
    dear, scenario = Range(path, 0.3, 0.9), market(maker("a", 0.5), maker("b"))
    for asked in (
        Sensitivity(scenario, (dear,), measure, "a", points=8, replicas=2),
        BestResponses(scenario, (dear,), measure, ("a",), replicas=2, evaluations=4, fresh=2),
        Game(scenario, (Varied(path, (0.3, 0.9)),), measure, ("a",), replicas=2),
        Search(scenario, (dear,), measure, "a", replicas=2, evaluations=4, fresh=2, grid=2),
    ):
        with raises(ParameterError, "pnl_bp", names=["no value"]):
            asked.run()


def test_a_sweep_asks_for_what_it_takes(small: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    with raises(ParameterError, ALPHA, names=["COUNT", "--sample"]):
        Sweep.of(small, [Range(ALPHA, 1.1, 2.0)])
    with raises(ParameterError, ALPHA, names=["--sample"]):
        Sweep.of(small, {ALPHA: (1.2,)}, sample=4)
    with raises(ParameterError, ALPHA):
        Sweep.of(small, {ALPHA: 1.2})  # type: ignore[dict-item]
    with monkeypatch.context() as patch:
        patch.setattr("dealermarket.questions.sweep.machine_memory", lambda: 1e9)
        with raises(ParameterError, "memory"):
            Sweep.of(small, {ALPHA: (1.2, 1.3)}, replicas=1_000_000)
    with raises(ParameterError, "against"):
        Sweep.of(small, {ALPHA: (1.2,)}, replicas=2).run().frame("alpha=9")


# --- objectives


def test_an_objective_is_a_weighted_sum_less_a_risk(small: Scenario) -> None:
    swept = Sweep.of(small, {ALPHA: (1.3,)}, replicas=40).run()
    measures = swept.measures[swept.labels[0]]
    objective = Objective.parsed("pnl - 2*mean_abs_position + 1e-1*market_share", risk=0.5)
    assert objective.weights == {"pnl": 1.0, "mean_abs_position": -2.0, "market_share": 0.1}
    plain = Objective.parsed("pnl - 2*mean_abs_position + 0.1*market_share").by_replica(measures)
    found = objective.by_replica(measures)
    assert_allclose(found.mean(axis=0), plain.mean(axis=0) - 0.5 * plain.std(axis=0, ddof=1))
    jackknifed = [np.delete(plain, n, axis=0) for n in range(40)]  # another way to the error of a deviation
    values = np.array([each.mean(axis=0) - 0.5 * each.std(axis=0, ddof=1) for each in jackknifed])
    error = np.sqrt(39 / 40 * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
    assert_allclose(found.std(axis=0, ddof=1) / math.sqrt(40), error, rtol=0.1)
    assert Objective.parsed("mean_abs_position").weights == {"mean_abs_position": -1.0}  # less is better


@pytest.mark.parametrize("text", ["", "pnl pnl", "2*", "pnl +", "no_such", "0*pnl", "pnl*2", "1-2*pnl", ".*pnl"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        Objective.parsed(text)


# --- searches


def test_climbing_finds_the_higher_of_two_hills() -> None:
    def height(place: Array) -> float:
        near, far = (float(np.sum((place - top) ** 2)) for top in (0.2, 0.77))
        return math.exp(-40 * near) + 1.5 * math.exp(-20 * far)

    best = best_of(climb(height, [0.1, 0.15], 60))
    assert_allclose(best.place, 0.77, atol=0.01)
    trials = climb(height, [0.1, 0.15], 60)
    assert len(trials) <= 60 and [trial.value for trial in trials] == [height(trial.place) for trial in trials]


@pytest.mark.compiled
def test_a_search_finds_the_best_quote_and_judges_it_on_replicas_of_its_own() -> None:
    scenario, path = market(maker("only", 0.3), demand=DEMAND), "makers.0.pricing.eps_buy+makers.0.pricing.eps_sell"
    search = Search(
        scenario, (Range(path, -0.9, 1.0),), Objective.parsed("spread_revenue"), "only", evaluations=30, fresh=200, seed=2
    )
    found = search.run(threads=2)
    assert 1.0 + found.best.settings[0].value == pytest.approx(BEST_QUOTE, abs=0.02)
    assert found.gain().low > 0 and abs(found.gain("best of the grid").value) < 1.0
    everything = SimulationRunner(found.scenario, 260, 2).run().summary["spread_revenue"].to_numpy()
    assert_array_equal(found.fresh["found"], everything[60:])
    assert found.searched == pytest.approx(everything[:60].mean()) and found.gap == pytest.approx(
        found.searched - found.value().value
    )
    history = found.history()
    assert history["best"].is_monotonic_increasing and history["best"].iloc[-1] == found.searched


@pytest.mark.compiled
def test_optuna_searches_values_and_leaves_poor_points_early() -> None:
    pytest.importorskip("optuna", reason="needs the extra `search`")
    path = "makers.0.pricing.eps_buy+makers.0.pricing.eps_sell"
    fields = (Range(path, -0.9, 1.0), Varied("makers.0.pricing.alpha", (1.0, 2.0)))
    search = Search(
        market(maker("only", 0.3), demand=DEMAND),
        fields,
        Objective.parsed("spread_revenue"),
        "only",
        evaluations=40,
        method="optuna",
        fresh=50,
    )
    found, again = search.run(threads=2), search.run()
    assert found.history().equals(again.history())
    assert found.gain().low > 0
    tried = found.history()
    assert {15, 60} <= set(tried["replicas"]) <= {15, 30, 60}
    assert tried[tried["replicas"] < 60]["value"].max() < found.searched


@pytest.mark.parametrize(
    ("changes", "field", "names"),
    [
        ({"evaluations": 2}, "evaluations", ["3"]),
        ({"maker": "nobody"}, "maker 'nobody'", []),
        ({"fields": (Range("makers.0.hedging.kind", 0, 1),)}, "makers.0.hedging.kind", []),
        ({"fields": (Range("makers.0.pricing.beta", 0, 1),)}, "'makers.0.pricing.beta'", []),
        ({"fields": (Range(ALPHA, -1, 1),)}, f"paper: {ALPHA}", ["-1.0"]),
    ],
)
def test_what_cannot_be_searched_is_refused(small: Scenario, changes: dict[str, Any], field: str, names: list[str]) -> None:
    asked: dict[str, Any] = {"fields": (Range(ALPHA, 1.1, 2.0),), "maker": "maker-1"} | changes
    with pytest.raises(ParameterError) as caught:
        Search(small, objective=Objective.parsed("pnl"), **asked)
    assert_says(str(caught.value), field, names=names)


# --- equilibria


@pytest.mark.compiled
def test_makers_with_clients_of_their_own_end_at_the_quote_of_a_single_one() -> None:
    """Nobody's best quote depends on the other's: both go to it, and nothing is gained by moving."""
    groups = tuple({"name": f"of-{name}", "asks": (name,)} for name in ("a", "b"))
    scenario = market(maker("a", 0.5), maker("b", -0.5), groups=groups, demand=DEMAND)
    ranges = (Range("makers.*.pricing.eps_buy+makers.*.pricing.eps_sell", -0.9, 1.0),)
    asked = BestResponses(
        scenario, ranges, Objective.parsed("spread_revenue"), epsilon=1e-4, evaluations=15, replicas=40, fresh=100
    )
    found = asked.run(threads=2)
    assert found.outcome == CONVERGED
    for setting in found.end.settings:
        assert 1.0 + setting.value == pytest.approx(BEST_QUOTE, abs=0.06)
    assert all(abs(regret.value) < 0.05 * found.value[name].value for name, regret in found.regret.items())
    assert list(found.history()["maker"][:2]) == ["a", "b"]


def test_a_cycle_is_found_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One maker wants to be where the other is, who wants to be elsewhere."""

    def of(_: Payoffs, scenarios: list[Scenario], replicas: range) -> Array:
        eps = np.array([[each.pricing.eps_buy for each in scenario.makers] for scenario in scenarios])  # type: ignore[attr-defined]
        follows, flees = -((eps[:, 0] - eps[:, 1]) ** 2), -((eps[:, 1] + eps[:, 0]) ** 2)
        return np.repeat(np.stack([follows, flees], axis=1)[:, np.newaxis], len(replicas), axis=1)

    monkeypatch.setattr(Payoffs, "of", of)
    scenario = market(maker("a", 0.5), maker("b", 0.4))
    ranges = (Range("makers.*.pricing.eps_buy", -0.9, 0.9),)
    found = BestResponses(scenario, ranges, Objective.parsed("pnl"), damping=1.0, evaluations=30).run()
    assert (found.outcome, found.cycle) == (CYCLE, 2)
    assert all(regret.value > 0.1 for name, regret in found.regret.items() if name == "a")


def played(payoffs: Any, noise: float = 0.0) -> Played:
    """A game of two makers with these payoffs (strategies, strategies, 2) and noise that all profiles share."""
    payoffs = np.asarray(payoffs, dtype=np.float64)
    fields = (Varied("makers.*.pricing.eps_buy", tuple(0.1 * n for n in range(payoffs.shape[0]))),)
    game = Game(market(maker("a"), maker("b")), fields, Objective.parsed("pnl"), replicas=30)
    shared = noise * np.random.default_rng(0).standard_normal((30, 1, 1, 1))
    return Played(game, payoffs + shared)


def test_the_prisoners_dilemma_has_one_equilibrium_and_a_price() -> None:
    found = played([[[3, 3], [0, 5]], [[5, 0], [1, 1]]], noise=10.0)
    assert found.equilibria == ((1, 1),) and found.joint_optimum == (0, 0)
    assert found.is_sure((1, 1)) and not found.is_sure((0, 0))
    unsure = Played(found.game, found.by_replica.copy())
    unsure.by_replica[:, 0, 1, 0] += 200.0 * np.linspace(-1, 1, 30)  # a move that loses in the mean, and may not
    assert unsure.equilibria == ((1, 1),) and not unsure.is_sure((1, 1))
    assert_allclose(found.regret((0, 0)).value, [2.0, 2.0])
    assert_allclose(found.price_of_anarchy((1, 1)).value, 4.0)
    assert found.is_symmetric
    assert_allclose(found.mixed.shares, [[0, 1], [0, 1]], atol=1e-6)


def test_matching_pennies_has_a_mixed_equilibrium_alone() -> None:
    found = played([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    assert found.equilibria == () and not found.is_symmetric and found.symmetric is None
    assert_allclose(found.mixed.shares, 0.5, atol=1e-2)
    assert found.mixed.gain < 0.02
    uneven = played([[[3, -1], [-1, 1]], [[-1, 1], [1, -1]]])  # each makes the other indifferent: 4 q - 1 = 1 - 2 q
    assert_allclose(uneven.mixed.shares, [[1 / 2, 1 / 2], [1 / 3, 2 / 3]], atol=2e-2)


def test_makers_answer_in_turn_until_nobody_moves_or_all_comes_again() -> None:
    dilemma = played([[[3, 3], [0, 5]], [[5, 0], [1, 1]]])
    assert dilemma.answers((0, 0)) == [(0, 0), (1, 0), (1, 1)]
    assert dilemma.answers((1, 1)) == [(1, 1)]
    pennies = played([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]])
    assert pennies.answers((0, 0)) == [(0, 0), (0, 1), (1, 1), (1, 0)]  # and from there again
    alike = played(np.zeros((2, 2, 2)))
    assert alike.answers((1, 0)) == [(1, 0)]  # who gains nothing stays


def test_hawks_and_doves_mix_where_all_are_alike() -> None:
    found = played([[[-1, -1], [4, 0]], [[0, 4], [2, 2]]])  # value 4, cost 6: two thirds are hawks
    assert found.symmetric is not None
    assert_allclose(found.symmetric.shares, [[2 / 3, 1 / 3]] * 2, atol=1e-3)
    assert found.equilibria == ((0, 1), (1, 0))


@pytest.mark.compiled
def test_undercutting_ends_at_the_lowest_price_that_earns() -> None:
    """Two makers, clients who take the best price: from every other common price the other is undercut (Bertrand, 1883)."""
    scenario = market(maker("a"), maker("b"))
    fields = (Varied("makers.*.pricing.eps_buy+makers.*.pricing.eps_sell", (-0.8, -0.7, -0.6, -0.5)),)
    found = Game(scenario, fields, Objective.parsed("client_revenue"), replicas=40).run()
    assert found.equilibria == ((0, 0),) and found.is_sure((0, 0))
    assert found.joint_optimum[0] == found.joint_optimum[1] == 3 or 3 in found.joint_optimum
    assert_allclose(
        found.payoffs.value[0, 0].sum(), found.payoffs.value[0, 3].sum(), rtol=1e-9
    )  # the same clients, the same price
    by_hand = SimulationRunner(found.game.points[1].scenario, 40).run().summary["client_revenue"].to_numpy().reshape(40, 2)
    assert_array_equal(found.at((0, 1)), by_hand)
    frame = found.frame()
    assert len(frame) == 32 and frame["equilibrium"].sum() == 2


def test_who_has_nothing_to_move_is_said(small: Scenario) -> None:
    with raises(ParameterError, "over", names=["maker-2"]):
        BestResponses(small, (Range(ALPHA, 1.1, 2.0),), Objective.parsed("pnl"))
    with raises(ParameterError, "market.mid_price.volatility"):
        BestResponses(small, (Range("market.mid_price.volatility", 0.1, 0.2),), Objective.parsed("pnl"))
    with raises(ParameterError, "over", names=["maker-2"]):
        Game(small, (Varied(ALPHA, (1.1, 2.0)),), Objective.parsed("pnl"))
    with raises(ParameterError, ALPHA, names=["v1,v2"]):
        Game(small, (Range(ALPHA, 1.1, 2.0),), Objective.parsed("pnl"))  # type: ignore[arg-type]
    with raises(ParameterError, "damping", 0):
        BestResponses(small, (Range("makers.*.pricing.alpha", 1.1, 2.0),), Objective.parsed("pnl"), damping=0)


# --- sensitivity


def test_indices_of_ishigamis_function_are_the_known_ones() -> None:
    """sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 on (-pi, pi): Ishigami and Homma, ISUMA 1990."""
    x = (2 * saltelli(3, 4096, seed=1) - 1) * np.pi
    found = indices(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]), 3)
    for estimate, known in ((found.first, [0.3139, 0.4424, 0.0]), (found.total, [0.5576, 0.4424, 0.2437])):
        assert_allclose(estimate.value, known, atol=0.02)
        assert np.all((estimate.low < known) & (known < estimate.high))


@pytest.mark.compiled
def test_revenue_hangs_on_the_quote_alone() -> None:
    scenario = market(maker("only"), demand=DEMAND)
    ranges = (
        Range("makers.0.pricing.eps_buy+makers.0.pricing.eps_sell", -0.5, 0.2),
        Range("market.mid_price.volatility", 0.01, 0.2),
    )
    found = Sensitivity(scenario, ranges, Objective.parsed("spread_revenue"), "only", points=64, replicas=3).run()
    assert found.indices.first.value[0] == pytest.approx(1.0, abs=0.05)
    assert_allclose(found.indices.total.value, [1.0, 0.0], atol=0.05)
    assert list(found.frame()["field"]) == [each.path for each in ranges]
    alone = Sensitivity(scenario, ranges[:1], Objective.parsed("spread_revenue"), "only", points=16, replicas=2).run()
    assert alone.indices.total.value == pytest.approx(1.0, abs=0.1)
    with raises(ParameterError, "points", 60):
        Sensitivity(scenario, ranges, Objective.parsed("pnl"), "only", points=60)


# --- commands


SWEEP = ("sweep", "paper", "--steps", "30", "--set", "reward_horizon=3", "--vary", f"{ALPHA}=1.2,1.5", "--replicas", "6")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".json"}


@pytest.mark.usefixtures("tiny_chunks")
def test_an_interrupted_sweep_is_finished_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dealermarket.study import study

    monkeypatch.chdir(tmp_path)
    assert main([*SWEEP, "--out", "whole"]) == 0
    shown = capsys.readouterr().out
    assert "best" in shown and "whole" in shown
    kept, written = study.keep_measures, []

    def interrupted(*arguments: Any) -> None:
        kept(*arguments)
        written.append(arguments)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(study, "keep_measures", interrupted)
    assert main([*SWEEP, "--out", "cut", "--threads", "1"]) == 130
    assert "sweep --resume cut" in capsys.readouterr().err
    assert not Path("cut/sweep.csv").exists()
    assert main(["sweep", "--resume", "cut"]) == 0
    assert len(written) == 3  # the chunk that was left
    assert contents(Path("cut")) == contents(Path("whole"))
    assert main(["sweep", "--resume", "cut"]) == 0
    capsys.readouterr()
    assert_says(refused(capsys, "optimise", "--resume", "cut"), "cut", names=["sweep"])
    assert_says(refused(capsys, "sweep", "paper", "--resume", "cut"), "--resume")
    assert_says(refused(capsys, "inspect", "cut"), "cut", names=["other work"])


@pytest.mark.compiled
def test_every_question_answers_in_words_files_and_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    short = ("--steps", "30", "--set", "reward_horizon=3")
    asked = {
        "optimise": (f"--over={ALPHA}=1.1:2", "--evaluations=6", "--replicas=4", "--fresh=5", "--grid=3"),
        "equilibrium": ("--over=makers.*.pricing.alpha=1.1:2", "--rounds=1", "--evaluations=4", "--replicas=4", "--fresh=5"),
        "sensitivity": (f"--over={ALPHA}=1.1:2", f"--over={PENALTY}=0:1e-4", "--points=8", "--replicas=2"),
    }
    files = {
        "optimise": {"best.toml", "history.csv", "search.png"},
        "equilibrium": {"end.toml", "history.csv", "equilibrium.png"},
        "sensitivity": {"sensitivity.csv", "sensitivity.png"},
    }
    for command, options in asked.items():
        assert main([command, "paper", *short, *options, "--out", command, "--json"]) == 0
        printed = capsys.readouterr().out
        assert json.loads(printed)["scenario"] == "paper"
        assert main([command, "--resume", command, "--json"]) == 0
        assert capsys.readouterr().out == printed
        assert files[command] <= {path.name for path in Path(command).iterdir()}
        assert not Path(command, "measured").exists()
    assert Scenario.load("optimise/best.toml").with_settings(f"{ALPHA}=1.5") == Scenario.load(
        "paper", ["steps=30", "reward_horizon=3"]
    )
    game = ("equilibrium", "paper", *short, "--over=makers.*.hedging.kind=none,full", "--replicas=4")
    assert main([*game, "--out", "game"]) == 0
    assert "joint optimum" in capsys.readouterr().out
    assert len(pd.read_csv("game/game.csv")) == 8
    dotted = ("--set", "makers.0.name='a.b'")
    assert main(["equilibrium", "paper", *short, *asked["equilibrium"], *dotted, "--out", "again"]) == 0
    assert "regret" in capsys.readouterr().out
    two = ("--vary", f"{PENALTY}=0:1e-4:3", "--vary", "makers.1.policy=heuristic,skew:strength=0.3")
    assert main([*SWEEP, *two, "--against", "1.2,0,heuristic", "--measure", "market_share,pnl"]) == 0
    assert (Path("sweeps/paper-1") / "sweep.png").exists()
    assert main(["sweep", "paper", *short, "--sample=4", f"--vary={ALPHA}=1.1:2", "--replicas=2", "--against=best"]) == 0


def test_what_is_resumed_has_the_policies_that_were_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    saved_policy("mine.npz")
    asked = ("sweep", "learning", "--steps", "10", "--replicas", "2", "--vary", "makers.0.policy=heuristic,mine.npz")
    with monkeypatch.context() as patch:
        patch.setattr("dealermarket.study.study.keep_measures", interrupted)
        assert main([*asked, "--out", "cut"]) == 130
    capsys.readouterr()
    content = Path("mine.npz").read_bytes()
    saved_policy("mine.npz", bias=1.0)
    assert_says(refused(capsys, "sweep", "--resume", "cut"), "cut", names=["mine.npz"])
    Path("mine.npz").write_bytes(content)
    assert main(["sweep", "--resume", "cut"]) == 0


@pytest.mark.parametrize(
    ("arguments", "field", "names"),
    [
        (("sweep", "paper"), "--vary", []),
        (("sweep", "paper", "--vary", f"{ALPHA}=1.2", "--measure", "profit"), "statistic 'profit'", []),
        (("sweep", "paper", "--vary", f"{ALPHA}=1.2", "--maker", "nobody"), "maker 'nobody'", []),
        (("sweep", "paper", "--vary", f"{ALPHA}=1.2", "--against", "1.9"), "--against", ["1.2"]),
        (("sweep", "paper", "--vary", f"{ALPHA}=1.2", "--measure", "hit_ratio", "--against", "best"), "hit_ratio", []),
        (("sweep", "paper", "--vary", f"{ALPHA}=-1"), f"paper: {ALPHA}", []),
        (("sweep", "paper", "--vary", "makers.0.pricing.beta=1"), "paper: makers.0.pricing.beta", []),
        (("optimise", "paper"), "--over", []),
        (("optimise", "paper", "--over", f"{ALPHA}=1.2,1.3"), ALPHA, ["optuna", "low:high"]),
        (("optimise", "paper", "--over", f"{ALPHA}=1.2:1.3", "--method", "newton"), "method", ["cobyqa", "newton"]),
        (("optimise", "paper", "--over", f"{ALPHA}=1.2:1.3", "--measure", "pnl*2"), "measure 'pnl*2'", []),
        (("equilibrium", "paper", "--over", f"{ALPHA}=1.2:1.3"), "over", ["maker-2"]),
        (("equilibrium", "paper", "--over", "makers.*.pricing.alpha=1.2,1.3", "--rounds", "3"), "--rounds", []),
        (("sensitivity", "paper", "--over", f"{ALPHA}=1.2:1.3", "--points", "100"), "points", ["100"]),
    ],
)
def test_bad_questions_leave_nothing_behind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    field: str,
    names: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_says(refused(capsys, *arguments), field, names=names)
    assert list(tmp_path.iterdir()) == []
