"""The experiments: small versions of their verdicts, scenarios that turn them, verdicts at their edges, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from numpy.testing import assert_allclose
from scipy import stats

from conftest import raises
from dealermarket import ConstantSpread, InvestorAgent, ParameterError, Scenario, ScenarioError
from dealermarket.pages.wording import number
from dealermarket.papers import Outcome, Plan, Section, Verdict, experiment_named, experiments
from dealermarket.papers.dealer_market import best_gamma
from dealermarket.papers.dealer_market import internalization as of_internalization
from dealermarket.papers.dealer_market import markouts as of_markouts
from dealermarket.papers.dealer_market import price_sensitivity as of_price_sensitivity
from dealermarket.papers.dealer_market import volatility as of_volatility
from dealermarket.papers.dealer_market.markouts import Markouts
from dealermarket.papers.experiment import Results, Variation
from dealermarket.papers.learning_makers import best_price as of_best_price
from dealermarket.papers.variations import Varied
from dealermarket.plots import Line, draw
from dealermarket.runs.statistics import REWARDS
from dealermarket.study import Measures, Study, measure

PAPER = ("curves", "price-sensitivity", "internalization", "hedging-paths", "volatility", "sophistication", "markouts")
NAMES = (*PAPER, "best-price")
TRAINED = ("learned-price", "learned-risk", "learned-drift", "two-learners", "elastic-learners")  # test_learned.py is about them
REACHING = ("learned-price", "elastic-learners")  # of these, who is set beside the best of constant prices
OWN_DATA = ("calibration",)  # test_calibration_experiment.py is about it
GAMES = ("price-war", "hedging-game", "contagion")  # test_games.py is about them
FX_DEALER = ("internalization-zone",)  # test_fx_dealer.py is about it
LIMIT = ("internalization-limit",)  # test_limit.py is about it
YARDSTICK = ("yardstick",)  # test_regret.py is about it
HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
MEASURED = NAMES[1:]
VARIED = PAPER[1:]


SHAKE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 0.0, -1.0, 1.0, -1.5, 1.5])
SHAKE_ERROR = SHAKE.std(ddof=1) / np.sqrt(len(SHAKE))


# --- small versions of the verdicts


def outcomes(name: str, runs: int, *settings: str, scenario: Scenario | None = None, seed: int = 0) -> dict[str, Outcome]:
    """What comes of the claims, by name."""
    experiment = experiment_named(name)
    asked = experiment.load_scenario(None, settings) if scenario is None else scenario
    measured = measure(experiment.studies(asked, runs), seed)
    return {verdict.name: verdict.outcome for verdict in experiment.with_results(asked, measured).verdicts()}


SHARES = "adaptive: falls in the tier", "larger: more sensitive"
FLOW = "whole below half", "Table 2"
PATHS = "unhedged: thousands", "γ = 0: calmer", "γ = 1, ∞: near 0", "γ = 1, ∞: spikes"
COSTS = "10 %: cheapest γ ≤ 0.25", "10 %: γ > 1 dearer", "30 %: cheapest γ ≥ 0.25", "30 %: 0, 0.05 dearest"
KNOWING = "tier rises", "yield falls", "tiering saves"
MARKOUTS = "as the theory", "informed: below 0"


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "runs", "settings", "claims"),
    [
        ("price-sensitivity", 30, [], SHARES),
        ("internalization", 600, [], FLOW),
        ("hedging-paths", 12, ["steps=1500"], PATHS),
        ("volatility", 300, [], COSTS),
        ("sophistication", 60, [], KNOWING),
        ("markouts", 60, [], MARKOUTS),
    ],
)
def test_small_versions_hold(name: str, runs: int, settings: list[str], claims: tuple[str, ...]) -> None:
    assert outcomes(name, runs, *settings) == dict.fromkeys(claims, HOLDS)


RARE_IF_LARGE = [
    f"investors.investor-{n}.trade_probability={0.9 * (0.5 / size) ** 1.5:.4f}"
    for n, size in enumerate((0.5, 1.0, 1.5, 2.0, 2.75, 3.5, 4.0, 4.5, 5.75, 7.0))
]
RISING = "market.mid_price.drift=20.0"  # three percent in an hour: the oracle says buy, whatever the noise


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("name", "runs", "settings", "turned"),
    [
        # tiers that cost nothing attract nobody and deter nobody: every difference is exactly 0
        ("price-sensitivity", 20, ["makers.*.pricing.tier_penalty=0.0"], {SHARES[0]: UNDECIDED, SHARES[1]: UNDECIDED}),
        # a competitor that ranks by revenue prefers those who trade often: here the small ones
        ("price-sensitivity", 30, RARE_IF_LARGE, {SHARES[1]: FAILS}),
        ("internalization", 300, ["investors.*.log_std=1.0"], {FLOW[1]: FAILS}),
        ("hedging-paths", 6, ["investors.*.log_mean=[0.5, 2.0]", "steps=1000"], {PATHS[0]: FAILS}),
        # without risk γ = 1 waits like γ = 0
        ("hedging-paths", 20, ["market.mid_price.volatility=0.0", "steps=1000"], {PATHS[2]: UNDECIDED, PATHS[3]: UNDECIDED}),
        # hedges that cost little are made at once, those that cost much never
        ("volatility", 60, ["makers.*.pricing.tier_penalty=5e-5"], {COSTS[0]: FAILS}),
        ("volatility", 60, ["makers.*.pricing.tier_penalty=2e-3"], {COSTS[2]: FAILS, COSTS[3]: FAILS}),
        # tiers that cost nothing save nothing, whoever is in them: every difference is exactly 0
        ("sophistication", 30, ["makers.*.pricing.tier_penalty=0.0"], {KNOWING[2]: UNDECIDED}),
        # prices always rise: who asks no oracle buys and is right, who asks one sells in the other cases and is wrong
        (
            "sophistication",
            20,
            [RISING, "investors.*.buy_probability=[1.0, 0.0]"],
            {KNOWING[0]: FAILS, KNOWING[1]: FAILS},
        ),
        ("markouts", 20, [RISING], {MARKOUTS[0]: FAILS}),
        ("markouts", 20, [RISING, "investors.*.buy_probability=0.0"], {MARKOUTS[0]: FAILS, MARKOUTS[1]: FAILS}),
        ("markouts", 20, ["investors.*.oracle_probability=[0.001, 0.01]"], {MARKOUTS[1]: UNDECIDED}),
    ],
)
def test_other_scenarios_turn_them(name: str, runs: int, settings: list[str], turned: dict[str, Outcome]) -> None:
    found = outcomes(name, runs, *settings)
    assert {claim: found[claim] for claim in turned} == turned


@pytest.mark.compiled
def test_prices_that_do_not_move_tell_nobody_anything() -> None:
    found = outcomes("sophistication", 20, "market.mid_price.volatility=0.0001")
    assert found["tier rises"] is not HOLDS
    assert found["yield falls"] is not HOLDS


@pytest.mark.compiled
def test_investors_who_all_buy_leave_nothing_to_internalize() -> None:
    found = outcomes("internalization", 60, "investors.*.buy_probability=1.0")
    assert found["whole below half"] is not HOLDS
    assert found["Table 2"] is FAILS


@pytest.mark.compiled
def test_a_client_who_only_buys_can_make_the_whole_market_worse_than_half_of_it() -> None:
    """A tenth cheaper, the maker wins that client as well, whom its own tier sent to the other maker before."""
    usual = experiment_named("internalization").load_scenario()
    client = InvestorAgent(name="one-sided", mean_size=20.0, trade_probability=0.2, buy_probability=1.0)
    scenario = usual.replace(investors=(*usual.investors, client)).with_settings(
        'makers.0.tiering={kind="fixed", tiers=2, table={"one-sided"=1}}', "makers.0.pricing.tier_penalty=1e-7"
    )
    assert outcomes("internalization", 40, scenario=scenario)["whole below half"] is FAILS


@pytest.mark.compiled
@pytest.mark.parametrize(("setting", "outcome"), [([], HOLDS), (["makers.1.pricing.alpha=1.7"], FAILS)])
def test_shares_against_fixed_tiers(setting: list[str], outcome: Outcome) -> None:
    experiment = experiment_named("price-sensitivity")
    scenario = experiment.load_scenario(None, setting)
    studies = [*experiment.studies(scenario, 30), *experiment.further_studies(scenario, 30)]
    found = {verdict.name: verdict.outcome for verdict in experiment.with_results(scenario, measure(studies, seed=0)).verdicts()}
    assert found["fixed: 1, ½, 0"] is outcome


@pytest.mark.parametrize(
    ("setting", "agree"),
    [
        ("steps=500", 13),
        ("market.reference_spread.mean=0.000150001", 13),  # within half of the last digit
        ("market.reference_spread.mean=0.00016", 0),
        ("exchange.lam=2.5", 6),
        ("makers.0.pricing.alpha=1.5", 12),
        ("makers.0.pricing.tier_penalty=2e-5", 9),
    ],
)
def test_curves(setting: str, agree: int) -> None:
    curves = experiment_named("curves")
    scenario = curves.load_scenario(None, [setting])
    (verdict,) = curves.with_results(scenario, {}).verdicts()
    assert verdict.outcome is (HOLDS if agree == 13 else FAILS)
    assert f"{agree} of 13" in verdict.evidence
    frame = next(iter(curves.with_results(scenario, {}).tables())).frame
    assert sum(np.abs(frame["here"] - frame["paper"]) < 0.5e-6) == agree
    tiers = frame[frame["curve"].str.match(r"tier \d")]
    maker = scenario.makers[0].pricing
    spread = 100 * (scenario.market.reference_spread.mean / 2 + maker.tier_penalty * np.arange(5))
    assert_allclose(tiers["here"], spread, rtol=1e-12)


def test_few_runs_are_not_enough_to_tell() -> None:
    for seed in (0, 1, 3):
        assert outcomes("markouts", 3, "steps=60", seed=seed)["as the theory"] is not FAILS
        assert outcomes("markouts", 3, "steps=60", seed=seed)["informed: below 0"] is UNDECIDED


# --- measures made up, in the form that the observers have


def made_up(study: Study, generator: np.random.Generator) -> dict[str, Measures]:
    """Measures of a study without running it: plausible numbers, and some NaN where there can be."""
    observer = getattr(study.observe, "func", study.observe).__name__
    options: Mapping[str, Any] = getattr(study.observe, "keywords", {})
    invented = {}
    for label, variant in study.variants.items():
        arrays = _made_up(observer, variant, study.replicas, generator, **options)
        together = observer == "markouts"  # of all makers
        invented[label] = Measures(others=arrays) if together else Measures(arrays, variant.maker_names)
    return invented


def _made_up(
    observer: str, scenario: Scenario, runs: int, draw: np.random.Generator, points: int = 50, longest: int = 16
) -> dict[str, np.ndarray]:
    steps, investors, makers = scenario.steps, len(scenario.agents), len(scenario.makers)
    tiers = max(maker.tiering.tiers for maker in scenario.makers)
    totals = {name: draw.normal(1.0, 0.5, (runs, makers)) for name in ("spread_revenue", "position_revenue", "pnl")}
    totals |= {name: -draw.uniform(1.0, 2.0, (runs, makers)) for name in ("hedging_cost", "risk_cost")}
    totals |= {name: draw.uniform(5.0, 9.0, (runs, makers)) for name in ("volume", "hedge_volume", "client_volume")}
    totals |= {name: draw.uniform(0.0, 3.0, (runs, makers)) for name in ("mean_abs_position", "last_abs_position")}
    totals["total_reward"] = np.asarray(sum(totals[name] for name in REWARDS))
    totals["inventory_pnl"] = totals["pnl"] - totals["spread_revenue"] - totals["hedging_cost"]
    totals["impact_pnl"] = np.zeros_like(totals["pnl"])
    totals["market_share"] = totals["client_volume"] / totals["client_volume"].sum(axis=1, keepdims=True)
    totals["internalization"] = totals["last_abs_position"] / (totals["volume"] + totals["hedge_volume"])
    totals["trades"] = np.ones((runs, makers))
    totals["client_revenue"] = totals["interdealer_revenue"] = totals["spread_revenue"] / 2
    totals["pnl_bp"] = 1e4 * totals["pnl"] / totals["client_volume"]
    totals["hedge_ratio"] = totals["hedge_volume"] / totals["client_volume"]
    totals["mean_squared_position"] = 2 * totals["mean_abs_position"] ** 2
    totals["position_persistence"] = draw.uniform(0.0, 1.0, (runs, makers))
    totals["requests"] = totals["asked"] = np.full((runs, makers), 100.0)
    totals["asked_volume"] = 2 * totals["client_volume"]
    totals["not_traded"] = np.zeros((runs, makers))
    totals["hit_ratio"] = totals["hit_ratio_volume"] = totals["traded_away"] = np.full((runs, makers), 0.5)

    def with_gaps(values: np.ndarray) -> np.ndarray:
        values[:1, :1] = np.nan
        return values

    if observer == "totals":
        return totals
    if observer == "cumulative_costs":
        shape = (runs, min(points, steps) + 1, makers)
        return totals | {f"{name}_so_far": np.cumsum(draw.uniform(size=shape), axis=1) for name in ("hedging_cost", "risk_cost")}
    if observer == "paths":
        return {"position": np.cumsum(draw.normal(size=(runs, steps, makers)), axis=1)}
    if observer == "position_sizes":
        return {name: draw.uniform(low, 2 * low, (runs, makers)) for name, low in (("mean", 9), ("median", 8), ("largest", 99))}
    if observer == "internalization":
        share = with_gaps(draw.uniform(0.0, 1.0, (runs, steps, makers)))
        # the first maker has a share of one half as it is, and the whole market where it quotes less
        own = 0.0 if scenario.makers[0].pricing.eps_buy < 0 else 1.0
        volume = draw.uniform(5.0, 9.0, (runs, 1)) * ([[1.0, own]] if makers == 2 else np.ones((1, makers)))
        return {"position_over_volume": share, "client_volume": volume}
    if observer == "client_shares":
        share = draw.uniform(size=(runs, investors, 1))
        return {"share": np.concatenate([share, 1 - share], axis=2)}
    if observer == "client_yields":
        last = with_gaps(draw.integers(tiers, size=(runs, investors, makers)).astype(float))
        volume = np.where(np.isnan(last), 0.0, 1.0)
        trades = {"traded_volume": volume, "matured_volume": volume, "revenue": volume * draw.normal(0.0, 1e-4, volume.shape)}
        return totals | trades | {"last_tier": last}
    assert observer == "markouts"
    found = {}
    for name, count in (("investor", investors), ("tier", tiers)):
        found[f"by_{name}_volume"] = draw.uniform(1.0, 2.0, (runs, count))
        found[f"by_{name}"] = draw.normal(0.0, 1e-4, (runs, count, longest + 1))
    return found


def plan_of(name: str, *settings: str, runs: int = 10) -> Plan:
    experiment = experiment_named(name)
    return Plan.of(experiment, experiment.load_scenario(None, settings), runs)


def section_of(plan: Plan, seed: int = 0) -> Section:
    return plan.section(measured_of(plan, seed))


def measured_of(plan: Plan, seed: int = 0) -> dict[str, dict[str, Measures]]:
    draw = np.random.default_rng(seed)
    return {study.name: made_up(study, draw) for study in plan.studies}


def measured_of_studies(plan: Plan) -> list[tuple[Study, dict[str, Measures]]]:
    measured = measured_of(plan)
    return [(study, measured[study.name]) for study in plan.studies if " /  / " in study.name]


@pytest.mark.parametrize("name", ["internalization", "hedging-paths", "volatility", "markouts"])
def test_steps_are_as_long_as_the_scenario_says(name: str) -> None:
    plan = Plan.of(experiment_named(name), experiment_named(name).load_scenario(None, ["market.steps_per_day=24"]), 10)
    section = section_of(replace(plan, variation_runs=0))
    said = [figure.x.label for figure in section.figures if "step" in figure.x.label]
    assert said and all("1 hour" in label and "15 minutes" not in label for label in said)


@pytest.fixture(scope="module")
def sections() -> dict[str, Section]:
    return {name: section_of(plan_of(name)) for name in NAMES}


@pytest.mark.compiled
@pytest.mark.parametrize("name", MEASURED)
def test_what_is_made_up_has_the_form_of_what_is_measured(name: str) -> None:
    experiment, shortest = experiment_named(name), "steps=60"
    scenario = experiment.load_scenario(None, [shortest])
    studies = [*experiment.studies(scenario, 2), *experiment.further_studies(scenario, 2)]
    measured = measure(studies, seed=0)
    for study in studies:
        invented = made_up(study, np.random.default_rng(0))
        assert list(invented) == list(measured[study.name])
        for label, measures in measured[study.name].items():
            assert (invented[label].makers, set(invented[label].others)) == (measures.makers, set(measures.others))
            shapes = {measure: values.shape for measure, values in measures.items()}
            assert {measure: values.shape for measure, values in invented[label].items()} == shapes


# --- sections: verdicts, tables, figures, notes


@pytest.mark.parametrize("name", NAMES)
def test_sections_are_whole(sections: Mapping[str, Section], name: str) -> None:
    check_whole(sections[name])


def check_whole(section: Section) -> None:
    """Its parts have what a report needs, and no text holds what nobody wrote."""
    for things in (section.verdicts, section.tables, section.figures):
        names = [thing.name for thing in things]  # type: ignore[attr-defined]
        assert names and len(set(names)) == len(names)
    for verdict in section.verdicts:
        assert verdict.claim.endswith(".")
        assert verdict.evidence.endswith(".")
        assert "nan" not in verdict.evidence and "inf" not in verdict.evidence
    for table in section.tables:
        assert {column.name for column in table.columns} <= set(table.frame)
        cells = table.rows()
        assert len(cells) == len(table.frame) > 0
        assert not any("nan" in cell or "inf" in cell for row in cells for cell in row)
        for column in table.columns:
            if column.interval and f"{column.name}_low" in table.frame:
                value, low, high = (table.frame[column.name + bound].to_numpy(float) for bound in ("", "_low", "_high"))
                there = np.isfinite(low)
                assert ((low <= value) & ~(value > high))[there].all()  # a percentile of few runs has no upper bound
                assert there.any()
    for figure in section.figures:
        axes = Canvas(figsize=figure.size).add_subplot()
        draw(figure, axes)
        assert axes.get_ylabel()
        assert axes.get_xlabel() or any(label.get_text() for label in axes.get_xticklabels())
        assert axes.has_data()
        assert figure.caption.endswith(".")
    assert all(said.endswith(".") and "nan" not in said for said in (*section.notes, *section.differences))
    captions = [thing.caption for thing in (*section.tables, *section.figures)]
    claims = [text for verdict in section.verdicts for text in (verdict.name, verdict.claim, verdict.evidence)]
    # a thing of Python's in place of what it stands for, as "Fig. <function number at 0x...>"
    assert not any(" at 0x" in said for said in (*captions, *claims, *section.notes, *section.differences))


@pytest.mark.parametrize("name", MEASURED)
def test_numbers_come_from_the_measures(sections: Mapping[str, Section], name: str) -> None:
    other = section_of(plan_of(name), seed=1)
    for first, second in zip(sections[name].verdicts, other.verdicts, strict=True):
        assert first.name == second.name
        assert first.claim == second.claim
    assert [v.evidence for v in sections[name].verdicts] != [v.evidence for v in other.verdicts]
    for ours, theirs in zip(sections[name].tables, other.tables, strict=True):
        if ours.name != "variations":
            assert not ours.frame.equals(theirs.frame)


@pytest.mark.parametrize("name", VARIED)
def test_every_variation_is_in_the_table(sections: Mapping[str, Section], name: str) -> None:
    section = sections[name]
    experiment = section.experiment
    table = next(table for table in section.tables if table.name == "variations")
    wanted = [("as chosen", "")]
    wanted += [(variation.parameter, f"{value}") for variation in experiment.variations for value in variation.values]
    wanted = [(parameter, text(value)) for parameter, value in wanted]
    assert list(zip(table.frame["parameter"], map(text, table.frame["value"]), strict=True)) == wanted
    assert len(wanted) > 5
    claims = [verdict.name for verdict in section.verdicts if verdict.name in table.frame]
    assert set(claims) == set(table.frame) - {"parameter", "value", "chosen"}
    by_name = {verdict.name: f"{verdict.outcome.sign} {verdict.outcome}" for verdict in section.verdicts}
    assert table.frame.iloc[0][claims].to_dict() == {claim: by_name[claim] for claim in claims}
    possible = {f"{outcome.sign} {outcome}" for outcome in Outcome}
    assert set(table.frame[claims].to_numpy().ravel()) <= possible
    assert [varied.outcome for varied in section.varied] == [
        overall_of(row) for row in table.frame[claims].iloc[1:].itertuples(index=False)
    ]


def text(value: str) -> str:
    """A number as text, however many zeros it was written with."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


