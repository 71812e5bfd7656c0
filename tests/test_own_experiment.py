"""Experiments from outside the package: registered by name, with tables and figures as data, from the command to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas

from conftest import raises
from dealermarket import ParameterError, Scenario, register
from dealermarket.commands.main import main
from dealermarket.papers import (
    Column,
    Experiment,
    Outcome,
    Table,
    Verdict,
    above,
    experiment_named,
    experiments,
    left_open,
    register_experiment,
    registry,
    shipped_experiments,
)
from dealermarket.plots import Axis, Band, Bars, Dots, Figure, Heat, Legend, Level, Line, Points, Whiskers, draw
from dealermarket.study import Estimate, Study, mean, observe, varied


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


class Undercutting(Experiment):
    """What docs/experiments.md shows, in a smaller market."""

    name, preset, settings, runs = "undercutting", "paper", ("steps=20", "reward_horizon=3"), 10
    question = "Does a maker earn more when it undercuts the others?"

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [Study("skew", varied(scenario, "makers.0.pricing.eps_buy", (-0.9, 0.0)), runs, observe.totals)]

    def verdicts(self) -> list[Verdict]:
        volume = mean(self.volume("-0.9") - self.volume("0"))
        return [Verdict("more volume", "Who undercuts trades more.", above(volume), f"By {volume.value:.1f} units.")]

    def tables(self) -> list[Table]:
        columns = [Column("eps", "ε", value=str), Column("volume", "volume", 1, lambda eps: mean(self.volume(eps)))]
        return [Table.of("volume", "Volume of a run by ε.", self.results["skew"], *columns)]

    def figures(self) -> list[Figure]:
        volume = Estimate.stacked(mean(self.volume(eps)) for eps in self.results["skew"])
        return [Figure("volume", "Volume by ε.", [Points([-0.9, 0.0], volume)], x=Axis("ε"), y=Axis("volume"))]

    def volume(self, eps: str) -> Any:
        return self.own("skew", eps, "client_volume")


def test_a_registered_experiment_is_run_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    register_experiment(Undercutting)
    assert main(["experiment"]) == 0
    assert "undercutting" in capsys.readouterr().out
    assert main(["experiment", "undercutting", "--threads", "1", "--json", "--out", "here"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["experiments"]
    assert (found["name"], found["outcome"], found["runs"]) == ("undercutting", Outcome.HOLDS, 10)
    cheap, usual = found["tables"]["volume"]
    assert (cheap["eps"], usual["eps"]) == ("-0.9", "0")
    assert cheap["volume"] > usual["volume"] and cheap["volume_low"] < cheap["volume"] < cheap["volume_high"]
    assert Path("here/figures/undercutting-volume.svg").exists()
    text = Path("here/report.md").read_text(encoding="utf-8")
    assert "## Undercutting\n\n**Does a maker earn more" in text  # a title from the name, and no source


def test_registered_experiments_come_after_those_of_the_papers() -> None:
    assert register_experiment(Undercutting) is Undercutting
    assert list(experiments()) == [*shipped_experiments(), "undercutting"]
    assert isinstance(experiment_named("undercutting"), Undercutting)
    register_experiment(Undercutting)  # as a cell of a notebook that is run again
    assert list(experiments()).count("undercutting") == 1


def test_an_experiment_may_be_registered_like_a_kind() -> None:
    assert register(Undercutting) is Undercutting
    assert isinstance(experiment_named("undercutting"), Undercutting)


def test_what_cannot_be_registered() -> None:
    class Taken(Undercutting):
        name = "curves"

    class Half(Experiment):
        name = "half"

    for kind, said in ((Taken, "'curves'"), (Half, "Half: has no question, preset, verdicts")):
        with pytest.raises(ParameterError) as refused:
            register_experiment(kind)
        assert said in str(refused.value)
    assert list(experiments()) == list(shipped_experiments())


def test_what_has_no_short_name_is_said() -> None:
    with raises(ParameterError, "alfa", names=["'alpha'"]):
        left_open(alfa=(1.1,))


def test_an_experiment_says_what_it_needs() -> None:
    class Long(Undercutting):
        name = "long"

        def needs(self, scenario: Scenario) -> str | None:
            return "more than 20 steps" if scenario.steps <= 20 else None

    with raises(ParameterError, "long", names=["more than 20 steps"]):
        Long().load_scenario()
    assert Long().load_scenario(None, ["steps=21"]).steps == 21


def test_cells_come_from_a_function_or_by_row() -> None:
    values, double = {"a": 1.5, "b": 2.5}, Column("double", "double", 1, lambda row: 2 * values[row])
    table = Table.of("t", "c", values, Column("row", "row", value=str), Column("own", "own", 1, values), double)
    assert table.rows() == [["a", "1.5", "3.0"], ["b", "2.5", "5.0"]]
    estimate = mean([[1.0, 5.0], [3.0, 9.0]])
    frame = Table.of("t", "c", range(2), Column("array", "", value=np.array([7, 8])), Column("mean", "mean", 1, estimate)).frame
    assert frame["array"].tolist() == [7, 8]
    assert frame["mean_high"].tolist() == estimate.high.tolist()
    mapping = Table.of("t", "c", [{"own": 4.0}], Column("own", "own", 0))
    assert mapping.rows() == [["4"]]


# --- figures as data


def drawn(*marks: Any, **rest: Any) -> Any:
    return draw(Figure("f", "c", marks, **rest), Canvas().add_subplot())


def test_every_mark_is_drawn_where_it_says() -> None:
    estimate = mean([[1.0, 5.0], [3.0, 9.0]])
    ax = drawn(Line([0, 1], [2, 3], "a line", style="", marker="hollow"), Line([0, 1], [4, 4], style=":"))
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[0, 2], [1, 3]], [[0, 4], [1, 4]]]
    assert [line.get_linestyle() for line in ax.lines] == ["None", ":"]
    ax = drawn(Points([0, 1], estimate, "points"))
    assert ax.lines[0].get_xydata().tolist() == [[0, 2], [1, 7]]
    (bars,) = ax.collections
    for bar, middle, high in zip(bars.get_segments(), estimate.value, estimate.high, strict=True):
        assert bar[:, 1].tolist() == pytest.approx([2 * middle - high, high])
    ax = drawn(Bars([0, 1], [2, 3], base=[10, 10]), Whiskers([0, 1], estimate))
    assert [(bar.get_y(), bar.get_height()) for bar in ax.patches] == [(10, 2), (10, 3)]
    assert len(ax.collections[0].get_segments()) == 2
    ax = drawn(Band([0, 1], [1, 2], [3, 5], "red"))
    assert ax.collections[0].get_datalim(ax.transData).intervaly.tolist() == [1, 5]
    ax = drawn(Level(2.0), Level(7.0, "x"))
    assert (list(ax.lines[0].get_ydata()), list(ax.lines[1].get_xdata())) == ([2, 2], [7, 7])
    ax = drawn(Dots([1, 2], [3, 4], "red"))
    assert ax.collections[0].get_offsets().tolist() == [[1, 3], [2, 4]]
    ax = drawn(Heat(mean([[[0.1, 0.9]], [[0.3, 0.9]]]).value, "{:.1f}"))
    assert [text.get_text() for text in ax.texts] == ["0.2", "0.9"]
    assert [text.get_color() for text in ax.texts] == ["white", "black"]


def test_axes_and_legend() -> None:
    line = Line([0, 1], [0, 1000], "a line")
    ax = drawn(
        line,
        x=Axis("the x", ticks=["a", "b"], limits=(-1, 2)),
        y=Axis("the y", form="{x:,.0f}"),
        title="A title",
        legend=Legend(8, "upper left", title="of"),
    )
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("the x", "the y", "A title")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert ax.get_xlim() == (-1, 2)
    assert ax.yaxis.get_major_formatter()(1000.0) == "1,000"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a line"]
    assert ax.get_legend().get_title().get_text() == "of"
    assert drawn(Line([0, 1], [0, 1])).get_legend() is None
    assert drawn(line, y=Axis(room=0.5)).get_ylim() == (-500, 1500)
