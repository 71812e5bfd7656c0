"""The commands `experiment` and `reproduce`: reports, interruptions, bad calls; and the golden numbers of `reproduce --quick`.

Golden numbers compare at 1e-6. After a change that is meant to alter results (say so in the changelog):
`python tests/test_reproduce.py` writes golden_quick.json anew.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dealermarket.papers.registry
from conftest import Counter, assert_says, edit_meta, raises, refused
from dealermarket import RunFolderError, Scenario, __version__
from dealermarket.commands import experiment as of_experiment
from dealermarket.commands import reproduce as of_reproduce
from dealermarket.commands.main import main
from dealermarket.papers import Plan, experiment_named, experiments
from dealermarket.papers import report_folder as of_report_folder
from dealermarket.papers import trained as of_trained
from dealermarket.papers.dealer_market.curves import Curves
from dealermarket.papers.dealer_market.markouts import Markouts
from dealermarket.papers.experiment import Experiment
from dealermarket.papers.report_folder import ReportFolder
from dealermarket.study import measures as observe
from test_report import page_of, table_of

GOLDEN = Path(__file__).with_name("golden_quick.json")
NUMBERS = {  # what is kept of which tables
    "curves-points": ["here"],
    "price-sensitivity-shares-adaptive": [f"tier_{tier}" for tier in range(5)],
    "internalization-table-2": ["here"],
    "internalization-figure-7": ["half", "whole", "ratio"],
    "internalization-hedging": ["net", "hedged"],
    "hedging-paths-positions": ["mean", "largest"],
    "volatility-costs-10": ["cost", "above", "pnl"],
    "volatility-costs-30": ["cost", "above", "pnl"],
    "volatility-best-gamma": ["cost", "saved_0"],
    "volatility-hot-potato": ["passed"],
    "sophistication-clients": ["tier", "yield"],
    "sophistication-makers": ["per_unit", "pnl", "reward"],
    "markouts-by-investor": ["h_1", "h_4", "h_16"],
    "markouts-by-tier": ["h_4", "h_4_low"],
    "best-price-revenue": [f"found_{rival}" for rival in range(3)],
    "price-war-common": ["together", "gain_1", "gain_2"],
    "hedging-game-total-reward": ["makers_together", "makers_gain", "exchange_together"],
    "contagion-dealers": ["together", "paid"],
    "yardstick-regret": ["regret", "share"],
    "internalization-zone-published": ["here"],
    "internalization-zone-simulation": ["simulated"],
    "internalization-limit-limit": ["value", "zone", "spread", "share"],
}
TRAINED = ["learned-price", "learned-risk", "learned-drift", "two-learners", "elastic-learners"]
LONG = [*TRAINED, "calibration"]
TINY = """
name = "tiny"
description = "Small enough to be run uncompiled"
steps = 20
reward_horizon = 3
exchange = { v_max = 100.0 }
investors = [{ name = "investor", count = 3, mean_size = 2.0, trade_probability = 0.5, oracle_probability = [0.0, 0.8] }]

[[makers]]
name = "maker-1"
tiering = { kind = "average_yield", tiers = 2 }
pricing = { tier_penalty = 2e-5 }
hedging = { kind = "none" }

[[makers]]
name = "maker-2"
tiering = { kind = "average_yield", tiers = 2 }
pricing = { tier_penalty = 2e-5 }
hedging = { kind = "none" }