def overall_of(cells: Sequence[str]) -> Outcome:
    """Of the cells of a row."""
    found = {cell[0] for cell in cells}
    return FAILS if "✗" in found else HOLDS if found == {"✓"} else UNDECIDED


def test_the_paper_varies_what_it_leaves_open_and_theory_needs_no_such_thing() -> None:
    assert tuple(name for name, experiment in experiments().items() if experiment.variations) == VARIED


@pytest.mark.parametrize("name", VARIED)
def test_variations_change_what_they_say_and_nothing_else(name: str) -> None:
    experiment = experiment_named(name)
    scenario = experiment.load_scenario()
    for variation in experiment.variations:
        own = scenario.values_at(variation.path)
        assert own
        for value in variation.values:
            varied = scenario.with_settings(f"{variation.path}={value}")
            assert varied != scenario, value
            assert set(varied.values_at(variation.path)) == {value}
            back = scenario.model_dump(mode="json", exclude={"choices"})
            restored = varied.with_settings(*(f"{path}={was}" for path, was in concrete(scenario, variation.path)))
            assert restored.model_dump(mode="json", exclude={"choices"}) == back


def concrete(scenario: Scenario, path: str) -> list[tuple[str, Any]]:
    """A path with * as the paths that it stands for, with their values."""
    before, star, after = path.partition("*")
    values = scenario.values_at(path)
    return [(f"{before}{n}{after}", value) for n, value in enumerate(values)] if star else [(path, values[0])]


def test_a_section_holds_where_all_claims_hold(sections: Mapping[str, Section]) -> None:
    assert sections["curves"].outcome is HOLDS
    for section in sections.values():
        found = {verdict.outcome for verdict in section.verdicts}
        assert section.outcome is (FAILS if FAILS in found else HOLDS if found == {HOLDS} else UNDECIDED)


