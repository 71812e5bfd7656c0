"""The experiments with trained makers: their verdicts on made-up measures, how policies are played and measured, trainings in
processes of their own, and one experiment from the command to its report."""

from __future__ import annotations

import functools
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from numpy.testing import assert_allclose
from scipy import stats

pytest.importorskip("gymnasium")

from conftest import DEADLINE, assert_same_bits, raises
from dealermarket import Action, MakerPolicy, Observation, Scenario, SimulationRunner
from dealermarket.commands.main import main
from dealermarket.envs import FEATURES, Controls, Reward
from dealermarket.errors import ParameterError
from dealermarket.learning import training as of_training
from dealermarket.learning.training import Hyperparameters, Training
from dealermarket.pages.wording import estimated, number
from dealermarket.papers import Outcome, Plan, Section, experiment_named
from dealermarket.papers import parts as of_parts
from dealermarket.papers.learning_makers import elastic_learners as of_elastic
from dealermarket.papers.learning_makers import learned as of_learned
from dealermarket.papers.learning_makers import learned_price as of_price
from dealermarket.papers.learning_makers import price_grid as of_grid_of_prices
from dealermarket.papers.learning_makers import two_learners as of_two
from dealermarket.papers.learning_makers.best_price import ALONE, RIVALS, constant, playing
from dealermarket.papers.learning_makers.learned import FEWEST_SEEDS, SEEDS
from dealermarket.papers.learning_makers.learned_drift import STEPS as LEARNED_STEPS
from dealermarket.papers.learning_makers.learned_price import BEFORE, LESSONS
from dealermarket.papers.learning_makers.learned_risk import NEUTRAL, PENALISED, PENALTIES
from dealermarket.papers.parts import measure_parts
from dealermarket.papers.trained import SAMPLE, Trained, TrainedStudy, played
from dealermarket.plots import Line, draw
from dealermarket.study import Estimate, Measures, Study, measure, observe
from test_experiments import check_whole
from test_experiments import made_up as made_up_market

HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
TRAINED = ("learned-price", "learned-risk", "learned-drift", "two-learners", "elastic-learners")
RUNS = 6  # of what is made up
LEARNERS = ("learner", "competitor")
MONEY = ("spread_revenue", "hedging_cost", "inventory_pnl")


def market(steps: int = 24, *settings: str) -> Scenario:
    return Scenario.load("learning", [f"steps={steps}", *settings])


# --- measures made up, in the form of what is measured


def seeds(count: int, learners: int = 1, **given: Any) -> dict[str, Measures]:
    """The measures of `count` trainings: what is given, (count,) or (count, runs) or (count, runs, learners), all else 0."""
    names = (*MONEY, "reward", "pnl", "position", "abs_position", "eps_buy", "eps_sell", "hedge_fraction", "lean")
    by_seed = {}
    for n in range(count):
        measures = {name: np.zeros((RUNS, learners)) for name in names}
        for name, values in given.items():
            own = np.asarray(values, dtype=float)[n]
            measures[name] = np.ones((RUNS, learners)) * (own[:, None] if own.ndim == 1 else own)
        curve = np.column_stack([np.arange(1, 9) * 1000, *np.zeros((4, 8))])
        by_seed[str(n)] = Measures(measures, LEARNERS[:learners], {"curve": curve, "points": np.ones((SAMPLE, 3))})
    return by_seed


def made_up(study: TrainedStudy, draw: np.random.Generator) -> dict[str, Measures]:
    """Plausible measures, without training."""
    count, shape = study.seeds, (study.seeds, study.replicas, len(study.training.makers))
    by_seed = seeds(count, shape[2])
    earned = of_learned.worth(study.training.scenario)
    for n in range(count):
        own = {name: draw.normal(0.5 * earned, 0.1 * earned, shape[1:]) for name in MONEY}
        own["hedging_cost"] = -0.1 * np.abs(own["hedging_cost"])
        own |= {name: draw.uniform(-0.5, 0.5, shape[1:]) for name in ("eps_buy", "eps_sell", "lean", "reward")}
        own["position"] = draw.normal(0.0, 9.0, shape[1:])
        rollouts = 40 + n  # not all as many
        curve = np.column_stack([np.arange(1, rollouts + 1) * 1000, draw.uniform(size=(rollouts, 4))])
        own["pnl"] = np.asarray(sum(own[name] for name in MONEY))
        own |= {"abs_position": np.abs(own["position"]) + 1.0, "hedge_fraction": draw.uniform(size=shape[1:])}
        others = {"curve": curve, "points": draw.normal(size=(SAMPLE, 3))}
        by_seed[str(n)] = Measures({**by_seed[str(n)].by_maker, **own}, study.training.makers, others)
    return by_seed


def constant_prices(study: Study, draw: np.random.Generator) -> dict[str, Measures]:
    """What two makers with constant prices earn by theory in markets that are common to all, and some chance of each pair's."""
    common = 1.0 + 0.03 * draw.normal(size=(study.replicas, 1))
    measured = {}
    for label, scenario in study.variants.items():
        income = income_of(scenario)
        chance = 0.01 * np.abs(income) * draw.normal(size=(study.replicas, 2))
        measured[label] = Measures({"income": income * common + chance}, scenario.maker_names)
    return measured


def income_of(scenario: Scenario) -> np.ndarray:
    """Of two makers with constant prices who do not hedge, (2,): those who ask one of them ask each half of the time."""
    investor = scenario.agents[0]
    quotes = 1.0 + np.array([maker.policy.low for maker in scenario.makers])  # type: ignore[union-attr]
    wins = (quotes == quotes.min()) / (quotes == quotes.min()).sum() if investor.asks == "all" else np.full(2, 0.5)
    return np.asarray(of_learned.worth(scenario) * wins * quotes * investor.demand.trade_share(quotes))


@functools.cache
def plan_of(name: str, runs: int) -> Plan:
    return Plan.of(experiment_named(name), runs=runs)


def section_of(name: str, runs: int, draw: int = 0) -> Section:
    """The whole of an experiment, of made-up measures."""
    plan, generator = plan_of(name, runs), np.random.default_rng(draw)
    measured: dict[str, Any] = {
        study.name: (constant_prices if study.observe is of_grid_of_prices.income else made_up_market)(study, generator)
        for study in plan.studies
    }
    return plan.section(measured | {study.name: made_up(study, generator) for study in plan.trainings})


def at_least(values: Any, count: int) -> tuple[Any, float]:
    """Values of `count` seeds around 0, and the half-width of the 95 % interval of their mean, by the textbook."""
    spread = np.asarray(values)[:count] - np.mean(values[:count])
    return spread, float(stats.t.ppf(0.975, count - 1) * spread.std(ddof=1) / np.sqrt(count))


OFFSETS = (-2.0, 1.0, 2.5, -1.0, -0.5)
# a mean so many half-widths of its interval above 0, and what is to be said of it with all seeds and with few
BORDERS = [(1.01, HOLDS, HOLDS), (0.99, UNDECIDED, UNDECIDED), (-0.99, UNDECIDED, UNDECIDED), (-1.01, FAILS, UNDECIDED)]
COUNTS = [pytest.param(SEEDS, 0, id="all seeds"), pytest.param(FEWEST_SEEDS, 1, id="few seeds")]


def verdicts(name: str, results: Any, scenario: Scenario | None = None) -> dict[str, Any]:
    experiment = experiment_named(name)
    return {
        verdict.name: verdict for verdict in experiment.with_results(scenario or experiment.load_scenario(), results).verdicts()
    }


