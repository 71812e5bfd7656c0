"""The command: what it prints, what it writes, and what bad input gets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from conftest import DEADLINE, assert_says, ran, refused
from dealermarket import Scenario, SimulationResult, SimulationRunner
from dealermarket.commands.main import app, main

SMALL = ["--steps", "20", "--replicas", "3", "--threads", "1"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


def test_run_prints_a_table_and_keeps_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "paper", *SMALL]) == 0
    shown = capsys.readouterr()
    for word in ("maker-1", "maker-2", "total", "kept in runs/paper-1", "95 % interval", "3 replicas"):
        assert word in shown.out
    assert "60 market steps" in shown.err
    assert main(["run", "paper", *SMALL]) == 0
    assert "runs/paper-2" in capsys.readouterr().out
    scenario = Scenario.load("paper", ["steps=20"])
    expected = SimulationRunner(scenario, replicas=3).run().summary
    pd.testing.assert_frame_equal(SimulationResult.load("runs/paper-1").summary, expected, check_exact=True)


def test_json_is_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "paper", *SMALL, "--json", "--seed", "4", "--out", "here", "--set", "makers.*.hedging.kind=none"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["seed"] == 4
    assert printed["folder"] == "here"
    scenario = Scenario.load("paper", ["steps=20", "makers.*.hedging.kind=none"])
    expected = SimulationRunner(scenario, replicas=3, seed=4).run().statistics()
    for maker, columns in expected.items():
        for name, statistic in columns.items():
            shown = printed["makers"][maker][name]
            assert list(shown.values()) == [statistic.value, statistic.error, statistic.low, statistic.high]
    assert main(["inspect", "here", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["makers"] == printed["makers"]


def test_inspect_shows_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "paper", *SMALL, "--record", "trades", "--out", "here"])
    capsys.readouterr()
    assert main(["inspect", "here"]) == 0
    shown = capsys.readouterr().out
    for word in ("complete", "seed", "steps.parquet", "120 rows", "trades.parquet", "capped orders", "maker-2"):
        assert word in shown


def test_run_records_what_its_figures_need(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main(["run", "paper", *SMALL, "--out", "rich", "--plot"])
    assert "--record trades" in capsys.readouterr().err
    assert SimulationResult.load("rich").record == "trades"
    drawn = {path.stem for path in Path("rich/plots").iterdir()}
    assert {"pnl", "net_position", "market_share", "client_tiers", "price_curves"} <= drawn
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in Path("rich/plots").iterdir())
    monkeypatch.setattr("dealermarket.commands.run.MOST_RECORDED", 10)
    main(["run", "paper", *SMALL, "--out", "poor", "--plot"])
    assert "run again" in capsys.readouterr().err
    assert SimulationResult.load("poor").record == "summary"
    assert {path.stem for path in Path("poor/plots").iterdir()} == drawn


def test_plot_draws_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "paper", *SMALL, "--out", "here", "--set", "makers.*.hedging.kind=none"])
    capsys.readouterr()
    assert main(["plot", "here", "--format", "svg", "--out", "pictures", "--replica", "2"]) == 0
    shown = capsys.readouterr().out
    assert "replica 2" in Path("pictures/net_position.svg").read_text()
    assert "left out hedging" in shown
    assert_says(refused(capsys, "plot", "here", "--out", "pictures"), "pictures", names=["empty"])
    assert_says(refused(capsys, "plot", "here", "--replica", "9"), "replica", 9, names=["0..2"])


def test_scenarios_are_listed_shown_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["scenarios"], ["scenarios", "list"]):
        assert main(arguments) == 0
        assert "thousand" in capsys.readouterr().out
    assert main(["scenarios", "show", "hedging"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Hedging")
    assert main(["scenarios", "write", "hedging", "mine.toml"]) == 0
    assert Path("mine.toml").read_text() == text
    capsys.readouterr()
    assert main(["check", "mine.toml"]) == 0
    assert "mine.toml: fine; 10 investors, 2 makers" in capsys.readouterr().out
    Path("mine.toml").write_text("precious")
    assert_says(refused(capsys, "scenarios", "write", "paper", "mine.toml"), "mine.toml", names=["exists"])
    assert Path("mine.toml").read_text() == "precious"
    assert_says(refused(capsys, "scenarios", "write", "paper", "no/such/folder.toml"), "no/such/folder.toml", names=["written"])


def test_check_lists_every_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.toml").write_text(
        Path(SOURCE).read_text().replace("lam = 1.6", "lam = 1.0\nlmbda = 2").replace("alpha = 1.5", "alpha = -1")
    )
    assert main(["check", "bad.toml"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4
    assert all(line.startswith("bad.toml: ") for line in said)


SOURCE = Path(__file__).parents[1] / "src" / "dealermarket" / "model" / "presets" / "paper.toml"


@pytest.mark.parametrize(
    ("arguments", "field", "value", "names"),
    [
        ("run", "SCENARIO", None, ["preset", "TOML"]),
        ("run papr", "papr", None, ["preset", "'paper'"]),
        ("run paper --replicas 0", "replicas", 0, [">= 1"]),
        ("run paper --replicas many", "--replicas", None, ["many"]),
        ("run paper --steps 0", "paper: steps", 0, [">= 2"]),
        ("run paper --steps 3", "paper: reward_horizon", 4, ["steps = 3", "5 steps"]),
        ("run paper --threads 0", "--threads", 0, [">= 1"]),
        ("run paper --seed -1", "seed", -1, [">= 0"]),
        ("run paper --set steps", "setting 'steps'", None, ["path.to.field=value"]),
        ("run paper --set exchange.lam=0.9", "paper: exchange.lam", 0.9, [">= 1.01", "below,"]),
        ("run paper --resume runs/x", "--resume", None, ["folder", "scenario"]),
        ("run --resume runs/x --replicas 7", "--resume", None, ["folder", "scenario"]),
        ("run paper --replicas 1000000000000", "replicas", "1,000,000,000,000", ["100,000,000"]),
        ("run paper --set market.mid_price.drift=1e300", "paper: market.mid_price.drift", "1e+300", ["<= 100"]),
        ("run --resume runs/x", "runs/x", None, ["exist", "run"]),
        ("inspect nowhere", "nowhere", None, ["exist", "run"]),
        ("inspect .", ".", None, ["run", "meta.json"]),
        ("plot nowhere", "nowhere", None, ["exist", "run"]),
        ("check nowhere.toml", "nowhere.toml", None, ["preset", "paper"]),
        ("scenarios show nothing", "nothing", None, ["preset", "paper"]),
    ],
)
def test_bad_calls(capsys: pytest.CaptureFixture[str], arguments: str, field: str, value: object, names: list[str]) -> None:
    assert_says(refused(capsys, *arguments.split()), field, value, names=names)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run paper --record all", ["--record", '"all"', '"summary"', '"trades"']),
        ("run paper --rplicas 3", ["--rplicas", "--replicas"]),
        ("run paper dealers", ["dealers:", "run takes", "--help"]),
        ("run paper --plot pnl", ["pnl:", "--plot draws all figures", "docs/figures.md"]),
        ("fly", ['"fly"', "run", "check"]),
    ],
)
def test_commands_and_options_that_there_are_not(capsys: pytest.CaptureFixture[str], arguments: str, words: list[str]) -> None:
    said = refused(capsys, *arguments.split())
    assert all(word in said for word in words)
    assert not Path("runs").exists()


def test_numbers_that_are_not_whole_are_refused_and_not_rounded(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    for command in (name for name in app if not name.startswith("-")):
        options = [option for option in app[command].assemble_argument_collection() if option.name.startswith("--")]
        for option in (option for option in options if int in (option.hint, *get_args(option.hint))):
            needed = [word for other in options if other.required and other is not option for word in (other.name, "1")]
            assert_says(refused(capsys, command, "paper", option.name, "1.5", *needed), option.name, "'1.5'")
            seen.append(option.name)
    assert {"--steps", "--seed", "--step", "--threads"} <= set(seen)


def test_an_output_folder_in_use_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("full").mkdir()
    Path("full/mine.txt").write_text("precious")
    assert_says(refused(capsys, "run", "paper", *SMALL, "--out", "full"), "full", names=["empty", "--out"])
    assert Path("full/mine.txt").read_text() == "precious"
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]


def test_resuming_a_complete_run_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "paper", *SMALL, "--out", "here"])
    before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
    capsys.readouterr()
    assert main(["run", "--resume", "here"]) == 0
    shown = capsys.readouterr()
    assert "here" in shown.err and "complete" in shown.err
    assert "maker-1" in shown.out
    assert before == {path.name: path.read_bytes() for path in Path("here").iterdir()}


# A run that gets a signal from itself when its third part is there. Ctrl-C reaches it even where these tests run in the
# background, which ignores it.
STOPPED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from dealermarket import interrupt
from dealermarket.commands.main import app, main
from dealermarket.runs.folder import RunFolder

interrupt.GRACE = 900.0  # on a busy machine, too, it ends by itself
how, write, written = int(sys.argv.pop(1)), RunFolder.write, []

def stopping(folder, chunk):
    write(folder, chunk)
    written.append(chunk)
    if len(written) == 3:
        os.kill(os.getpid(), how)

RunFolder.write = stopping
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_can_be_finished(how: signal.Signals) -> None:
    arguments = ["--steps", "500", "--replicas", "1200", "--record", "steps"]
    command = [sys.executable, "-c", STOPPED, str(int(how)), "run", "paper", *arguments, "--threads", "1", "--out", "cut"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    said = process.stderr
    if how == signal.SIGINT:
        assert process.returncode == 130, said
        assert "dealermarket run --resume cut" in said
        assert "Traceback" not in said
    else:
        assert process.returncode == -how, said
    partial = SimulationResult.load("cut")
    assert not partial.complete
    assert 3 * len(partial.scenario.makers) <= len(partial.summary) <= 2400  # Ctrl-C may take until the last part is there
    assert main(["run", "--resume", "cut"]) == 0
    assert main(["run", "paper", *arguments, "--out", "whole"]) == 0
    for name in ("summary.parquet", "steps.parquet", "scenario.toml"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes()


def test_importing_and_help_are_light() -> None:
    code = (
        "import sys, dealermarket, dealermarket.commands.main\n"
        "try: dealermarket.commands.main.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numba', 'pandas', 'scipy', 'matplotlib', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran([sys.executable, "-W", "error", "-c", code])


def test_output_can_be_cut_by_its_reader() -> None:
    command = f"{sys.executable} -m dealermarket scenarios show thousand | head -1"
    done = ran(command, shell=True)
    assert done.stdout.startswith("# Thousand")
    assert done.stderr == ""


def test_names_are_texts_whatever_brackets_they_have(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ["--set", "name='[red]x[/red] ü'", "--set", "makers.0.name='mäker[/]'"]
    assert main(["run", "paper", *SMALL, *settings]) == 0
    shown = capsys.readouterr().out
    assert "mäker[/]" in shown
    assert "[red]x[/red] ü, P&L" in shown


# --- kinds of one's own

FLAT = """
from typing import Literal
from dealermarket import register
from dealermarket.model import PricingRule

