"""Studies: measures are the runner's numbers to the bit, whatever runs beside them; kept studies; every observer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import dealermarket.runs.chunks
from conftest import Counter, assert_same_bits, raises
from dealermarket import ParameterError, RunFolderError, Scenario, ScenarioError, SimulationResult, SimulationRunner
from dealermarket.checksums import Parts
from dealermarket.runs.statistics import REWARDS
from dealermarket.study import measures as observe
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Study, kept, measure
from dealermarket.study.variants import varied, with_risk_aversion

STEPS, REPLICAS = 24, 5
BUSY = """
reward_horizon = 3
exchange = { v_max = 50.0 }
investors = [
    { name = "often", trade_probability = 0.7, mean_size = 3.0, oracle_probability = 0.5 },
    { name = "seldom", trade_probability = 0.05, mean_size = 5.0 },
    { name = "never", trade_probability = 0.0, mean_size = 1.0 },
    { name = "buyer", trade_probability = 0.5, mean_size = 2.0, buy_probability = 0.8 },
]

[[makers]]
name = "a"
tiering = { kind = "average_yield", tiers = 3 }
pricing = { alpha = 1.0, tier_penalty = 3e-5, eps_buy = -0.1, eps_sell = -0.1 }
hedging = { kind = "full", venue = "makers" }

[[makers]]
name = "b"
tiering = { kind = "revenue_rate", tiers = 2 }
hedging = { kind = "full", venue = "exchange" }

[[makers]]
name = "c"
tiering = { kind = "fixed", tiers = 4, table = { often = 1, seldom = 3 } }
hedging = { kind = "fraction", fraction = 0.4, venue = "best" }
"""


@pytest.fixture(scope="module")
def busy() -> Scenario:
    """Hedges with makers, at the exchange and at the better of both; an investor who hardly trades, and one who never does."""
    return Scenario.from_toml(BUSY, [f"steps={STEPS}"])


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two replicas of the busy market a chunk."""
    monkeypatch.setattr(dealermarket.runs.chunks, "_CHUNK_NUMBERS", 2 * STEPS * (4 + 10 * 3))


def variants(busy: Scenario) -> dict[str, Scenario]:
    return {
        "as it is": busy,
        "no hedges": busy.with_settings("makers.*.hedging.kind=none"),
        "dear tiers": busy.with_settings("makers.*.pricing.tier_penalty=1e-4"),
    }


def assert_equal_measures(first: Measures, second: Measures) -> None:
    assert (list(first), first.makers) == (list(second), second.makers)
    for name, values in first.items():
        assert_same_bits(values, second[name])


# --- studies


@pytest.mark.usefixtures("tiny_chunks")
def test_threads_replicas_and_the_company_change_no_bit(busy: Scenario) -> None:
    every = variants(busy)
    study = Study("one", every, REPLICAS, observe.internalization, "trades")
    reference = measure([study], seed=3)["one"]
    assert list(reference) == list(every)
    assert {len(values) for measures in reference.values() for values in measures.values()} == {REPLICAS}
    threaded = measure([study], seed=3, threads=3)["one"]
    for label in every:
        assert_equal_measures(threaded[label], reference[label])
    alone = measure([Study("two", {"x": every["dear tiers"]}, 3, observe.internalization, "trades")], seed=3)["two"]["x"]
    assert_equal_measures(alone, reference["dear tiers"].first(3))
    others = [Study(str(n), {"x": every["no hedges"]}, n, observe.internalization, "trades") for n in (1, 2, 7)]
    for n, found in measure([*others, study], seed=3, threads=2).items():
        if n != "one":
            common = min(int(n), REPLICAS)
            assert_equal_measures(found["x"].first(common), reference["no hedges"].first(common))