# --- what the experiments share


@pytest.mark.parametrize("runs", [1000, 100])
@pytest.mark.parametrize("name", TRAINED)
def test_sections_are_whole(name: str, runs: int) -> None:
    section = section_of(name, runs)
    check_whole(section)
    trainings = {1000: "5 trainings", 100: "2 trainings"}[runs]
    assert any(f"means of {trainings}" in figure.caption for figure in section.figures)
    other = section_of(name, runs, draw=1)
    for first, second in zip(section.verdicts, other.verdicts, strict=True):
        assert (first.name, first.claim) == (second.name, second.claim)
        assert first.evidence != second.evidence
    assert not any(ours.frame.equals(theirs.frame) for ours, theirs in zip(section.tables, other.tables, strict=True))


@pytest.mark.parametrize("name", TRAINED)
def test_with_few_seeds_nothing_ever_fails(name: str) -> None:
    outcomes = {verdict.outcome for draw in range(8) for verdict in section_of(name, 20, draw).verdicts}
    assert UNDECIDED in outcomes
    assert FAILS not in outcomes


@pytest.mark.parametrize(
    ("runs", "count", "share"), [(1000, 5, 1.0), (5000, 5, 1.0), (999, 2, 0.999), (100, 2, 0.1), (10, 2, 0.01)]
)
@pytest.mark.parametrize("name", TRAINED)
def test_fewer_runs_shorten_the_training(name: str, runs: int, count: int, share: float) -> None:
    experiment = experiment_named(name)
    scenario = experiment.load_scenario()
    full, these = experiment.trainings(scenario, 1000), experiment.trainings(scenario, runs)
    assert len(full) == len(these) == dict(zip(TRAINED, (4, 4, 2, 1, 3), strict=True))[name]
    for whole, part in zip(full, these, strict=True):
        assert whole.training.steps >= 100_000
        assert part == TrainedStudy(whole.name, part.training, count, runs)
        assert part.training == whole.training.replace(steps=int(whole.training.steps * share))
        assert part.market_steps == count * part.training.steps
    assert experiment.trains
    assert {study.replicas for study in experiment.studies(scenario, runs)} <= {runs}


def test_who_is_trained_on_what() -> None:
    income = {"spread_revenue": 1.0, "hedging_cost": 1.0}
    trainings = {}
    for name in TRAINED:
        experiment = experiment_named(name)
        trainings |= {(name, study.name): study.training for study in experiment.trainings(experiment.load_scenario(), 1000)}
    usual = Scenario.load("learning")
    rivals = {
        "random, U[−1, 1]": ("random", -1.0, 1.0),
        "random, U[−½, ½]": ("random", -0.5, 0.5),
        "persistent, 0.3": ("persistent", 0.3, 0.3),
    }
    for label, (kind, low, high) in rivals.items():
        training = trainings.pop(("learned-price", f"trained, {label}"))
        policy: Any = training.scenario.makers[1].policy
        assert (policy.kind, policy.low, policy.high) == (kind, low, high)
        assert training.scenario.replace(makers=usual.makers) == usual
        assert training.scenario.makers[0].pricing == usual.makers[0].pricing.replace(eps_buy=0.5, eps_sell=0.5)
        assert training.start.tolist() == [0.5, 0.5, -1.0]
        assert training.reward == Reward(weights=income)
        assert training.makers == ("learner",)
    adaptive = trainings.pop(("learned-price", "trained, adaptive"))
    assert adaptive.scenario.makers[1].policy.kind == "adaptive"
    assert (adaptive.reward, adaptive.makers) == (Reward(weights=income), ("learner",))
    for label, penalty in PENALTIES.items():
        training = trainings.pop(("learned-risk", label))
        assert (training.scenario, training.makers, training.reward) == (usual, ("learner",), Reward(weights="pnl", **penalty))
    assert [len(penalty) for penalty in PENALTIES.values()] == [0, 1, 1, 1]
    for label, drift in (("rising", 1.0), ("falling", -1.0)):
        training = trainings.pop(("learned-drift", label))
        assert training.scenario == usual.with_settings(f"market.mid_price.drift={drift}")
        assert training.reward.component_weights == Reward(weights="pnl").component_weights
        assert training.makers == ("learner",)
    both = trainings.pop(("two-learners", "both"))
    assert (both.makers, both.reward) == (("learner", "competitor"), Reward(weights=income))
    assert both.start.tolist() == [0.5, 0.5, -1.0]
    for trained, own in zip(both.scenario.makers, usual.makers, strict=True):
        assert trained == own.replace(pricing=own.pricing.replace(eps_buy=0.5, eps_sell=0.5))
    elastic = usual.with_settings("investors.*.demand={kind='logistic', mean=1.5, scale=0.3}")
    for label, market in (
        ("both asked, no reservation", usual),
        ("both asked", elastic),
        ("one asked", elastic.with_settings("investors.*.asks=1")),
    ):
        assert trainings.pop(("elastic-learners", label)) == both.replace(scenario=of_learned.started(market, [0, 1]))
    assert not trainings


def test_worth_by_hand() -> None:
    """Twenty units a step, at half of 1.5 basis points of a price of 1."""
    assert of_learned.worth(Scenario.load("learning")) == pytest.approx(96 * 20 * 0.5 * 1.5e-4, rel=1e-12)
    rare = market(10, "investors.0.count=4", "investors.0.trade_probability=0.25", "investors.0.mean_size=3.0")
    assert of_learned.worth(rare) == pytest.approx(10 * 4 * 0.25 * 3.0 * 0.5 * 1.5e-4, rel=1e-12)


@pytest.mark.compiled
def test_the_market_is_worth_what_is_said_of_it() -> None:
    """What a maker alone earns at eps 0, beside `worth`."""
    experiment = experiment_named("best-price")
    scenario = experiment.load_scenario(None, ["steps=24", "investors.0.count=20"])
    (study, *_) = experiment.studies(scenario, 60)
    alone = measure([Study("alone", {ALONE: study.variants[ALONE]}, 60, observe.totals)], 0)["alone"][ALONE]
    assert alone["spread_revenue"][:, 0].mean() == pytest.approx(of_learned.worth(scenario), rel=0.03)
    assert (alone["spread_revenue"][:, 1] == 0).all()


def test_learning_curves() -> None:
    assert of_learned.FIELDS == of_training.FIELDS
    assert_allclose(of_learned._smoothed(np.full(60, 2.0)), 2.0, rtol=1e-12)
    assert of_learned._smoothed(np.array([0.0, 3.0, 6.0])).tolist() == [1.5, 3.0, 4.5]
    assert of_learned._smoothed(np.array([4.0])).tolist() == [4.0]
    line = np.arange(100.0)
    assert_allclose(of_learned._smoothed(line)[12:-12], line[12:-12], rtol=1e-12)
    results = {"both": seeds(3)}
    for n, (length, level) in enumerate([(30, 1.0), (40, 2.0), (35, 6.0)]):
        steps = np.arange(1, length + 1) * 1e5
        results["both"][str(n)].others["curve"] = np.column_stack([steps, np.zeros((length, 2)), np.full(length, level), steps])
    experiment: Any = experiment_named("two-learners").with_results(market(), results)
    figure = experiment.curves({"two": "both"}, "inventory", "Said.")
    axes = Canvas().add_subplot()
    draw(figure, axes)
    (drawn,) = axes.lines
    assert_allclose(drawn.get_xdata(), np.arange(1, 31) / 10)  # as long as the shortest
    assert_allclose(drawn.get_ydata(), 3.0)
    assert axes.collections[0].get_datalim(axes.transData).intervaly.tolist() == [1.0, 6.0]
    assert figure.caption == "Said. Lines: means of 3 trainings. Bands: from the lowest to the highest of them."