[choices]
steps = "hardly longer than the markouts"
"investors.*.mean_size" = "all alike"
"""
ASKED = ["experiment", "markouts", "--scenario", "tiny.toml", "--runs", "10", "--threads", "1"]
STUDIES = 1 + sum(len(variation.values) for variation in Markouts.variations)  # of ASKED


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    Path("tiny.toml").write_text(TINY)
    monkeypatch.setattr(of_report_folder, "today", lambda: date(2019, 6, 14))  # reports that are compared are of one day


def contents(folder: Path, *but: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def csv(folder: Path, name: str) -> pd.DataFrame:
    """A file of numbers, to the last digit; columns that are not all numbers are texts."""

    def exact(column: pd.Series) -> pd.Series:
        try:
            return column.map(lambda text: float(text or "nan"))
        except ValueError:
            return column

    return pd.read_csv(folder / "numbers" / f"{name}.csv", dtype=str, keep_default_na=False).apply(exact)


# --- everything, quickly


def quick_ones() -> dict[str, Experiment]:
    """All that `reproduce --quick` runs: what trains makers or takes minutes all the same is left out."""
    return {name: experiment for name, experiment in experiments().items() if not (experiment.trains or experiment.long)}


def summary_of(folder: Path) -> dict[str, Any]:
    """Outcomes of all claims, as chosen and under variations, and the numbers of the tables."""
    verdicts = csv(folder, "verdicts")
    found: dict[str, Any] = {"verdicts": {}, "variations": {}, "numbers": {}}
    for row in verdicts.to_dict("records"):
        found["verdicts"].setdefault(row["experiment"], {})[row["name"]] = row["outcome"]
    for experiment in found["verdicts"]:
        if (folder / "numbers" / f"{experiment}-variations.csv").exists():
            frame = csv(folder, f"{experiment}-variations")
            claims = [name for name in frame if name in found["verdicts"][experiment]]
            signs = [cell[0] for cell in frame[claims].to_numpy().ravel()]
            found["variations"][experiment] = "".join(signs)
    for table, columns in NUMBERS.items():
        frame = csv(folder, table)
        found["numbers"][table] = {column: frame[column].tolist() for column in columns}
    return found


@pytest.mark.slow
def test_reproduce_quick(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--quick", "--out", "quick", "--threads", "2"]) == 0
    shown, folder = capsys.readouterr(), Path("quick")
    _check_what_is_printed(shown.out, shown.err)
    _check_files(folder)
    _check_page(folder)
    _check_golden(folder)


def _check_what_is_printed(out: str, err: str) -> None:
    for name in quick_ones():
        assert name in out
    assert f"Left out: {', '.join(LONG)}; they take too long" in err
    assert not any(name in out for name in LONG)
    assert "read quick/report.html" in out
    steps = sum(Plan.of(experiment, quick=True).market_steps for experiment in quick_ones().values())
    assert f"{steps:,} market steps" in out
    assert f"{steps:,} of {steps:,} market steps" in err


def _check_files(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "figures",
        "meta.json",
        "numbers",
        "report.html",
        "report.md",
        "scenarios",
    ]
    asked = {name: experiment for name, experiment in quick_ones().items() if experiment.asks_scenario}
    assert sorted(path.stem for path in (folder / "scenarios").iterdir()) == sorted(asked)
    for name, experiment in asked.items():
        assert Scenario.load(folder / "scenarios" / f"{name}.toml") == experiment.load_scenario()
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["complete"] is True
    assert [plan["experiment"] for plan in meta["plans"]] == list(quick_ones())
    assert all(plan["command"] == f"dealermarket experiment {plan['experiment']} --quick" for plan in meta["plans"])
    for path in (folder / "numbers").glob("*.csv"):
        same = pd.read_parquet(path.with_suffix(".parquet"))
        assert same.to_csv(index=False, lineterminator="\n").encode() == path.read_bytes()


def _check_page(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"data:image/svg\+xml;base64,[\w+/=]*", "", text)
    page = page_of(folder)
    assert len(page.all("img")) == len(list((folder / "figures").iterdir()))
    rows = table_of(page, "markouts.table.by-investor")
    frame = csv(folder, "markouts-by-investor")
    for n, h in enumerate((1, 2, 4, 8, 16)):
        assert [float(row[3 + n].attributes["data-value"]) for row in rows] == frame[f"h_{h}"].tolist()
    for name in quick_ones():
        assert page.named(name)


def _check_golden(folder: Path) -> None:
    golden, found = json.loads(GOLDEN.read_text()), summary_of(folder)
    assert found["verdicts"] == golden["verdicts"]
    assert found["variations"] == golden["variations"]
    assert set(found["numbers"]) == set(golden["numbers"])
    for table, columns in golden["numbers"].items():
        assert set(found["numbers"][table]) == set(columns)
        for column, values in columns.items():
            np.testing.assert_allclose(
                found["numbers"][table][column], values, rtol=1e-6, atol=1e-12, err_msg=f"{table} {column}"
            )


# --- one experiment


def test_an_experiment_makes_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED) == 0
    shown = capsys.readouterr()
    assert "markouts" in shown.out and "informed" in shown.out
    steps = STUDIES * 10 * 20
    assert f"{steps:,} market steps and the report in" in shown.out
    assert "read reports/markouts-1/report.html" in shown.out
    folder = Path("reports/markouts-1")
    assert sorted(path.name for path in (folder / "numbers").glob("*.csv")) == [
        "markouts-by-investor.csv",
        "markouts-by-tier.csv",
        "markouts-variations.csv",
        "verdicts.csv",
    ]
    for word in ("tiny", "hardly longer than the markouts", "--scenario tiny.toml --runs 10"):
        assert word in (folder / "report.html").read_text(encoding="utf-8")
        assert word in (folder / "report.md").read_text(encoding="utf-8") or word.startswith("hardly")
    assert main(ASKED) == 0
    assert "reports/markouts-2" in capsys.readouterr().out
    assert contents(folder, "meta.json") == contents(Path("reports/markouts-2"), "meta.json")


def test_json_is_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--json", "--seed", "3", "--out", "here", "--set", "steps=30"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == "here"
    (experiment,) = found["experiments"]
    assert (experiment["name"], experiment["runs"]) == ("markouts", 10)
    verdicts = csv(Path("here"), "verdicts")
    assert [verdict["outcome"] for verdict in experiment["verdicts"]] == verdicts["outcome"].tolist()
    assert [verdict["evidence"] for verdict in experiment["verdicts"]] == verdicts["evidence"].tolist()
    frame = csv(Path("here"), "markouts-by-investor")
    for name in ("h_0", "h_3", "h_3_low", "investor"):
        assert [row[name] for row in experiment["tables"]["by-investor"]] == frame[name].tolist()
    meta = json.loads(Path("here/meta.json").read_text())
    assert meta["seed"] == 3
    assert meta["plans"][0]["command"] == (
        "dealermarket experiment markouts --scenario tiny.toml --set steps=30 --runs 10 --seed 3"
    )
    changed = Scenario.load("here/scenarios/markouts.toml")
    assert changed.steps == 30
    assert set(changed.choices) == {"investors.*.mean_size"}


def test_json_has_no_number_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--json", "--set", "investors.0.trade_probability=[0.5, 0.0]"]) == 0
    shown = capsys.readouterr().out
    rows = json.loads(shown, parse_constant=pytest.fail)["experiments"][0]["tables"]["by-investor"]
    assert [row["h_1"] is None for row in rows] == [False, False, True]


def test_an_experiment_of_formulas_needs_no_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "curves", "--out", "here"]) == 0
    shown = capsys.readouterr()
    assert "✓ holds" in shown.out
    assert "market steps" not in shown.out + shown.err
    assert main(["experiment", "curves", "--set", "exchange.lam=1.7"]) == 0
    assert "✗ fails" in capsys.readouterr().out


def test_the_commands_in_a_report_give_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "description='a quote'"]
    assert main([*ASKED, *settings, "--seed", "5", "--out", "first"]) == 0
    command = json.loads(Path("first/meta.json").read_text())["plans"][0]["command"]
    program, *arguments = shlex.split(command)
    assert program == "dealermarket"
    assert main([*arguments, "--out", "again"]) == 0
    assert contents(Path("first"), "meta.json") == contents(Path("again"), "meta.json")
    assert main([*ASKED, *settings, "--out", "other seed"]) == 0
    one, other = (csv(Path(name), "markouts-by-investor") for name in ("first", "other seed"))
    assert (one["h_1"] != other["h_1"]).all()


def test_experiments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment"]) == 0
    shown = capsys.readouterr().out
    for name, experiment in experiments().items():
        assert name in shown
        assert experiment.title in shown
        assert (f"{experiment.runs:,}" if experiment.runs else "none") in shown
    assert not Path("reports").exists()


def test_variations_that_a_scenario_cannot_have_are_left_out() -> None:
    fixed = 'makers.*.tiering={kind="fixed", tiers=2}'
    assert main([*ASKED, "--set", fixed, "--set", "steps=18", "--out", "here"]) == 0
    frame = csv(Path("here"), "markouts-variations")
    claims = frame.columns[3:]
    impossible = frame[(frame[claims] == "not possible").all(axis=1)]
    assert set(impossible["parameter"]) == {"weight of the last trade"}
    assert len(impossible) == 2
    assert not (frame[~frame.index.isin(impossible.index)][claims] == "not possible").any(axis=None)


# --- experiments that train makers


@pytest.fixture
def begun_with(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans of the reports that would have been begun."""
    plans: list[Plan] = []
    for command in (of_experiment, of_reproduce):
        monkeypatch.setattr(command, "begin_report", lambda command, name, chosen, options, extent: plans.extend(chosen))
    return plans