@pytest.mark.usefixtures("tiny_chunks")
def test_variants_are_runs_of_the_runner(busy: Scenario) -> None:
    found = measure([Study("one", variants(busy), REPLICAS, observe.totals)], seed=11, threads=2)["one"]
    for label, scenario in variants(busy).items():
        summary = SimulationRunner(scenario, REPLICAS, seed=11).run().summary
        for name in (*REWARDS, "total_reward", "pnl", "volume", "hedge_volume"):
            assert_same_bits(found[label][name].ravel(), summary[name].to_numpy())
    assert found["no hedges"]["hedge_volume"].sum() == 0
    assert found["as it is"]["hedge_volume"].sum() > 0


def test_seeds_differ(busy: Scenario) -> None:
    study = Study("one", {"x": busy}, 2, observe.totals)
    volume = [measure([study], seed)["one"]["x"]["client_volume"].sum(axis=1) for seed in (0, 1)]
    assert not np.isin(volume[0], volume[1]).any()


def test_a_scenario_under_two_labels_is_run_once(busy: Scenario) -> None:
    other = busy.with_settings("makers.*.hedging.kind=none")
    seen: list[Scenario] = []

    def observed(scenario: Scenario, chunk: Any) -> dict[str, Any]:
        seen.append(scenario)
        return observe.totals(scenario, chunk)

    study = Study("one", {"first": busy, "other": other, "again": busy}, 3, observed)
    steps: list[int] = []
    found = measure([study], seed=0, progress=steps.append)["one"]
    assert sum(steps) == study.market_steps == 2 * 3 * STEPS
    assert seen == [busy, other]
    assert list(found) == ["first", "other", "again"]
    assert_equal_measures(found["first"], found["again"])


@pytest.mark.parametrize(
    "setting",
    [
        "steps=25",
        "reward_horizon=4",
        "exchange.v_max=60.0",
        "market.mid_price.volatility=0.3",
        "investors.often.mean_size=3.5",
        "investors.buyer.oracle_probability=0.1",
        "fewer makers",
    ],
)
def test_another_market_has_another_tape(busy: Scenario, setting: str) -> None:
    other = busy.replace(makers=busy.makers[:2]) if setting == "fewer makers" else busy.with_settings(setting)
    with raises(ParameterError, "study 'q'", names=["'odd'", "market", "tape"]) as refused:
        Study("q", {"first": busy, "same": busy.with_settings("makers.a.pricing.alpha=1.1"), "odd": other}, 2, observe.totals)
    assert "\n" not in str(refused.value)


def test_what_cannot_be_measured_is_refused(busy: Scenario) -> None:
    with raises(ParameterError, "variants"):
        Study("q", {}, 2, observe.totals)
    with raises(ParameterError, "replicas", 0):
        Study("q", {"one": busy}, 0, observe.totals)
    with raises(ParameterError, "threads", 0):
        measure([Study("q", {"one": busy}, 2, observe.totals)], threads=0)
    with raises(ParameterError, "gamma", "'much'"):
        with_risk_aversion(busy, "a", "much")


@pytest.mark.usefixtures("tiny_chunks")
def test_what_goes_wrong_while_observing_is_raised(busy: Scenario) -> None:
    def wrong(scenario: Scenario, chunk: Any) -> dict[str, Any]:
        raise ZeroDivisionError("nothing to see")

    with pytest.raises(ZeroDivisionError, match="nothing to see"):
        measure([Study("one", {"x": busy}, REPLICAS, wrong)], seed=0, threads=2)


# --- measures by maker


def test_a_maker_is_read_by_its_name() -> None:
    arrays = {"pnl": np.arange(6.0).reshape(3, 2), "position": np.arange(24.0).reshape(3, 4, 2)}
    measures = Measures(arrays, ("a", "b"), {"mid": np.arange(3.0)})
    assert (list(measures), len(measures)) == (["pnl", "position", "mid"], 3)
    assert_array_equal(measures.of("b")["pnl"], [1.0, 3.0, 5.0])
    assert_array_equal(measures.of(0)["position"], arrays["position"][:, :, 0])
    assert_array_equal(measures["position"], arrays["position"])
    assert_array_equal(measures.total("pnl"), [1.0, 5.0, 9.0])
    assert set(measures.of("a")) == {"pnl", "position"}  # the mid is nobody's
    with raises(ParameterError, "maker", names=["'c'"]):
        measures.of("c")
    with pytest.raises(KeyError):
        measures["nothing"]