# --- learned-price


def reached(lesson: of_price.Lesson, earned: np.ndarray, best: np.ndarray) -> dict[str, Any]:
    """Results in which trained makers earn so much (seeds, runs), and the best candidate this (runs,); all others half of it."""

    def totals(income: np.ndarray) -> Measures:
        nobody = np.full_like(income, np.nan)  # what the competitor earns is no matter
        return Measures(
            {
                "spread_revenue": np.stack([income + 20.0, nobody], axis=1),
                "hedging_cost": np.stack([np.full_like(income, -20.0), nobody], axis=1),
            },
            LEARNERS,
        )

    results = {label: totals(0.5 * best) for label in (*lesson.candidates, BEFORE)}
    results[list(lesson.candidates)[-1]] = totals(best)
    count = len(earned)
    trained = seeds(count, spread_revenue=earned + 5.0, hedging_cost=np.full(earned.shape, -5.0))
    return {lesson.label: results, f"trained, {lesson.label}": trained}


def price_results(lesson: int, earned: np.ndarray, best: np.ndarray) -> dict[str, Any]:
    """The same, and all other lessons learned as well as can be."""
    results = {}
    for n, taught in enumerate(LESSONS):
        results |= reached(taught, earned if n == lesson else np.tile(best, (len(earned), 1)), best)
    return results


def test_the_figure_of_learned_prices_says_whom_against_and_in_what() -> None:
    experiment: Any = experiment_named("learned-price")
    (figure,) = experiment.with_results(market(), price_results(0, np.tile(BEST, (2, 1)), BEST)).figures()
    labels = [mark.label for mark in figure.marks if isinstance(mark, Line)]
    assert labels == [*(rival.short for rival in RIVALS), "that adapts its ε"]
    assert figure.legend.title == "trained against a competitor"
    assert "1: all its volume, at ε = 0" in figure.y.label


