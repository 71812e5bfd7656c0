"""The experiment `calibration`: its verdicts on made-up desks, one desk measured, and studies in processes of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from conftest import raises
from dealermarket import ParameterError, Scenario, SimulationRunner
from dealermarket.papers import Outcome, Plan, Section, experiment_named
from dealermarket.papers import parts as of_parts
from dealermarket.papers.desks import DesksStudy
from dealermarket.papers.own_data import calibration as of_calibration
from dealermarket.papers.own_data.calibration import KNOWN, MEASURES, PARAMETERS, UNKNOWN, with_other_prices
from dealermarket.papers.parts import measure_parts
from dealermarket.study import Measures
from test_experiments import check_whole
from test_experiments import made_up as made_up_market

HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED
EXPERIMENT: Any = experiment_named("calibration")
DESKS = 1000  # of what is made up: whether a share is 95 % is then known to 2 %


def every(share: float, count: int = DESKS) -> np.ndarray:
    """Truth values (count,) of which such a share is true, spread evenly."""
    return np.floor(np.arange(1, count + 1) * share + 1e-9) > np.floor(np.arange(count) * share + 1e-9)


def made_up(scenario: Scenario, shares: dict[str, float] | None = None, desks: int = DESKS, **changes: Any) -> dict[str, Any]:
    """The desks' measures: intervals hold the truth in 95 %, or in such shares, by parameter; the rivals' without v_max in
    `unknown`. What is foretold is off by `off` on average, and the intervals of it hold in `held`."""
    chosen = {"unknown": 0.88, "off": 0.0, "held": 0.95} | changes
    truths = [(parameter.name, truth) for parameter in PARAMETERS for truth in parameter.truths(scenario).values()]
    found = np.empty((2, desks, len(truths), 3))
    for n, (name, truth) in enumerate(truths):
        for case in range(2):
            share = chosen["unknown"] if case and name == "rival_mean" else (shares or {}).get(name, 0.95)
            away = np.where(every(share, desks), 0.5, 1.5)
            found[case, :, n] = truth + 0.01 * (away[:, None] + [0.0, -1.0, 1.0])
    noise = 0.01 * np.where(np.arange(desks) // 20 % 2, 1, -1)
    error = np.where(every(chosen["held"], desks), 0.1, 1.0) * noise
    half = stats.t.ppf(0.975, of_calibration.SESSIONS - 1) * np.sqrt(2.0 / of_calibration.SESSIONS)
    true = np.full((desks, len(MEASURES)), 2.0)
    foretold = true * (1.0 + chosen["off"])
    following = foretold * (1.0 + error[:, None])
    spread = np.full_like(true, 0.005 * 2.0 / half)
    arrays = {KNOWN: found[0], UNKNOWN: found[1], "true": true, "foretold": foretold, "spread": spread, "next": following}
    return {
        str(desk): Measures(others={name: values[desk : desk + 1] for name, values in arrays.items()}) for desk in range(desks)
    }


def section(**changes: Any) -> Section:
    plan = Plan.of(EXPERIMENT, runs=changes.get("desks", DESKS))
    draw = np.random.default_rng(0)
    measured: dict[str, Any] = {study.name: made_up_market(study, draw) for study in plan.studies}
    measured[plan.desks[0].name] = made_up(plan.scenario, **changes)
    return plan.section(measured)


def outcomes(**changes: Any) -> dict[str, Outcome]:
    return {verdict.name: verdict.outcome for verdict in section(**changes).verdicts}


HEADINGS = {parameter.name: parameter.heading for parameter in PARAMETERS}
NEXT = [f"next sessions: {measure.said}" for measure in MEASURES]
AS_MEASURED = dict.fromkeys([*HEADINGS.values(), "foretold on average", *NEXT], HOLDS) | {"v_max not known": FAILS}


@pytest.mark.parametrize(
    ("changes", "turned"),
    [
        ({}, {}),
        ({"unknown": 0.95}, {"v_max not known": HOLDS}),
        *(({"shares": {name: 0.90}}, {HEADINGS[name]: FAILS}) for name in HEADINGS),
        ({"shares": {"volatility": 1.0}}, {"volatility": FAILS}),  # too wide is wrong, too
        ({"off": 0.004}, {}),
        ({"off": 0.006}, {"foretold on average": FAILS}),
        ({"held": 0.8}, dict.fromkeys(NEXT, FAILS)),
        (
            {"desks": 40, "unknown": 0.95},  # too few to tell
            {name: UNDECIDED for name in AS_MEASURED if name != "foretold on average"},
        ),
    ],
)
def test_verdicts(changes: dict[str, Any], turned: dict[str, Outcome]) -> None:
    assert outcomes(**changes) == AS_MEASURED | turned


def test_tables_and_figures_show_the_desks() -> None:
    found = section(shares={"oracle_probability": 0.94})
    check_whole(found)
    coverage, foretold = (table.frame.set_index(table.columns[0].name) for table in found.tables)
    assert_allclose(coverage["known"], [0.95] * 6 + [0.94], atol=1e-12)
    assert coverage["intervals"].tolist() == [DESKS] * 5 + [12 * DESKS] * 2
    assert coverage["unknown"].tolist()[0] == pytest.approx(0.88)
    assert_allclose(foretold["held"], 0.95)
    assert {figure.name for figure in found.figures} == {
        "coverage",
        *(f"foretold-{measure.name.replace('_', '-')}" for measure in MEASURES),
    }


def test_what_a_log_does_not_tell_holds_no_truth() -> None:
    measured = made_up(EXPERIMENT.load_scenario(), desks=20)
    for desk in measured.values():
        desk[KNOWN][:, 0] = np.nan
    found = EXPERIMENT.with_results(EXPERIMENT.load_scenario(), {of_calibration.DESKS: measured})
    assert found.coverage(PARAMETERS[0], KNOWN).value == 0.0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("makers.0.tiering={kind='average_yield', tiers=3}", "tiers from a table"),
        ("makers.0.pricing.tier_penalty=0.0", "tier penalty above 0"),
        ("makers.1.policy.mean=0.3", "same policy"),
        ("makers.*.policy={kind='heuristic'}", "kind normal"),
        ("investors.0.demand.mean=2.0", "same logistic demand"),
        ("investors.0.count=99", "at most 100 investors"),
        ("market.spreads_scale_with_price=false", "scale with the price"),
        ("market.mid_price={kind='jump_diffusion'}", "gbm"),
    ],
)
def test_scenarios_that_are_not_fitted_are_refused(setting: str, said: str) -> None:
    with raises(ParameterError, "calibration", names=[said]):
        EXPERIMENT.load_scenario(None, [setting])


# --- desks


def few_desks(desks: int = 3) -> DesksStudy:
    scenario = EXPERIMENT.load_scenario(None, ["steps=100"])
    return replace(EXPERIMENT.desks(scenario, desks)[0], sessions=4, foretold=5)


@pytest.mark.compiled
def test_a_desk_is_measured() -> None:
    study, done = few_desks(), list[int]()
    desk = study.parts(7)[1]
    found = desk.measured(done.append)
    assert sum(done) == desk.market_steps == 2 * (4 + 5) * 100
    assert found[KNOWN].shape == found[UNKNOWN].shape == (1, len(study.fields), 3)
    told = found[KNOWN][0][~np.isnan(found[KNOWN][0]).any(axis=1)]
    assert (told[:, 1] <= told[:, 2]).all() and len(told) >= 25  # volatility, and both probabilities of twelve clients
    truths = [truth for parameter in PARAMETERS for truth in parameter.truths(study.scenario).values()]
    inside = (found[KNOWN][0, :, 1] <= truths) & (truths <= found[KNOWN][0, :, 2])
    assert inside.mean() > 0.75
    after = SimulationRunner(with_other_prices(study.scenario), 9, desk.later_seed).run().summary.query("maker == 'ours'")
    volume = after["client_volume"].to_numpy()
    assert_allclose([found["true"][0, 1], found["next"][0, 1]], [volume[:5].mean(), volume[5:].mean()], rtol=1e-12)
    assert found["true"][0, 0] == pytest.approx(np.average(after["hit_ratio"][:5], weights=after["asked"][:5]), rel=1e-12)
    assert_allclose(found["foretold"], found["true"], rtol=0.3)
    assert (found["spread"] > 0).all()


def test_other_prices_are_the_desks_alone() -> None:
    scenario = EXPERIMENT.load_scenario()
    changed = with_other_prices(scenario)
    assert (changed.makers[0].pricing.alpha, changed.makers[0].pricing.tier_penalty) == (1.7, 1e-5)
    assert changed.makers[1:] == scenario.makers[1:]


def test_keys_and_seeds_of_desks() -> None:
    study = few_desks()
    others = [replace(study, desks=4), replace(study, sessions=5), replace(study, foretold=6), replace(study, fields=())]
    others += [replace(study, measures=("pnl",)), replace(study, scenario=study.scenario.with_settings("steps=101"))]
    others += [replace(study, change=lambda scenario: scenario)]
    keys = [study.key(0), study.key(1), *(other.key(0) for other in others)]
    assert len(set(keys)) == len(keys)
    assert replace(study, name="another").key(0) == study.key(0)
    seeds = [seed for desk in study.parts(0) for seed in (desk.log_seed, desk.later_seed)]
    assert len(set(seeds)) == 6
    assert [desk.log_seed for desk in few_desks(5).parts(0)][:3] == [desk.log_seed for desk in study.parts(0)]


@pytest.mark.slow
@pytest.mark.compiled
def test_desks_are_measured_in_processes_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal numbers from two processes and from this one; what is kept is not measured again."""
    study, done = few_desks(), list[int]()
    first = measure_parts([study], 7, workers=2, progress=done.append, keep=tmp_path)["desks"]
    assert sum(done) == study.market_steps
    assert list(first) == ["0", "1", "2"]
    assert first["1"] == study.parts(7)[1].measured(lambda _: None)
    monkeypatch.setattr(of_parts, "ProcessPoolExecutor", None)
    assert measure_parts([study], 7, keep=tmp_path)["desks"] == first