@pytest.fixture
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_trained, "find_spec", lambda name: None if name == "torch" else name)


def with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_trained, "find_spec", lambda name: name)


def test_all_is_reproduced_with_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, begun_with: list[Plan]
) -> None:
    with_the_extra(monkeypatch)
    assert main(["reproduce"]) == 0
    assert [plan.experiment.name for plan in begun_with] == list(experiments())
    assert all(plan.runs == plan.experiment.runs or plan.experiment.name == "curves" for plan in begun_with)
    assert capsys.readouterr().err == ""
    begun_with.clear()
    assert main(["reproduce", "--quick"]) == 0
    assert [plan.experiment.name for plan in begun_with] == list(quick_ones())
    said = capsys.readouterr().err
    why = "they take too long for a quick look (a tenth of one: dealermarket experiment NAME --quick)"
    assert said == f"Left out: {', '.join(LONG)}; {why}.\n"


@pytest.mark.usefixtures("without_the_extra")
def test_without_the_extra_nobody_is_trained(capsys: pytest.CaptureFixture[str], begun_with: list[Plan]) -> None:
    assert main(["reproduce"]) == 0
    untrained = [name for name, experiment in experiments().items() if not experiment.trains]
    assert [plan.experiment.name for plan in begun_with] == untrained
    said = capsys.readouterr().err
    assert f"Left out: {', '.join(TRAINED)}" in said
    assert "pip install 'dealermarket[learn]'" in said
    for name in TRAINED:
        for quick in ([], ["--quick"]):
            assert_says(
                refused(capsys, "experiment", name, *quick), name, names=["`learn`", "pip install", "dealermarket[learn]"]
            )
    assert main(["experiment", "best-price", "--quick"]) == 0  # which needs nobody trained
    assert [plan.experiment.name for plan in begun_with] == [*untrained, "best-price"]
    assert main(["experiment"]) == 0
    assert all(name in capsys.readouterr().out for name in TRAINED[:1])