SHAKE = np.array([-2.0, -1.0, 0.0, 1.0, 2.5, -0.5])
BEST = np.full(RUNS, 100.0)


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("share", "outcomes"), [(0.0, (HOLDS, HOLDS)), (-1e-6, (FAILS, UNDECIDED)), (0.3, (HOLDS, HOLDS))])
@pytest.mark.parametrize("lesson", range(4))
def test_shares_that_are_reached(lesson: int, share: float, outcomes: tuple[Outcome, Outcome], count: int, place: int) -> None:
    """Where every run says the same, at the border and beside it."""
    asked = (0.95, 0.95, 0.95, 0.9)[lesson]
    assert LESSONS[lesson].asked == asked
    earned = np.full((count, RUNS), 100.0 * (asked + share))
    by_name = verdicts("learned-price", price_results(lesson, earned, BEST))
    assert [verdict.outcome for verdict in by_name.values()] == [outcomes[place] if n == lesson else HOLDS for n in range(4)]
    verdict = by_name[f"against {LESSONS[lesson].label}"]
    assert f"at least {100 * asked:.0f} %" in verdict.claim
    percents = ", ".join([f"{100 * (asked + share):.1f} ± 0.0"] * count)
    best = list(LESSONS[lesson].candidates)[-1]
    assert f" {percents} % " in verdict.evidence and f"“{best}”" in verdict.evidence
    assert "Before training it is 50.0 %" in verdict.evidence


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("ahead", "full", "few"), BORDERS)
def test_all_trainings_reach_their_share_at_once(ahead: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    """One training is so many half-widths above what is asked; the intervals of all are right at once with 95 %."""
    error = SHAKE.std(ddof=1) / np.sqrt(RUNS)
    half = stats.t.ppf(1 - 0.025 / count, RUNS - 1) * error
    earned = np.full((count, RUNS), 99.0)
    earned[1] = 95.0 + ahead * half + SHAKE
    verdict = verdicts("learned-price", price_results(2, earned, BEST))["against persistent, 0.3"]
    assert verdict.outcome is (full, few)[place]
    assert f" {95.0 + ahead * half:.1f} ± {half:.1f}" in verdict.evidence


def test_shares_are_of_paired_runs() -> None:
    """Runs in which much is earned are so for all."""
    best = BEST + 50.0 * SHAKE
    by_name = verdicts("learned-price", price_results(0, np.tile(0.951 * best, (5, 1)), best))
    assert by_name["against random, U[−1, 1]"].outcome is HOLDS
    assert ", ".join(["95.1 ± 0.0"] * 5) + " %" in by_name["against random, U[−1, 1]"].evidence
    apart = np.tile(0.951 * best[::-1], (5, 1))
    assert verdicts("learned-price", price_results(0, apart, best))["against random, U[−1, 1]"].outcome is UNDECIDED


def test_whom_trained_makers_are_to_reach() -> None:
    experiment = experiment_named("learned-price")
    studies = {study.name: study for study in experiment.studies(experiment.load_scenario(), 30)}
    assert list(studies) == [lesson.label for lesson in LESSONS]
    for rival in RIVALS:
        best, before = studies[rival.label].variants.values()
        for variant, eps in ((best, rival.best), (before, 0.5)):
            policy: Any = variant.makers[0].policy
            assert (policy.kind, policy.low, policy.high) == ("persistent", eps, eps)
    searched = [variant.makers[0].policy for label, variant in studies["adaptive"].variants.items() if label != BEFORE]
    constants = [policy.low for policy in searched if policy.kind == "persistent"]
    assert constants == [round(0.1 * n, 1) for n in range(-8, 11)]
    leaning = [policy for policy in searched if policy.kind == "skew"]
    assert len({policy.model_dump_json() for policy in leaning}) == len(leaning) == 7 * 2 * 2
    assert all(policy.hedge_fraction == 0.0 for policy in leaning)
    for lesson in LESSONS:
        training = next(
            study for study in experiment.trainings(experiment.load_scenario(), 30) if study.name.endswith(lesson.label)
        )
        for variant in studies[lesson.label].variants.values():  # against the same competitor, in the same market
            assert variant.replace(makers=training.training.scenario.makers) == training.training.scenario
            assert variant.makers[1] == training.training.scenario.makers[1]


def test_table_of_what_is_reached() -> None:
    earned = np.array([[80.0], [96.0]]) + SHAKE
    results = price_results(1, earned, BEST)
    for n in (0, 1):
        measures = results["trained, random, U[−½, ½]"][str(n)].by_maker
        measures["eps_buy"], measures["eps_sell"] = np.full((RUNS, 1), 0.1 + n), np.full((RUNS, 1), 0.2 + n)
    experiment = experiment_named("learned-price")
    (table,) = experiment.with_results(experiment.load_scenario(), results).tables()
    rows = table.frame.iloc[2:4]
    assert rows["competitor"].tolist() == ["random, U[−½, ½]", ""]
    worth = of_learned.worth(experiment.load_scenario())
    assert rows["best"].tolist() == [f"constant −0.25 ({100.0 / worth:.3f})", ""]
    assert_allclose(rows["reached"], earned.mean(axis=1) / 100.0, rtol=1e-12)
    half = stats.t.ppf(0.975, RUNS - 1) * SHAKE.std(ddof=1) / np.sqrt(RUNS) / 100.0
    assert_allclose(rows["reached_high"] - rows["reached"], half, rtol=1e-9)
    assert_allclose(rows["eps_buy"], [0.1, 1.1])
    assert_allclose(rows["eps_sell"], [0.2, 1.2])


# --- learned-risk


def risk_results(count: int, **given: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Results by penalty; what is given is given of all of them."""
    return {label: seeds(count, **{name: values[label] for name, values in given.items()}) for label in PENALTIES}


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("ahead", "full", "few"), BORDERS)
def test_skews_against_the_inventory(ahead: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    offsets, half = at_least(OFFSETS, count)
    slopes = 0.001 * (ahead * half + offsets)
    # runs differ, too; only the mean of each training counts
    lean = dict.fromkeys(PENALTIES, slopes[:, None] + np.array([5.0, -5.0, 3.0, -3.0, 1.0, -1.0]))
    by_name = verdicts("learned-risk", risk_results(count, lean=lean))
    for label in PENALISED:
        verdict = by_name[f"skew: {label}"]
        assert verdict.outcome is (full, few)[place]
        assert f"{count}" not in verdict.claim
        assert verdict.evidence.endswith(f": {', '.join(number(slope, 4) for slope in slopes)}.")
    assert not any(NEUTRAL in name for name in by_name)


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(
    ("inventory", "spread", "full", "few"),
    [
        (1.01, 1.01, HOLDS, HOLDS),
        (0.99, 1.01, UNDECIDED, UNDECIDED),
        (1.01, 0.99, UNDECIDED, UNDECIDED),
        (-0.99, -0.99, UNDECIDED, UNDECIDED),
        (-1.01, 1.01, FAILS, UNDECIDED),
        (1.01, -1.01, FAILS, UNDECIDED),
    ],
)
def test_penalties_calm(inventory: float, spread: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    """Both, inventory and the spread of P&L, so many half-widths smaller than without a penalty."""
    offsets, half = at_least(OFFSETS, count)
    unit = SHAKE / SHAKE.std(ddof=1)  # standard deviation 1 over the runs, whatever the mean
    without = np.array([30.0, 40.0, 35.0, 50.0, 20.0])[:count]
    position = {NEUTRAL: without} | dict.fromkeys(PENALISED, without - inventory * half - offsets)
    pnl = {NEUTRAL: without[:, None] * unit + 7.0}
    pnl |= dict.fromkeys(PENALISED, (without - spread * half - offsets)[:, None] * unit - 3.0)
    by_name = verdicts("learned-risk", risk_results(count, abs_position=position, pnl=pnl))
    assert [by_name[f"calmer: {label}"].outcome for label in PENALISED] == [(full, few)[place]] * 3
    evidence = by_name[f"calmer: {PENALISED[0]}"].evidence
    worth = of_learned.worth(Scenario.load("learning"))
    for ahead, unit, digits, scale in ((inventory, 1.0, 1, 1.0), (spread, worth, 0, 100.0)):
        middle, margin = np.asarray(ahead * half / unit), half / unit
        assert estimated(Estimate(middle, middle, middle - margin, middle + margin), digits, scale) in evidence


def test_table_and_picture_of_penalties() -> None:
    worth = of_learned.worth(Scenario.load("learning"))
    results = risk_results(
        2,
        lean=dict.fromkeys(PENALTIES, np.array([0.01, 0.03])),
        abs_position=dict.fromkeys(PENALTIES, np.array([20.0, 40.0])),
        pnl=dict.fromkeys(PENALTIES, np.array([[1.0], [2.0]]) * SHAKE / SHAKE.std(ddof=1)),
        spread_revenue=dict.fromkeys(PENALTIES, np.array([0.3, 0.5]) * worth),
        hedging_cost=dict.fromkeys(PENALTIES, np.array([-0.1, -0.2]) * worth),
        hedge_fraction=dict.fromkeys(PENALTIES, np.array([0.0, 0.5])),
    )
    for label in PENALTIES:
        results[label]["0"].others["points"] = np.tile([4.0, 0.25, 0.75], (SAMPLE, 1))
    experiment = experiment_named("learned-risk")
    scenario = experiment.load_scenario()
    (table,) = experiment.with_results(scenario, results).tables()
    assert table.frame["penalty"].tolist() == list(PENALTIES)
    assert table.frame["weight"].tolist() == ["", *(f"{next(iter(PENALTIES[label].values())):.2f}" for label in PENALISED)]
    expected = {"lean": 0.02, "inventory": 30.0, "spread": 1.5 / worth, "income": 0.4, "hedging": -0.15, "hedge": 0.25}
    for name, value in expected.items():
        assert_allclose(table.frame[name], value, rtol=1e-12)
    half = 12.706204736432095 * 10.0  # Student's quantile of two, and the error of 20 and 40
    assert_allclose(table.frame["inventory_high"], 30.0 + half, rtol=1e-9)
    axes = Canvas().add_subplot()
    draw(next(iter(experiment.with_results(scenario, results).figures())), axes)
    for dots in axes.collections:
        assert {tuple(point) for point in np.asarray(dots.get_offsets())} == {(4.0, 0.5), (1.0, 0.0)}  # sell less buy


# --- learned-drift


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("ahead", "full", "few"), BORDERS)
def test_inventory_of_the_drifts_sign(ahead: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    offsets, half = at_least(OFFSETS, count)
    held = ahead * half + offsets
    by_name = verdicts("learned-drift", {"rising": seeds(count, position=held), "falling": seeds(count, position=held)})
    assert list(by_name) == ["rising", "falling"]
    assert by_name["rising"].outcome is (full, few)[place]
    assert "long on average" in by_name["rising"].claim
    turned = {HOLDS: FAILS, FAILS: HOLDS, UNDECIDED: UNDECIDED}[full]
    if count == FEWEST_SEEDS:
        turned = HOLDS if ahead < -1 else UNDECIDED
    assert by_name["falling"].outcome is turned
    assert "short on average" in by_name["falling"].claim
    mean = ahead * half
    middle = np.asarray(mean)
    interval = estimated(Estimate(middle, middle, middle - half, middle + half), 1)
    for verdict in by_name.values():  # units as they are, whatever the claim
        assert f" {interval} units" in verdict.evidence


def test_table_of_positions() -> None:
    experiment = experiment_named("learned-drift")
    results = {
        label: seeds(2, position=np.array([[sign], [3.0 * sign]]) * (10.0 + SHAKE), eps_buy=np.array([0.1, 0.2]))
        for label, sign in (("rising", 1.0), ("falling", -1.0))
    }
    (table,) = experiment.with_results(experiment.load_scenario(), results).tables()
    assert table.frame["price"].tolist() == ["rising", "rising", "falling", "falling"]
    assert table.frame["training"].tolist() == [1, 2, 1, 2]
    assert_allclose(table.frame["position"], [10.0, 30.0, -10.0, -30.0])
    half = stats.t.ppf(0.975, RUNS - 1) * SHAKE.std(ddof=1) / np.sqrt(RUNS)
    assert_allclose(table.frame["position_high"] - table.frame["position"], half * np.array([1, 3, 1, 3]))
    assert_allclose(table.frame["eps_buy"], [0.1, 0.2, 0.1, 0.2])


# --- two-learners


def two(prices: np.ndarray, earned: np.ndarray) -> dict[str, Any]:
    """Results of two learners whose eps are these on average, and who together earn such a share of the joint profit."""
    apart = np.array([0.3, -0.3])
    together = earned * 2.0 * of_learned.worth(Scenario.load("learning"))
    income = together[:, None] * np.array([0.9, 0.3])
    shape = (len(prices), RUNS, 2)
    return {
        "both": seeds(
            len(prices),
            learners=2,
            eps_buy=np.broadcast_to((prices[:, None] + 0.1 + apart)[:, None], shape),
            eps_sell=np.broadcast_to((prices[:, None] - 0.1 - 0.5 * apart)[:, None], shape),
            spread_revenue=np.broadcast_to(income[:, None], shape),
            hedging_cost=np.broadcast_to(-0.1 * together[:, None, None], shape),
        )
    }


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("ahead", "full", "few"), BORDERS)
def test_levels_of_two_learners(ahead: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    """`ahead` half-widths below the middle of both levels, and below the joint profit."""
    offsets, half = at_least(0.01 * np.array(OFFSETS), count)
    prices, earned = -ahead * half + offsets, 1.0 - ahead * half - offsets
    by_name = verdicts("two-learners", two(prices, earned))
    assert [verdict.outcome for verdict in by_name.values()] == [(full, few)[place]] * 2
    assert list(by_name) == ["below joint profit", "undercutting"]
    shares = ", ".join(f"{100 * share:.1f}" for share in earned)
    assert by_name["below joint profit"].evidence.endswith(f": {shares}.")


def test_table_of_levels() -> None:
    experiment = experiment_named("two-learners")
    (table,) = experiment.with_results(experiment.load_scenario(), two(np.array([-0.8, -0.4]), np.array([0.1, 0.3]))).tables()
    frame = table.frame.set_index("training")
    assert list(frame.index) == ["competitive", "joint profit", "trained, mean", "1", "2"]
    assert_allclose(frame["eps"], [-1.0, 1.0, -0.6, -0.8, -0.4])
    assert_allclose(frame["earned"], [0.0, 1.0, 0.2, 0.1, 0.3])
    assert table.rows()[0] == ["competitive", "−1.00", "0.0", "–", "–"]
    assert table.rows()[2][1].startswith("−0.60 ± ")


@pytest.mark.compiled
@pytest.mark.parametrize(("eps", "earned"), [(1.0, 1.0), (-1.0, 0.0), (0.0, 0.5)])
def test_the_levels_are_those_of_the_market(eps: float, earned: float) -> None:
    """Two makers who both charge the most, the least, or nothing on top, and hedge nothing."""
    scenario = market(24)
    training = Training(scenario=scenario, makers=scenario.maker_names)
    measured = played(training, lambda seen: np.tile([eps, eps, -1.0], (len(seen), 1)), 1, 40)
    both: Any = experiment_named("two-learners").with_results(scenario, {of_two.STUDY: {"0": measured, "1": measured}})
    assert_allclose(both._prices, eps, atol=1e-12)
    assert_allclose(both._earned, earned, rtol=0.03)  # the spread moves around its mean


# --- elastic-learners


def elastic_market(*settings: str) -> Scenario:
    return experiment_named("elastic-learners").load_scenario(None, [*settings])


@functools.cache
def elastic_incomes() -> dict[str, dict[str, np.ndarray]]:
    """What constant prices earn by theory, (2,), in each variant of each study."""
    studies = experiment_named("elastic-learners").studies(elastic_market(), RUNS)
    return {study.name: {label: income_of(variant) for label, variant in study.variants.items()} for study in studies}


def elastic(study: str = "", label: str = "", times: float = 1.0) -> Any:
    """The experiment with incomes that are the theory's but for a little chance; one variant's are some `times` as much."""
    common = (1.0 + 0.001 * SHAKE)[:, None]
    results = {name: {key: income * common for key, income in incomes.items()} for name, incomes in elastic_incomes().items()}
    if study:
        results[study][label] = times * results[study][label]
    measured: Any = {
        name: {key: Measures({"income": income}, LEARNERS) for key, income in incomes.items()}
        for name, incomes in results.items()
    }
    return learnt_in(elastic_market(), measured)


def learnt_in(scenario: Scenario, results: Any) -> Any:
    return experiment_named("elastic-learners").with_results(scenario, results)


def of_grid(experiment: Any) -> dict[str, Any]:
    """Its claims on constant prices."""
    found = (
        experiment._best_together(),
        experiment._curve(),
        experiment._answers(of_elastic.ALL, "no floor", ""),
        experiment._answers(of_elastic.ONE, "a floor", ""),
    )
    return {verdict.name: verdict for verdict in found}


@pytest.mark.compiled
def test_undercutting_has_no_floor_and_monopolists_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a market, with few prices."""
    few = np.array([-1.0, -0.5, 0.0, 0.5])
    monkeypatch.setattr(of_grid_of_prices, "PRICES", few)
    monkeypatch.setattr(of_grid_of_prices, "FINE", few)
    experiment, scenario = experiment_named("elastic-learners"), elastic_market("steps=48")
    asked: Any = experiment.with_results(scenario, measure(experiment.studies(scenario, 40), 0))
    assert {verdict.outcome for verdict in of_grid(asked).values()} == {HOLDS}
    assert [asked.grid.answer(of_elastic.ALL, eps) for eps in few[1:]] == [-0.5, -0.5, 0.0]
    assert [asked.grid.answer(of_elastic.ONE, eps) for eps in few] == [0.0] * 4
    assert asked.grid.war(of_elastic.ALL) == [0.0, -0.5]


def test_the_joint_optimum_is_where_theory_has_it() -> None:
    """Lambert's W, beside the most of a fine grid; where the optimum is dearer than allowed, the dearest."""
    fine = np.linspace(-1.0, 1.0, 20_001)
    for mean, scale in ((1.5, 0.3), (1.0, 0.25), (0.5, 1.0)):
        experiment = learnt_in(elastic_market(f"investors.*.demand={{kind='logistic', mean={mean}, scale={scale}}}"), {})
        assert experiment.grid.optimum == pytest.approx(fine[np.argmax(experiment.grid.theory(fine))], abs=1e-4)
    dear = elastic_market("investors.*.demand={kind='logistic', mean=1000.0, scale=0.1}")
    assert learnt_in(dear, {}).grid.optimum == 1.0


# what is changed in a study, for one of its variants, and the claims that then fail
TURNED = [
    ("equal prices", "0.5", 2.0, ["joint optimum", "curve"]),
    ("equal prices", "-0.5", 1.02, ["curve"]),
    ("pairs, both asked", "-0.8 / -0.4", 3.0, ["no floor"]),  # who undercuts by more is better off
    ("pairs, both asked", "-0.4 / -0.4", 2.0, ["no floor"]),  # who stays is
    ("pairs, both asked", "0.4 / 0.8", 1.2, ["no floor"]),  # who charges more than the joint optimum is
    ("pairs, both asked", "-1 / -1", 5.0, []),  # times nothing
    ("pairs, one asked", "-0.4 / -0.2", 2.0, ["a floor"]),
]


@pytest.mark.parametrize(("study", "label", "times", "failing"), TURNED)
def test_one_pair_of_prices_turns_a_claim(study: str, label: str, times: float, failing: list[str]) -> None:
    found = of_grid(elastic(study, label, times))
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        name: FAILS if name in failing else HOLDS for name in ("joint optimum", "curve", "no floor", "a floor")
    }


def test_undercutting_goes_step_by_step_to_the_lowest_price_that_earns() -> None:
    experiment = elastic()
    assert_allclose(experiment.grid.war(of_elastic.ALL), [0.2, 0.0, -0.2, -0.4, -0.6, -0.8])
    assert experiment.grid.war(of_elastic.ONE) == [0.2]
    said = {name: verdict.evidence for name, verdict in of_grid(experiment).items()}
    assert "100 of 100" in said["no floor"] and "110 of 110" in said["a floor"]


def all_learnt(prices: Mapping[str, np.ndarray], earned: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The claims on makers who learnt, whose eps are these on average and who together earn such a share of the optimum."""
    experiment = learnt_in(elastic_market(), {})
    for study, eps in prices.items():
        shape = (len(eps), RUNS, 2)
        income = experiment.grid.joint * earned.get(study, np.ones(len(eps)))
        given = {
            f"eps_{side}": np.broadcast_to(eps[:, None, None] + move, shape) for side, move in (("buy", 0.1), ("sell", -0.1))
        }
        given["spread_revenue"] = np.broadcast_to(income[:, None, None] * np.array([0.9, 0.3]), shape)
        given["hedging_cost"] = np.broadcast_to(-0.1 * income[:, None, None], shape)
        experiment.results[study] = seeds(len(eps), learners=2, **given)
    return {verdict.name: verdict for verdict in experiment._trained_verdicts()}


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("ahead", "full", "few"), BORDERS)
def test_where_learners_end(ahead: float, full: Outcome, few: Outcome, count: int, place: int) -> None:
    """`ahead` half-widths below the middle, below the optimum, and below what would be a floor."""
    offsets, half = at_least(0.01 * np.array(OFFSETS), count)
    middle = (learnt_in(elastic_market(), {}).grid.optimum - 1.0) / 2
    both = middle - ahead * half + offsets
    always = both - (0.1 - ahead * half + offsets)
    by_name = all_learnt(
        {of_elastic.ALL: both, of_elastic.ALWAYS: always, of_elastic.ONE: np.zeros(count)},
        {of_elastic.ALL: 1.0 - ahead * half - offsets},
    )
    learnt = ["below joint optimum", "undercutting", "no floor learned"]
    assert list(by_name) == [*learnt, "floor learned"]
    assert [by_name[name].outcome for name in learnt] == [(full, few)[place]] * 3


@pytest.mark.parametrize(("count", "place"), COUNTS)
@pytest.mark.parametrize(("off", "outcomes"), [(1e-6, (HOLDS, HOLDS)), (-1e-6, (FAILS, UNDECIDED))])
def test_every_training_is_to_reach_the_joint_optimum(
    off: float, outcomes: tuple[Outcome, Outcome], count: int, place: int
) -> None:
    reached = np.full(count, 0.99)
    reached[1] = 0.95 + off
    prices = dict.fromkeys((of_elastic.ALL, of_elastic.ALWAYS, of_elastic.ONE), np.array(OFFSETS[:count]))
    assert all_learnt(prices, {of_elastic.ONE: reached})["floor learned"].outcome is outcomes[place]


# --- playing a policy


def leaning(features: np.ndarray) -> np.ndarray:
    """Numbers of a policy made by hand: it leans against its inventory, the more the nearer the end is, and hedges some."""
    names = [feature.name for feature in FEATURES]
    held, left = (features[:, names.index(name)].astype(float) for name in ("position", "time_left"))
    lean = np.tanh(1.5 * held) * (1.2 - left)
    return np.stack([np.clip(-0.1 - lean, -1, 1), np.clip(0.2 + lean, -1, 1), np.full(len(held), -0.8)], axis=1)


class Leaning(MakerPolicy):
    """The same for the runner, from what a maker sees. `unit` is that of the position."""

    def __init__(self, unit: float, steps: int) -> None:
        self.unit, self.steps = unit, steps

    def act(self, observation: Observation) -> Action:
        left = (self.steps - observation.step) / self.steps
        lean = np.tanh(1.5 * observation.position / self.unit) * (1.2 - left)
        return Action(eps_buy=np.clip(-0.1 - lean, -1, 1), eps_sell=np.clip(0.2 + lean, -1, 1), hedge_fraction=0.1)


def close(found: Any, expected: Any) -> None:
    """Features are single precision."""
    assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("makers", [("learner",), ("competitor",), ("learner", "competitor"), ("competitor", "learner")])
def test_what_is_measured_of_a_policy_is_what_a_run_says(makers: tuple[str, ...]) -> None:
    steps, replicas, seed = 24, 5, 9
    scenario = market(steps)
    training = Training(scenario=scenario, makers=makers, reward=Reward(weights={"spread_revenue": 2.0}, unit=0.5))
    measured = played(training, leaning, seed, replicas)
    unit = 10.0 * np.sqrt(20.0)
    policies = {maker: Leaning(unit, steps) for maker in makers}
    result = SimulationRunner(scenario, replicas, seed, record="steps", policies=policies).run()
    names = [feature.name for feature in FEATURES]
    for place, maker in enumerate(makers):
        summary = result.summary[result.summary["maker"] == maker].sort_values("replica")
        for name in ("spread_revenue", "hedging_cost", "pnl"):
            close(measured[name][:, place], summary[name])
        assert (summary["hedging_cost"] < 0).all()
        close(measured["inventory_pnl"][:, place], summary["pnl"] - summary["spread_revenue"] - summary["hedging_cost"])
        close(measured["reward"][:, place], 4.0 * summary["spread_revenue"])
        for replica in range(replicas):
            path = result.steps[(result.steps["maker"] == maker) & (result.steps["replica"] == replica)]
            held = path.sort_values("step")["position"].to_numpy()
            seen = np.zeros((steps, len(names)))
            seen[:, names.index("position")] = held / unit
            seen[:, names.index("time_left")] = np.arange(steps, 0, -1) / steps
            buy, sell, _ = leaning(seen).T
            assert held[0] == 0.0 and np.ptp(held) > 5
            close(measured["position"][replica, place], held.mean())
            close(measured["abs_position"][replica, place], np.abs(held).mean())
            close(measured["eps_buy"][replica, place], buy.mean())
            close(measured["eps_sell"][replica, place], sell.mean())
            close(measured["hedge_fraction"][replica, place], 0.1)
            close(measured["lean"][replica, place], np.polyfit(held, sell - buy, 1)[0])
            assert measured["lean"][replica, place] > 0
    assert {name: values.shape for name, values in measured.items() if name != "points"} == dict.fromkeys(
        (*MONEY, "reward", "pnl", "position", "abs_position", "eps_buy", "eps_sell", "hedge_fraction", "lean"),
        (replicas, len(makers)),
    )
    # the points are steps of the first learner, none twice
    path = result.steps[result.steps["maker"] == makers[0]]
    features = np.zeros((len(path), len(names)))
    features[:, names.index("position")] = path["position"] / unit
    features[:, names.index("time_left")] = 1.0 - path["step"] / steps
    rows = np.column_stack([path["position"], leaning(features)[:, :2]])
    assert measured["points"].shape == (replicas * steps, 3)
    apart = np.abs(measured["points"][:, None] - rows[None]).max(axis=2)
    assert apart.min(axis=0).max() < 1e-5 > apart.min(axis=1).max()


@pytest.mark.compiled
def test_a_sample_of_steps_is_of_all_steps() -> None:
    """A day's 96 steps: evenly spaced ones of many runs would all be of a few times of the day."""
    training = Training(scenario=market(96, "investors.0.count=2"), makers=("learner",))
    names = [feature.name for feature in FEATURES]

    def telling_the_time(seen: np.ndarray) -> np.ndarray:
        return np.repeat(seen[:, [names.index("time_left")]].astype(float), 3, axis=1)

    measured = played(training, telling_the_time, 0, 50)
    times, counts = np.unique(measured["points"][:, 1].round(4), return_counts=True)
    assert measured["points"].shape == (SAMPLE, 3)
    assert len(times) > 80 and counts.max() < 20
    assert_same_bits(measured["points"], played(training, telling_the_time, 0, 50)["points"])


def test_measures_of_learners_are_in_their_order() -> None:
    scenario = market(12)

    def first_is_dearer(seen: np.ndarray) -> np.ndarray:
        numbers = np.full((len(seen), 3), -1.0)
        numbers[0::2, :2], numbers[1::2, :2] = 0.5, -0.5
        return numbers

    for makers in (scenario.maker_names, scenario.maker_names[::-1]):
        measured = played(Training(scenario=scenario, makers=makers), first_is_dearer, 0, 4)
        assert_allclose(measured["eps_buy"], np.tile([0.5, -0.5], (4, 1)))
        assert (measured["spread_revenue"][:, 0] == 0).all()
        assert (measured["spread_revenue"][:, 1] > 0).all()
        prices = dict(zip(makers, (0.5, -0.5), strict=True))
        cheap = playing(scenario, constant(prices["competitor"]), constant(prices["learner"]))
        totals = measure([Study("one", {"only": cheap}, 4, observe.totals)], 0)["one"]["only"]
        own = scenario.maker_names.index(makers[1])
        assert_allclose(measured["spread_revenue"][:, 1], totals["spread_revenue"][:, own], rtol=1e-12)


@pytest.mark.compiled
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.label)
def test_trained_makers_meet_the_markets_of_the_studies(rival: Any) -> None:
    """The same prices, clients and competitor, run by run, as a maker with a constant price in a study of the same seed."""
    scenario = playing(market(24), rival.policy)
    studies = [Study("one", {"0.1": playing(scenario, rival.policy, constant(0.1))}, 20, observe.totals)]
    own = {seed: measure(studies, seed)["one"]["0.1"] for seed in (3, 4)}
    training = Training(scenario=scenario, makers=("learner",), seed=77)
    measured = played(training, lambda seen: np.tile([0.1, 0.1, -1.0], (len(seen), 1)), 3, 20)
    for name in ("spread_revenue", "hedging_cost", "pnl"):
        assert_allclose(measured[name][:, 0], own[3][name][:, 0], rtol=1e-9, atol=1e-15)
    assert not np.isclose(measured["pnl"][:, 0], own[4]["pnl"][:, 0], rtol=1e-3).any()
    few = played(training, lambda seen: np.tile([0.1, 0.1, -1.0], (len(seen), 1)), 3, 5)
    assert_allclose(few["pnl"], measured["pnl"][:5], rtol=1e-12)


@pytest.mark.compiled
def test_who_leans_against_its_inventory_has_less_of_it() -> None:
    """What the sign of the slope means, without a word of prices."""

    def leaning_by(strength: float) -> Callable[[np.ndarray], np.ndarray]:
        def decide(seen: np.ndarray) -> np.ndarray:
            lean = strength * np.tanh(5.0 * seen[:, 0].astype(float))
            return np.stack([-lean, lean, np.full(len(seen), -1.0)], axis=1)

        return decide

    training = Training(scenario=market(48), makers=("learner",))
    by_strength = {strength: played(training, leaning_by(strength), 0, 30) for strength in (-0.3, 0.0, 0.3)}
    slopes = [by_strength[strength]["lean"].mean() for strength in (-0.3, 0.0, 0.3)]
    sizes = [by_strength[strength]["abs_position"].mean() for strength in (-0.3, 0.0, 0.3)]
    assert slopes[0] < 0 == slopes[1] < slopes[2]
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2] > 0


