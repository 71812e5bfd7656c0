"""Comparisons: paired differences as they are worked out by hand, what can be paired, tiers relative to a run, the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from conftest import assert_says, raises, refused
from dealermarket import (
    Action,
    MakerPolicy,
    Observation,
    ParameterError,
    RunFolderError,
    Scenario,
    ScenarioError,
    SimulationResult,
    SimulationRunner,
)
from dealermarket.commands.comparison_folder import write_folder
from dealermarket.commands.main import main
from dealermarket.draws.tape import Tape
from dealermarket.estimates import ratio_by_replica
from dealermarket.model.changes import changes
from dealermarket.plots.comparison import plot_clients, plot_differences
from dealermarket.study import Comparison, Paired, compare, relative_tiers
from dealermarket.study.relative import _Watching

REPLICAS, SEED = 40, 3
PIN = "makers.franchise.tiering.pins.investor-40"


@pytest.fixture(scope="module")
def sides() -> tuple[Scenario, Scenario]:
    """Five makers, and the same of whom one has a better price and gives one client its best tier."""
    base = Scenario.load("dealers", ["steps=40", "makers.*.hedging.venue=exchange"])
    return base, base.with_settings(f"{PIN}=0", "makers.franchise.pricing.alpha=1.2")


@pytest.fixture(scope="module")
def runs(sides: tuple[Scenario, Scenario]) -> tuple[SimulationResult, SimulationResult]:
    a, b = (SimulationRunner(scenario, REPLICAS, SEED, record="trades").run() for scenario in sides)
    return a, b


@pytest.fixture(scope="module")
def comparison(sides: tuple[Scenario, Scenario]) -> Comparison:
    return compare(*sides, REPLICAS, SEED)


def interval_of(differences: Any) -> tuple[float, float, float]:
    """Mean and Student's interval of numbers, one a replica."""
    half = stats.t.ppf(0.975, len(differences) - 1) * np.std(differences, ddof=1) / np.sqrt(len(differences))
    middle = float(np.mean(differences))
    return middle, middle - half, middle + half


def difference_of_ratios(parts: Any, wholes: Any) -> tuple[float, float, float]:
    """The ratio of the sums in b less that in a, each a pair of arrays, with the interval of the paired residuals."""
    ratios = [np.sum(part) / np.sum(whole) for part, whole in zip(parts, wholes, strict=True)]
    residuals = [(p - r * w) / np.mean(w) for p, w, r in zip(parts, wholes, ratios, strict=True)]
    _, low, high = interval_of(residuals[1] - residuals[0])
    difference = ratios[1] - ratios[0]
    return difference, difference + low, difference + high