# --- plans


def test_experiments_are_in_the_order_of_the_report() -> None:
    assert tuple(experiments()) == (*NAMES, *TRAINED, *OWN_DATA, *GAMES, *FX_DEALER, *LIMIT, *YARDSTICK)
    assert all(experiment.name == name for name, experiment in experiments().items())
    assert len({experiment.title for experiment in experiments().values()}) == len(experiments())
    assert tuple(name for name, experiment in experiments().items() if experiment.trains) == TRAINED


def test_there_is_no_other_experiment() -> None:
    with raises(ParameterError, "experiment", names=["'volatilty'", "'volatility'"]):
        experiment_named("volatilty")


@pytest.mark.parametrize(
    ("options", "runs", "variation_runs"),
    [
        ({}, 1000, 200),
        ({"quick": True}, 100, 20),
        ({"runs": 50}, 50, 50),
        ({"runs": 5000}, 5000, 200),
    ],
)
def test_runs_of_a_plan(options: dict[str, Any], runs: int, variation_runs: int) -> None:
    plan = Plan.of(experiment_named("volatility"), **options)
    assert (plan.runs, plan.variation_runs) == (runs, variation_runs)
    replicas = {study.replicas for study in plan.studies if study.name.startswith("volatility /  / ")}
    assert max(replicas) == runs
    assert {study.replicas for study in plan.studies} - replicas == {variation_runs} - replicas
    assert plan.scenario == experiment_named("volatility").load_scenario()


def test_names_of_studies_are_never_twice() -> None:
    plans = [Plan.of(experiment, runs=2) for experiment in experiments().values()]
    measured, parted = ([study.name for plan in plans for study in getattr(plan, kind)] for kind in ("studies", "parted"))
    assert len({*measured, *parted}) == len(measured) + len(parted)
    assert {name.split(" / ")[0] for name in measured} == {*MEASURED, *REACHING, *OWN_DATA, *GAMES, *LIMIT, *YARDSTICK}
    assert {name.split(" / ")[0] for name in parted} == {*TRAINED, *OWN_DATA, *FX_DEALER}


def test_a_plan_measures_its_own_market_and_every_variation() -> None:
    plan = plan_of("sophistication", "steps=100", runs=3)
    varied = [(variation, value) for variation in plan.experiment.variations for value in variation.values]
    names = {study.name: study for study in plan.studies}
    assert len(names) == 2 + len(varied)
    assert names["sophistication /  / tiering"].variants["with tiers"] is plan.scenario
    for variation, value in varied:
        study = names[f"sophistication / {variation.parameter} = {value:g} / tiering"]
        assert study.variants["with tiers"] == plan.scenario.with_settings(f"{variation.path}={value}")
    assert Plan(plan.experiment, plan.scenario, 3, variation_runs=0).studies[-1].name == "sophistication /  / nobody"


def test_only_the_measures_of_a_plan_reach_its_verdicts() -> None:
    """Names that begin alike are told apart: "v_max = 50" and "v_max = 500" are other variations."""
    plan = plan_of("internalization", "steps=20", runs=3)
    draw = np.random.default_rng(0)
    measured = {study.name: made_up(study, draw) for study in plan.studies}
    seen: list[Results] = []

    class Watching(type(plan.experiment)):  # type: ignore[misc]
        def verdicts(self) -> Any:
            seen.append(self.results)
            return super().verdicts()

    Plan(Watching(), plan.scenario, 3, 3).section(measured)
    asked = [results["flow"] for results in seen if any(results["flow"] is found for found in measured.values())]
    flows = [name for name in measured if name.endswith("flow")]
    assert len(flows) == 1 + sum(len(variation.values) for variation in plan.experiment.variations)
    assert all(results is measured[name] for results, name in zip(asked, flows, strict=True))
    # the variations are held against as many runs as they have, and see nothing but what the verdicts need
    assert [set(results) for results in seen[:1]] == [{"flow", "alone", "two makers"}]
    assert all(set(results) == {"flow"} for results in seen[1:])


def test_a_variation_that_changes_no_number_has_no_effect() -> None:
    plan = plan_of("internalization", "steps=20", runs=12)
    draw = np.random.default_rng(0)
    measured = {study.name: made_up(study, draw) for study in plan.studies}
    chosen = measured["internalization /  / flow"]
    measured["internalization / t_m = 1 / flow"] = chosen
    section = plan.section(measured)
    idle = [varied for varied in section.varied if not varied.matters]
    assert [varied.label for varied in idle] == ["t_m = 1"]
    assert idle[0].outcome is None
    table = next(table for table in section.tables if table.name == "variations").frame
    assert (table == "no effect").any(axis=1).sum() == 1
    assert "nothing changes at 1" in section.elsewhere
    longer = Plan(plan.experiment, plan.scenario, 12, variation_runs=8)
    first = {label: measures.first(8) for label, measures in chosen.items()}
    measured |= {study.name: made_up(study, draw) for study in longer.studies if study.replicas == 8}
    measured["internalization / t_m = 1 / flow"] = first
    assert [varied.label for varied in longer.section(measured).varied if not varied.matters] == ["t_m = 1"]


def test_a_variation_of_which_the_question_cannot_be_asked_is_not_possible() -> None:
    class Short(Markouts):
        variations = (Variation("steps", "steps", (16, 40)), Variation("weight", "makers.*.tiering.wait", (0.1,)))

    plan = Plan(Short(), experiment_named("markouts").load_scenario(None, ["steps=30"]), 10, variation_runs=10)
    assert [varied.scenario is None for varied in plan.section(measured_of(plan)).varied] == [True, False, True]
    table = next(table for table in section_of(plan).tables if table.name == "variations").frame
    assert table["informed: below 0"].tolist()[1::2] == ["not possible"] * 2
    assert table["chosen"].tolist() == ["", "30", "30", "–"]


def test_how_claims_fare_elsewhere_is_counted() -> None:
    plan = plan_of("sophistication")
    verdicts = {outcome: [Verdict("n", "c.", outcome, "e.")] for outcome in Outcome}
    variation = plan.experiment.variations[0]
    usual = Varied(variation, 1.0, plan.scenario, verdicts[HOLDS])
    varied = [usual, usual, *(Varied(variation, 1.0, plan.scenario, verdicts[outcome]) for outcome in (FAILS, UNDECIDED))]
    idle = Varied(variation, 1.0, plan.scenario, verdicts[HOLDS], matters=False)
    assert Section(plan, [], [], []).elsewhere == ""

    def counts(*varied: Varied) -> list[int]:
        """The numbers in the sentence: how many values, and how many of each outcome that there is."""
        return [int(word) for word in re.findall(r"\d+", Section(plan, [], [], [], varied=list(varied)).elsewhere)]

    assert counts(*varied) == [4, 2, 1, 1]
    assert counts(usual, idle, idle) == [3, 1, 2]
    assert counts(Varied(variation, 1.0, None)) == [1, 1]


# --- scenarios


@pytest.mark.parametrize("name", NAMES)
def test_choices_name_fields_and_go_with_a_value_that_changes(name: str) -> None:
    experiment = experiment_named(name)
    scenario = experiment.load_scenario()
    assert scenario.choices or name == "curves"
    for path in scenario.choices:
        values = scenario.values_at(path)
        assert values
        numbers = [value for value in values if isinstance(value, float)]
        if len(numbers) == len(values):
            changed = scenario.with_settings(f"{path}={0.99 * numbers[0]}")
            assert set(changed.choices) == set(scenario.choices) - {path}
            assert {place: changed.choices[place] for place in changed.choices} == {
                place: why for place, why in scenario.choices.items() if place != path
            }
    same = scenario.with_settings(f"steps={scenario.steps}", "description=another")
    assert same.choices == scenario.choices == scenario.replace(description="another").choices


def test_a_part_replaced_takes_the_reasons_for_its_fields_away() -> None:
    scenario = Scenario.load("fx")
    market = scenario.market.replace(reference_spread=ConstantSpread(mean=2e-5))
    assert set(scenario.choices) - set(scenario.replace(market=market).choices) == {"market.reference_spread.mean"}
    assert scenario.replace(market=market, choices={"steps": "why"}).choices == {"steps": "why"}


def test_one_changed_entry_of_many_takes_the_reason_away() -> None:
    scenario = experiment_named("volatility").load_scenario()
    assert "makers.*.pricing.alpha" in scenario.choices
    assert "makers.*.pricing.alpha" not in scenario.with_settings("makers.maker-2.pricing.alpha=1.3").choices
    assert scenario.with_settings("makers.maker-2.pricing.alpha=1.5").choices == scenario.choices


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("exchange.vmax", ["'exchange.vmax'", "'v_max'"]),
        ("makers.nobody.pricing.alpha", ["'nobody'", "maker-1"]),
        ("steps.more", ["'more'", "30"]),
    ],
)
def test_a_choice_of_a_field_that_is_not_there(small: Scenario, path: str, names: list[str]) -> None:
    with raises(ParameterError, "choices", names=names) as refused:
        small.replace(choices={path: "because"})
    assert len(str(refused.value).splitlines()) == 1
    text = small.to_toml()
    assert text.count("[choices]\n") == 1
    with raises(ScenarioError, "here: choices", names=names):
        Scenario.from_toml(text.replace("[choices]\n", f'[choices]\n"{path}" = "because"\n'), where="here")


@pytest.mark.parametrize(
    ("name", "source", "settings", "names"),
    [
        ("price-sensitivity", "dealers", [], ["two makers", "tiers", "'dealers'"]),
        ("price-sensitivity", None, ["makers.0.tiering.tiers=4"], ["two makers", "tiers"]),
        ("sophistication", "paper", [], ["oracle_probability", "'paper'"]),
        ("markouts", "informed", ["steps=16"], ["16 steps", "reward_horizon"]),
        ("markouts", "informed", ["reward_horizon=17"], ["'informed'", "1000", "17"]),
        ("curves", "paper", [], ["exchange.v_max", "300"]),
        ("internalization", None, ["steps=5"], ["5 steps"]),
        ("volatility", None, ["market.mid_price.volatility=0.2"], ["itself", "market.mid_price.volatility"]),
        ("volatility", None, ["makers.0.hedging.risk_aversion=0.2"], ["itself", "makers.0.hedging.risk_aversion"]),
        ("hedging-paths", None, ["makers.maker-1.hedging.kind=full"], ["itself", "makers.0.hedging"]),
        ("markouts", None, ["investors.0.trade_probability=0.0"], ["investors", "trade"]),
        ("best-price", None, ["makers.0.policy.kind=random"], ["itself", "makers.*.policy"]),
        ("best-price", "paper", [], ["one tier", "pricing"]),
        ("best-price", None, ["makers.1.pricing.alpha=1.5"], ["one tier", "pricing"]),
        ("learned-price", None, ["makers.1.policy.low=-0.5"], ["itself", "makers.*.policy"]),
        ("learned-price", "paper", [], ["one tier", "pricing"]),
        ("learned-drift", None, ["market.mid_price.drift=0.5"], ["itself", "market.mid_price.drift"]),
        ("two-learners", "dealers", [], ["two makers", "'dealers'", "5"]),
        ("two-learners", None, ["makers.1.policy.kind=adaptive"], ["itself", "makers.*.policy"]),
        ("elastic-learners", None, ["investors.*.asks=1"], ["itself", "investors.*.asks"]),
        ("elastic-learners", None, ["makers.*.pricing.alpha=1.5"], ["alpha 1"]),
        ("elastic-learners", "learning", [], ["same logistic demand"]),
        ("learned-risk", None, ["investors.0.trade_probability=0.0"], ["investors", "trade"]),
    ],
)
def test_scenarios_that_cannot_be_asked(name: str, source: str | None, settings: list[str], names: list[str]) -> None:
    with raises(ParameterError, name, names=names) as refused:
        experiment_named(name).load_scenario(source, settings)
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_no_scenario_is_refused_by_the_experiments_too() -> None:
    with raises(ScenarioError, "papr", names=["preset", "'paper'"]):
        experiment_named("curves").load_scenario("papr", [])
    with raises(ScenarioError, "exchange.lam", 0.5, names=["be >= 1.01"]):
        experiment_named("volatility").load_scenario(None, ["exchange.lam=0.5"])