def test_a_maker_who_holds_nothing_has_no_slope() -> None:
    """Too dear for anybody, it has the same position at all steps."""
    training = Training(scenario=market(6, "makers.1.policy.high=0.5"), makers=("learner",))
    measured = played(training, lambda seen: np.ones((len(seen), 3)), 0, 3)
    for name in ("lean", "position", "spread_revenue", "pnl"):
        assert (measured[name] == 0).all()


# --- trainings


def tiny(**changes: Any) -> Training:
    chosen: dict[str, Any] = {
        "scenario": market(24),
        "makers": ("learner",),
        "steps": 600,
        "markets": 8,
        "hyperparameters": Hyperparameters(rollout=8, batch=32, width=8),
    }
    return Training(**(chosen | changes))


ENDLESS = 300_000  # minutes, not days, should it ever not be ended


def test_keys_tell_apart_what_is_trained() -> None:
    study = TrainedStudy("one", tiny(), 3, 10)
    others = [
        TrainedStudy("one", tiny(), 4, 10),
        TrainedStudy("one", tiny(), 3, 11),
        *(
            TrainedStudy("one", tiny(**changed), 3, 10)
            for changed in (
                {"steps": 601},
                {"reward": Reward(weights="pnl")},
                {"reward": Reward(inventory_squared=0.1)},
                {"scenario": market(25)},
                {"makers": ("competitor",)},
                {"controls": Controls(eps_buy=(-0.5, 0.5))},
                {"algorithm": "a2c", "hyperparameters": Hyperparameters()},
                {"hyperparameters": Hyperparameters(rollout=8, batch=32, width=9)},
            )
        ),
    ]
    keys = [study.key(0), study.key(1), *(other.key(0) for other in others)]
    assert len(set(keys)) == len(keys)
    assert TrainedStudy("another name", tiny(), 3, 10).key(0) == study.key(0)
    assert study.market_steps == 1800