@pytest.mark.usefixtures("without_the_extra")
def test_a_report_with_trainings_is_not_resumed_without_the_extra(capsys: pytest.CaptureFixture[str]) -> None:
    plans = [Plan.of(experiment_named(name), runs=10) for name in ("curves", "learned-drift")]
    folder = ReportFolder.create(Path("begun"), plans, seed=0)
    before = contents(folder.path)
    for command in ("experiment", "reproduce"):
        said = refused(capsys, command, "--resume", "begun")
        assert_says(said, "begun: learned-drift", names=["`learn`", "pip install"])
    assert contents(folder.path) == before


# --- a report that is interrupted


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Counter]]:
    """Ctrl-C while the study after a number of studies is observed; returns what has been observed."""
    markouts, seen, last = observe.markouts, Counter(), Counter()

    @functools.wraps(markouts)
    def stopped(*arguments: Any, **options: Any) -> Any:
        if seen.count == last.count:
            raise KeyboardInterrupt
        seen.count += 1
        return markouts(*arguments, **options)

    def prepare(after: int) -> Counter:
        seen.count, last.count = 0, after
        monkeypatch.setattr(observe, "markouts", stopped)
        return seen

    yield prepare
    monkeypatch.undo()


@pytest.mark.parametrize("after", [0, 6, STUDIES - 1])
def test_an_interrupted_report_is_finished_to_the_same_bytes(
    capsys: pytest.CaptureFixture[str], interrupt: Callable[[int], Counter], after: int
) -> None:
    assert main([*ASKED, "--out", "whole"]) == 0
    seen = interrupt(after)
    assert main([*ASKED, "--out", "cut"]) == 130
    assert seen.count == after
    said = capsys.readouterr().err
    assert "dealermarket experiment --resume cut" in said
    assert "Traceback" not in said
    assert not Path("cut/report.html").exists()
    assert json.loads(Path("cut/meta.json").read_text())["complete"] is False
    assert len(list(Path("cut").glob("measured/*"))) == after
    seen = interrupt(1000)
    assert main(["experiment", "--resume", "cut", "--threads", "2"]) == 0
    assert seen.count == STUDIES - after
    shown = capsys.readouterr()
    assert "read cut/report.html" in shown.out
    assert "the report in" not in shown.out
    assert contents(Path("cut"), "meta.json") == contents(Path("whole"), "meta.json")
    same = {"seconds": 0, "digest": ""}
    metas = [json.loads(Path(name, "meta.json").read_text()) | same for name in ("cut", "whole")]
    assert metas[0] == metas[1]