def assert_row(frame: pd.DataFrame, expected: tuple[float, ...], **where: str) -> None:
    """The one row of a frame whose columns are so says what is expected of a, b, difference, low and high."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    (row,) = frame[["a", "b", "difference", "low", "high"]].to_numpy()
    np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-12)


def test_differences_are_those_of_two_runs(runs: tuple[SimulationResult, SimulationResult], comparison: Comparison) -> None:
    own = [run.summary[run.summary["maker"] == "franchise"].set_index("replica") for run in runs]
    frame = comparison.frame()
    for name in ("pnl", "mean_abs_position", "market_share", "trades"):
        a, b = (summary[name] for summary in own)
        assert_row(frame, (a.mean(), b.mean(), *interval_of(b - a)), maker="franchise", statistic=name)
    parts, wholes = ([summary[name].to_numpy() for summary in own] for name in ("hedge_volume", "client_volume"))
    ratios = [part.sum() / whole.sum() for part, whole in zip(parts, wholes, strict=True)]
    expected = (*ratios, *difference_of_ratios(parts, wholes))
    assert_row(frame, expected, maker="franchise", statistic="hedge_ratio")


def test_clients_are_those_of_the_trades(runs: tuple[SimulationResult, SimulationResult], comparison: Comparison) -> None:
    sums = []
    for run in runs:
        orders = run.trades[(run.trades["kind"] == "order") & (run.trades["taker"] == "investor-40")]
        orders = orders.assign(revenue=orders["yield"] * orders["size"], matured=orders["size"].where(orders["yield"].notna()))
        own = orders[orders["maker"] == "franchise"].groupby("replica")[["size", "matured", "revenue"]].sum()
        own = own.reindex(range(REPLICAS), fill_value=0.0)
        sums.append(own.assign(all=orders.groupby("replica")["size"].sum().reindex(range(REPLICAS), fill_value=0.0)))
    frame = comparison.clients()
    a, b = (each["size"] for each in sums)
    where = {"maker": "franchise", "client": "investor-40"}
    assert_row(frame, (a.mean(), b.mean(), *interval_of(b - a)), **where, measure="volume")
    for measure, part, whole, scale in (
        ("share", "size", "all", 1),
        ("yield", "revenue", "matured", 1),
        ("yield_bp", "revenue", "matured", 1e4),
    ):
        parts, wholes = [scale * each[part].to_numpy() for each in sums], [each[whole].to_numpy() for each in sums]
        ratios = [p.sum() / w.sum() for p, w in zip(parts, wholes, strict=True)]
        assert_row(frame, (*ratios, *difference_of_ratios(parts, wholes)), **where, measure=measure)
    assert comparison.focus == "franchise"
    assert comparison.named_clients == ("investor-40",)


def test_runs_in_memory_and_in_folders_are_compared_alike(
    runs: tuple[SimulationResult, SimulationResult], comparison: Comparison, tmp_path: Path
) -> None:
    loaded = [SimulationResult.load(run.save(tmp_path / name).path) for run, name in zip(runs, "ab", strict=True)]
    for other in (compare(*runs), compare(*loaded)):
        pd.testing.assert_frame_equal(other.frame(), comparison.frame(), check_exact=True)
        pd.testing.assert_frame_equal(other.clients(), comparison.clients(), check_exact=True)
        assert str(other) == str(comparison)


def test_the_replicas_that_both_have_are_paired(sides: tuple[Scenario, Scenario], runs: tuple[SimulationResult, ...]) -> None:
    fewer = SimulationRunner(sides[1], 15, SEED, record="trades").run()
    paired, alone = compare(runs[0], fewer), compare(*sides, 15, SEED)
    assert paired.replicas == 15
    pd.testing.assert_frame_equal(paired.frame(), alone.frame(), check_exact=True)
    pd.testing.assert_frame_equal(paired.clients(), alone.clients(), check_exact=True)


def test_a_scenario_against_itself(sides: tuple[Scenario, Scenario]) -> None:
    itself = compare(sides[0], sides[0], 20)
    frames = itself.frame(), itself.clients()
    for frame in frames:
        there = frame.dropna()
        assert len(there) > 0.9 * len(frame)  # the rest are yields of clients who hardly traded
        assert (there[["difference", "low", "high"]] == 0.0).all(axis=None)
    assert itself.affected_makers == itself.changed_makers == ()


def test_makers_for_whom_nothing_differs_are_known() -> None:
    base = Scenario.load("dealers", ["steps=40", "makers.*.hedging.kind=none"])
    half = "makers.tight.hedging.kind=fraction", "makers.tight.hedging.fraction=0.5", "makers.tight.hedging.venue=exchange"
    comparison = compare(base, base.with_settings(*half), 5)
    assert comparison.affected_makers == comparison.changed_makers == ("tight",)


def test_policies_of_ones_own_are_compared() -> None:
    class Sheds(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return Action(hedge_fraction=1.0)

    base = Scenario.load("internalization", ["steps=50"])
    comparison = compare(base, base.with_policies({"maker-1": Sheds()}), 20)
    assert comparison.changed_makers == ("maker-1",)
    assert bool(comparison.of("maker-1")["mean_abs_position"].leaves_out_zero)
    text = str(comparison)
    for word in ("heuristic → Sheds", "P&L", "maker-2", "±", "*", "20 replicas"):
        assert word in text


def test_the_interval_of_a_difference_of_ratios_covers_it() -> None:
    replicas, times, spread = 100, 4000, 0.2
    rng = np.random.default_rng(5)
    common = rng.lognormal(sigma=spread, size=(replicas, times))  # in both, so that they are paired
    wholes = [common * rng.lognormal(sigma=spread, size=common.shape) for _ in range(2)]
    parts = [ratio * whole * common for ratio, whole in zip((0.3, 0.5), wholes, strict=True)]
    truth = 0.2 * np.exp(1.5 * spread**2)  # E[common^2] / E[common]
    found = Paired.of(*(ratio_by_replica(part, whole) for part, whole in zip(parts, wholes, strict=True))).difference
    covered = np.mean((found.low < truth) & (truth < found.high))
    assert abs(covered - 0.95) < 0.015  # its standard error is 0.0034


def test_without_two_pairs_there_is_no_interval() -> None:
    part, whole = np.array([[0.0, 1.0], [3.0, 2.0], [0.0, 3.0]]), np.array([[0.0, 2.0], [1.0, 4.0], [0.0, 6.0]])
    alone = ratio_by_replica(part, whole)  # in the first column one replica has a whole
    paired = Paired.of(alone, alone[:, ::-1])
    assert paired.a.tolist() == [3.0, 0.5]
    assert paired.difference.value.tolist() == [-2.5, 2.5]
    assert np.isnan([paired.difference.low, paired.difference.high]).all()
    assert paired.certainty.tolist() == [0.0, 0.0]
    assert not paired.leaves_out_zero.any()


# --- what cannot be paired


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("steps=41", "steps", 41),
        ("reward_horizon=3", "reward_horizon", 3),
        ("exchange.v_max=9000", "exchange.v_max", 9000.0),
        ("market.mid_price.volatility=0.3", "market.mid_price.volatility", 0.3),
        ("investors.investor.trade_probability=0.1", "investors.investor.trade_probability", 0.1),
        ("makers.0.name='bob'", "makers", "bob"),
    ],
)
def test_other_markets_are_not_paired(sides: tuple[Scenario, Scenario], setting: str, field: str, value: object) -> None:
    with raises(ParameterError, field, value):
        compare(sides[0], sides[0].with_settings(setting), 2)


def test_fewer_makers_are_not_paired(sides: tuple[Scenario, Scenario]) -> None:
    with raises(ParameterError, "makers", 4, names=["5"]):
        compare(sides[0], sides[0].replace(makers=sides[0].makers[:4]), 2)


def test_other_runs_are_not_paired(sides: tuple[Scenario, Scenario], runs: tuple[SimulationResult, SimulationResult]) -> None:
    with raises(ParameterError, "seed", 4, names=["3"]):
        compare(runs[0], SimulationRunner(sides[1], 2, 4).run())
    tape = Tape.draw(sides[0], SEED, 2)
    with raises(ParameterError, "b", names=["tape"]):
        compare(runs[0], SimulationRunner(sides[0], 2, SEED).run(tape=tape))
    with raises(ParameterError, "replicas", 9):
        compare(*runs, replicas=9)
    with raises(ParameterError, "a, b", names=["Scenario", "SimulationResult"]):
        compare(sides[0], runs[1])
    with raises(ParameterError, "replicas", 0):
        compare(*sides, replicas=0)
    with raises(RunFolderError, "trades", names=["record"]):
        compare(*(SimulationRunner(scenario, 2).run() for scenario in sides)).clients()


def test_what_differs_is_said(sides: tuple[Scenario, Scenario]) -> None:
    a, b = sides
    assert [tuple(change) for change in changes(a, b)] == [
        (PIN, None, 0),
        ("makers.franchise.pricing.alpha", 1.4, 1.2),
    ]
    (change,) = changes(a, a.with_settings("makers.flat.hedging.kind=none", "description=other", "name=other"))
    assert change.path == "makers.flat.hedging"
    assert str(change).endswith("→ none")
    assert changes(a, a) == []


# --- tiers relative to a run


@pytest.mark.parametrize(("held", "word", "tier"), [(2, "better", 1), (2, "worse", 3), (0, "better", 0), (4, "worse", 4)])
def test_a_relative_tier_is_beside_the_one_that_the_client_was_in(small: Scenario, held: int, word: str, tier: int) -> None:
    fixed = "makers.0.tiering.kind=fixed", f"makers.0.tiering.table={{investor-3 = {held}}}"
    base = small.with_settings(*fixed)
    settings = ["makers.1.pricing.alpha=1.3", f"makers.0.tiering.pins.investor-3={word}"]
    resolved, (found,) = relative_tiers(base, settings, replicas=3)
    assert resolved == [settings[0], f"makers.maker-1.tiering.pins.investor-3={tier}"]
    assert (found.mostly, found.share, found.tier, found.replicas) == (held, 1.0, tier, 3)
    assert f"tier {held}" in str(found)
    assert f" {tier}" in str(found) or held == tier


def test_a_relative_tier_is_by_time_and_for_every_maker_its_own(small: Scenario) -> None:
    """A client whom one maker moves from step to step: two thirds of the time to tier 3."""

    class Moves(MakerPolicy):
        def act(self, observation: Observation) -> Action:
            return Action(tiers=1 if observation.step % 3 == 0 else 3)

    base = small.with_policies({"maker-1": Moves()}).with_settings("makers.1.tiering.pins.investor-3=2")
    resolved, found = relative_tiers(base, ["makers.*.tiering.pins.investor-3=better"], replicas=4, threads=2)
    assert resolved == [f"makers.maker-{n}.tiering.pins.investor-3={tier}" for n, tier in ((1, 2), (2, 1))]
    assert [(each.mostly, each.share) for each in found] == [(3, pytest.approx(2 / 3)), (2, 1.0)]


def test_watching_changes_nothing(small: Scenario) -> None:
    adaptive = small.with_settings("makers.1.policy.kind=adaptive")
    watched = {maker: _Watching(adaptive, maker) for maker in adaptive.maker_names}
    seen = SimulationRunner(adaptive, 5, 1, policies=watched).run()
    pd.testing.assert_frame_equal(seen.summary, SimulationRunner(adaptive, 5, 1).run().summary, check_exact=True)
    assert (watched["maker-1"].steps[:10].sum(axis=1) == 5 * adaptive.steps).all()


def test_relative_tiers_are_understood_in_comparisons_alone(small: Scenario) -> None:
    setting = "makers.0.tiering.pins.investor-3=better"
    with raises(ScenarioError, "makers.0.tiering.pins.investor-3", "'better'", names=["compare"]):
        small.with_settings(setting)
    assert relative_tiers(small, ["makers.0.pricing.alpha=1.3"]) == (["makers.0.pricing.alpha=1.3"], [])
    with raises(ScenarioError, "makers.0.tiering.pins.nobody", names=["participant"]):
        relative_tiers(small, ["makers.0.tiering.pins.nobody=worse"])


# --- the command

SMALL = ["--steps", "40", "--replicas", "12", "--threads", "1"]


@pytest.fixture
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


@pytest.mark.usefixtures("_in_an_empty_folder")
@pytest.mark.compiled
def test_one_tier_tighter_in_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    setting = f"{PIN}=better"
    assert main(["compare", "dealers", "--set", setting, *SMALL, "--out", "here"]) == 0
    shown = capsys.readouterr().out
    for word in (
        "P&L",
        "market",
        "b − a",
        "±",
        "yield, bp",
        "investor-40",
        "franchise held investor-40 mostly in tier",
        "12 replicas",
    ):
        assert word in shown
    base = Scenario.load("dealers", ["steps=40"])
    (resolved,), (tier,) = relative_tiers(base, [setting], replicas=12)
    assert str(tier) in shown
    expected = compare(base, base.with_settings(resolved), 12)
    pd.testing.assert_frame_equal(pd.read_csv("here/makers.csv"), expected.frame())
    assert sorted(path.name for path in Path("here").iterdir()) == ["clients.csv", "clients.png", "differences.png", "makers.csv"]
    assert main(["compare", "dealers", "--set", setting, *SMALL, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["makers"]["franchise"]["pnl"] == expected.of("franchise")["pnl"].fields()
    share = expected.by_client["share"][40, expected.makers.index("franchise")]
    assert data["clients"]["franchise"]["investor-40"]["share"] == share.fields()
    assert data["changes"] == [{"path": PIN, "before": None, "after": tier.tier}]


@pytest.mark.usefixtures("_in_an_empty_folder")
def test_folders_of_runs_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    change = ["--set", "makers.0.pricing.alpha=1.3"]
    for name, options in (("a", []), ("b", change), ("seeded", ["--seed", "2"])):
        main(["run", "paper", *SMALL, "--out", name, *options])
    capsys.readouterr()
    assert main(["compare", "a", "b", "--json"]) == 0
    of_runs = json.loads(capsys.readouterr().out)
    assert main(["compare", "paper", *change, *SMALL, "--json"]) == 0
    assert of_runs["makers"] == json.loads(capsys.readouterr().out)["makers"]
    assert main(["compare", "a", "b", "--maker", "maker-2"]) == 0
    shown = capsys.readouterr().out
    for word in ("total reward", "inventory P&L", "--record trades"):
        assert word in shown
    assert main(["compare", "a", "a"]) == 0
    said = capsys.readouterr().out
    assert "the same, and so is every number" in said and "mean ±" not in said
    assert_says(refused(capsys, "compare", "a", "nowhere"), "nowhere", names=["exist"])
    assert_says(refused(capsys, "compare", "a"), "a", names=["a/scenario.toml"])
    assert_says(refused(capsys, "compare", "a", "seeded"), "seed", 2, names=["0"])
    assert_says(refused(capsys, "compare", "a", "paper"), "a", names=["a/scenario.toml"])
    assert_says(refused(capsys, "compare", "a", "b", "--replicas", "3"), "--replicas")


@pytest.mark.usefixtures("_in_an_empty_folder")
@pytest.mark.parametrize(
    ("arguments", "field", "value", "names"),
    [
        ("", "MARKETS", None, ["--set"]),
        ("paper", "--set", None, ["--policy"]),
        ("paper papr", "papr", None, ["preset"]),
        ("paper paper --set steps=9", "--set", None, []),
        ("paper --set exchange.v_max=200", "exchange.v_max", 200.0, ["100.0"]),
        ("paper --set makers.0.pricing.alpha=2 --maker me", "maker 'me'", None, ["maker-1"]),
        ("paper --set makers.0.pricing.alpha=2 --replicas 0", "replicas", 0, [">= 1"]),
        ("paper --set makers.0.tiering.pins.me=better", "makers.0.tiering.pins.me", None, ["participant"]),
        ("paper --set steps=100", "--set steps=100", None, ["--steps 100"]),
        ("paper paper", "paper", None, ["--set", "--policy"]),
        ("paper --set makers.0.pricing.alpha=1.5 --plot", "paper", None, ["--set", "--policy"]),
    ],
)
def test_bad_calls(capsys: pytest.CaptureFixture[str], arguments: str, field: str, value: object, names: list[str]) -> None:
    said = refused(capsys, "compare", *arguments.split())
    assert_says(said, field, value, names=names)
    assert "Running" not in said and "market steps" not in said
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("_in_an_empty_folder")
def test_why_markets_cannot_be_paired_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "dealers", "paper"]) == 2
    said = capsys.readouterr().err
    assert_says(said, "exchange.v_max", 100.0)
    assert_says(said, "investors.investor.log_mean", "not set")
    assert said.count("no common ones") == 1 and "None" not in said


@pytest.mark.usefixtures("_in_an_empty_folder")
@pytest.mark.compiled
def test_one_replica_has_no_intervals_and_pictures_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    change = ["--set", "makers.0.pricing.alpha=1.3", "--steps", "20", "--replicas", "1", "--plot"]
    assert main(["compare", "paper", *change]) == 0
    shown = capsys.readouterr().out
    assert "without intervals" in shown and "±" not in shown and "*" not in shown
    assert Path("comparisons/paper-1/differences.png").exists()


# --- pictures


def test_pictures_show_the_differences(comparison: Comparison) -> None:
    frame, clients = comparison.frame(), comparison.clients()
    picture = plot_differences(frame, "a: this; b: that")
    panels = picture.axes
    assert len(panels) == 6
    pnl = frame[frame["statistic"] == "pnl"]
    (points,) = panels[0].containers
    assert points[0].get_xdata().tolist() == pnl["difference"].tolist()
    assert [label.get_text() for label in panels[0].get_yticklabels()][::-1] == list(comparison.makers)
    share = clients[(clients["maker"] == "franchise") & (clients["measure"] == "share")].set_index("client")
    largest = share.loc[share["difference"].abs().nlargest(30).index]
    picture = plot_clients(clients, "franchise", "a: this; b: that")
    panels = picture.axes
    names = [label.get_text() for label in panels[0].get_yticklabels()][::-1]  # from above
    assert largest.loc[names, "difference"].is_monotonic_decreasing
    assert set(names) == set(largest.index)
    _, a, b = panels[0].lines  # what joins them is first
    assert a.get_xdata().tolist() == pytest.approx(100 * share.loc[names, "a"])
    assert b.get_xdata().tolist() == pytest.approx(100 * share.loc[names, "b"])
    assert a.get_ydata().tolist() == list(range(29, -1, -1))
    (legend,) = picture.legends  # below the panels, where it hides nothing
    assert not any(panel.get_legend() for panel in panels)
    assert "a: this; b: that" in legend.get_title().get_text()


def test_pictures_name_the_scenario_and_its_change(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def saying(draw: Callable[..., Any]) -> Callable[..., Any]:
        def drawn(*given: Any) -> Any:
            said.append(given[-1])
            return draw(*given)

        return drawn

    for draw in (plot_differences, plot_clients):
        monkeypatch.setattr(f"dealermarket.plots.comparison.{draw.__name__}", saying(draw))
    write_folder(comparison, "franchise", tmp_path)
    assert len(said) == 2
    for sides in said:
        assert sides.startswith("a: dealers; b: the same with ")
        assert all(str(change) in sides for change in comparison.changes)