@pytest.mark.parametrize("name", [*MEASURED, *TRAINED, *GAMES, *YARDSTICK])
def test_two_makers_are_needed(name: str) -> None:
    alone = Scenario.load("informed").replace(makers=Scenario.load("informed").makers[:1])
    with raises(ParameterError, name, names=["at least 2 makers", "'informed'", "1"]):
        experiment_named(name).checked(alone)


@pytest.mark.parametrize("name", ["best-price", "learned-price", "two-learners", "elastic-learners"])
def test_there_is_one_competitor(name: str) -> None:
    two = experiment_named(name).load_scenario()
    three = two.replace(makers=(*two.makers, two.makers[1].replace(name="another")))
    with raises(ParameterError, name, names=["two makers", "'learning'", "3"]):
        experiment_named(name).checked(three)


def test_a_scenario_of_ones_own_comes_without_the_experiments_settings() -> None:
    curves = experiment_named("curves")
    assert curves.load_scenario().exchange.v_max == 500.0
    assert curves.load_scenario("hedging").exchange.v_max == 8000.0
    assert curves.load_scenario("hedging", ["exchange.v_max=9000.0"]).exchange.v_max == 9000.0
    assert curves.load_scenario(None, ["exchange.v_max=900.0"]).exchange.v_max == 900.0


# --- price sensitivity


def shares_of(scenario: Scenario, share: Callable[[int, int], Any], runs: int) -> dict[str, Measures]:
    """The measures of a study in which an investor's share is a function of the investor and its tier."""
    found = {}
    for n, agent in enumerate(scenario.agents):
        for tier in range(scenario.makers[1].tiering.tiers):
            measured = np.full((runs, len(scenario.agents), 2), np.nan)
            measured[:, n, 1] = share(n, tier)
            found[f"{agent.name} in {tier}"] = Measures({"share": measured}, scenario.maker_names)
    return found


def test_every_investor_is_pinned_to_every_tier() -> None:
    experiment = experiment_named("price-sensitivity")
    scenario = experiment.load_scenario()
    (adaptive,), (fixed,) = experiment.studies(scenario, 7), experiment.further_studies(scenario, 7)
    for study in (adaptive, fixed):
        assert (study.replicas, study.record) == (7, "trades")
        assert len(study.variants) == 50
        for label, variant in study.variants.items():
            investor, tier = label.split(" in ")
            held = variant.makers[1].tiering.fixed_tiers
            assert held[investor] == int(tier)
            assert {name: u for name, u in held.items() if name != investor} == dict.fromkeys(
                {agent.name for agent in scenario.agents} - {investor} | {"maker-1"}, 4
            )
        # where it is in its tier anyway the market is the same, and run once
        assert len(study.distinct) == 41
    assert all(variant.makers[0] == scenario.makers[0] for variant in adaptive.variants.values())
    rivals = [variant.makers[0].tiering.fixed_tiers for variant in fixed.variants.values()]
    assert all(list(rival.values()) == [4, 4, 3, 3, 2, 2, 1, 1, 0, 0] for rival in rivals)


@pytest.mark.parametrize(("investors", "tiers", "expected"), [(3, 3, [2, 1, 0]), (5, 2, [1, 1, 1, 0, 0]), (2, 3, [2, 1])])
def test_other_populations_are_spread_over_the_tiers(investors: int, tiers: int, expected: list[int]) -> None:
    sizes = ", ".join(f'{{name="i{n}", mean_size={n + 1}.0, trade_probability=0.5}}' for n in range(investors))
    makers = [f'{{name="{name}", tiering={{kind="revenue_rate", tiers={tiers}}}, hedging={{kind="none"}}}}' for name in "ab"]
    scenario = Scenario.from_toml(
        f"steps = 20\nexchange = {{v_max=100.0}}\ninvestors = [{sizes}]\nmakers = [{', '.join(makers)}]"
    )
    experiment = experiment_named("price-sensitivity")
    (study,) = experiment.further_studies(experiment.checked(scenario), 2)
    rival = next(iter(study.variants.values())).makers[0].tiering.fixed_tiers
    assert [rival[f"i{n}"] for n in range(investors)] == expected
    # a maker that ranks keeps the others in the tiers of its ranking
    assert study.variants["i0 in 1"].makers[1].tiering.pins == {"i0": 1}
    section = section_of(Plan(experiment, scenario, 3, variation_runs=0))
    assert "figure-6" not in [table.name for table in section.tables]
    assert section.notes == []


NEAR_HALF = 0.5 + np.repeat([-0.02, -0.01, 0.01, 0.02], 3)


@pytest.mark.parametrize(
    ("share", "outcome"),
    [
        (lambda rival, tier: 1.0 if tier < rival else 0.0 if tier > rival else NEAR_HALF, HOLDS),
        (lambda rival, tier: 1.0 if tier < rival else 0.0 if tier > rival else NEAR_HALF + 0.1, FAILS),
        (lambda rival, tier: 0.999 if tier < rival else 0.0 if tier > rival else NEAR_HALF, FAILS),
        (lambda rival, tier: NEAR_HALF, FAILS),
        (lambda rival, tier: 1.0 if tier < rival else 0.0 if tier > rival else 0.5 + 10 * (NEAR_HALF - 0.5), UNDECIDED),
        (lambda rival, tier: np.nan if tier < rival else 0.0 if tier > rival else NEAR_HALF, UNDECIDED),
    ],
)
def test_shares_by_comparison(share: Callable[[int, int], Any], outcome: Outcome) -> None:
    experiment = experiment_named("price-sensitivity")
    scenario = experiment.load_scenario()
    rival = of_price_sensitivity.FIXED_TIERS
    results = {
        "fixed": shares_of(scenario, lambda n, tier: share(rival[n], tier), 12),
        "adaptive": shares_of(scenario, lambda n, tier: NEAR_HALF, 12),
    }
    found = {verdict.name: verdict.outcome for verdict in experiment.with_results(scenario, results).verdicts()}
    assert found["fixed: 1, ½, 0"] is outcome


NOISE = np.repeat([-0.01, -0.005, 0.0, 0.005, 0.01, 0.0], 2)


@pytest.mark.parametrize(
    ("share", "falls", "larger"),
    [
        (lambda n, tier: 0.9 - 0.1 * tier - 0.02 * n + NOISE, HOLDS, HOLDS),
        (lambda n, tier: 0.9 - 0.1 * tier + 0.02 * n + NOISE, HOLDS, FAILS),
        (lambda n, tier: 0.3 + 0.1 * tier - 0.02 * n + NOISE, FAILS, HOLDS),
        (lambda n, tier: 0.9 - 0.1 * (tier - 1.5 * (tier == 3)) + NOISE * (1 + n), FAILS, UNDECIDED),  # one step up
        (lambda n, tier: 0.9 - 0.1 * tier + 0.3 * (n == 3 and tier == 2) - 0.02 * n + NOISE, FAILS, HOLDS),  # of one investor
        # two tiers that make no difference, over all investors
        (lambda n, tier: 0.9 - 0.1 * (tier - (tier > 1)) - 0.02 * n + np.roll(NOISE, 5 * tier + n), UNDECIDED, HOLDS),
        (lambda n, tier: 0.5 + np.roll(NOISE, 5 * tier + n), UNDECIDED, UNDECIDED),
    ],
)
def test_shares_that_fall(share: Callable[[int, int], Any], falls: Outcome, larger: Outcome) -> None:
    experiment = experiment_named("price-sensitivity")
    scenario = experiment.load_scenario()
    found = list(experiment.with_results(scenario, {"adaptive": shares_of(scenario, share, 12)}).verdicts())
    assert {verdict.name: verdict.outcome for verdict in found} == {
        "adaptive: falls in the tier": falls,
        "larger: more sensitive": larger,
    }


def test_tables_of_shares() -> None:
    experiment = experiment_named("price-sensitivity")
    scenario = experiment.load_scenario()
    results = {
        "fixed": shares_of(scenario, lambda n, tier: 0.1 * tier + 0.01 * n + NOISE, 12),
        "adaptive": shares_of(scenario, lambda n, tier: 0.9 - 0.1 * tier - 0.01 * n + NOISE, 12),
    }
    tables = {table.name: table.frame for table in experiment.with_results(scenario, results).tables()}
    sizes = [0.5, 1.0, 1.5, 2.0, 2.75, 3.5, 4.0, 4.5, 5.75, 7.0]
    half = stats.t.ppf(0.975, 11) * stats.sem(NOISE)
    for study, base in (("fixed", lambda tier: 0.1 * tier), ("adaptive", lambda tier: 0.9 - 0.1 * tier)):
        frame, slope = tables[f"shares-{study}"], 0.01 if study == "fixed" else -0.01
        assert_allclose(frame["mean_size"], sizes, rtol=1e-12)
        for tier in range(5):
            expected = base(tier) + slope * np.arange(10)
            assert_allclose(frame[f"tier_{tier}"], expected, rtol=1e-9, atol=1e-12)
            assert_allclose(frame[f"tier_{tier}_low"], expected - half, rtol=1e-9, atol=1e-12)
            assert_allclose(frame[f"tier_{tier}_high"], expected + half, rtol=1e-9, atol=1e-12)
    assert tables["figure-6"]["investor"].tolist() == [0, 1, 5, 7]
    for n, row in zip((0, 1, 5, 7), tables["figure-6"].to_dict("records"), strict=True):
        assert [row[f"paper_{tier}"] for tier in range(5)] == list(of_price_sensitivity.FIG_6[n])
        assert_allclose([row[f"tier_{tier}"] for tier in range(5)], 0.9 - 0.1 * np.arange(5) - 0.01 * n, rtol=1e-9)


# --- internalization


def flow(metrics: Mapping[str, np.ndarray], share: float = 0.5) -> dict[str, Any]:
    """Measures of a maker with a share of the clients, and with all of them."""
    volume = {"half": [1.0, 1 / share - 1], "whole": [1.0, 0.0]}
    found = {}
    for label, values in metrics.items():
        other = np.full_like(values, np.nan)  # of the other maker, which is not looked at
        measures = {
            "position_over_volume": np.stack([values, other], axis=2),
            "client_volume": np.tile(volume[label], (len(values), 1)),
        }
        found[label] = Measures(measures, ("maker-1", "maker-2"))
    return {"flow": found}