def test_a_reproduction_is_resumed_as_such(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[int], Counter]
) -> None:
    class Small(Markouts):
        runs, variations = 100, ()

        def scenario(self, source: Any = None, settings: Any = ()) -> Scenario:
            return super().load_scenario(source or "tiny.toml", settings)

    few = {"curves": Curves(), "markouts": Small()}
    monkeypatch.setattr(dealermarket.papers.registry, "shipped_experiments", lambda: few)
    monkeypatch.setitem(dealermarket.papers.registry._registered, "mine", Small)  # is no part of the papers
    assert main(["reproduce", "--quick", "--seed", "2"]) == 0
    assert "reports/reproduction-1" in capsys.readouterr().out
    interrupt(0)
    assert main(["reproduce", "--quick", "--seed", "2"]) == 130
    assert "dealermarket reproduce --resume reports/reproduction-2" in capsys.readouterr().err
    interrupt(1000)
    assert main(["reproduce", "--resume", "reports/reproduction-2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [experiment["name"] for experiment in found["experiments"]] == ["curves", "markouts"]
    assert [experiment["runs"] for experiment in found["experiments"]] == [1, 10]
    whole, cut = (contents(Path(f"reports/reproduction-{n}"), "meta.json") for n in (1, 2))
    assert whole == cut
    for name in ("report.html", "report.md"):  # twice: above the claims, and where it is said how it was made
        said = whole[name].decode()
        assert said.count("A quick look, with a tenth of the runs. All of it: dealermarket reproduce --seed 2") == 2
    assert "scenarios/curves.toml" in whole and "numbers/markouts-by-tier.csv" in whole


def test_an_interruption_before_anything_is_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReportFolder, "create", stopped)
    assert main([*ASKED, "--out", "here"]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert not Path("here").exists()


def test_a_complete_report_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "curves", "--out", "here"]) == 0
    before = contents(Path("here"))
    capsys.readouterr()
    assert main(["experiment", "--resume", "here"]) == 0
    said = capsys.readouterr().err
    assert "complete" in said and "here/report.html" in said
    assert contents(Path("here")) == before


