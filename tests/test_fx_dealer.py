"""The experiment on the FX dealer: what comes out and what does not, its report without a scenario, and bad calls."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import assert_says, raises, refused
from dealermarket import ParameterError
from dealermarket.commands.main import main
from dealermarket.control.dealer import EURUSD, USDCNH, ClientTier, efficient_frontier, solve
from dealermarket.papers import Outcome, Plan, Section, experiment_named
from dealermarket.papers.fx_dealer import internalization_zone as of_zone
from dealermarket.papers.processes import ProcessStudy
from dealermarket.papers.report_folder import ReportFolder
from dealermarket.plots.dealer import plot_dealer_hedging, plot_dealer_quotes, plot_efficient_frontier
from dealermarket.study.study import Measured

NAME = "internalization-zone"
HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED


def outcomes(section: Section) -> dict[str, Outcome]:
    return {verdict.name: verdict.outcome for verdict in section.verdicts}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.of(experiment_named(NAME), runs=40)


@pytest.fixture(scope="module")
def measured(plan: Plan) -> Measured:
    """What the processes give, in this one."""
    return {study.name: {"0": study.parts(0)[0].measured(lambda _: None)} for study in plan.parted}


def test_what_comes_out_and_what_does_not(plan: Plan, measured: Measured) -> None:
    section = plan.section(measured)
    assert outcomes(section) == {
        "zones": HOLDS,
        "dear hedging": FAILS,
        "hedging rates": HOLDS,
        "spreads": HOLDS,
        "external share": HOLDS,
        "what widens it": HOLDS,
        "simulation": UNDECIDED,  # with so few runs
    }
    assert any("46" in said and "45.3" in said for said in section.differences)
    published = next(table for table in section.tables if table.name == "published").frame
    zones = published[(published["what"] == "zone (M)") & (published["setting"] != "φ = 0.4")]
    assert (zones["here"] - zones["published"]).abs().max() < 0.6
    assert len(zones) == 5


def test_other_published_numbers_would_fail(plan: Plan, measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = of_zone.USDCNH_SETTINGS
    monkeypatch.setattr(of_zone, "USDCNH_SETTINGS", (replace(first, zone=22.5, rate=0.25), *others))
    monkeypatch.setattr(of_zone, "SPREADS", (("EURUSD, tier 1", EURUSD, 0, 0.57),))
    monkeypatch.setattr(of_zone, "EXTERNAL_SHARES", {1e-2: 0.09})
    failed = {name for name, outcome in outcomes(plan.section(measured)).items() if outcome is FAILS}
    assert failed == {"zones", "dear hedging", "hedging rates", "spreads", "external share"}


def test_a_simulation_of_another_process_fails(plan: Plan, measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(of_zone.PROBLEMS, "USDCNH", USDCNH.replace(risk_aversion=5e-3))
    assert outcomes(plan.section(measured))["simulation"] is FAILS


def test_a_simulation_that_knows_enough_holds(plan: Plan, measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_zone, "MARGIN", 0.2)
    assert outcomes(plan.section(measured))["simulation"] is HOLDS


def test_a_process_is_known_by_all_that_it_depends_on() -> None:
    study = ProcessStudy("process", USDCNH, 10)
    others = [replace(study, replicas=11), replace(study, problem=USDCNH.replace(impact=0.0))]
    assert len({study.key(0), study.key(1), *(other.key(0) for other in others)}) == 4
    assert study.key(0) == replace(study, name="another name").key(0)


def test_its_report_has_no_scenario(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = ClientTier(a=-1.0, b=10.0, rates=(76.0, 15.0, 7.5, 1.5))
    monkeypatch.setitem(of_zone.PROBLEMS, "USDCNH", USDCNH.replace(tiers=(few,)))
    monkeypatch.delitem(of_zone.PROBLEMS, "EURUSD")
    plan = Plan.of(experiment_named(NAME), runs=10)
    ReportFolder.create(Path("begun"), [plan], seed=1)
    assert not list(Path("begun/scenarios").glob("*"))
    assert main(["experiment", "--resume", "begun"]) == 0
    capsys.readouterr()
    assert main(["experiment", NAME, "--runs", "10", "--seed", "1", "--out", "whole", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == "whole"
    for name in ("report.md", "report.html"):
        text, resumed = (Path(folder, name).read_text(encoding="utf-8") for folder in ("whole", "begun"))
        assert "parameters of its own" in text and "parameters of its own" in resumed
        assert "Twenty investors" not in text  # of the preset, which has no part in it
    assert {path.name for path in Path("whole/figures").iterdir()} == {
        f"{NAME}-{figure}.svg" for figure in ("hedging", "quotes", "frontier")
    }
    for path in Path("whole/numbers").glob("*.csv"):
        assert path.read_bytes() == Path("begun/numbers", path.name).read_bytes()


def test_it_takes_no_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    for option in (["--scenario", "paper"], ["--set", "steps=20"]):
        assert_says(refused(capsys, "experiment", NAME, *option), NAME, names=["--scenario", "--set"])
    with raises(ParameterError, NAME, names=["--scenario"]):
        experiment_named(NAME).load_scenario("paper")


def test_figures_of_ones_own_solutions() -> None:
    solution = solve(USDCNH.replace(linear_cost=50.0))
    hedging, quotes = plot_dealer_hedging(solution), plot_dealer_quotes(solution)
    assert "100.0 M" in hedging.get_figure().legends[0].get_texts()[0].get_text()  # type: ignore[union-attr]
    assert len(quotes.get_lines()) == 4  # three sizes and the level
    assert len(plot_efficient_frontier(efficient_frontier(USDCNH, (1e-3, 1e-2))).get_lines()[0].get_xdata()) == 2