def test_seeds_of_trainings() -> None:
    """Each another, none the one that the trained makers are judged on; the first ones the same however many there are."""
    study = TrainedStudy("one", tiny(), 5, 10)
    drawn = {seed: [training.seed for training in study.trainings(seed)] for seed in range(4)}
    every = [seed for seeds_of_one in drawn.values() for seed in seeds_of_one]
    assert len(set(every)) == 20
    assert all(2**20 < seed < 2**63 for seed in every)
    assert {seed: [training.seed for training in study.trainings(seed)] for seed in range(4)} == drawn
    assert [training.seed for training in TrainedStudy("two", tiny(steps=9), 2, 7).trainings(3)] == drawn[3][:2]
    assert all(training.replace(seed=0) == tiny() for training in study.trainings(1))


@pytest.mark.compiled
@pytest.mark.training
@pytest.mark.parametrize("makers", [("learner",), ("learner", "competitor")])
def test_a_training_is_measured(makers: tuple[str, ...]) -> None:
    from dealermarket.learning.trainer import train

    training, done = tiny(makers=makers, seed=5), list[int]()
    measured = Trained(training, 4, 2).measured(done.append)
    assert sum(done) == 600  # those that were asked for; rollouts are played to their end
    curve = measured["curve"]
    assert curve.shape == (10, len(of_learned.FIELDS))
    assert curve[:, 0].tolist() == list(range(64, 641, 64))
    again = played(training, train(training).numbers, 2, 4)
    assert {*measured} == {*again, "curve"}
    assert measured.makers == again.makers == makers
    for name, values in again.items():
        assert_same_bits(measured[name], values)
    invented = made_up(TrainedStudy("one", training, 1, 4), np.random.default_rng(0))["0"]
    assert set(invented) == set(measured)
    assert all(invented[name].shape == measured[name].shape for name in measured if name not in ("points", "curve"))


