"""Statistics: what each is, that one declaration reaches everything, and how they are averaged and ranked."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from rich.console import Console

import dealermarket.runs.statistics as slot
from conftest import assert_same_bits, raises
from dealermarket import ParameterError, RunFolderError, Scenario, SimulationResult, SimulationRunner
from dealermarket.commands.league_table import league_tables
from dealermarket.commands.main import main
from dealermarket.commands.makers_tables import half_lives, makers_tables
from dealermarket.engine.recorder import Record
from dealermarket.engine.records import MAKER_TOTALS
from dealermarket.estimates import Estimate
from dealermarket.policies import HeuristicMaker, PersistentMaker
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.statistics import (
    SHIPPED,
    Statistic,
    Sums,
    in_one_line,
    quotient,
    ranking_statistics,
    register_statistic,
    registered_statistics,
    statistic_named,
    statistics,
)
from dealermarket.runs.statistics.positions import half_life
from dealermarket.study import Contest, League, Study, mean, measure, ratio
from dealermarket.study.measures import totals

Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot, "_registered", {})


def turnover(scenario: Scenario, sums: Sums) -> Array:
    """Volume traded per unit of the mean position."""
    traded = sums.totals["volume"] + sums.totals["hedge_volume"]
    return quotient(traded, sums.totals["abs_position"] / scenario.steps)


def declared(**changes: Any) -> Statistic:
    fields: dict[str, Any] = {
        "name": "turnover",
        "heading": "turn-\nover",
        "unit": "1",
        "meaning": "volume traded over the mean size of the position",
        "function": turnover,
        "more_is_better": False,
        "weight": "mean_abs_position",
    }
    return Statistic(**fields | changes)


def plain(function: Callable[[Scenario, Sums], Array], name: str = "own") -> Statistic:
    return Statistic(name=name, heading=name, unit="1", meaning="a statistic of one's own", function=function)


# --- what each is


def by_hand() -> tuple[Record, int]:
    """Two replicas of two makers, after 4 steps; in the second nothing happened."""
    sums = np.zeros((2, 2), MAKER_TOTALS)
    # spread, position, hedging, risk, P&L, by impact, from clients, quoted, clients', hedged, trades; requests, asked, won,
    # refused, volume asked and refused; |z|, z^2, z times the next z summed
    sums[0, 0] = (8.0, -3.0, -1.0, -0.5, 5.0, -0.125, 6.0, 30.0, 24.0, 12.0, 7, 10, 8, 4, 2, 48.0, 9.0, 12.0, 100.0, 75.0)
    sums[0, 1] = (4.0, 2.0, 0.0, -0.25, 4.5, 0.0, 4.0, 20.0, 8.0, 0.0, 3, 10, 5, 3, 2, 32.0, 9.0, 6.0, 10.0, -5.0)
    position = np.array([[-8.0, 5.0], [0.0, 0.0]])
    kept = dict.fromkeys(Record._fields, np.zeros(0)) | {"totals": sums, "position": position}
    return Record(**kept), 4


NONE = float("nan")
EXPECTED = {
    "spread_revenue": [[8.0, 4.0], [0.0, 0.0]],
    "client_revenue": [[6.0, 4.0], [0.0, 0.0]],
    "interdealer_revenue": [[2.0, 0.0], [0.0, 0.0]],
    "position_revenue": [[-3.0, 2.0], [0.0, 0.0]],
    "hedging_cost": [[-1.0, 0.0], [0.0, 0.0]],
    "risk_cost": [[-0.5, -0.25], [0.0, 0.0]],
    "total_reward": [[3.5, 5.75], [0.0, 0.0]],
    "pnl": [[5.0, 4.5], [0.0, 0.0]],
    "inventory_pnl": [[-2.0, 0.5], [0.0, 0.0]],
    "impact_pnl": [[-0.125, 0.0], [0.0, 0.0]],
    "pnl_bp": [[1e4 * 5.0 / 24.0 / 2.0, 1e4 * 4.5 / 8.0 / 2.0], [NONE, NONE]],
    "volume": [[30.0, 20.0], [0.0, 0.0]],
    "client_volume": [[24.0, 8.0], [0.0, 0.0]],
    "hedge_volume": [[12.0, 0.0], [0.0, 0.0]],
    "trades": [[7, 3], [0, 0]],
    "market_share": [[0.75, 0.25], [NONE, NONE]],
    "hedge_ratio": [[0.5, 0.0], [NONE, NONE]],
    "mean_abs_position": [[3.0, 1.5], [0.0, 0.0]],
    "mean_squared_position": [[25.0, 2.5], [0.0, 0.0]],
    "position_persistence": [[0.75, -0.5], [NONE, NONE]],
    "last_abs_position": [[8.0, 5.0], [0.0, 0.0]],
    "internalization": [[8.0 / 42.0, 0.25], [NONE, NONE]],
    "requests": [[10, 10], [0, 0]],
    "asked": [[8, 5], [0, 0]],
    "asked_volume": [[48.0, 32.0], [0.0, 0.0]],
    "hit_ratio": [[0.5, 0.6], [NONE, NONE]],
    "hit_ratio_volume": [[0.5, 0.25], [NONE, NONE]],
    "traded_away": [[0.25, 0.0], [NONE, NONE]],
    "not_traded": [[0.25, 0.4], [NONE, NONE]],
}


@pytest.mark.parametrize("statistic", SHIPPED, ids=lambda statistic: statistic.name)
def test_each_is_what_it_says(small: Scenario, statistic: Statistic) -> None:
    record, steps = by_hand()
    values = statistic.values(small.with_settings(f"steps={steps}", "market.mid_price.initial=2"), record)
    assert_array_equal(values, EXPECTED[statistic.name])
    assert (values.dtype.kind == "i") == (statistic.name in ("trades", "requests", "asked"))
    assert not np.shares_memory(values, record.totals)
    assert not np.shares_memory(values, record.position)


def test_revenue_of_clients_and_persistence_are_those_of_the_record(small: Scenario) -> None:
    run = SimulationRunner(small, replicas=3, record="trades").run()
    orders = run.trades[run.trades["kind"] == "order"]
    paid = (orders["size"] * orders["spread"]).groupby([orders["replica"], orders["maker"]]).sum()
    summary = run.summary.set_index(["replica", "maker"]).sort_index()
    assert_allclose(summary["client_revenue"], paid.sort_index(), rtol=1e-12)
    assert (summary["interdealer_revenue"] > 0).any()
    assert_allclose(run.steps.groupby(["replica", "maker"])["client_revenue"].sum(), summary["client_revenue"], rtol=1e-12)

    for (replica, maker), row in summary.iterrows():
        chosen = run.steps[(run.steps["replica"] == replica) & (run.steps["maker"] == maker)]
        last = chosen["position"].iloc[-1] * summary.loc[(replica, maker), "last_abs_position"]
        held = chosen["position"].to_numpy()
        product = (held[:-1] * held[1:]).sum()
        assert np.isclose(np.abs(row["position_persistence"] * (held**2).sum() - product), np.abs(last), rtol=1e-9)


def test_half_life() -> None:
    assert_allclose(half_life([-0.2, 0.0, 0.5, 0.5**0.1, 1.0, 1.1]), [0.0, 0.0, 1.0, 10.0, np.inf, np.inf], rtol=1e-12)
    assert np.isnan(half_life(np.nan))


def test_half_lives_are_said_as_far_as_they_are_known() -> None:
    kept = 0.5 ** (1 / np.array([8.0, 4.0, 16.0]))
    sure = Estimate(*map(np.asarray, (kept[0], 0.0, kept[1], kept[2])))

    def said(value: float, low: float, high: float) -> str:
        return half_lives([Estimate(*map(np.asarray, (value, 0.0, low, high))), sure], 0.25)[0]

    assert half_lives([sure]) == ["8.0 [4.0, 16.0]"]
    assert said(*kept) == "2.0 [1.0, 4.0]"
    assert said(0.9, 0.5, 1.0) == said(0.3, 0.1, 1.01) == said(0.6, -0.1, 0.8) == said(1.0, 1.0, 1.0) == "-"
    assert said(0.3, 0.2, 0.4) == said(-0.8, -0.9, -0.7) == "< 0.25"  # a step
    assert said(0.3, -0.2, 0.5**0.1) == "< 2.5"
    assert said(kept[0], np.nan, np.nan) == "2" and said(1.0, np.nan, np.nan) == said(np.nan, np.nan, np.nan) == "-"


def test_names_are_unique_and_all_are_explained() -> None:
    assert len({statistic.name for statistic in SHIPPED}) == len(SHIPPED) == len(EXPECTED)
    for statistic in SHIPPED:
        assert statistic.meaning
        assert statistic.unit
        assert max(len(line) for line in statistic.heading.splitlines()) <= 11
    shares = ["market_share", "hit_ratio", "hit_ratio_volume", "traded_away", "not_traded"]
    assert [statistic.name for statistic in SHIPPED if statistic.percent] == shares
    share = statistic_named("market_share")
    assert (share.label, share.column_heading, share.scale) == ("market share", "market\nshare, %", 100.0)
    assert in_one_line("turn-\nover a\nstep") == "turnover a step"


# --- one declaration


def test_one_declaration_reaches_summary_study_and_league(small: Scenario, tmp_path: Path) -> None:
    before = list(SimulationRunner(small, replicas=1).run().summary)
    register_statistic(declared())
    run = SimulationRunner(small, replicas=12, seed=5, record="trades").run(out=tmp_path / "run")
    assert list(run.summary) == [*before, "turnover"]
    volume = run.trades.groupby(["replica", "maker"])["size"].sum()
    volume = volume.add(run.trades.groupby(["replica", "taker"])["size"].sum().rename_axis(["replica", "maker"]), fill_value=0.0)
    held = run.steps["position"].abs().groupby([run.steps["replica"], run.steps["maker"]]).mean()
    summary = run.summary.set_index(["replica", "maker"])
    expected = (volume.reindex(summary.index) / held.reindex(summary.index)).to_numpy()
    assert_allclose(summary["turnover"], expected, rtol=1e-9)
    assert (expected > 0).all()

    loaded = SimulationResult.load(tmp_path / "run")
    own = summary.xs("maker-2", level="maker")
    assert loaded.statistics()["maker-2"]["turnover"].value == pytest.approx(
        (own["volume"] + own["hedge_volume"]).sum() / own["mean_abs_position"].sum(), rel=1e-12
    )

    measures = measure([Study("one", {"x": small}, 12, totals)], seed=5)["one"]["x"]
    assert_same_bits(np.asarray(measures["turnover"]).ravel(), run.summary["turnover"].to_numpy())

    league = Contest(small, {"heuristic": HeuristicMaker()}, "maker-2", replicas=12, seed=5).run()
    (standing,) = league.standings(by="turnover")
    assert float(standing.mean["turnover"].value) == pytest.approx(loaded.statistics()["maker-2"]["turnover"].value, rel=1e-12)
    assert set(league.frame("turnover")["measure"]) == {statistic.name for statistic in statistics()}


def test_tables_show_it(small: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    register_statistic(declared())
    text = io.StringIO()
    console = Console(width=300, file=text, markup=False)
    for table in makers_tables(SimulationRunner(small, replicas=3).run(), 300):
        console.print(table)
    league = Contest(small, {"heuristic": HeuristicMaker()}, replicas=10).run()
    for table in league_tables(league, "pnl", None, 300):
        console.print(table)
    assert text.getvalue().split().count("turn-") == 2
    assert text.getvalue().count("share, %") == 2  # in both
    settings = ["--scenario", "paper", "--set", "steps=12", "--replicas", "10", "--threads", "1"]
    assert main(["evaluate", "heuristic", "persistent", *settings, "--by", "turnover", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    first, second = (entry["measures"]["turnover"]["mean"] for entry in shown["policies"])
    assert shown["by"] == "turnover"
    assert first < second  # less is better


def test_the_same_columns_whatever_else_is_registered(small: Scenario) -> None:
    before = SimulationRunner(small, replicas=2).run().summary
    register_statistic(plain(lambda _, sums: -sums.position))
    after = SimulationRunner(small, replicas=2).run().summary
    for name in before:
        assert_array_equal(before[name].to_numpy(), after[name].to_numpy())
    assert_array_equal(np.abs(after["own"]), after["last_abs_position"])


def test_registering_again_replaces_and_what_ships_stays() -> None:
    first, second = declared(), declared(heading="other")
    assert register_statistic(first) is first
    register_statistic(plain(turnover))
    register_statistic(second)
    assert registered_statistics() == (second, statistic_named("own"))
    assert statistics() == (*SHIPPED, *registered_statistics())
    assert "turnover" in ranking_statistics()
    assert "own" not in ranking_statistics()
    for statistic, field, names in (
        (declared(name="pnl"), "statistic 'pnl'", ["ships"]),
        (declared(name="other", weight="volum"), "statistic 'volum'", ["declared", "'volume'"]),
        (declared(name="other", weight="turnover"), "statistic 'other'", ["'turnover'", "weighted"]),
    ):
        with raises(ParameterError, field, names=names):
            register_statistic(statistic)
    assert len(registered_statistics()) == 2


@pytest.mark.parametrize("changes", [{"name": "turn over"}, {"name": ""}, {"name": "maker"}, {"weight": "turnover"}])
def test_what_cannot_be_a_column_is_refused(changes: dict[str, str]) -> None:
    with raises(ParameterError, f"Statistic.{next(iter(changes))}"):
        declared(**changes)


@pytest.mark.parametrize(
    "function",
    [
        lambda _, sums: sums.position.sum(axis=1),
        lambda _, sums: sums.position.T[:, :1],
        lambda _, sums: sums.position.astype(str),
        lambda _, sums: None,
    ],
)
def test_values_of_another_shape_or_type_are_refused(small: Scenario, function: Any) -> None:
    record, _ = by_hand()
    with raises(ParameterError, "statistic 'own'", names=["numbers", "(2, 2)"]):
        plain(function).values(small, record)
    register_statistic(plain(function))
    with raises(ParameterError, "statistic 'own'", names=["(3, 2)"]):
        SimulationRunner(small, replicas=3).run().summary  # noqa: B018, read when asked for


def test_a_run_is_resumed_with_the_statistics_it_began_with(
    small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_statistic(declared())
    with RunFolder.create(tmp_path / "cut", small, SimulationRunner(small, replicas=3)._meta()) as folder:
        assert folder.meta["registered"] == ["turnover"]
    SimulationRunner(small, replicas=3).run(out=tmp_path / "whole")
    monkeypatch.setattr(slot, "_registered", {})
    with raises(RunFolderError, tmp_path / "cut", names=["turnover"]):
        SimulationRunner.resume(tmp_path / "cut")
    loaded = SimulationResult.load(tmp_path / "whole")
    assert "turnover" in loaded.summary
    assert list(loaded.statistics()["maker-1"]) == [statistic.name for statistic in SHIPPED]
    register_statistic(declared())
    assert SimulationRunner.resume(tmp_path / "cut").summary.equals(loaded.summary)


def test_what_is_kept_of_a_study_is_of_these_statistics(small: Scenario) -> None:
    study = Study("one", {"x": small}, 2, totals)
    keys = [study.key(0)]
    for statistic in (
        declared(),
        declared(function=lambda _, sums: sums.position),
        declared(function=slot.base.sum_of("pnl")),
        declared(function=slot.base.sum_of("volume")),
        declared(function=np.negative),
    ):
        register_statistic(statistic)
        keys.append(study.key(0))
    assert len(set(keys)) == len(keys)
    register_statistic(declared())
    assert study.key(0) == keys[1]


# --- averages and ranks


def weighted(values: Any, weights: Any) -> Array:
    return declared().by_replica({"turnover": np.asarray(values, float), "mean_abs_position": np.asarray(weights, float)})


def test_a_weighted_average_is_the_ratio_of_the_sums() -> None:
    generator = np.random.default_rng(2)
    whole = generator.exponential(size=(40, 3))
    part = whole * (1 + generator.normal(size=(40, 3)))
    whole[7] = part[7] = 0.0  # has no ratio, and takes part with nothing
    found, expected = mean(weighted(quotient(part, whole), whole)), ratio(part, whole)
    for name in ("value", "error", "low", "high"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)
    assert_allclose(found.value, part.sum(axis=0) / whole.sum(axis=0), rtol=1e-12)
    assert (np.abs(found.value - np.nanmean(quotient(part, whole), axis=0)) > 1e-3).all()


def test_a_weighted_average_of_few() -> None:
    assert np.isnan(weighted([NONE, NONE], [0.0, 0.0])).all()
    assert_array_equal(weighted([NONE, 2.0, NONE], [0.0, 5.0, 0.0]), [NONE, 2.0, NONE])
    assert_allclose(weighted([NONE, 2.0, 8.0], [3.0, 1.0, 2.0]).mean(), 6.0)


def test_where_less_is_better_ranks_are_turned_round(small: Scenario) -> None:
    register_statistic(plain(lambda _, sums: sums.position, "more"))
    register_statistic(declared(name="less", weight=None))
    contest = Contest(small, {"a": HeuristicMaker(), "b": PersistentMaker(), "c": PersistentMaker(low=0.5)}, replicas=10)
    noise = np.random.default_rng(0).normal(size=30)
    values = {"a": noise + 5.0, "b": noise, "c": np.full(30, NONE)}
    league = League(contest, {label: {"pnl": own, "less": own} for label, own in values.items()})
    ranks = {by: [(standing.label, standing.rank) for standing in league.standings(by)] for by in ("pnl", "less")}
    assert ranks == {"pnl": [("a", 1), ("b", 2), ("c", 1)], "less": [("b", 1), ("a", 2), ("c", 1)]}
    (_, second, _) = league.standings("less")
    assert float(second.difference["less"].value) == pytest.approx(5.0)