def as_in_the_paper(runs: int, steps: int) -> dict[str, np.ndarray]:
    """Samples whose percentiles are those of Table 2, at every step."""
    levels = (np.arange(runs) + 0.5) / runs
    columns = {"half": [0.0, 0.08, 0.16, 0.28, 0.6], "whole": [0.0, 0.06, 0.11, 0.2, 0.45]}
    return {
        label: np.repeat(np.interp(levels, [0.0, 0.25, 0.5, 0.75, 1.0], at)[:, None], steps, axis=1)
        for label, at in columns.items()
    }


def table_2_of(metrics: Mapping[str, np.ndarray], steps: int = 300, share: float = 0.5) -> dict[str, Outcome]:
    experiment = experiment_named("internalization")
    scenario = experiment.load_scenario(None, [f"steps={steps}"])
    return {verdict.name: verdict.outcome for verdict in experiment.with_results(scenario, flow(metrics, share)).verdicts()}


def test_table_2_is_judged_by_the_sampling_error_of_both() -> None:
    metrics = as_in_the_paper(1000, 300)
    assert table_2_of(metrics) == {"whole below half": HOLDS, "Table 2": HOLDS}
    for label in metrics:
        assert table_2_of(metrics | {label: metrics[label] + 0.1})["Table 2"] is FAILS
        assert table_2_of(metrics | {label: np.where(np.arange(300) == 96, metrics[label], 9.0)})["Table 2"] is HOLDS
    # the percentile may be off by 2.576 standard errors, the paper's included, and half of a digit
    sample = metrics["half"][:, 96]
    interval = stats.quantile_test(sample, q=float(np.median(sample)), p=0.5).confidence_interval(0.95)
    allowed = 2.5758 * (interval.high - interval.low) / (2 * 1.95996) * np.sqrt(2) + 0.005
    spread = np.where((sample > 0.09) & (sample < 0.27), 1.0, 0.0)[:, None]  # moves the median alone
    assert 0.01 < allowed < 0.04
    for share, outcome in ((0.97, HOLDS), (1.03, FAILS)):
        moved = metrics["half"] + share * allowed * spread
        assert table_2_of(metrics | {"half": moved})["Table 2"] is outcome


def test_the_whole_market_must_be_below_at_every_step() -> None:
    metrics = as_in_the_paper(40, 50)
    one_step, early = (np.where(np.arange(50) == step, 1.0, 0.0) for step in (30, 4))
    for added, outcome in ((0.0, HOLDS), (early, HOLDS), (one_step, FAILS)):
        assert table_2_of(metrics | {"whole": metrics["whole"] + added}, steps=50) == {"whole below half": outcome}
    # at one step the gap is below 0 by less than its sampling error
    noise = 0.01 * np.sin(np.arange(40))[:, None]
    near = metrics["half"] - 0.05 + one_step * (noise - noise.mean() - 0.0005 + 0.05)
    assert table_2_of({"half": metrics["half"], "whole": near}, steps=50) == {"whole below half": UNDECIDED}
    # above 0 by more than its own interval, less than 45 intervals together allow
    near = metrics["half"] - 0.05 + one_step * (noise - noise.mean() + 0.0028 + 0.05)
    assert table_2_of({"half": metrics["half"], "whole": near}, steps=50) == {"whole below half": UNDECIDED}


def test_runs_without_a_trade_do_not_count() -> None:
    metrics = as_in_the_paper(1000, 300)
    silent = {label: np.concatenate([values, np.full((50, 300), np.nan)]) for label, values in metrics.items()}
    assert table_2_of(silent) == {"whole below half": HOLDS, "Table 2": HOLDS}


def test_few_runs_cannot_tell_table_2() -> None:
    for every in (100, 25):
        few = {label: values[::every] for label, values in as_in_the_paper(1000, 300).items()}
        assert table_2_of(few)["Table 2"] is UNDECIDED


def test_other_shares_are_not_held_against_the_papers() -> None:
    assert set(table_2_of(as_in_the_paper(100, 300), share=0.53)) == {"whole below half", "Table 2"}
    assert set(table_2_of(as_in_the_paper(100, 300), share=0.56)) == {"whole below half"}


def test_a_maker_that_never_trades() -> None:
    metrics = as_in_the_paper(20, 300) | {"half": np.full((20, 300), np.nan)}
    experiment = experiment_named("internalization")
    results = flow(metrics)
    results["flow"]["half"]["client_volume"][:, 0] = 0.0
    (verdict,) = experiment.with_results(experiment.load_scenario(), results).verdicts()
    assert verdict.outcome is UNDECIDED


def test_tables_of_internalization() -> None:
    plan = plan_of("internalization", runs=9)
    draw = np.random.default_rng(3)
    results: Any = {study.name.split(" / ")[2]: made_up(study, draw) for study in plan.studies if " /  / " in study.name}
    half, whole = (results["flow"][label]["position_over_volume"][:, :, 0] for label in ("half", "whole"))
    share = results["flow"]["half"]["client_volume"]
    share[:, 1] = share[:, 0]
    tables = {table.name: table.frame for table in plan.experiment.with_results(plan.scenario, results).tables()}
    levels = (0.75, 0.5, 0.25)
    expected = [np.nanquantile(values[:, 96], level) for values in (half, whole) for level in levels]
    both = ~np.isnan(half) & ~np.isnan(whole)
    pairs = [np.quantile(values[both[:, 96], 96], levels) for values in (half, whole)]
    assert_allclose(tables["table-2"]["here"], [*expected, *(pairs[0] / pairs[1])], rtol=1e-12)
    assert not (tables["table-2"]["here_low"] > tables["table-2"]["here"]).any()
    assert tables["table-2"]["paper"].tolist()[:6] == [0.28, 0.16, 0.08, 0.20, 0.11, 0.06]
    assert tables["figure-7"]["step"].tolist() == [10, 20, 50, 96, 200]
    at = tables["figure-7"]["step"].to_numpy()
    ratios = [half[both[:, step], step].sum() / whole[both[:, step], step].sum() for step in at]
    for name, values in (("half", np.nanmean(half, axis=0)[at]), ("whole", np.nanmean(whole, axis=0)[at]), ("ratio", ratios)):
        assert_allclose(tables["figure-7"][name], values, rtol=1e-12)
    frame = tables["hedging"]
    assert len(frame) == 8
    for row, study in zip(frame.to_dict("records"), ["alone"] * 4 + ["two makers"] * 4, strict=True):
        measures = {name: values[..., 0].sum() for name, values in results[study][row["hedging"]].items()}
        traded, clients = measures["volume"] + measures["hedge_volume"], measures["client_volume"]
        assert row["net"] == pytest.approx(measures["mean_abs_position"] / clients)
        assert row["net_traded"] == pytest.approx(measures["mean_abs_position"] / traded)
        assert row["last"] == pytest.approx(measures["last_abs_position"] / traded)
        assert row["hedged"] == pytest.approx(measures["hedge_volume"] / clients)
        assert row["cost"] == pytest.approx(-measures["hedging_cost"] / clients)


def test_differences_say_where_the_means_of_figure_7_are_not_the_papers() -> None:
    experiment = experiment_named("internalization")
    scenario = experiment.load_scenario()
    metrics = as_in_the_paper(50, 300)
    for label, values in of_internalization.FIG_7.items():
        for step, value in zip(of_internalization.FIG_7_STEPS, values, strict=True):
            metrics[label][:, step] = value + 0.05 * np.sin(np.arange(50) + 0.02)
    assert not any("step 20 at" in said for said in experiment.with_results(scenario, flow(metrics)).differences())
    metrics["whole"][:, 20] += 0.2
    said = " ".join(experiment.with_results(scenario, flow(metrics)).differences())
    assert "step 20 at 100 %" in said
    assert "step 20 at 50 %" not in said and "step 50" not in said
    assert list(experiment.with_results(scenario, flow(metrics, share=0.7)).differences()) == []
    silent = metrics["half"].copy()
    silent[:3, 96] = np.nan
    notes = list(experiment.with_results(scenario, flow(metrics | {"half": silent}, share=0.48)).notes())
    assert "48 % of the market" in notes[0]
    assert "3 runs" in notes[1] and "0 runs" in notes[1]
    assert len(list(experiment.with_results(scenario, flow(metrics, share=0.48)).notes())) < len(notes)


# --- hedging paths


def sizes_of(mean: Mapping[str, float], median: Mapping[str, float], largest: Mapping[str, float]) -> dict[str, Any]:
    shake = 1 + 0.01 * np.repeat([-1.0, 0.0, 1.0, 0.5, -0.5], 2)

    def of(value: float, shift: int) -> np.ndarray:
        return np.stack([value * np.roll(shake, shift), 1e9 * shake], axis=1)  # the other maker does not matter

    return {
        "sizes": {
            label: Measures(
                {"mean": of(mean[label], 0), "median": of(median[label], 0), "largest": of(largest[label], 1)},
                ("maker-1", "maker-2"),
            )
            for label in mean
        }
    }


LARGEST = {"no hedging": 3000.0, "γ = 0": 2000.0, "γ = 1": 900.0, "γ = ∞": 800.0}
MEAN = {"no hedging": 1000.0, "γ = 0": 500.0, "γ = 1": 30.0, "γ = ∞": 20.0}
MEDIAN = {"no hedging": 800.0, "γ = 0": 400.0, "γ = 1": 3.0, "γ = ∞": 2.0}


@pytest.mark.parametrize(
    ("mean", "median", "largest", "found"),
    [
        ({}, {}, {}, [HOLDS] * 4),
        ({}, {}, {"no hedging": 900.0}, [FAILS, HOLDS, HOLDS, HOLDS]),
        ({}, {}, {"no hedging": 1000.0}, [UNDECIDED, HOLDS, HOLDS, HOLDS]),
        ({"γ = 0": 1100.0}, {}, {}, [HOLDS, FAILS, HOLDS, HOLDS]),
        ({"γ = 0": 1000.0}, {}, {}, [HOLDS, UNDECIDED, HOLDS, HOLDS]),
        ({}, {"γ = 1": 500.0}, {}, [HOLDS, HOLDS, FAILS, HOLDS]),
        ({}, {"γ = ∞": 400.0}, {}, [HOLDS, HOLDS, UNDECIDED, HOLDS]),
        ({}, {}, {"γ = ∞": 60.0}, [HOLDS, HOLDS, HOLDS, FAILS]),
        ({}, {}, {"γ = 1": 120.0}, [HOLDS, HOLDS, HOLDS, UNDECIDED]),
    ],
)
def test_positions(mean: dict[str, float], median: dict[str, float], largest: dict[str, float], found: list[Outcome]) -> None:
    experiment = experiment_named("hedging-paths")
    verdicts = list(
        experiment.with_results(experiment.load_scenario(), sizes_of(MEAN | mean, MEDIAN | median, LARGEST | largest)).verdicts()
    )
    assert [verdict.outcome for verdict in verdicts] == found


def test_policies_that_are_the_same_are_noted() -> None:
    experiment = experiment_named("hedging-paths")
    scenario = experiment.load_scenario()
    assert list(experiment.with_results(scenario, sizes_of(MEAN, MEDIAN, LARGEST)).notes()) == []
    assert len(list(experiment.with_results(scenario, sizes_of(MEAN | {"γ = 1": MEAN["γ = ∞"]}, MEDIAN, LARGEST)).notes())) == 1