def test_makers_stand_on_the_last_axis() -> None:
    with raises(ParameterError, "pnl"):
        Measures({"pnl": np.zeros((3, 4))}, ("a", "b"))


def test_measures_are_joined_replica_by_replica() -> None:
    parts = [Measures({"x": np.full((n, 2), n)}, ("a", "b"), {"y": np.full((n, 5), n)}) for n in (2, 1)]
    whole = Measures.joined(parts)
    assert whole["x"].tolist() == [[2, 2], [2, 2], [1, 1]] and whole["y"].shape == (3, 5)
    assert_equal_measures(whole.first(2), parts[0])


def test_an_observer_may_give_arrays_by_name_alone(busy: Scenario, tmp_path: Path) -> None:
    def volume(scenario: Scenario, chunk: Any) -> dict[str, Any]:
        return {"volume": chunk.record.totals["volume"].sum(axis=1)}

    study = Study("one", {"a|b": busy}, 3, volume)
    measures = measure([study], keep=tmp_path)["one"]["a|b"]
    assert (measures["volume"].shape, measures.makers, measures.of(0)) == ((3,), (), {})
    again = kept(Parts(tmp_path), f"{study.key(0)}-0.npz")
    assert again is not None
    assert_equal_measures(again["a|b"], measures)


def test_a_field_is_swept(busy: Scenario) -> None:
    variants = varied(busy, "makers.a.pricing.alpha", (1.0, 1.25))
    assert list(variants) == ["1", "1.25"]
    assert [variant.makers[0].pricing.alpha for variant in variants.values()] == [1.0, 1.25]
    assert list(varied(busy, "makers.a.hedging.kind", ("none", "full"))) == ["none", "full"]
    with raises(ScenarioError, "makers.0.pricing.beta"):
        varied(busy, "makers.a.pricing.beta", (1.0,))


# --- studies that are kept