@register
class Flat(PricingRule):
    kind: Literal["flat"] = "flat"

    @staticmethod
    def curve(size):
        return 1.5 + 0.0 * size
"""


def test_a_file_in_front_of_the_command_registers_kinds(capsys: pytest.CaptureFixture[str], lists_as_they_were: None) -> None:
    asked = ["check", "paper", "--set", "makers.0.pricing.kind=flat"]
    assert_says(refused(capsys, *asked), "paper: makers.0.pricing.kind", names=["'flat'", "power"])
    Path("mine.py").write_text(FLAT)
    assert main(["--with", "mine.py", *asked]) == 0
    assert "paper: fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 1\ny = 1 / 0\n", ["line 2", "ZeroDivisionError"]),
        ("def f(:\n", ["SyntaxError"]),
        (FLAT.replace("def curve(size)", "def curve(price)"), ["Flat.curve", "price"]),
    ],
    ids=["fails", "is no Python", "registers what is no kind"],
)
def test_a_file_of_kinds_that_does_not_run_is_refused(
    source: str, names: list[str], capsys: pytest.CaptureFixture[str], lists_as_they_were: None
) -> None:
    Path("mine.py").write_text(source)
    assert_says(refused(capsys, "--with", "mine.py", "scenarios"), "mine.py", names=names)


def test_with_needs_a_file_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert_says(refused(capsys, "--with", "nowhere.py", "scenarios"), "nowhere.py", names=["file"])
    assert_says(refused(capsys, "--with"), "--with", names=["Python"])