def test_policies_that_are_the_same_are_drawn_once() -> None:
    plan = plan_of("hedging-paths", "steps=30")
    results: Any = {study.name.split(" / ")[2]: measures for study, measures in measured_of_studies(plan)}
    every = [figure.name for figure in plan.experiment.with_results(plan.scenario, results).figures()]
    for study in ("sizes", "paths"):
        results[study]["γ = ∞"] = results[study]["γ = 1"]
    figures = {figure.name: figure for figure in plan.experiment.with_results(plan.scenario, results).figures()}
    assert set(every) - set(figures) == {"figure-4-gamma-infinite"}
    assert figures["figure-4-gamma-1"].title == "γ = 1 and γ = ∞"
    assert [getattr(mark, "label", "") for mark in figures["figure-4"].marks] == ["no hedging", "γ = 0", "γ = 1 and γ = ∞"]


def test_policies_of_the_paths() -> None:
    experiment = experiment_named("hedging-paths")
    scenario = experiment.load_scenario()
    (sizes,), (paths,) = experiment.studies(scenario, 150), experiment.further_studies(scenario, 150)
    for study, runs in ((sizes, 150), (paths, 100)):
        assert study.replicas == runs
        kinds = {
            label: (variant.makers[0].hedging.kind, getattr(variant.makers[0].hedging, "risk_aversion", None))
            for label, variant in study.variants.items()
        }
        assert kinds == {
            "no hedging": ("none", None),
            "γ = 0": ("optimal", 0.0),
            "γ = 1": ("optimal", 1.0),
            "γ = ∞": ("full", None),
        }
        assert all(variant.makers[1] == scenario.makers[1] for variant in study.variants.values())


# --- volatility


def costs_of(low: Sequence[float], high: Sequence[float], noise: float, runs: int = 30) -> dict[str, Any]:
    """Costs by γ at both volatilities, with noise that is not the same for all γ."""
    draw = np.random.default_rng(0)
    found = {}
    for label, costs in (("10 %", low), ("30 %", high)):
        drawn = np.asarray(costs)[:, None] + noise * draw.normal(size=(len(costs), runs))
        found[label] = {
            gamma: Measures({"hedging_cost": -0.25 * own[:, None], "risk_cost": -0.75 * own[:, None]}, ("maker-1",))
            for gamma, own in zip(of_volatility.GAMMAS, drawn, strict=True)
        }
    return found


PATIENT = (5.0, 5.1, 5.2, 6.0, 7.0, 8.0, 9.0)  # by γ: 0, 0.05, 0.25, 0.5, 1, 2, ∞
HASTY = (9.0, 8.0, 7.0, 5.0, 6.0, 6.5, 6.9)


@pytest.mark.parametrize(
    ("low", "high", "noise", "found"),
    [
        (PATIENT, HASTY, 0.01, [HOLDS] * 4),
        (HASTY, PATIENT, 0.01, [FAILS, HOLDS, FAILS, FAILS]),
        (PATIENT, HASTY, 100.0, [UNDECIDED] * 4),
        ((9.0, 9.0, 9.0, 9.0, 9.0, 5.0, 6.0), (6.0, 9.0, 5.0, 5.0, 5.0, 5.0, 5.0), 0.01, [FAILS, FAILS, HOLDS, HOLDS]),
        ((9.0, 9.0, 9.0, 9.0, 9.0, 6.0, 5.0), (9.0, 6.0, 9.0, 9.0, 5.0, 9.0, 9.0), 0.01, [FAILS, FAILS, HOLDS, FAILS]),
    ],
)
def test_costs_by_gamma(low: Sequence[float], high: Sequence[float], noise: float, found: list[Outcome]) -> None:
    experiment = experiment_named("volatility")
    verdicts = list(experiment.with_results(experiment.load_scenario(), costs_of(low, high, noise)).verdicts())
    assert [verdict.outcome for verdict in verdicts] == found


def test_equal_costs_decide_nothing() -> None:
    """γ = 2 and γ = ∞ that cost what the cheapest costs, to the bit, are not dearer; nor does that refute anything."""
    experiment = experiment_named("volatility")
    equal = list(experiment.with_results(experiment.load_scenario(), costs_of((5.0,) * 7, (5.0,) * 7, 0.0)).verdicts())
    assert [verdict.outcome for verdict in equal] == [UNDECIDED] * 4


def test_the_evidence_of_costs_is_the_comparison_that_decides() -> None:
    experiment = experiment_named("volatility")
    results = costs_of(PATIENT, HASTY, 1e-6)
    verdicts = [verdict.evidence for verdict in experiment.with_results(experiment.load_scenario(), results).verdicts()]
    for evidence, cheapest, hardest, more in (
        (verdicts[0], "0", "0.5", "1.0 ± 0.0"),
        (verdicts[1], "0", "2", "3.0 ± 0.0"),
        (verdicts[2], "0.5", "0.05", "3.0 ± 0.0"),
    ):
        assert evidence.startswith(f"γ = {cheapest} is the cheapest")
        assert f"is γ = {hardest}, which costs {more} more" in evidence
    assert "γ = 0.05 costs 1.0 ± 0.0 more" in verdicts[3]  # than γ = 0.25, of the pairs the nearest
    assert list(experiment.with_results(experiment.load_scenario(), results).differences()) == []
    (low,) = experiment.with_results(experiment.load_scenario(), costs_of(HASTY, HASTY, 1e-6)).differences()
    assert "Fig. 8" in low and "here it is 0.5, 1, 2, ∞, 0.25, 0.05, 0." in low
    assert "γ = 0 is cheaper than γ = 0.5, here it costs 4 ± 0 more" in low


def test_an_order_that_chance_can_make_is_no_difference_to_the_paper() -> None:
    experiment = experiment_named("volatility")
    assert list(experiment.with_results(experiment.load_scenario(), costs_of(HASTY, PATIENT, 100.0)).differences()) == []


@pytest.mark.parametrize(("ahead", "outcome"), [(1.01, HOLDS), (0.99, UNDECIDED), (-0.99, UNDECIDED), (-1.01, FAILS)])
@pytest.mark.parametrize(
    ("number_of_claim", "group", "chosen_from"),
    [(0, range(3), {True: 3, False: 4}), (1, range(5), {True: 5, False: 2}), (2, range(2, 7), {True: 5, False: 2})],
)
def test_the_cheapest_is_ahead_of_the_other_group_at_95_percent(
    ahead: float, outcome: Outcome, number_of_claim: int, group: range, chosen_from: dict[bool, int]
) -> None:
    """The cheapest of one group and of the other are so many half-widths apart, in paired runs; what decides is printed."""
    count = chosen_from[ahead > 0]  # the cheapest is one of so many
    half = stats.t.ppf(1 - 0.025 / count, len(SHAKE) - 1) * SHAKE_ERROR
    found = np.full((7, len(SHAKE)), 1000.0) + np.cos(np.arange(10))
    inside, outside = group[0], next(n for n in range(7) if n not in group)
    found[inside] -= 100.0
    found[outside] = found[inside] + ahead * half + SHAKE
    results = costs_of((5.0,) * 7, (5.0,) * 7, 0.0)
    for label in ("10 %", "30 %"):
        results[label] = {
            gamma: Measures({"hedging_cost": -own[:, None], "risk_cost": 0.0 * own[:, None]}, ("maker-1",))
            for gamma, own in zip(of_volatility.GAMMAS, found, strict=True)
        }
    experiment = experiment_named("volatility")
    verdict = list(experiment.with_results(experiment.load_scenario(), results).verdicts())[number_of_claim]
    assert verdict.outcome is outcome
    low, high = (abs(ahead) - 1) * half, (abs(ahead) + 1) * half
    printed = re.search(r"costs (\S+) ± (\S+) more", verdict.evidence)
    assert printed is not None
    middle, margin = map(float, printed.groups())
    assert middle - margin == pytest.approx(low, abs=0.11) and middle + margin == pytest.approx(high, abs=0.11)
    assert (middle > margin) == (outcome is not UNDECIDED)  # rounded, too


def test_policies_whose_costs_coincide_share_a_line() -> None:
    plan = Plan(experiment_named("volatility"), experiment_named("volatility").load_scenario(), 8, variation_runs=0)
    draw = np.random.default_rng(5)
    results: Any = {study.name.split(" / ")[2]: made_up(study, draw) for study in plan.studies}
    results["10 %"]["2"] = results["10 %"]["∞"]
    figures = {figure.name: figure for figure in plan.experiment.with_results(plan.scenario, results).figures()}
    lines = [mark.label for mark in figures["figure-8"].marks if isinstance(mark, Line)]
    assert "γ = 2, ∞" in lines and not {"γ = 2", "γ = ∞"} & set(lines)
    assert "coincide" in figures["figure-8"].caption


def test_markets_by_gamma_and_volatility() -> None:
    experiment = experiment_named("volatility")
    scenario = experiment.load_scenario()
    studies = {study.name: study for study in [*experiment.studies(scenario, 50), *experiment.further_studies(scenario, 50)]}
    for name, study in studies.items():
        volatility = 0.1 if "10 %" in name else 0.3 if "30 %" in name else float(name.split()[-1])
        assert study.replicas == (50 if "%" in name else 20)
        for gamma, variant in study.variants.items():
            assert variant.market.mid_price.volatility == volatility
            studied = variant.makers if name.startswith("both") else variant.makers[:1]
            for maker in studied:
                aversion = getattr(maker.hedging, "risk_aversion", "∞")
                assert aversion == (gamma if gamma == "∞" else float(gamma))
                assert (maker.hedging.kind == "full") == (gamma == "∞")
            if not name.startswith("both"):
                assert variant.makers[1] == scenario.makers[1]
    assert len(studies) == 2 + 9 + 2


@pytest.mark.parametrize("runs", [2, 3, 4])
def test_the_curve_over_volatilities_has_runs_to_draw_from(runs: int) -> None:
    plan = Plan(experiment_named("volatility"), experiment_named("volatility").load_scenario(), runs, variation_runs=0)
    assert "best-gamma" in [table.name for table in section_of(plan).tables]