class Counting:
    """Observes the totals and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = Counter()

    def observe(self, scenario: Scenario, chunk: Any) -> dict[str, Any]:
        self.asked.count += 1
        return observe.totals(scenario, chunk)


@pytest.mark.usefixtures("tiny_chunks")
def test_a_finished_study_is_read_back(busy: Scenario, tmp_path: Path) -> None:
    counted, keep = Counting(), tmp_path / "not" / "there" / "yet"
    study = Study("one", variants(busy), REPLICAS, counted.observe)
    first = measure([study], seed=2, keep=keep)["one"]
    assert counted.asked.count == 3 * 3  # chunks and variants
    assert [name.partition("-")[0] for name in Parts(keep)] == 3 * [study.key(2)]
    steps: list[int] = []
    more = Study("more", {"x": busy}, 2, counted.observe)
    again = measure([study, more], seed=2, keep=keep, progress=steps.append)
    assert counted.asked.count == 9 + 1
    assert sum(steps) == study.market_steps + more.market_steps
    assert list(again) == ["one", "more"]
    assert list(again["one"]) == list(first)
    for label, measures in first.items():
        assert_equal_measures(again["one"][label], measures)
    for changed in (replace(study, replicas=4), replace(study, variants={"as it is": busy})):
        asked = counted.asked.count
        measure([changed], seed=2, keep=keep)
        assert counted.asked.count > asked
    asked = counted.asked.count
    measure([study], seed=4, keep=keep)
    assert counted.asked.count == asked + 9
    next(keep.glob(f"{study.key(4)}-*")).unlink()  # as where it was interrupted: what is done is not done again
    steps.clear()
    measure([study], seed=4, keep=keep, progress=steps.append)
    assert counted.asked.count == asked + 9 + 3
    assert sum(steps) == study.market_steps


@pytest.mark.parametrize("damage", ["empty", "no archive", "cut short", "cut in the middle", "a changed byte", "another's"])
def test_a_damaged_file_is_measured_anew(busy: Scenario, tmp_path: Path, damage: str) -> None:
    counted = Counting()
    study = Study("one", {"x": busy, "y": busy.with_settings("makers.*.hedging.kind=none")}, 2, counted.observe)
    first = measure([study], seed=2, keep=str(tmp_path))["one"]
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    measure([study], seed=3, keep=tmp_path / "others")
    (other,) = (tmp_path / "others").iterdir()
    others = other.read_bytes()
    other.unlink()
    other.parent.rmdir()
    path.write_bytes(
        {
            "empty": b"",
            "no archive": b"nothing of ours",
            "cut short": whole[:10],
            "cut in the middle": whole[: len(whole) // 2],
            "a changed byte": whole[:120] + bytes([whole[120] ^ 0xFF]) + whole[121:],
            "another's": others,
        }[damage]
    )
    asked = counted.asked.count
    again = measure([study], seed=2, keep=tmp_path)["one"]
    assert counted.asked.count == asked + 2
    for label, measures in first.items():
        assert_equal_measures(again[label], measures)
    measure([study], seed=2, keep=tmp_path)
    assert counted.asked.count == asked + 2  # it is whole again
    assert list(tmp_path.iterdir()) == [path]


def test_studies_of_the_same_content_share_a_file(busy: Scenario, tmp_path: Path) -> None:
    """A variation may give the value that the scenario has anyway: then two studies are one but for the name."""
    for seed in range(5):
        keep = tmp_path / str(seed)
        studies = [Study(str(n), {"x": busy}, 2, observe.totals) for n in range(6)]
        found = measure(studies, seed, threads=4, keep=keep)
        assert list(Parts(keep)) == [f"{studies[0].key(seed)}-0.npz"] and len(list(keep.iterdir())) == 1
        for measures in found.values():
            assert_equal_measures(measures["x"], found["0"]["x"])


def test_a_key_tells_all_that_the_measures_depend_on(busy: Scenario) -> None:
    study = Study("one", {"x": busy}, 5, partial(observe.cumulative_costs, points=4), "steps")
    changed = [
        replace(study, replicas=6),
        replace(study, record="trades"),
        replace(study, variants={"y": busy}),
        replace(study, variants={"x": busy.with_settings("makers.a.pricing.alpha=1.1")}),
        replace(study, variants={"x": busy.with_settings("market.mid_price.volatility=0.2")}),
        replace(study, variants={"x": busy, "y": busy}),
        replace(study, observe=partial(observe.cumulative_costs, points=5)),
        replace(study, observe=observe.cumulative_costs),
        replace(study, observe=observe.paths),
    ]
    keys = [study.key(0), study.key(1), *(other.key(0) for other in changed)]
    assert len(set(keys)) == len(keys)
    assert replace(study, name="other", variants={"x": busy.with_settings("steps=24")}).key(0) == study.key(0)


def test_a_folder_that_cannot_be_written_is_named(busy: Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with raises(RunFolderError, tmp_path / "file" / "below", names=["written"]):
        measure([Study("one", {"x": busy}, 1, observe.totals)], seed=0, keep=tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "precious"


# --- observers, against the tables of a run


@pytest.fixture(scope="module")
def run(busy: Scenario) -> SimulationResult:
    result = SimulationRunner(busy, REPLICAS, seed=10, record="trades").run()
    trades = result.trades
    hedges = trades[trades["kind"] == "hedge"]
    assert set(hedges["maker"]) == {"exchange", "a", "b", "c"}
    assert set(hedges["taker"]) == {"a", "b", "c"}
    assert len(trades[(trades["taker"] == "seldom")]) < REPLICAS * STEPS / 4
    assert trades["yield"].isna().any() and trades["yield"].notna().any()
    return result


def observed(busy: Scenario, observer: Any, record: Any = "trades") -> Mapping[str, np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dealermarket.runs.chunks, "_CHUNK_NUMBERS", 2 * STEPS * (4 + 10 * 3))
        return measure([Study("one", {"x": busy}, REPLICAS, observer, record)], seed=10)["one"]["x"]


def per(frame: pd.DataFrame, value: str, *axes: tuple[str, Any]) -> np.ndarray:
    """Sums of a column in cells of columns; 0 where there is no row."""
    columns = [column for column, _ in axes]
    cells = pd.MultiIndex.from_product([list(entries) for _, entries in axes])
    summed = frame.groupby(columns, observed=True)[value].sum().reindex(cells, fill_value=0.0)
    return np.asarray(summed.to_numpy().reshape([len(list(entries)) for _, entries in axes]))


def axes(busy: Scenario) -> dict[str, tuple[str, Any]]:
    return {
        "replica": ("replica", range(REPLICAS)),
        "step": ("step", range(STEPS)),
        "maker": ("maker", busy.maker_names),
        "taker": ("taker", [agent.name for agent in busy.agents]),
    }


def positions_after(busy: Scenario, trades: pd.DataFrame) -> np.ndarray:
    """From the trades alone: what makers bought and sold, added up; (replicas, steps, makers)."""
    on = axes(busy)
    signed = trades.assign(signed=trades["side"] * trades["size"])
    sold = per(signed, "signed", on["replica"], on["step"], on["maker"])
    bought = per(signed, "signed", on["replica"], on["step"], ("taker", busy.maker_names))
    return np.cumsum(bought - sold, axis=1)


def test_totals(busy: Scenario, run: SimulationResult) -> None:
    found, on = observed(busy, observe.totals, "summary"), axes(busy)
    for name in (*REWARDS, "total_reward", "pnl", "volume", "hedge_volume"):
        assert_same_bits(found[name].ravel(), run.summary[name].to_numpy())
    orders = run.trades[run.trades["kind"] == "order"]
    assert_allclose(found["client_volume"], per(orders, "size", on["replica"], on["maker"]), rtol=1e-12)
    assert_allclose(found["mean_abs_position"].ravel(), run.summary["mean_abs_position"], rtol=1e-12)
    assert_allclose(found["last_abs_position"], np.abs(positions_after(busy, run.trades)[:, -1]), rtol=1e-9, atol=1e-12)


def test_internalization(busy: Scenario, run: SimulationResult) -> None:
    found, on, trades = observed(busy, observe.internalization), axes(busy), run.trades
    quoted = per(trades, "size", on["replica"], on["step"], on["maker"])
    taken = per(trades, "size", on["replica"], on["step"], ("taker", busy.maker_names))
    volume = np.cumsum(quoted + taken, axis=1)
    assert (volume[:, -1] > volume[:, 0]).all()
    with np.errstate(invalid="ignore"):
        expected = np.abs(positions_after(busy, trades)) / volume
    assert np.isnan(expected).any()  # before the first trade
    assert_allclose(found["position_over_volume"], expected, rtol=1e-9, atol=1e-13)
    assert_allclose(found["position_over_volume"][:, -1].ravel(), run.summary["internalization"], rtol=1e-9)
    orders = trades[trades["kind"] == "order"]
    assert_allclose(found["client_volume"], per(orders, "size", on["replica"], on["maker"]), rtol=1e-12)


def test_client_shares(busy: Scenario, run: SimulationResult) -> None:
    found, on = observed(busy, observe.client_shares)["share"], axes(busy)
    orders = run.trades[run.trades["kind"] == "order"]
    volume = per(orders, "size", on["replica"], on["taker"], on["maker"])
    with np.errstate(invalid="ignore"):
        expected = volume / volume.sum(axis=2, keepdims=True)
    assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(found[:, 2]).all()
    assert_allclose(np.nansum(found, axis=2)[:, [0, 3]], 1.0, rtol=1e-12)


def test_client_yields(busy: Scenario, run: SimulationResult) -> None:
    found, on = observed(busy, observe.client_yields), axes(busy)
    orders = run.trades[run.trades["kind"] == "order"]
    matured = orders[orders["step"] < STEPS - busy.reward_horizon]
    assert matured["yield"].notna().all()
    # spread and position revenue, not the yield itself
    earned = matured.assign(earned=matured["spread"] * matured["size"] + matured["position_revenue"])
    cells = on["replica"], on["taker"], on["maker"]
    assert_allclose(found["matured_volume"], per(matured, "size", *cells), rtol=1e-12)
    assert_allclose(found["revenue"], per(earned, "earned", *cells), rtol=1e-9, atol=1e-15)
    last = orders.groupby(["replica", "taker", "maker"])["tier"].last()
    expected = last.reindex(pd.MultiIndex.from_product([list(entries) for _, entries in cells])).to_numpy(float)
    assert_array_equal(found["last_tier"], expected.reshape(found["last_tier"].shape))
    assert np.isnan(found["last_tier"]).any() and len(np.unique(expected[~np.isnan(expected)])) > 1
    assert_same_bits(found["total_reward"].ravel(), run.summary["total_reward"].to_numpy())


def test_markouts(busy: Scenario, run: SimulationResult) -> None:
    longest = 5
    found = observed(busy, partial(observe.markouts, longest=longest))
    mid = run.steps[run.steps["maker"] == "a"].set_index(["replica", "step"])["mid"]
    orders = run.trades[(run.trades["kind"] == "order") & (run.trades["step"] < STEPS - longest)]
    groups = {"investor": ("taker", [agent.name for agent in busy.agents]), "tier": ("tier", range(4))}
    for group, axis in groups.items():
        cells = ("replica", range(REPLICAS)), axis
        assert_allclose(found[f"by_{group}_volume"], per(orders, "size", *cells), rtol=1e-12)
        assert found[f"by_{group}"].shape == (REPLICAS, 4, longest + 1)
        for h in range(longest + 1):
            now, then = (
                mid.loc[list(zip(orders["replica"], orders["step"] + ahead, strict=True))].to_numpy() for ahead in (0, h)
            )
            revenue = orders.assign(revenue=-orders["side"] * orders["size"] * (then - now))
            assert_allclose(found[f"by_{group}"][:, :, h], per(revenue, "revenue", *cells), rtol=1e-9, atol=1e-15)
    at_horizon = per(orders, "position_revenue", ("replica", range(REPLICAS)), groups["investor"])
    assert_allclose(found["by_investor"][:, :, busy.reward_horizon], at_horizon, rtol=1e-9, atol=1e-15)


def test_position_sizes_and_paths(busy: Scenario, run: SimulationResult) -> None:
    path = observed(busy, observe.paths, "steps")["position"]
    held = run.steps["position"].to_numpy().reshape(REPLICAS, STEPS, 3)
    assert_same_bits(path, held)
    assert_allclose(path[:, 1:], positions_after(busy, run.trades)[:, :-1], rtol=1e-9, atol=1e-12)
    found = observed(busy, observe.position_sizes, "steps")
    by_maker = run.steps.assign(size=run.steps["position"].abs()).groupby(["replica", "maker"])["size"]
    for name, expected in (("mean", by_maker.mean()), ("median", by_maker.median()), ("largest", by_maker.max())):
        assert_allclose(found[name].ravel(), expected, rtol=1e-12)


@pytest.mark.parametrize("points", [5, STEPS, 50])
def test_cumulative_costs(busy: Scenario, run: SimulationResult, points: int) -> None:
    found, on = observed(busy, partial(observe.cumulative_costs, points=points), "steps"), axes(busy)
    times = sorted({round(n * STEPS / points) for n in range(points + 1)})
    assert len(times) == min(points, STEPS) + 1
    assert observe.cost_times(busy, points).tolist() == times
    for name in ("hedging_cost", "risk_cost"):
        costs = -per(run.steps, name, on["replica"], on["step"], on["maker"])
        expected = np.stack([costs[:, :time].sum(axis=1) for time in times], axis=1)
        assert_allclose(found[f"{name}_so_far"], expected, rtol=1e-9, atol=1e-15)
        assert (np.diff(found[f"{name}_so_far"], axis=1) >= 0).all()
        assert_allclose(found[f"{name}_so_far"][:, -1], -found[name], rtol=1e-9)
        assert (found[name] < 0).any()
