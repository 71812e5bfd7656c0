"""What a run needs: time and memory, estimated before it begins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conftest import assert_says, raises, refused
from dealermarket import ParameterError, Scenario, SimulationRunner, Tape
from dealermarket.commands.main import main
from dealermarket.runs import needs
from dealermarket.runs.chunks import Simulator

GB = 10**9


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine where costs were measured, with 16 GB."""
    monkeypatch.setattr(needs, "speed", lambda: 1.0)
    monkeypatch.setattr(needs, "machine_memory", lambda: 16 * GB)


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["paper", "dealers", "thousand"])
def test_memory_is_that_of_the_arrays(name: str) -> None:
    scenario = Scenario.load(name, ["steps=300"])
    tape = Tape.draw(scenario, replicas=2)
    record = Simulator(scenario, "trades", {}, 0).run(range(2), tape, lambda _: None).record
    working, kept = needs._bytes_of_a_step(scenario, "trades")
    assert record.steps.nbytes + record.trades.nbytes == pytest.approx(600 * kept, rel=0.1)
    own = ("mid", "reference_spread", "order_start", "size", "investor", "side", "log_curve", "tie", "hedge_tie")
    assert sum(getattr(tape, part).nbytes for part in own) < 600 * working
    assert needs._bytes_of_a_step(scenario, "summary")[1] == 0


def test_time_and_memory_grow_with_what_is_asked_for(small: Scenario) -> None:
    def of(scenario: Scenario = small, replicas: int = 100_000, threads: int = 1, **options: object) -> needs.Needs:
        return needs.needs_of(scenario, replicas, threads, **options)  # type: ignore[arg-type]

    assert of(replicas=200_000).seconds == pytest.approx(2 * of().seconds, rel=0.01)
    assert of(replicas=200_000).memory == of().memory  # chunk by chunk
    longer = small.with_settings("steps=1000000")
    assert of(longer, 8, record="steps", in_memory=True).memory > 2 * of(longer, 8, record="steps").memory  # all chunks
    assert of().seconds / 2 <= of(threads=2).seconds < of().seconds < 2 * of(threads=2).seconds * 1.01
    assert of().seconds < of(record="steps").seconds < of(record="trades").seconds
    assert of().seconds < of(policies=1).seconds
    busy = small.with_settings("investors.*.trade_probability=1.0")
    assert of().seconds < of(busy).seconds
    assert of(small.with_settings("makers.*.hedging.kind=none")).seconds < of().seconds
    assert of(small.with_settings("makers.*.hedging.kind=linear")).seconds > of().seconds


def test_a_run_that_does_not_fit_is_refused_before_it_begins(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    scenario = Scenario.load("dealers", ["steps=1000000000"])
    with raises(ParameterError, "memory", names=["16", "steps", "threads"]):
        SimulationRunner(scenario, 2, threads=2).run(out)
    with raises(ParameterError, "memory", names=["16", "record less"]):
        SimulationRunner(scenario.with_settings("steps=100000000"), record="trades").run(out)
    said = refused(capsys, *f"run dealers --steps 1000000000 --out {out}".split())
    assert_says(said, "memory", names=["16", "steps"])
    assert not out.exists()
    assert main(["check", "dealers", "--set", "steps=1000000000"]) == 0  # a market all the same
    assert "more than this machine has" in capsys.readouterr().out
    SimulationRunner(Scenario.load("dealers", ["steps=20"])).run()


def test_where_a_system_does_not_say_what_it_has_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "machine_memory", lambda: None)
    needs.check_memory(needs.Needs(1.0, 1e30), "trades", 2)


def test_a_long_run_is_announced_and_on_a_terminal_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = ["run", "paper", "--steps", "20", "--replicas", "2"]
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(needs, "LONG", 0.0)
    monkeypatch.setattr(needs, "WORTH_SAYING", 0.0)
    assert main([*run, "--out", str(tmp_path / "a")]) == 0
    assert "This run takes" in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = refused(capsys, *run, "--out", str(tmp_path / "b"))
    assert_says(said, "--yes", names=["--replicas"])
    assert not (tmp_path / "b").exists()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main([*run, "--yes", "--out", str(tmp_path / "b")]) == 0
    monkeypatch.setattr(needs, "LONG", 3600.0)
    monkeypatch.setattr(needs, "WORTH_SAYING", 300.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    capsys.readouterr()
    assert main([*run, "--out", str(tmp_path / "c")]) == 0
    assert "This run takes" not in capsys.readouterr().err
    monkeypatch.setattr(needs, "WORTH_SAYING", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main([*run, "--out", str(tmp_path / "d")]) == 0  # said, and nobody is asked
    assert "This run takes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "a second"), (30, "30 seconds"), (600, "10 minutes"), (5400, "90 minutes"), (3e6, "35 days")]
)
def test_durations_are_said_in_the_unit_that_suits(seconds: float, shown: str) -> None:
    assert needs.in_time_units(seconds) == shown