def test_tables_of_costs() -> None:
    plan = Plan(experiment_named("volatility"), experiment_named("volatility").load_scenario(), 8, variation_runs=0)
    draw = np.random.default_rng(5)
    results: Any = {study.name.split(" / ")[2]: made_up(study, draw) for study in plan.studies}
    tables = {table.name: table.frame for table in plan.experiment.with_results(plan.scenario, results).tables()}

    def cost(measures: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(-measures["hedging_cost"][:, 0] - measures["risk_cost"][:, 0])

    for label, name in (("10 %", "costs-10"), ("30 %", "costs-30")):
        costs = np.array([cost(results[label][gamma]) for gamma in of_volatility.GAMMAS])
        reward = np.array([results[label][gamma]["total_reward"][:, 0] for gamma in of_volatility.GAMMAS])
        frame = tables[name]
        assert_allclose(frame["hedging_cost"] + frame["risk_cost"], frame["cost"], rtol=1e-12)
        assert_allclose(frame["cost"], costs.mean(axis=1), rtol=1e-12)
        assert_allclose(frame["relative"], costs.sum(axis=1) / costs[0].sum(), rtol=1e-12)
        assert_allclose(frame["above"], costs.mean(axis=1) - costs.mean(axis=1).min(), atol=1e-12)
        assert_allclose(frame["gain"], (reward - reward[0]).mean(axis=1), atol=1e-12)
        pnl = np.array([results[label][gamma]["pnl"][:, 0] for gamma in of_volatility.GAMMAS])
        half = stats.t.ppf(0.975, 7) * stats.sem(pnl - pnl[0], axis=1)
        assert_allclose(frame["pnl_gain"], (pnl - pnl[0]).mean(axis=1), atol=1e-12)
        assert_allclose(frame["pnl_gain_high"], frame["pnl_gain"] + half, atol=1e-12)
        assert (frame["above_low"] <= frame["above"]).all()
    curve = tables["best-gamma"].set_index("volatility")
    for volatility, row in curve.iterrows():
        costs = np.array([cost(measures) for measures in results[f"volatility {volatility:g}"].values()])
        best = int(np.argmin(costs.mean(axis=1)))
        assert row["best"] == best_gamma.GAMMAS[best]
        place = [best_gamma.GAMMAS.index(row[name]) for name in ("from", "best", "to")]
        assert place == sorted(place)
        assert row["cost"] == pytest.approx(costs[best].mean())
        assert row["saved_0"] == pytest.approx((costs[0] - costs[best]).mean())
        assert row["saved_all"] == pytest.approx((costs[-1] - costs[best]).mean())
    for row in tables["hot-potato"].to_dict("records"):
        one, both = (results[study][row["gamma"]] for study in (row["volatility"], f"both makers, {row['volatility']}"))
        assert row["passed"] == pytest.approx(both["hedge_volume"].sum() / both["client_volume"].sum())
        assert row["one_passed"] == pytest.approx(one["hedge_volume"].sum() / one["client_volume"].sum())
        assert row["more"] == pytest.approx((cost(both) - cost(one)).mean())
    notes = " ".join(plan.experiment.with_results(plan.scenario, results).notes())
    for label in ("10 %", "30 %"):
        found = {what: [results[label][gamma][what][:, 0] for gamma in of_volatility.GAMMAS] for what in ("total_reward", "pnl")}
        reward, pnl = (int(np.argmax(np.mean(values, axis=1))) for values in found.values())
        names = of_volatility.GAMMAS[reward], of_volatility.GAMMAS[pnl]
        assert f"At {label} the best by total reward is γ = {names[0]}; by P&L it is γ = {names[1]}, " in notes
        if reward != pnl:  # by how much, with an interval for all seven at once
            lead = found["pnl"][pnl] - found["pnl"][reward]
            half = stats.t.ppf(1 - 0.025 / 7, len(lead) - 1) * stats.sem(lead)
            assert f"by {number(lead.mean(), 1)} ± {number(half, 1)} more than γ = {names[0]}" in notes


# --- sophistication


@pytest.mark.parametrize(
    ("tier", "earned", "saved", "found"),
    [
        (1.0, -1.0, 1.0, [HOLDS, HOLDS, HOLDS]),
        (-1.0, 1.0, -1.0, [FAILS, FAILS, FAILS]),
        (0.0, 0.0, 0.0, [UNDECIDED, UNDECIDED, UNDECIDED]),
    ],
)
def test_what_knowing_does(tier: float, earned: float, saved: float, found: list[Outcome]) -> None:
    experiment = experiment_named("sophistication")
    scenario = experiment.load_scenario()
    oracle = np.array([agent.oracle_probability for agent in scenario.agents])
    shake = np.tile([-0.2, 0.1, 0.2, -0.1], 4)[:, None]  # another slope in every run, 0 on average
    volume = np.full((16, 10, 2), 2.0)
    volume[3, 4] = 0.0
    per_unit = np.repeat(((earned + shake) * oracle)[:, :, None], 2, axis=2)
    measures = {
        "last_tier": np.repeat((2 + (tier + shake) * oracle)[:, :, None], 2, axis=2),
        "revenue": volume * per_unit,
        "matured_volume": volume,
        **{name: np.zeros((16, 2)) for name in ("total_reward", "pnl", "risk_cost")},
        "client_volume": np.ones((16, 2)),
    }
    measures["last_tier"][3, 4] = np.nan
    # the same maker without tiers earns less from everybody, to a sampling error
    without = measures | {"revenue": volume * (per_unit - saved - np.roll(shake, 1)[:, :, None])}
    variants = {"with tiers": measures, "without tiers": without}
    results = {"tiering": {label: Measures(arrays, scenario.maker_names) for label, arrays in variants.items()}}
    verdicts = list(experiment.with_results(scenario, results).verdicts())
    assert [verdict.outcome for verdict in verdicts] == found


def test_tables_of_clients_and_makers() -> None:
    plan = Plan(experiment_named("sophistication"), experiment_named("sophistication").load_scenario(), 7, variation_runs=0)
    draw = np.random.default_rng(6)
    results: Any = {study.name.split(" / ")[2]: made_up(study, draw) for study in plan.studies}
    clients, makers = (table.frame for table in plan.experiment.with_results(plan.scenario, results).tables())
    found = results["tiering"]["with tiers"]
    revenue, volume = (found[name].sum(axis=0) for name in ("revenue", "matured_volume"))
    assert_allclose(clients["tier"], np.nanmean(found["last_tier"][:, :, 0], axis=0), rtol=1e-12)
    assert_allclose(clients["yield"], revenue[:, 0] / volume[:, 0], rtol=1e-12)
    assert_allclose(clients["share"], volume[:, 0] / volume.sum(axis=1), rtol=1e-12)
    every = results["tiering"] | results["nobody"]
    assert makers["maker"].tolist() == ["with tiers", "without tiers", "nobody tiers"]

    def per_unit(measures: Measures) -> np.ndarray:
        revenue, volume = (measures[name][:, :, 0].sum(axis=1) for name in ("revenue", "matured_volume"))
        return np.asarray(revenue / volume)

    for row in makers.to_dict("records"):
        measures = every[row["maker"]]
        client = measures["client_volume"]
        assert row["share"] == pytest.approx(client[:, 0].sum() / client.sum())
        assert row["per_unit"] == pytest.approx(per_unit(measures).mean())
        assert row["saved_per_unit"] == pytest.approx((per_unit(found) - per_unit(measures)).mean())
        for name, column, saved in (("pnl", "pnl", "saved_pnl"), ("total_reward", "reward", "saved")):
            assert row[column] == pytest.approx(measures[name][:, 0].mean())
            assert row[saved] == pytest.approx((found[name] - measures[name])[:, 0].mean())
        assert row["risk_cost"] == pytest.approx(measures["risk_cost"][:, 0].mean())


def test_makers_with_and_without_tiers() -> None:
    experiment = experiment_named("sophistication")
    scenario = experiment.load_scenario()
    (tiering,), (nobody,) = experiment.studies(scenario, 5), experiment.further_studies(scenario, 5)
    variants = tiering.variants | nobody.variants
    tiers = {label: [maker.tiering.tiers for maker in variant.makers] for label, variant in variants.items()}
    assert tiers == {"with tiers": [5, 5], "without tiers": [1, 5], "nobody tiers": [1, 1]}


# --- markouts


def traded(markout: np.ndarray, runs: int, noise: float) -> dict[str, Any]:
    """Trades with this markout (investors, horizons), on average, and a sampling error of `noise` in every one."""
    volume = np.full((runs, len(markout)), 3.0)
    shake = np.linspace(-1.0, 1.0, runs)
    shake *= noise * np.sqrt(runs) / shake.std(ddof=1)
    revenue = 3.0 * (markout + shake[:, None, None])
    return {"trades": {"market": Measures(others={"by_investor": revenue, "by_investor_volume": volume})}}


def theory(scenario: Scenario) -> np.ndarray:
    """What an oracle that is asked with probability p is worth: p times E|move over t_m| a trade, reached in equal steps."""
    variance_per_step = scenario.market.mid_price.volatility**2 / (96 * 252)
    horizon = scenario.reward_horizon
    full = np.sqrt(variance_per_step * horizon) * np.sqrt(2 / np.pi)
    reached = np.minimum(np.arange(17) / horizon, 1.0)
    return np.asarray([-agent.oracle_probability * full * reached for agent in scenario.agents])


@pytest.mark.parametrize("settings", [[], ["reward_horizon=2"], ["market.mid_price.volatility=0.3"]])
def test_markouts_of_the_theory(settings: list[str]) -> None:
    scenario = experiment_named("markouts").load_scenario(None, settings)
    oracle = np.array([agent.oracle_probability for agent in scenario.agents])
    assert_allclose(of_markouts._expected(scenario, oracle), theory(scenario), rtol=1e-12, atol=1e-18)
    frame = section_of(Plan(experiment_named("markouts"), scenario, 10, variation_runs=0)).tables[0].frame
    assert_allclose(frame["expected"], theory(scenario)[:, scenario.reward_horizon], rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize(
    ("off", "runs", "noise", "found"),
    [
        (0.0, 50, 1e-6, [HOLDS, HOLDS]),
        (2.0, 50, 1e-6, [HOLDS, HOLDS]),
        (-4.0, 50, 1e-6, [FAILS, HOLDS]),
        (0.0, 50, 3.4e-5, [HOLDS, HOLDS]),  # 2.94 of it are just less than the markout of p = 0.1
        (0.0, 50, 3.6e-5, [UNDECIDED, HOLDS]),  # and here just more
        (0.0, 50, 1e-3, [UNDECIDED, UNDECIDED]),
        (1000.0, 50, 1e-6, [FAILS, FAILS]),
    ],
)
def test_markouts_off_the_theory(off: float, runs: int, noise: float, found: list[Outcome]) -> None:
    """`off` in standard errors; with 50 runs 2.94 are allowed to each of ten investors."""
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario()
    verdicts = list(experiment.with_results(scenario, traded(theory(scenario) + off * noise, runs, noise)).verdicts())
    assert [verdict.outcome for verdict in verdicts] == found


def test_markouts_are_judged_at_the_horizon_of_the_oracle() -> None:
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario()
    markout = theory(scenario) + np.where(np.arange(17) == scenario.reward_horizon, 0.0, 1.0)
    assert [verdict.outcome for verdict in experiment.with_results(scenario, traded(markout, 50, 1e-6)).verdicts()] == [
        HOLDS,
        HOLDS,
    ]


def test_one_investor_off_the_theory_is_enough() -> None:
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario()
    markout = theory(scenario)
    markout[3] += 5e-6
    verdict = next(iter(experiment.with_results(scenario, traded(markout, 50, 1e-6)).verdicts()))
    assert verdict.outcome is FAILS
    assert "9 of 10" in verdict.evidence


def test_where_nobody_is_informed_there_is_one_claim_less() -> None:
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario(None, ["investors.*.oracle_probability=0.0"])
    verdicts = list(experiment.with_results(scenario, traded(theory(scenario), 50, 1e-6)).verdicts())
    assert {verdict.name: verdict.outcome for verdict in verdicts} == {"as the theory": HOLDS}


def test_tables_of_markouts() -> None:
    plan = Plan(experiment_named("markouts"), experiment_named("markouts").load_scenario(), 7, variation_runs=0)
    draw = np.random.default_rng(8)
    results: Any = {study.name.split(" / ")[2]: made_up(study, draw) for study in plan.studies}
    measures = results["trades"]["market"]
    for table, group in zip(plan.experiment.with_results(plan.scenario, results).tables(), ("investor", "tier"), strict=True):
        revenue, volume = measures[f"by_{group}"].sum(axis=0), measures[f"by_{group}_volume"].sum(axis=0)
        for h in range(17):
            assert_allclose(table.frame[f"h_{h}"], revenue[:, h] / volume, rtol=1e-12)
        assert len(table.frame) == {"investor": 10, "tier": 5}[group]


def test_many_investors_are_told_apart_by_name() -> None:
    """The legend has those at both ends, the others are grey; no warning comes of it."""
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario("dealers", ["market.steps_per_day=48"])
    plan = Plan(experiment, scenario, 10, variation_runs=0)
    results: Any = {study.name.split(" / ")[2]: measures for study, measures in measured_of_studies(plan)}
    results["trades"]["market"].others["by_tier_volume"][:, 2:] = 0.0
    found = experiment.with_results(scenario, results)
    markout = found._markout("investor").value[:, scenario.reward_horizon]  # type: ignore[attr-defined]
    investors, tiers = found.figures()
    ranked = [scenario.agents[n].name for n in np.argsort(markout)]
    for figure, labels in ((investors, [*ranked[:5], *ranked[-5:], "theory"]), (tiers, ["tier 0", "tier 1"])):
        canvas = Canvas(figsize=figure.size, layout="constrained")
        axes = canvas.add_subplot()
        draw(figure, axes)
        canvas.draw_without_rendering()
        assert sorted(axes.get_legend_handles_labels()[1]) == sorted(labels)
        assert "30 minutes" in axes.get_xlabel()
        legend, frame = axes.get_legend().get_window_extent(), canvas.bbox
        assert frame.x0 <= legend.x0 and legend.x1 <= frame.x1 and frame.y0 <= legend.y0


# --- the best constant price

COARSE = np.unique([*np.round(np.arange(-0.9, 1.0, 0.1), 1), -0.25, 0.25]) + 0.0
HELD, RIVALS = of_best_price.HELD, of_best_price.RIVALS


def up_to_held(eps: np.ndarray) -> np.ndarray:
    """What is kept where equal prices win."""
    return np.where(eps <= HELD, 1.0, 0.0)


@pytest.mark.slow
def test_the_best_constant_price_is_the_theorys(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a coarser grid, whose prices are easier to tell apart."""
    monkeypatch.setattr(of_best_price, "GRID", COARSE)
    found = outcomes("best-price", 120)
    assert list(found) == [f"{what} against {rival.label}" for rival in RIVALS for what in ("best", "curve")]
    assert set(found.values()) == {HOLDS}


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("number", "changes", "claim", "outcome"),
    [
        (0, {"policy": "random low=-1.0 high=0.7"}, "curve", FAILS),  # cheaper than is said of it
        (1, {"policy": "persistent low=-0.5 high=0.5"}, "curve", UNDECIDED),  # right on average, and runs that say little
        (2, {"beyond": lambda eps: np.where(eps < HELD, 1.0, 0.0)}, "curve", FAILS),  # where equal prices lose
        (2, {"beyond": up_to_held, "best": HELD}, "curve", FAILS),  # or win
        (2, {"beyond": up_to_held, "best": HELD}, "best", FAILS),
        (0, {"best": 0.5}, "best", FAILS),
        (1, {"best": 0.0}, "best", FAILS),
        (2, {"best": 0.2}, "best", FAILS),
    ],
)
def test_a_market_that_is_not_the_theorys_changes_the_outcome(
    monkeypatch: pytest.MonkeyPatch, number: int, changes: dict[str, Any], claim: str, outcome: Outcome
) -> None:
    rival = replace(RIVALS[number], **changes)
    monkeypatch.setattr(of_best_price, "GRID", COARSE)
    monkeypatch.setattr(of_best_price, "RIVALS", (rival,))
    assert outcomes("best-price", 40, "steps=120", seed=1)[f"{claim} against {rival.label}"] is outcome


def test_theory_of_the_best_price() -> None:
    wide, narrow, held = RIVALS
    assert wide.beyond(np.array([-1.5, -1.0, -0.5, 0.0, 0.9, 1.0, 1.5])).tolist() == [1, 1, 0.75, 0.5, pytest.approx(0.05), 0, 0]
    assert narrow.beyond(np.array([-1.0, -0.5, -0.25, 0.0, 0.5, 0.9])).tolist() == [1, 1, 0.75, 0.5, 0, 0]
    assert held.beyond(np.array([-1.0, 0.25, 0.29999, 0.3, 0.30001, 0.9])).tolist() == [1, 1, 1, 0.5, 0, 0]
    grid, fine = of_best_price.GRID, np.linspace(-1.0, 1.0, 20_001)
    assert (np.diff(grid) > 0.049).all() and grid[0] == -0.9 and grid[-1] == 0.9
    for rival, best, found_at in zip(RIVALS, (0.0, -0.25, 0.25), (0.0, -0.25, 0.2999), strict=True):
        assert rival.best == best == grid[np.argmax((1.0 + grid) * rival.beyond(grid))]
        assert {round(best - 0.05, 2), round(best + 0.05, 2)} <= set(grid.tolist())
        assert fine[np.argmax((1.0 + fine) * rival.beyond(fine))] == pytest.approx(found_at, abs=1e-9)


def priced(revenue: Callable[[float], np.ndarray], alone: np.ndarray) -> dict[str, Any]:
    """The measures of the first rival's study, where a constant eps earns `revenue` of it in every run."""

    def measures(values: np.ndarray) -> Measures:
        return Measures({"spread_revenue": np.stack([values, np.full_like(values, np.nan)], axis=1)}, ("learner", "competitor"))

    found = {f"{eps:g}": measures(revenue(eps)) for eps in of_best_price.GRID}
    return {RIVALS[0].label: found | {of_best_price.ALONE: measures(alone)}}


@pytest.mark.parametrize(("ahead", "outcome"), [(1.01, HOLDS), (0.99, UNDECIDED), (-0.99, UNDECIDED), (-1.01, FAILS)])
@pytest.mark.parametrize("by_all", [True, False])
def test_the_best_price_is_ahead_of_all_others_at_once(ahead: float, outcome: Outcome, by_all: bool) -> None:
    others = len(of_best_price.GRID) - 1
    half = stats.t.ppf(1 - 0.025 / others, len(SHAKE) - 1) * SHAKE_ERROR
    lead = ahead * half

    def revenue(eps: float) -> np.ndarray:
        behind = lead if by_all or eps == 0.4 else 1000.0
        return 50.0 + SHAKE if eps == RIVALS[0].best else 50.0 - behind + np.zeros_like(SHAKE)

    experiment: Any = experiment_named("best-price")
    verdict = experiment.with_results(experiment.load_scenario(), priced(revenue, np.full(10, 100.0)))._best(RIVALS[0])
    assert verdict.outcome is outcome
    assert f"more than {others if outcome is HOLDS else 0 if by_all else others - 1} of the {others} others" in verdict.evidence
    share, margin = 100 * lead / 50, 100 * half / 50  # in percent of what the best earns
    assert by_all or f"ε = 0.40: the theory's earns {number(share, 2)} ± {number(margin, 2)} %" in verdict.evidence


@pytest.mark.parametrize(
    ("off", "noise", "outcome"),
    [
        (0.0, 1.0, HOLDS),
        (0.99, 1.0, HOLDS),
        (1.01, 1.0, FAILS),
        (-1.01, 1.0, FAILS),
        (0.0, 2.65, HOLDS),  # known to ±0.0499
        (0.0, 2.66, UNDECIDED),  # ±0.0501
        (1.01, 2.66, FAILS),
        (0.0, 0.0, HOLDS),
        (1e-6, 0.0, FAILS),  # where every run says the same, that is what counts
    ],
)
def test_every_point_of_the_curve_is_the_theorys(off: float, noise: float, outcome: Outcome) -> None:
    """One point is `off` by so many half-widths of its interval, or simply by so much where there is no noise."""
    half = stats.t.ppf(1 - 0.025 / len(of_best_price.GRID), len(SHAKE) - 1) * SHAKE_ERROR * noise
    moved = off * half if noise else 100.0 * off

    def revenue(eps: float) -> np.ndarray:
        exact = 100.0 * (1.0 + eps) * float(RIVALS[0].beyond(np.array(eps)))
        return exact + noise * SHAKE + moved * (eps == 0.4)

    experiment: Any = experiment_named("best-price")
    verdict = experiment.with_results(experiment.load_scenario(), priced(revenue, np.full(10, 100.0)))._curve(RIVALS[0])
    assert verdict.outcome is outcome
    wrong = int(outcome is FAILS)
    assert f"{len(of_best_price.GRID) - wrong} of {len(of_best_price.GRID)} intervals" in verdict.evidence
    assert f"± {half / 100:.3f}," in verdict.evidence


def test_markets_of_the_best_price() -> None:
    experiment = experiment_named("best-price")
    scenario = experiment.load_scenario()
    studies = experiment.studies(scenario, 7)
    assert [study.name for study in studies] == [rival.label for rival in RIVALS]
    for study, kind, low in zip(studies, ("random", "random", "persistent"), (-1.0, -0.5, HELD), strict=True):
        assert study.replicas == 7
        assert list(study.variants) == [*(f"{eps:g}" for eps in of_best_price.GRID), of_best_price.ALONE]
        for label, variant in study.variants.items():
            ours, theirs = (maker.policy for maker in variant.makers)
            price = 0.0 if label == of_best_price.ALONE else float(label)
            assert (ours.kind, ours.low, ours.high) == ("persistent", price, price)
            expected = ("persistent", 1e6, 1e6) if label == of_best_price.ALONE else (kind, low, HELD if low == HELD else -low)
            assert (theirs.kind, theirs.low, theirs.high) == expected
        assert study.variants["0"].replace(makers=scenario.makers) == scenario


# --- the whole way, in a market small enough for anything


def test_a_tiny_market_all_the_way() -> None:
    """Real measures, uncompiled too: the sum over investors is the sum over tiers, and so are the verdicts' own numbers."""
    experiment = experiment_named("markouts")
    scenario = experiment.load_scenario("informed", ["steps=24", "investors.0.count=3", "makers.*.tiering.tiers=2"])
    plan = Plan(experiment, scenario, 4, variation_runs=0)
    seen: list[int] = []
    measured = measure(plan.studies, seed=1, progress=seen.append)
    section = plan.section(measured)
    assert sum(seen) == 4 * 24
    ours = next(iter(measured.values()))["market"]
    assert_allclose(ours["by_investor"].sum(axis=1), ours["by_tier"].sum(axis=1), atol=1e-12)
    assert_allclose(ours["by_investor"][:, :, 0], 0.0, atol=1e-15)
    frame = section.tables[0].frame
    assert frame["investor"].tolist() == ["investor-0", "investor-1", "investor-2"]
    assert frame["oracle"].tolist() == [0.0, 0.4, 0.8]
    assert_allclose(frame["h_4"], ours["by_investor"][:, :, 4].sum(axis=0) / ours["by_investor_volume"].sum(axis=0), rtol=1e-12)


def test_intervals_get_narrower_with_more_runs() -> None:
    widths = []
    for runs in (4, 64, 1024):
        plan = Plan(experiment_named("hedging-paths"), experiment_named("hedging-paths").load_scenario(), runs, variation_runs=0)
        draw = partial(np.random.default_rng, 2)
        results: Any = {study.name.split(" / ")[2]: made_up(study, draw()) for study in plan.studies if "sizes" in study.name}
        frame = next(iter(plan.experiment.with_results(plan.scenario, results).tables())).frame
        widths.append(float((frame["mean_high"] - frame["mean_low"]).mean()))
    assert all(3 < wide / narrow < 9 for wide, narrow in pairwise(widths))
