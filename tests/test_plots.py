"""Figures show the run's own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dealermarket.plots.run import plot_cumulative_reward, plot_market_share, plot_net_position, plot_price_curves, save_plots

from conftest import raises
from dealermarket import ParameterError, RunFolderError, Scenario, SimulationResult, SimulationRunner


@pytest.fixture(scope="module")
def result() -> SimulationResult:
    return SimulationRunner(Scenario.load("paper", ["steps=30"]), replicas=6, record="trades").run()


def test_net_position_is_the_recorded_one(result: SimulationResult) -> None:
    ax = plot_net_position(result, "maker-2", replica=4)
    steps = result.steps
    path = steps[(steps["replica"] == 4) & (steps["maker"] == "maker-2")]["position"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), path)
    assert "units" in ax.get_ylabel()


def test_cumulative_reward_ends_at_the_summary(result: SimulationResult) -> None:
    ax = plot_cumulative_reward(result, "maker-1")
    summary = result.summary[result.summary["maker"] == "maker-1"]
    for line in ax.lines:
        column = str(line.get_label()).replace(" ", "_")
        assert np.asarray(line.get_ydata())[-1] == pytest.approx(summary[column].mean())
    assert len(ax.lines) == 5


def test_market_share_ends_at_the_volumes(result: SimulationResult) -> None:
    lines = plot_market_share(result).lines
    orders = result.trades[result.trades["kind"] == "order"]
    share = orders.groupby("maker")["size"].sum() / orders["size"].sum()
    assert [np.asarray(line.get_ydata())[-1] for line in lines] == pytest.approx(list(100 * share))
    of_summary = SimulationRunner(result.scenario, replicas=6).run()
    bars = plot_market_share(of_summary).patches
    expected = of_summary.summary.groupby("maker")["market_share"].mean()
    assert [bar.get_width() for bar in bars] == pytest.approx(list(100 * expected))  # type: ignore[attr-defined]


def test_price_curves_are_the_makers_quotes(result: SimulationResult) -> None:
    scenario = result.scenario
    lines = {line.get_label(): line for line in plot_price_curves(scenario, "maker-1").lines}
    assert list(lines) == ["tier 0", "tier 1", "tier 2", "tier 3", "tier 4", "reference"]
    size = np.asarray(lines["tier 3"].get_xdata())
    quoted = scenario.makers[0].pricing.spread(size, 3, 0.00015, scenario.exchange)
    np.testing.assert_allclose(np.asarray(lines["tier 3"].get_ydata()), 1e4 * quoted)


def test_unknown_makers_and_formats_are_refused(result: SimulationResult, tmp_path: Path) -> None:
    for draw in (lambda: plot_net_position(result, "x"), lambda: plot_price_curves(result.scenario, "x")):
        with raises(ParameterError, "maker", "'x'", names=["maker-1", "maker-2"]):
            draw()
    with raises(ParameterError, "format", "'gif'", names=["png", "svg"]):
        save_plots(result, tmp_path, "gif")
    (tmp_path / "file").write_text("")
    with raises(RunFolderError, tmp_path / "file" / "below" / "net_position.png", names=["written"]):
        save_plots(result, tmp_path / "file" / "below")


@pytest.mark.slow
def test_many_makers_fit(tmp_path: Path) -> None:
    crowd = SimulationRunner(Scenario.load("thousand", ["steps=6", "investors.0.count=20"]), replicas=2, record="steps").run()
    written, left_out = save_plots(crowd, tmp_path, "svg")
    assert len(written) == 4
    assert left_out == []
    assert "the first 6 of 10 makers" in (tmp_path / "net_position.svg").read_text()
    again, _ = save_plots(crowd, tmp_path / "again", "svg")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]
