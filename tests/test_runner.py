"""Runs: the same bits whatever the threads, chunks, number of replicas, recording or resuming; run folders; results."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import dealermarket.runs.runner
from conftest import raises
from dealermarket import (
    ParameterError,
    RunFolderError,
    Scenario,
    ScenarioError,
    SimulationResult,
    SimulationRunner,
    Tape,
    TapeError,
    __version__,
)
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.tables import RecordLevel


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "meta.json"}


@pytest.mark.usefixtures("tiny_chunks")
def test_threads_chunks_and_number_of_replicas_change_no_bit(small: Scenario) -> None:
    reference = SimulationRunner(small, replicas=7, seed=3).run().summary
    for threads, replicas in ((2, 7), (1, 3), (3, 11)):
        other = SimulationRunner(small, replicas=replicas, seed=3, threads=threads).run().summary
        common = 2 * min(replicas, 7)
        pd.testing.assert_frame_equal(reference[:common], other[:common], check_exact=True)


def test_recording_changes_no_bit(small: Scenario) -> None:
    levels: tuple[RecordLevel, ...] = ("summary", "steps", "trades")
    frames = [SimulationRunner(small, replicas=3, record=level).run() for level in levels]
    for result in frames[1:]:
        pd.testing.assert_frame_equal(frames[0].summary, result.summary, check_exact=True)
    pd.testing.assert_frame_equal(frames[1].steps, frames[2].steps, check_exact=True)


def test_seeds_differ_and_zero_is_a_seed(small: Scenario) -> None:
    rewards = [SimulationRunner(small, replicas=1, seed=seed).run().summary["total_reward"].iloc[0] for seed in (0, 1, 2)]
    assert len(set(rewards)) == 3
    assert SimulationRunner(small, replicas=1, seed=0).run().summary["total_reward"].iloc[0] == rewards[0]


def test_rewards_add_up_across_tables(small: Scenario) -> None:
    result = SimulationRunner(small, replicas=4, record="trades").run()
    columns = ["spread_revenue", "position_revenue", "hedging_cost", "risk_cost", "total_reward"]
    summed = result.steps.groupby(["replica", "maker"])[columns].sum()
    summary = result.summary.set_index(["replica", "maker"])
    assert_allclose(summed, summary.loc[summed.index, columns], rtol=1e-9, atol=1e-15)
    assert_allclose(summary[columns[:4]].sum(axis=1), summary["total_reward"], rtol=1e-12, atol=1e-16)
    orders = result.trades[result.trades["kind"] == "order"]
    share = orders.groupby(["replica", "maker"])["size"].sum() / orders.groupby("replica")["size"].sum()
    assert_allclose(share, summary.loc[share.index, "market_share"], rtol=1e-12)
    volume = result.trades.groupby(["replica", "maker"])["size"].sum()
    assert_allclose(volume, summary.loc[volume.index, "volume"], rtol=1e-12)
    mean_position = result.steps["position"].abs().groupby([result.steps["replica"], result.steps["maker"]]).mean()
    assert_allclose(mean_position, summary.loc[mean_position.index, "mean_abs_position"], rtol=1e-12)


def test_columns_are_the_documented_ones(small: Scenario) -> None:
    result = SimulationRunner(small, replicas=2, record="requests").run()
    rewards = ["spread_revenue", "position_revenue", "hedging_cost", "risk_cost", "total_reward"]
    earned = ["spread_revenue", "client_revenue", "interdealer_revenue", *rewards[1:]]
    of_pnl = ["pnl", "inventory_pnl", "impact_pnl", "pnl_bp"]
    traded = ["volume", "client_volume", "hedge_volume", "trades", "market_share", "hedge_ratio"]
    held = ["mean_abs_position", "mean_squared_position", "position_persistence", "last_abs_position", "internalization"]
    asked = ["requests", "asked", "asked_volume", "hit_ratio", "hit_ratio_volume", "traded_away", "not_traded"]
    assert list(result.summary) == ["replica", "maker", *earned, *of_pnl, *traded, *held, *asked]
    of_steps = ["replica", "step", "maker", "mid", "impact", "reference_spread", "position", "client_revenue", *rewards]
    assert list(result.steps) == [*of_steps, "eps_buy", "eps_sell", "hedge_fraction", "hedge_size", "step_volatility"]
    of_trades = ["replica", "step", "taker", "maker", "side", "size", "spread", "tier", "kind", "position_revenue", "yield"]
    assert list(result.trades) == of_trades
    of_requests = ["replica", "step", "client", "side", "size", "mid", "reference", "makers_asked", "asked", "best_maker"]
    assert list(result.requests) == [*of_requests, "best_spread", "cover_spread", "reservation", "outcome"]
    assert set(result.trades["maker"]) == {"maker-1", "maker-2"}
    assert len(result.steps) == 2 * 30 * 2


@pytest.mark.usefixtures("tiny_chunks")
def test_a_folder_holds_what_memory_holds(small: Scenario, tmp_path: Path) -> None:
    runner = SimulationRunner(small, replicas=5, seed=1, threads=2, record="trades")
    in_memory, on_disk = runner.run(), runner.run(out=tmp_path / "run")
    for other in (on_disk, SimulationResult.load(tmp_path / "run")):
        pd.testing.assert_frame_equal(in_memory.summary, other.summary)
        pd.testing.assert_frame_equal(in_memory.steps, other.steps)
        pd.testing.assert_frame_equal(in_memory.trades, other.trades)
        assert other.complete
        assert other.scenario == small
    assert [path.name for path in sorted((tmp_path / "run").iterdir())] == [
        "meta.json",
        "scenario.toml",
        "steps.parquet",
        "summary.parquet",
        "trades.parquet",
    ]
    in_memory.save(tmp_path / "saved")
    assert files_of(tmp_path / "saved") == files_of(tmp_path / "run")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "run" / "summary.parquet"), in_memory.summary)
    meta = json.loads((tmp_path / "run" / "meta.json").read_text())
    assert meta["complete"] is True
    assert {"version", "seed", "replicas", "steps", "libraries", "seconds", "capped_orders"} <= set(meta)


@pytest.mark.usefixtures("tiny_chunks")
@pytest.mark.parametrize("stop_after", [1, 2, 4])
def test_an_interrupted_run_resumes_to_the_same_bytes(
    small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    runner = SimulationRunner(small, replicas=9, seed=2, record="trades")
    runner.run(out=tmp_path / "whole")
    write, written = RunFolder.write, []

    def interrupted(self: RunFolder, chunk: object) -> None:
        if len(written) == stop_after:
            raise KeyboardInterrupt
        write(self, chunk)  # type: ignore[arg-type]
        written.append(chunk)

    monkeypatch.setattr(RunFolder, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.run(out=tmp_path / "cut")
    monkeypatch.undo()
    (tmp_path / "cut" / "parts" / "steps-0000000008.12345678.parquet.0a1b2c3d.tmp").write_bytes(b"half a file")
    partial = SimulationResult.load(tmp_path / "cut")
    assert not partial.complete
    assert len(partial.summary) == 2 * 2 * stop_after
    with raises(RunFolderError, tmp_path / "cut", names=["--out", "--resume"]):
        runner.run(out=tmp_path / "cut")
    monkeypatch.setattr(dealermarket.runs.chunks, "_CHUNK_NUMBERS", 2 * 30 * 30)
    done: list[int] = []
    result = SimulationRunner.resume(tmp_path / "cut", threads=2, progress=done.append)
    assert sum(done) == (9 - 2 * stop_after) * 30
    assert result.complete
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert not (tmp_path / "cut" / "parts").exists()
    metas = [json.loads((tmp_path / name / "meta.json").read_text()) for name in ("cut", "whole")]
    assert metas[0] | {"seconds": 0, "digest": ""} == metas[1] | {"seconds": 0, "digest": ""}
    assert SimulationRunner.resume(tmp_path / "cut").complete  # nothing left to do


def test_a_run_cut_before_its_first_chunk_says_so(small: Scenario, tmp_path: Path) -> None:
    meta = SimulationRunner(small)._meta()
    RunFolder.create(tmp_path / "run", small, meta)
    with raises(RunFolderError, tmp_path / "run", names=["--resume"]):
        _ = SimulationResult.load(tmp_path / "run").summary
    assert SimulationRunner.resume(tmp_path / "run").complete


def test_folders_that_are_refused(small: Scenario, tmp_path: Path) -> None:
    runner = SimulationRunner(small)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("precious")
    with raises(RunFolderError, full, names=["--out"]):
        runner.run(out=full)
    assert (full / "mine.txt").read_text() == "precious"
    with raises(RunFolderError, full / "mine.txt", names=["--out"]):
        runner.run(out=full / "mine.txt")
    with raises(RunFolderError, full / "mine.txt" / "below", names=["--out"]):
        runner.run(out=full / "mine.txt" / "below")
    for path, *names in (
        (tmp_path / "none", "exist"),
        (full / "mine.txt", "folder"),
        (full, "meta.json"),
    ):
        with raises(RunFolderError, path, names=names):
            SimulationResult.load(path)
    (full / "meta.json").write_text("{")
    with raises(RunFolderError, full, names=["meta.json", "damaged"]):
        SimulationResult.load(full)
    (full / "meta.json").write_text('{"version": "0.0.1"}')
    with raises(RunFolderError, full, names=["0.0.1", __version__]):
        SimulationResult.load(full)
    runner.run(out=tmp_path / "run")
    (tmp_path / "run" / "summary.parquet").write_bytes(b"PAR1 no more")
    with raises(RunFolderError, tmp_path / "run" / "summary.parquet", names=["damaged", "--replicas 1 --seed 0"]):
        SimulationResult.load(tmp_path / "run")
    meta = json.loads((tmp_path / "run" / "meta.json").read_text())
    (tmp_path / "run" / "meta.json").write_text(json.dumps(meta | {"seed": 1}))
    with raises(RunFolderError, tmp_path / "run", names=["meta.json", "damaged"]):
        SimulationResult.load(tmp_path / "run")


def test_a_full_disk_is_a_message_and_loses_nothing(small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)  # of parts
        with pytest.raises(RunFolderError, match=r"run/parts/summary-0000000000\.\w+\.parquet: .*No space.*--out"):
            SimulationRunner(small).run(out=tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr("dealermarket.checksums.ChecksummedFile.write", full)
        with raises(RunFolderError, tmp_path / "run" / "summary.parquet", names=["No space left on device", "--out"]):
            SimulationRunner.resume(tmp_path / "run")
    assert SimulationRunner.resume(tmp_path / "run").complete


def test_what_was_not_recorded_is_said(small: Scenario, tmp_path: Path) -> None:
    runner = SimulationRunner(small)
    with raises(RunFolderError, "steps", names=["record='steps'"]):
        _ = runner.run().steps
    with raises(RunFolderError, tmp_path / "run", names=["summary", "--record trades"]):
        _ = runner.run(out=tmp_path / "run").trades
    with raises(RunFolderError, tmp_path / "run", names=["copy"]):
        SimulationResult.load(tmp_path / "run").save(tmp_path / "copy")


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("replicas", 0, [">= 1"]),
        ("replicas", 2.5, [">= 1"]),
        ("replicas", 100_000_001, ["100,000,000"]),
        ("seed", -1, [">= 0"]),
        ("threads", 0, [">= 1"]),
        ("record", "all", ["summary", "steps", "trades"]),
    ],
)
def test_options_that_are_refused(small: Scenario, field: str, value: object, allowed: list[str]) -> None:
    shown = f"{value:,}" if isinstance(value, int) else repr(value)
    with raises(ParameterError, field, shown, names=allowed):
        SimulationRunner(small, **{field: value})  # type: ignore[arg-type]


def test_a_scenario_must_be_one() -> None:
    with raises(ParameterError, "scenario", "'paper'", names=["Scenario.load"]):
        SimulationRunner("paper")  # type: ignore[arg-type]


def test_a_tape_is_run_as_drawn(small: Scenario, tmp_path: Path) -> None:
    runner = SimulationRunner(small, replicas=3, seed=5, record="steps")
    on_tape = runner.run(tape=Tape.draw(small, 5, 3), out=tmp_path / "run")
    pd.testing.assert_frame_equal(runner.run().steps, on_tape.steps, check_exact=True)
    assert SimulationResult.load(tmp_path / "run").complete
    with raises(TapeError, "tape", names=["30 steps"]):
        runner.run(tape=Tape.draw(small.with_settings("steps=20"), 5, 3))


def test_statistics_have_intervals(small: Scenario) -> None:
    result = SimulationRunner(small, replicas=50).run()
    found = result.statistics()["maker-2"]["pnl"]
    values = result.summary[result.summary["maker"] == "maker-2"]["pnl"]
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std() / np.sqrt(50))
    assert found.margin == pytest.approx(2.009575 * found.error, rel=1e-6)  # Student's law with 49 degrees of freedom, 97.5 %
    alone = SimulationRunner(small, replicas=1).run().statistics()["maker-1"]["pnl"]
    assert np.isfinite(alone.value)
    assert np.isnan(alone.error)


def test_nobody_trades_nothing_breaks() -> None:
    quiet = Scenario.load("paper", ["steps=10", "investors.0.trade_probability=0.0"])
    result = SimulationRunner(quiet, replicas=2, record="trades").run()
    assert len(result.trades) == 0
    assert result.summary["market_share"].isna().all()
    assert (result.summary["total_reward"] == 0).all()
    assert np.isnan(result.statistics()["maker-1"]["internalization"].value)


@pytest.mark.usefixtures("tiny_chunks")
def test_damaged_parts_are_made_again_and_foreign_files_left_alone(
    small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = SimulationRunner(small, replicas=9, record="steps")
    runner.run(out=tmp_path / "whole")
    monkeypatch.setattr(RunFolder, "finish", lambda *_: None)
    runner.run(out=tmp_path / "cut")
    monkeypatch.undo()
    monkeypatch.setattr(dealermarket.runs.chunks, "_CHUNK_NUMBERS", 2 * 30 * 30)
    parts = tmp_path / "cut" / "parts"
    next(parts.glob("steps-0000000002.*")).unlink()
    next(parts.glob("summary-0000000004.*")).write_bytes(b"PAR1")
    (parts / "summary-mine.parquet").write_bytes(b"")
    mine = tmp_path / "cut" / "notes" / "mine.parquet.tmp"
    mine.parent.mkdir()
    mine.write_text("precious")
    assert len(SimulationResult.load(tmp_path / "cut").summary) == 2 * (9 - 4)
    done: list[int] = []
    SimulationRunner.resume(tmp_path / "cut", progress=done.append)
    assert sum(done) == 4 * 30
    assert mine.read_text() == "precious"
    for name in ("summary.parquet", "steps.parquet"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_run_is_not_finished_with_another_scenario(small: Scenario, tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", small, SimulationRunner(small)._meta())
    file = tmp_path / "run" / "scenario.toml"
    text = file.read_text()
    file.write_text(text.replace("volatility = 0.1", "volatility = 0.4"))
    with raises(RunFolderError, file):
        SimulationRunner.resume(tmp_path / "run")
    file.unlink()
    with raises(RunFolderError, tmp_path / "run", names=["scenario.toml"]):
        SimulationRunner.resume(tmp_path / "run")
    file.write_text(text)
    assert SimulationRunner.resume(tmp_path / "run").complete


def test_only_our_own_leftovers_are_removed(small: Scenario, tmp_path: Path) -> None:
    """Those of interrupted writing, in every kind of folder."""
    folder = RunFolder.create(tmp_path / "run", small, SimulationRunner(small)._meta())
    names = ("meta.json.00c0ffee.tmp", "summary.parquet.12345678.tmp", "parts/steps-0000000000.0a0b0c0d.parquet.12345678.tmp")
    ours = [folder.path / name for name in names]
    theirs = [folder.path / name for name in ("notes.12345678.tmp", "parts/notes.txt.tmp", "meta.json.tmp", "meta.json.mine.tmp")]
    for path in (*ours, *theirs):
        path.write_text("half a file")
    folder.make_ready()
    assert not any(path.exists() for path in ours)
    assert all(path.exists() for path in (*theirs, folder.path / "meta.json", folder.path / "scenario.toml"))


def test_prices_that_leave_all_bounds_are_refused() -> None:
    wild = Scenario.load("paper", ["market.mid_price.volatility=100.0", "steps=50000"])
    with raises(ParameterError, "market.mid_price", names=["drift", "volatility", "infinity"]):
        SimulationRunner(wild).run()


def test_prices_beyond_all_numbers_are_refused_before_they_reach_the_engine() -> None:
    with raises(ScenarioError, "makers.0.pricing.alpha", names=["3", "exchange.lam = 1.01"]):
        Scenario.load("internalization", ["exchange.lam=1.01", "makers.*.pricing.alpha=3.0"])
    steep = Scenario.load("internalization", ["exchange.lam=1.01", "makers.*.pricing.alpha=1.3", "steps=40"])
    assert np.isfinite(SimulationRunner(steep, replicas=3).run().summary["total_reward"]).all()