@pytest.mark.compiled
def test_measures_that_are_damaged_are_made_again(interrupt: Callable[[int], Counter]) -> None:
    assert main([*ASKED, "--out", "whole"]) == 0
    interrupt(3)
    assert main([*ASKED, "--out", "cut"]) == 130
    empty, cut, _ = sorted(Path("cut/measured").iterdir())
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:99])
    (Path("cut/measured") / "left.npz.tmp").write_bytes(b"half a file")
    seen = interrupt(1000)
    assert main(["experiment", "--resume", "cut"]) == 0
    assert seen.count == STUDIES - 1
    assert contents(Path("cut"), "meta.json") == contents(Path("whole"), "meta.json")


# --- bad calls and bad folders


@pytest.mark.parametrize(
    ("arguments", "field", "value", "names"),
    [
        ("experiment volatilty", "experiment", None, ["'volatilty'", "'volatility'"]),
        ("experiment markouts --scenario nowhere.toml", "nowhere.toml", None, ["preset", "file"]),
        (
            "experiment markouts --scenario paper --set makers.0.tiering.tires=3",
            "paper: makers.0.tiering.tires",
            None,
            ["unknown", "'tiers'"],
        ),
        ("experiment markouts --scenario tiny.toml --set steps=16", "markouts", None, ["16 steps"]),
        ("experiment markouts --runs 1", "--runs", 1, [">= 10"]),
        ("experiment markouts --runs -5", "--runs", -5, [">= 10"]),
        ("experiment markouts --runs many", "--runs", None, ["many"]),
        ("experiment markouts --runs 20 --quick", "--runs", None, ["--quick"]),
        ("experiment curves --threads 0", "--threads", 0, [">= 1"]),
        ("experiment curves --seed -1", "--seed", -1, [">= 0"]),
        ("experiment curves --resume here", "--resume", None, ["--threads", "folder"]),
        ("experiment --resume here --quick", "--resume", None, ["--threads", "folder"]),
        ("experiment --resume here --runs 20", "--resume", None, ["--threads", "folder"]),
        ("experiment --resume here --set steps=20", "--resume", None, ["--threads", "folder"]),
        ("experiment --resume here --scenario paper", "--resume", None, ["--threads", "folder"]),
        ("reproduce --resume here --seed 0", "--resume", None, ["--threads", "folder"]),
        ("reproduce --resume here --out there", "--resume", None, ["--threads", "folder"]),
        ("reproduce --resume here", "here", None, ["exist", "report"]),
        ("experiment --resume tiny.toml", "tiny.toml", None, ["not a folder", "report"]),
        ("experiment --resume .", ".", None, ["report", "no meta.json"]),
    ],
)
def test_bad_calls(capsys: pytest.CaptureFixture[str], arguments: str, field: str, value: object, names: list[str]) -> None:
    assert_says(refused(capsys, *arguments.split()), field, value, names=names)
    assert [path.name for path in Path().iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [("experiment curves --rums 3", "--rums"), ("experiment curves more", "more:"), ("reproduce --runs 20", "--runs")],
)
def test_options_that_there_are_not(capsys: pytest.CaptureFixture[str], arguments: str, word: str) -> None:
    assert word in refused(capsys, *arguments.split())
    assert [path.name for path in Path().iterdir()] == ["tiny.toml"]


@pytest.mark.parametrize("command", [["reproduce"], ASKED])
def test_a_folder_in_use_is_left_alone(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").write_text("precious")
    assert_says(refused(capsys, *command, "--out", "full"), "full", names=["empty", "--out"])
    assert_says(refused(capsys, *command, "--out", "tiny.toml"), "tiny.toml", names=["exists"])
    assert contents(Path("full")) == {"mine.txt": b"precious"}
    assert Path("tiny.toml").read_text() == TINY


def test_a_folder_that_exists_and_is_empty_is_filled() -> None:
    Path("empty").mkdir()
    assert main(["experiment", "curves", "--out", "empty"]) == 0
    assert Path("empty/report.html").exists()


DAMAGED = ["report", "meta.json", "damaged"]


def begun(*, complete: bool = False) -> Path:
    """A report that was begun and not finished."""
    experiment = experiment_named("markouts")
    folder = ReportFolder.create(Path("begun"), [Plan.of(experiment, experiment.load_scenario("tiny.toml"), 10)], seed=0)
    assert folder.complete is complete
    return folder.path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", DAMAGED),
        ("{", DAMAGED),
        ("[]", DAMAGED),
        ('{"complete": false}', DAMAGED),
        ('{"version": "0.0.1", "complete": false}', ["0.0.1", __version__]),
    ],
)
def test_folders_that_cannot_be_resumed(capsys: pytest.CaptureFixture[str], text: str, names: list[str]) -> None:
    (begun() / "meta.json").write_text(text)
    before = contents(Path("begun"))
    assert_says(refused(capsys, "experiment", "--resume", "begun"), "begun", names=names)
    assert contents(Path("begun")) == before


