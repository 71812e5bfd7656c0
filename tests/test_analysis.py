"""What a desk looks at first: exact tables of small logs, runs and their logs alike, intervals that hold, and what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from conftest import assert_says, raises, refused
from dealermarket import DataError, ParameterError, Scenario, SimulationResult, SimulationRunner
from dealermarket.commands.main import main
from dealermarket.data.analysis import Analysis, analyse, analyse_run
from dealermarket.data.blocks import LEAST_HORIZONS, MOST_BLOCKS, Blocks
from dealermarket.data.desk_tables import DeskTables
from dealermarket.data.export import DeskFiles, export
from dealermarket.data.moves import read_placed
from dealermarket.plots.desk import LARGEST, TOXIC, client_markouts, hit_ratio
from dealermarket.plots.figure import Band, Line, Points
from dealermarket.reading.prices import read_prices

Array = np.ndarray[Any, Any]
STEP = 900.0

# mids of steps 0 to 7, and requests of two clients, of whom the last has no mid two steps later
MIDS = pd.DataFrame({"time": range(8), "mid": [100.0, 100.0, 102.0, 101.0, 103.0, 100.0, 100.0, 100.0]})
RFQS = pd.DataFrame(
    [
        (0, "ann", "buy", 10.0, 100.1, 100.0, "won"),
        (1, "ann", "sell", 5.0, 99.9, 100.0, "traded_away"),
        (2, "bob", "sell", 4.0, 101.5, 102.0, "won"),
        (3, "bob", "buy", 1.0, 101.2, 101.0, "not_traded"),
        (6, "bob", "buy", 2.0, 100.3, 100.0, "won"),
    ],
    columns=["time", "client", "side", "size", "quote", "mid", "outcome"],
)


@pytest.fixture(scope="module")
def run() -> SimulationResult:
    return SimulationRunner(Scenario.load("informed", ["steps=500"]), replicas=30, record="trades").run()


@pytest.fixture(scope="module")
def files(run: SimulationResult) -> DeskFiles:
    return export(run, "maker-1")


@pytest.fixture(scope="module")
def of_run(run: SimulationResult) -> Analysis:
    return analyse_run(run, "maker-1")


def assert_same(first: Analysis, second: Analysis, tables: tuple[str, ...], rtol: float) -> None:
    for name in tables:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(second, name), rtol=rtol, atol=0.0, obj=name)


# --- numbers


def test_tables_of_a_small_log() -> None:
    found = analyse(RFQS, MIDS, reward_horizon=2)
    ann, bob = (row for _, row in found.clients.iterrows())
    assert (ann["client"], ann["requests"], ann["judged"], ann["volume"], ann["won_volume"]) == ("ann", 2, 2, 15.0, 10.0)
    assert (bob["client"], bob["requests"], bob["judged"], bob["volume"], bob["won_volume"]) == ("bob", 3, 2, 7.0, 6.0)
    worth = 1000.0 + 408.0 + 200.0
    expected = {
        "share": (1000 / worth, 608 / worth),
        "hit_ratio": (1 / 2, 2 / 3),
        "hit_ratio_volume": (10 / 15, 6 / 7),
        "traded_away": (1 / 2, 0.0),
        "not_traded": (0.0, 1 / 3),
        "markout_bp": (1e4 * (-20 + 5) / 1500, 1e4 * (-4 * -1 + 1) / (408 + 101)),
        "won_markout_bp": (1e4 * -20 / 1000, 1e4 * 4 / 408),
        "spread_bp": (1e4 * 1 / 1000, 1e4 * 2 / 408),
        "yield_bp": (1e4 * -19 / 1000, 1e4 * 6 / 408),
        "spread_revenue": (1.0, 2.0),
        "markout_revenue": (-20.0, 4.0),
    }
    for name, values in expected.items():
        assert_allclose((ann[name], bob[name]), values, rtol=1e-12, atol=1e-15, err_msg=name)
    total = found.total.iloc[0]
    assert_allclose(total["yield_bp"], 1e4 * (3 - 16) / 1408)
    assert_allclose(found.sides["markout_bp"], [1e4 * (-20 + 1) / 1101, 1e4 * (5 + 4) / 908])
    assert found.sides["side"].tolist() == ["buy", "sell"]
    assert found.tiers.empty and found.book is None and found.seconds is None
    assert found.clients["markout_bp_low"].isna().all()  # of a single block nothing is sure
    assert any("1 requests have no mid 2 steps later" in note for note in found.notes)


def test_markouts_by_horizon_of_a_small_log() -> None:
    found = analyse(RFQS, MIDS, reward_horizon=1).markouts
    ann = found[(found["name"] == "ann") & (found["of"] == "asked")]
    assert ann["horizon"].tolist() == [0, 1, 2, 3, 4]
    mid = MIDS["mid"].to_numpy()
    assert_allclose(ann["markout_bp"], [1e4 * (-10 * (mid[h] - 100) + 5 * (mid[1 + h] - 100)) / 1500 for h in range(5)])
    bob = found[(found["name"] == "bob") & (found["of"] == "won")]
    assert bob["requests"].tolist() == [2, 2, 1, 1, 1]  # the later one has a mid one step later, and no more
    assert_allclose(bob["markout_bp"].iloc[1], 1e4 * (4 * (101 - 102) + 0) / 608)


def test_quotes_in_bins() -> None:
    count = 200
    quotes = np.repeat([1.0, 2.0, 5.0], [100, 60, 40])
    won = np.concatenate([np.arange(100) < 90, np.arange(60) < 30, np.arange(40) < 4])
    rfqs = pd.DataFrame(
        {"time": np.arange(count) % 50, "client": "ann", "side": "buy", "size": 1.0 + np.arange(count), "quote": 100.0 + quotes}
        | {"mid": 100.0, "outcome": np.where(won, "won", "traded_away")}
    )
    found = analyse(rfqs, pd.DataFrame({"time": range(60), "mid": 100.0}), reward_horizon=1).quotes
    assert_allclose(found["quote_bp"], [100.0, 200.0, 500.0])
    assert found["requests"].tolist() == [100, 60, 40]
    assert_allclose(found["hit_ratio"], [0.9, 0.5, 0.1])
    one = analyse(rfqs.assign(quote=100.5), pd.DataFrame({"time": range(60), "mid": 100.0}), reward_horizon=1).quotes
    assert_allclose((one["quote_bp"][0], one["requests"][0]), (50.0, count))


@pytest.mark.compiled
def test_a_run_and_its_log_give_the_same(run: SimulationResult, files: DeskFiles, of_run: Analysis, tmp_path: Path) -> None:
    tables = ("total", "clients", "tiers", "sides", "quotes", "markouts")
    rfqs, mids = files.write(str(tmp_path))
    assert_same(of_run, analyse(rfqs, mids, reward_horizon=4), tables, 1e-9)
    without = files.rfqs.drop(columns="mid")
    assert_same(of_run, analyse(without, files.mids, reward_horizon=4), tables, 0.0)
    own = run.summary[run.summary["maker"] == "maker-1"]
    total = of_run.total.iloc[0]
    assert total["requests"] == own["asked"].sum()
    assert_allclose(total["won_volume"], own["client_volume"].sum())
    trades = run.trades
    judged = trades[(trades["maker"] == "maker-1") & (trades["step"] < run.scenario.steps - run.scenario.reward_horizon)]
    assert_allclose(total["spread_revenue"], (judged["size"] * judged["spread"]).sum())
    assert_allclose(total["markout_revenue"], own["position_revenue"].sum())  # it hedges nothing


def test_what_only_a_run_knows(run: SimulationResult, of_run: Analysis) -> None:
    assert of_run.book is not None
    book, statistics = of_run.book.set_index("statistic"), run.statistics()["maker-1"]
    for name in ("client_revenue", "hedging_cost", "risk_cost", "internalization"):
        assert_array_equal(book.loc[name, ["value", "value_low"]].to_numpy(float), [statistics[name].value, statistics[name].low])
    points = statistics["pnl_bp"]
    assert_allclose(book.loc["pnl", ["bp", "bp_low", "bp_high"]].to_numpy(float), [points.value, points.low, points.high])
    parts = ["client_revenue", "interdealer_revenue", "hedging_cost", "inventory_pnl"]
    for unit in ("value", "bp"):
        assert_allclose(book.loc[parts, unit].sum(), book.loc["pnl", unit])


def test_the_better_informed_rank_as_more_toxic(of_run: Analysis) -> None:
    ranked = of_run.clients["client"].tolist()
    places = {name: place for place, name in enumerate(ranked)}
    by_knowledge = [places[f"investor-{n}"] for n in range(10)]
    assert np.corrcoef(by_knowledge, np.arange(10)[::-1])[0, 1] > 0.95
    assert ranked[0] == "investor-9" and ranked[-1] == "investor-0"
    assert of_run.clients["markout_bp_high"].is_monotonic_increasing


@pytest.mark.compiled
def test_equal_logs_give_equal_bits(run: SimulationResult, of_run: Analysis) -> None:
    assert_same(of_run, analyse_run(run, "maker-1"), tuple(of_run.tables()), 0.0)


# --- intervals


def test_blocks_are_long_beside_a_horizon() -> None:
    for span, longest in ((1000, 16), (100_000, 16), (5, 16)):
        blocks = Blocks.cut(np.arange(7, 7 + span), longest)
        assert blocks.steps >= LEAST_HORIZONS * longest
        assert len(blocks) <= MOST_BLOCKS
        assert (len(blocks) - 1) * blocks.steps < span <= len(blocks) * blocks.steps
        assert_array_equal(blocks.of, np.arange(span) // blocks.steps)


def test_a_resample_has_whole_blocks() -> None:
    place = np.repeat(np.arange(200), 2)
    blocks = Blocks.cut(place, 4)
    part, whole = np.random.default_rng(1).standard_normal((2, len(place)))
    whole = np.abs(whole) + 0.1
    found = blocks.ratio(np.zeros(len(place), np.int64), 2, part, whole)
    drawn = []
    for counts in blocks.weights:
        assert counts.sum() == len(blocks)
        of_each = counts[blocks.of]
        drawn.append((of_each * part).sum() / (of_each * whole).sum())
    assert_allclose(found.value[0], part.sum() / whole.sum())
    n = len(blocks)
    wider = stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975) * np.sqrt(n / (n - 1))
    ends = np.quantile(drawn, [0.025, 0.975]) - found.value[0]
    assert_allclose([found.low[0], found.high[0]], found.value[0] + wider * ends)
    assert np.isnan(found.value[1])
    few = blocks.ratio((place >= 9 * blocks.steps).astype(np.int64), 2, part, whole)
    assert np.isnan(few.low[0]) and np.isfinite(few.value[0]) and np.isfinite(few.low[1])


@pytest.mark.compiled
def test_bands_cover_the_mean_of_many_desks(tmp_path: Path) -> None:
    desks, steps = 100, 1000
    scenario = Scenario.load("informed", [f"steps={steps}"])
    rfqs, mids = export(scenario, "maker-1", replicas=desks, seed=5).write(tmp_path, parquet=True)
    recording = read_prices(str(mids), {}, STEP, 4.0)
    log, place = read_placed(rfqs, None, None, recording, STEP)

    def tables(which: Array) -> pd.DataFrame:
        desk = DeskTables(log.chosen(which), recording, place[which], 4)
        clients = desk.table(desk.by_client).sort_values("client")
        return pd.concat([clients, desk.table(desk.as_one)], ignore_index=True)

    truth, covered = tables(np.ones(len(log), np.bool_)), []
    for desk in range(desks):
        found = tables(place // steps == desk)
        assert found["client"].equals(truth["client"])
        covered.append((found["markout_bp_low"] <= truth["markout_bp"]) & (truth["markout_bp"] <= found["markout_bp_high"]))
    told = np.stack(covered)  # (desks, clients and all of them as one)
    assert 0.91 < told[:, :-1].mean() < 0.98  # its standard error is .007
    assert 0.86 < told[:, -1].mean() <= 1.0  # .022


def test_neighbours_that_move_together_widen_the_interval() -> None:
    """A hundred requests a step on one side are one bet, and not a hundred."""
    rng = np.random.default_rng(2)
    steps, each = 600, 100
    mid = 100.0 + np.cumsum(rng.standard_normal(steps + 8))
    side = np.repeat(rng.choice([-1, 1], steps), each)
    place = np.repeat(np.arange(steps), each)
    markout = -side * (mid[place + 8] - mid[place])
    found = Blocks.cut(place, 32).ratio(np.zeros(len(place), np.int64), 1, markout, np.ones(len(place)))
    alone = markout.std() / np.sqrt(len(markout))
    assert found.error[0] > 5 * alone


# --- what logs can be like


def test_one_client_and_nothing_won(tmp_path: Path, files: DeskFiles, capsys: pytest.CaptureFixture[str]) -> None:
    mine = files.rfqs[files.rfqs["client"] == "investor-9"]
    DeskFiles(mine.assign(outcome="traded_away", cover=np.nan), files.mids).write(tmp_path)
    assert main(["analyse", str(tmp_path / "rfqs.csv"), "--mids", str(tmp_path / "mids.csv"), "--reward-horizon", "4"]) == 0
    shown = capsys.readouterr().out
    assert "investor-9" in shown and "Nothing was won" in shown
    found = analyse(mine.assign(outcome="traded_away", cover=np.nan), files.mids, reward_horizon=4)
    assert len(found.clients) == 1
    assert np.isnan(found.clients["yield_bp"][0]) and found.clients["markout_bp_high"][0] < 0


def test_mids_that_end_before_the_requests(files: DeskFiles) -> None:
    early = files.mids.iloc[: 5 * 500]
    found = analyse(files.rfqs, early, reward_horizon=4)
    inside = files.rfqs["time"] <= early["time"].iloc[-1]
    assert found.total["requests"][0] == inside.sum()
    assert any(f"{(~inside).sum():,} requests at times without mids" in note for note in found.notes)
    with raises(DataError, "rfqs.parquet"):
        analyse(files.rfqs, files.mids.assign(time=files.mids["time"] + pd.Timedelta(days=3650)))


def test_horizons_and_steps_that_cannot_be(files: DeskFiles) -> None:
    for horizon in (0, 500):
        with raises(ParameterError, "reward_horizon", horizon):
            analyse(files.rfqs, files.mids, reward_horizon=horizon)
    for seconds in (0.0, -1.0, float("nan")):
        with raises(ParameterError, "step_seconds", seconds):
            analyse(files.rfqs, files.mids, step_seconds=seconds)
    with raises(DataError, "mids.parquet"):
        analyse(files.rfqs, files.mids, step_seconds=1.0)  # no two mids are a second apart


# --- what is shown and written


@pytest.fixture
def folder(run: SimulationResult, files: DeskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files.write(tmp_path)
    run.save("run")
    return tmp_path


def widest(shown: str) -> int:
    """Of all lines but that which lists files."""
    return max(len(line) for line in shown.splitlines() if not line.startswith("wrote"))


@pytest.mark.compiled
def test_the_command_shows_and_writes(folder: Path, of_run: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", "run", "--maker", "maker-1", "--out", "of-run"]) == 0
    shown = capsys.readouterr().out
    assert widest(shown) <= 140
    for word in ("investor-9", "tier 4", "clients buy", "hedging cost", "Look at investor-9 first"):
        assert word in shown
    assert main(["analyse", "rfqs.csv", "--mids", "mids.csv", "--out", "of-log"]) == 0
    assert widest(capsys.readouterr().out) <= 140
    names = {path.name for path in Path("of-run").iterdir()}
    assert names - {path.name for path in Path("of-log").iterdir()} == {"book.csv", "book.parquet"}
    assert {"markouts.png", "hit_ratio.png", "analysis.html"} <= names
    for name, table in of_run.tables().items():
        pd.testing.assert_frame_equal(pd.read_parquet(f"of-run/{name}.parquet"), table, check_dtype=False)
        assert pd.read_csv(f"of-run/{name}.csv").shape == table.shape


@pytest.mark.compiled
def test_json_has_every_table(folder: Path, of_run: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", "run", "--json"]) == 0

    def no_constant(name: str) -> None:
        raise AssertionError(name)

    printed = json.loads(capsys.readouterr().out, parse_constant=no_constant)
    assert [row["client"] for row in printed["clients"]] == of_run.clients["client"].tolist()
    assert printed["clients"][0]["markout_bp"] == of_run.clients["markout_bp"][0]
    assert set(of_run.tables()) <= set(printed)


def test_formulas_stay_texts(folder: Path) -> None:
    pd.read_csv("rfqs.csv").replace({"client": {"investor-9": '=HYPERLINK("x")', "investor-8": "+1"}}).to_csv(
        "rfqs.csv", index=False
    )
    assert main(["analyse", "rfqs.csv", "--mids", "mids.csv", "--out", "out"]) == 0
    assert {'=HYPERLINK("x")', "+1"} <= set(pd.read_parquet("out/clients.parquet")["client"])
    assert {'\'=HYPERLINK("x")', "'+1"} <= set(pd.read_csv("out/clients.csv")["client"])


def test_what_the_command_refuses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = ("analyse", "rfqs.csv", "--mids", "mids.csv")
    assert_says(refused(capsys, *log, "--maker", "maker-1"), "--maker")
    assert_says(refused(capsys, "analyse", "run", "--mids", "mids.csv"), "--mids")
    assert_says(refused(capsys, "analyse", "run", "--step-seconds", "900"), "--step-seconds")
    assert_says(refused(capsys, *log, "--out", "run"), "run")
    assert_says(refused(capsys, "analyse", "nothere.csv", "--mids", "mids.csv"), "nothere.csv")
    assert_says(refused(capsys, *log[:3], "nothere.csv"), "nothere.csv")
    assert main(["analyse", "run", "--maker", "maker-9"]) == 2
    assert_says(capsys.readouterr().err, "maker", names=["maker-9"])


def test_figures_have_the_numbers(of_run: Analysis) -> None:
    figures = client_markouts(of_run.markouts, of_run.clients, of_run.reward_horizon).figures
    ranked, toxic = of_run.clients["client"].tolist(), of_run.clients.head(TOXIC)
    others = of_run.clients.iloc[TOXIC:].sort_values("volume", ascending=False)["client"].tolist()
    assert [figure.title for figure in figures] == [*toxic["client"], *others[:LARGEST]]
    line = [mark for mark in figures[0].marks if isinstance(mark, Line)][-1]
    assert np.asarray(line.y)[np.asarray(line.x) == 4] == of_run.clients["markout_bp"][0]
    for figure in figures:
        assert sum(isinstance(mark, Band) for mark in figure.marks) == 1
        assert of_run.reward_horizon in (figure.x.at or ()) and figure.y == figures[0].y
    few = client_markouts(of_run.markouts, of_run.clients.head(4), 4)
    assert [figure.title for figure in few.figures] == ranked[:4]
    (points,) = (mark for mark in hit_ratio(of_run.quotes).marks if isinstance(mark, Points))
    assert_allclose(points.estimate.value, 100 * of_run.quotes["hit_ratio"])