def begin_a_training_without_end(lifeline: Any, queue: Any) -> None:
    of_parts._begin_worker(queue, lifeline)
    of_parts._measured(Trained(tiny(steps=ENDLESS), 4, 0))


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.parametrize("begun", [False, True], ids=["before it has begun", "while it is under way"])
def test_a_training_ends_that_nobody_waits_for(begun: bool) -> None:
    context = multiprocessing.get_context("spawn")
    lifeline, parents_end = context.Pipe(duplex=False)
    queue = context.Queue()
    process = context.Process(target=begin_a_training_without_end, args=(lifeline, queue))
    process.start()
    try:
        if begun:
            assert queue.get(timeout=DEADLINE) > 0  # waits for the first rollout
        parents_end.close()
        process.join(DEADLINE)
        assert process.exitcode == 1
    finally:
        process.kill()
        queue.close()


@pytest.fixture
def nobody_is_left() -> Any:
    yield
    assert multiprocessing.active_children() == []
    assert [thread.name for thread in threading.enumerate() if "pass_on" in thread.name] == []


class Began(Exception):
    """Processes were about to begin."""


def nobody_trains(*arguments: Any) -> None:
    raise Began


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return list(one) == list(other) and all(np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes() for name in one)


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.usefixtures("nobody_is_left")
def test_trainings_in_processes_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time; then those whose files are damaged or gone, one after the other in one process; then none. What two studies
    train alike is trained once."""
    together = tiny(makers=("learner", "competitor"))
    studies = [TrainedStudy("one", tiny(), 3, 10), TrainedStudy("both", together, 1, 10), TrainedStudy("again", together, 1, 10)]
    done: list[int] = []
    first = measure_parts(studies, 7, workers=2, progress=done.append, keep=tmp_path / "kept")
    assert sum(done) == sum(study.market_steps for study in studies) == 5 * 600
    assert len(done) > 10
    assert done[0] == 600  # at once, for it is the same as another
    assert {name: list(found) for name, found in first.items()} == {"one": ["0", "1", "2"], "both": ["0"], "again": ["0"]}
    assert same(first["both"]["0"], first["again"]["0"])
    assert first["both"]["0"]["pnl"].shape == (10, 2)
    assert not same(first["one"]["0"], first["one"]["1"])
    files = {f"{file.name.split('.')[0]}.npz": file for file in (tmp_path / "kept").iterdir()}
    names = [f"{studies[0].key(7)}-{n}.npz" for n in range(3)] + [f"{studies[1].key(7)}-0.npz"]
    assert set(files) == set(names)
    files[names[0]].write_bytes(files[names[0]].read_bytes()[:200])
    files[names[1]].unlink()
    untouched = files[names[2]].stat().st_mtime_ns

    done.clear()
    second = measure_parts(studies, 7, workers=1, progress=done.append, keep=tmp_path / "kept")
    assert done[:3] == [600, 600, 600]  # what is the same as another, and what was there
    assert sum(done) == 5 * 600
    for name, found in first.items():
        assert list(second[name]) == list(found)
        assert all(same(found[seed], second[name][seed]) for seed in found)
    assert files[names[2]].stat().st_mtime_ns == untouched

    monkeypatch.setattr(of_parts, "ProcessPoolExecutor", nobody_trains)
    third = measure_parts(studies, 7, workers=2, keep=tmp_path / "kept")
    assert all(same(found[seed], third[name][seed]) for name, found in first.items() for seed in found)
    for other in (studies[0].training.replace(steps=601), studies[0].training.replace(reward=Reward(weights="pnl"))):
        with pytest.raises(Began):  # of these nothing is kept
            measure_parts([TrainedStudy("one", other, 3, 10)], 7, keep=tmp_path / "kept")
    with pytest.raises(Began):
        measure_parts(studies, 8, keep=tmp_path / "kept")


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.usefixtures("nobody_is_left")
def test_an_error_in_a_process_ends_them_all() -> None:
    """At once, though one is far from its end and two more wait."""
    diverging = tiny(reward=Reward(weights={"spread_revenue": 1e300}), steps=10_000)
    studies = [TrainedStudy("endless", tiny(steps=ENDLESS), 1, 4), TrainedStudy("diverging", diverging, 1, 4)]
    studies.append(TrainedStudy("waiting", tiny(steps=ENDLESS), 2, 4))
    done: list[int] = []
    with pytest.raises(ParameterError, match=r"diverged .*learning_rate"):
        measure_parts(studies, 0, workers=2, progress=done.append)
    assert sum(done) < ENDLESS


def test_impossible_trainings_are_refused_before_anything_begins() -> None:
    with raises(ParameterError, "controls: alpha", 10, names=["1.32941"]):
        TrainedStudy("one", tiny(controls=Controls(alpha=(0.1, 10.0)), scenario=market(24, "exchange.lam=1.01")), 1, 4)
    scenario = experiment_named("learned-risk").load_scenario("paper", ["makers.*.hedging.kind=none"])
    alone = scenario.replace(makers=scenario.makers[:1])
    with raises(ParameterError, "controls: hedge_fraction", names=["other maker", "venue"]):
        experiment_named("learned-risk").trainings(alone, 1000)


def test_no_studies_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_parts, "ProcessPoolExecutor", nobody_trains)
    assert measure_parts([], 0) == {}


# --- from the command to the report


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.usefixtures("nobody_is_left")
def test_an_experiment_is_interrupted_and_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    keep, seen = of_parts.keep_measures, []

    def interrupted(parts: Any, name: str, measures: Any) -> None:
        keep(parts, name, measures)
        seen.append(name)
        raise KeyboardInterrupt

    asked = ["experiment", "learned-drift", "--runs", "10", "--set", "steps=24", "--seed", "3", "--threads", "1"]
    monkeypatch.setattr(of_parts, "keep_measures", interrupted)
    assert main([*asked, "--out", "here"]) == 130
    assert "dealermarket experiment --resume here" in capsys.readouterr().err
    (part,) = Path("here/measured").iterdir()
    assert part.name.startswith(Path(*seen).stem)  # its checksum follows

    def watched(parts: Any, name: str, measures: Any) -> None:
        keep(parts, name, measures)
        seen.append(name)

    monkeypatch.setattr(of_parts, "keep_measures", watched)
    assert main(["experiment", "--resume", "here", "--threads", "1"]) == 0
    shown = capsys.readouterr()
    assert len(seen) == len(set(seen)) == 4  # the first one was not trained again
    steps = f"{2 * 2 * LEARNED_STEPS // 100:,}"  # two prices, two seeds, a hundredth of the full training
    assert f"{steps} of {steps} market steps" in shown.err
    assert "trained makers are long on average" in shown.out
    assert "read here/report.html" in shown.out
    text = Path("here/report.html").read_text(encoding="utf-8")
    assert f"10 for each value compared (the full experiment has 1,000); {steps} market steps in all" in text
    assert "dealermarket experiment learned-drift --set steps=24 --runs 10 --seed 3" in text
    assert " at 0x" not in text
    files = sorted(str(path.relative_to("here")) for path in Path("here").rglob("*") if path.is_file())
    assert files == [
        "figures/learned-drift-curves.svg",
        "meta.json",
        *(f"numbers/{name}.{kind}" for name in ("learned-drift-positions", "verdicts") for kind in ("csv", "parquet")),
        "report.html",
        "report.md",
        "scenarios/learned-drift.toml",
    ]
    assert [row.split(",")[0] for row in Path("here/numbers/learned-drift-positions.csv").read_text().split()] == [
        "price",
        *["rising"] * 2,
        *["falling"] * 2,
    ]
    assert not any(outcome in Path("here/numbers/verdicts.csv").read_text() for outcome in (",fails,", "nan"))