@pytest.mark.parametrize(
    ("changes", "field", "names"),
    [
        ({"seed": "some"}, "begun", DAMAGED),
        ({"seed": None}, "begun", DAMAGED),
        ({"plans": None}, "begun", DAMAGED),
        ({"plans": [{"experiment": "markouts"}]}, "begun", DAMAGED),
        (
            {"plans": [{"experiment": "no", "runs": 9, "variation_runs": 9, "command": "", "scenario_sha256": ""}]},
            "experiment",
            ["'no'"],
        ),
    ],
)
def test_meta_that_somebody_edited(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], field: str, names: list[str]
) -> None:
    edit_meta(begun(), **changes)
    assert_says(refused(capsys, "experiment", "--resume", "begun"), field, names=names)


def test_a_scenario_that_somebody_edited(capsys: pytest.CaptureFixture[str]) -> None:
    path = begun() / "scenarios" / "markouts.toml"
    whole = path.read_text()
    for edited in (whole.replace("steps = 20", "steps = 30"), whole[:-20]):
        path.write_text(edited)
        said = refused(capsys, "experiment", "--resume", "begun")
        assert_says(said, "begun/scenarios/markouts.toml", names=["undo", "report"])
    path.unlink()
    assert_says(refused(capsys, "experiment", "--resume", "begun"), "begun", names=["scenarios/markouts.toml", "report"])
    path.write_text(whole)
    assert main(["experiment", "--resume", "begun"]) == 0


def test_a_run_is_not_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.toml", "--out", "run"]) == 0
    capsys.readouterr()
    assert_says(refused(capsys, "experiment", "--resume", "run"), "run", names=["other work", "report"])
    begun()
    assert_says(refused(capsys, "run", "--resume", "begun"), "begun", names=["other work", "a run"])


def test_a_report_in_python() -> None:
    experiment = experiment_named("markouts")
    folder = ReportFolder.create(Path("here"), [Plan.of(experiment, experiment.load_scenario("tiny.toml"), 10)], seed=4)
    with raises(RunFolderError, "here", names=["empty"]):
        ReportFolder.create(Path("here"), [], seed=4)
    done: list[int] = []
    sections = folder.measure(threads=1, progress=done.append)
    assert sum(done) == folder.market_steps == STUDIES * 10 * 20
    written = folder.finish(sections, 1.0)
    assert folder.complete
    assert ReportFolder.open(Path("here")).complete
    assert Path("here/report.html") in written
    assert all(path.is_file() for path in written)
    assert not Path("here/measured").exists()
    page = page_of(Path("here"))
    for table in sections[0].tables:
        numbers, rows = csv(Path("here"), f"markouts-{table.name}"), table_of(page, f"markouts.table.{table.name}")
        assert list(numbers) == list(table.frame)
        for place, column in enumerate(table.columns):
            if column.digits is not None:
                shown = [float(row[place].attributes["data-value"]) for row in rows]
                np.testing.assert_array_equal(shown, numbers[column.name].to_numpy(float))
                np.testing.assert_array_equal(shown, table.frame[column.name].to_numpy(float))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        assert main(["reproduce", "--quick", "--out", f"{name}/quick"]) == 0
        GOLDEN.write_text(json.dumps(summary_of(Path(name, "quick")), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
