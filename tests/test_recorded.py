"""Prices from files: what is read, what is left out and counted, and what markets make of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from conftest import raises, refused
from dealermarket import DataError, ParameterError, Scenario, SimulationResult, SimulationRunner, Tape, TapeError
from dealermarket.commands.main import main
from dealermarket.draws.files import read_from_files
from dealermarket.draws.streams import Episode
from dealermarket.draws.tape import TapeSource
from dealermarket.reading.prices import Recording, read_prices
from dealermarket.study import Study
from dealermarket.study.measures import totals

MINUTE = 60.0
Array = np.ndarray[Any, Any]


def written(folder: Path, text: str, name: str = "mids.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def read(folder: Path, text: str, columns: dict[str, str] | None = None, seconds: float = MINUTE, gap: float = 4.0) -> Recording:
    return read_prices(written(folder, text), columns or {}, seconds, gap)


def walk(prices: int, seed: int = 0) -> Array:
    return 1.1 * np.exp(np.cumsum(1e-4 * np.random.default_rng(seed).standard_normal(prices)))


@pytest.fixture
def quotes(tmp_path: Path) -> tuple[str, Array]:
    """A file of 700 bids and asks, a step each, and their mids."""
    mid = walk(700)
    table = pd.DataFrame({"step": range(700), "bid": mid - 1e-5, "ask": mid + 3e-5})
    table.to_csv(tmp_path / "quotes.csv", index=False)
    return str(tmp_path / "quotes.csv"), mid + 1e-5


def recorded(file: str, *settings: str) -> Scenario:
    market = f"market.mid_price={{kind='recorded', file='{file}'}}"
    return Scenario.load("paper", ["steps=96", "investors.*.trade_probability=0.5", market, *settings])


SPREADS = "market.reference_spread={kind='recorded'}"
BLOCKS = ("market.mid_price.bootstrap=block", "market.mid_price.block=30")


# --- columns


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("time,mid", {}),
        ("Timestamp, Mid Price", {}),
        ("DATE,price", {}),
        ("when,what", {"time": "when", "mid": "what"}),
        ("time;mid", {}),
        ("time\tmid", {}),
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, header: str, columns: dict[str, str]) -> None:
    delimiter = next(mark for mark in ";\t," if mark in header)
    rows = "".join(f"{n}{delimiter}{1.5 + n}\n" for n in range(3))
    assert read(tmp_path, f"{header}\n{rows}", columns).mid.tolist() == [1.5, 2.5, 3.5]


def test_the_same_from_every_kind_of_file(tmp_path: Path) -> None:
    table = pd.DataFrame({"time": pd.date_range("2024-03-01T09:00", periods=50, freq="20s", tz="Europe/London"), "mid": walk(50)})
    table.to_parquet(tmp_path / "a.parquet")
    table.assign(time=table["time"].map(str)).to_parquet(tmp_path / "b.parquet")
    table.to_csv(tmp_path / "c.csv", index=False)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress((tmp_path / "c.csv").read_bytes()))
    table.to_csv(tmp_path / "e.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    seconds = (table["time"] - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    table.assign(time=seconds).to_csv(tmp_path / "f.csv", index=False)
    table.assign(time=1e3 * seconds).to_csv(tmp_path / "g.csv", index=False)
    found = [read_prices(str(path), {}, MINUTE, 4.0) for path in sorted(tmp_path.iterdir())]
    assert len(found) == 7
    for recording in found:
        assert_array_equal(recording.mid, found[0].mid)
    assert_array_equal(found[0].mid, table["mid"].to_numpy()[::3])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("time,mid\n", ["no rows"]),
        ("time,rate\n0,1\n", ["mid", "columns"]),
        ("mid\n1\n", ["time", "columns"]),
        ("time,mid,price\n0,1,1\n", ["'mid', 'price'", "columns"]),
        ("time,mid,mid\n0,1,1\n", ["'mid' twice"]),
        ("time,mid\n0,1\n1,one\n2,two\n", ["'mid'", "2 rows: 3 ('one'), 4 ('two')"]),
        ("time,mid\n" + "".join(f"{n},x\n" for n in range(30)), ["30 rows: 2 ('x'), 3 ('x')", "..."]),
        ("time,mid\n0,inf\n", ["'mid'", "1 row: 2"]),
        ("time,mid\n0,1\n1,-1\n", ["above 0", "1 row: 3 (-1.0)"]),
        ("time,mid\n0,1\n1,1,1\n", ["1 row", "row 3 has 3 cells", "header 2"]),
        ("time,mid\nnoon,1\n", ["'time'", "1 row: 2 ('noon')", "2024-01-31T09:30:00Z"]),
        ("time,mid\n2024-01-01T10:00Z,1\n2024-01-01T10:01,1\n2024-01-01T10:02Z,1\n", ["without a time zone", "1 row: 3"]),
        ("time,mid\n,1\n", ["no row with a time and a price"]),
        ("time,mid\n0.2,1\n0.9,1\n", ["no step"]),
    ],
)
def test_files_that_will_not_do_are_refused_with_their_rows(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_other_things_that_are_no_files_of_prices(tmp_path: Path) -> None:
    with raises(DataError, tmp_path / "nothing.csv"):
        read_prices(str(tmp_path / "nothing.csv"), {}, MINUTE, 4.0)
    with raises(DataError, tmp_path):
        read_prices(str(tmp_path), {}, MINUTE, 4.0)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with raises(DataError, tmp_path / "broken.parquet"):
        read_prices(str(tmp_path / "broken.parquet"), {}, MINUTE, 4.0)
    for infinite in ("time", "mid"):
        pd.DataFrame({"time": [0.0, 1.0], "mid": [1.0, 2.0], infinite: [0.5, np.inf]}).to_parquet(tmp_path / "inf.parquet")
        with raises(DataError, tmp_path / "inf.parquet", names=[infinite, "1 row: 2 (inf)"]):
            read_prices(str(tmp_path / "inf.parquet"), {}, MINUTE, 4.0)
    with pytest.raises(DataError, match="did you mean 'mid'"):
        read(tmp_path, "time,mid\n0,1\n", {"mids": "mid"})
    with pytest.raises(DataError, match="no column 'price'"):
        read(tmp_path, "time,mid\n0,1\n", {"mid": "price"})


# --- prices step by step


def test_a_step_has_the_last_price_that_was_there(tmp_path: Path) -> None:
    """Steps of a minute, the first at 10:01: it sees the price of 10:00:40, 10:02 its own, 10:03 that of 10:02:59."""
    times = ["10:00:10", "10:00:40", "10:02:00", "10:02:59", "10:03:01", "10:04:00"]
    text = "time,mid\n" + "".join(f"2024-01-02T{time}Z,{n + 1}\n" for n, time in enumerate(times))
    recording = read(tmp_path, text)
    assert recording.mid.tolist() == [2.0, 3.0, 4.0, 6.0]
    assert recording.sessions.tolist() == [0, 4]


def test_a_gap_ends_a_session(tmp_path: Path) -> None:
    rows = [*range(5), *range(8, 11), *range(15, 18)]
    recording = read(tmp_path, "step,mid\n" + "".join(f"{n},{n + 1}\n" for n in rows))
    assert recording.mid.tolist() == [1, 2, 3, 4, 5, 5, 5, 5, 9, 10, 11, 16, 17, 18]  # 4 steps are no gap, 5 are one
    assert recording.sessions.tolist() == [0, 11, 14]
    assert "2 sessions" in recording.notes[1] and "5 steps" in recording.notes[1]
    moves = np.diff(np.log(recording.mid))
    assert_array_equal(recording.log_returns, np.delete(moves, 10))


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    text = "time,bid,ask\n0,1,2\n2,3,4\n1,2,3\n2,5,6\n3,5,5\n4,7,6\n5,,8\n,1,2\n6,7,8\n"
    recording = read(tmp_path, text)
    assert recording.mid.tolist() == [1.5, 2.5, 5.5, 5.5, 5.5, 5.5, 7.5]
    assert recording.spread is not None and recording.spread.tolist() == [1.0] * 7
    notes = "\n".join(recording.notes)
    for said in ("9 rows", "2 rows: 6, 7: a bid not below its ask", "1 row: 8: without a price", "1 row: 9: without a time"):
        assert said in notes
    assert "1 rows came before an earlier one" in notes and "1 rows have the time of another" in notes
    assert "UTC" not in notes
    assert "UTC" in "\n".join(read(tmp_path, "time,mid\n2024-01-02T10:00:00,1\n2024-01-02T10:01:00,2\n").notes)


# --- markets


def test_a_replica_is_a_window(quotes: tuple[str, Array]) -> None:
    file, mid = quotes
    scenario = recorded(file, SPREADS)
    tape = Tape.draw(scenario, 0, 9)
    for replica in range(9):
        start = 96 * (replica % 7)  # 7 windows of 96 steps, and the 4 prices that the oracle sees
        assert_allclose(tape.mid[replica], mid[start : start + 100], rtol=1e-15)
    assert_allclose(tape.reference_spread, 4e-5, rtol=1e-9)
    assert not np.array_equal(tape.size[:50], tape.size[tape.order_start[7, 0] :][:50])  # the same prices, other orders
    assert read_from_files(scenario, 9)[-1] == "7 windows of 96 steps; each serves several replicas, with other orders"
    assert scenario.market.initial_price == pytest.approx(mid[0], rel=1e-15)
    assert float(scenario.market.step_volatility(1.0)) == pytest.approx(np.sqrt(np.mean(np.diff(np.log(mid)) ** 2)), rel=1e-12)
    assert scenario.market.mean_spread == pytest.approx(4e-5)


def test_windows_do_not_cross_sessions(tmp_path: Path) -> None:
    table = pd.DataFrame({"step": [*range(220), *range(300, 420)], "mid": walk(340)})
    table.to_parquet(tmp_path / "mids.parquet")
    tape = Tape.draw(recorded(str(tmp_path / "mids.parquet")), 0, 3)
    starts = [int(np.flatnonzero(table["mid"] == tape.mid[replica, 0])[0]) for replica in range(3)]
    assert starts == [0, 96, 220]


def test_blocks_are_stretches_of_the_file(quotes: tuple[str, Array]) -> None:
    """Every block's returns are those of some 30 steps in a row; all places come as often; the file's spreads go along."""
    file, mid = quotes
    scenario = recorded(file, SPREADS, *BLOCKS, "market.mid_price.initial=2.0")
    tape = Tape.draw(scenario, 3, 200)
    assert_allclose(tape.mid[:, 0], 2.0)
    returns, file_returns = np.diff(np.log(tape.mid), axis=1), np.diff(np.log(mid))
    firsts = []
    for replica in range(200):
        for block in (returns[replica, 30 * n : 30 * n + 30] for n in range(3)):
            place = int(np.argmin(np.abs(file_returns - block[0])))
            assert_allclose(block, file_returns[place : place + 30], atol=1e-13)
            firsts.append(place)
    assert 0 <= min(firsts) < 12 and 670 - 12 < max(firsts) <= 669
    assert abs(np.mean(firsts) - 334.5) < 4.5 * 670 / np.sqrt(12 * 600)
    assert_allclose(tape.reference_spread / tape.mid[:, :96], 4e-5 / 1.1, rtol=0.01)
    scaled = Tape.draw(recorded(file, SPREADS, *BLOCKS, "market.spreads_scale_with_price=true"), 3, 2)
    assert_allclose(scaled.reference_spread, 4e-5 / 1.1, rtol=0.01)
    assert read_from_files(scenario)[-1].startswith("prices are made of blocks of 30 steps")


def test_orders_are_those_of_drawn_prices(quotes: tuple[str, Array]) -> None:
    """Where prices come from moves no order, but for the oracle's sides."""
    drawn = Tape.draw(recorded(quotes[0]).with_settings("market.mid_price={kind='gbm'}"), 2, 3)
    for settings in ((), (SPREADS,), BLOCKS):
        tape = Tape.draw(recorded(quotes[0], *settings), 2, 3)
        for name in ("investor", "size", "side", "tie", "hedge_tie"):
            assert_array_equal(getattr(tape, name), getattr(drawn, name))
    assert not np.array_equal(tape.mid, drawn.mid)


def test_episodes_go_on_with_the_next_window(quotes: tuple[str, Array]) -> None:
    source = TapeSource(recorded(quotes[0]))
    assert_array_equal(source.draw([Episode(1, 2)]).mid, source.draw([Episode(1, 0, 2)]).mid)


def test_windows_have_the_activity_of_their_time_of_day(tmp_path: Path) -> None:
    """Minutes from 05:30 UTC on; nobody trades but from 6 to 7. Without times a day begins with each window."""
    minutes, mids = np.arange(700), walk(700)
    clock, steps = tmp_path / "clock.csv", tmp_path / "steps.csv"
    pd.DataFrame({"time": 1_700_000_000 // 86_400 * 86_400 + 60 * (330 + minutes), "mid": mids}).to_csv(clock, index=False)
    pd.DataFrame({"step": minutes, "mid": mids}).to_csv(steps, index=False)
    hour = f"market.activity={[float(n == 6) for n in range(24)]}"
    settings = ("market.steps_per_day=1440", "investors.*.trade_probability=0.04", hour)
    tape = Tape.draw(recorded(str(clock), *settings), 2, 3)
    busy = tape.orders[:, 0] * 96 + tape.orders[:, 1]
    assert busy.min() >= 30 and busy.max() < 90 and len(busy) > 400
    assert len(Tape.draw(recorded(str(steps), *settings), 2, 3).investor) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["steps=700"], ["699", "703", "block"]),
        ([BLOCKS[0], "market.mid_price.block=700"], ["699", "700"]),
    ],
)
def test_files_too_short_for_a_replica_are_refused(quotes: tuple[str, Array], settings: list[str], words: list[str]) -> None:
    with raises(ParameterError, "market.mid_price", names=words):
        SimulationRunner(recorded(quotes[0], *settings))


def test_spreads_need_bids_and_asks(tmp_path: Path, quotes: tuple[str, Array]) -> None:
    file = written(tmp_path, "step,mid\n" + "".join(f"{n},{price}\n" for n, price in enumerate(walk(300))))
    with raises(ParameterError, "market.reference_spread", names=["bids"]):
        SimulationRunner(recorded(file, SPREADS))
    with pytest.raises(ParameterError, match="recorded mids"):
        recorded(quotes[0], SPREADS).with_settings("market.mid_price={kind='gbm'}")


@pytest.mark.parametrize("settings", [(), BLOCKS])
def test_a_run_on_another_file_of_the_name_is_refused(
    quotes: tuple[str, Array], tmp_path: Path, settings: tuple[str, ...]
) -> None:
    file, scenario = quotes[0], recorded(quotes[0], SPREADS, *settings)
    run = SimulationRunner(scenario, replicas=3).run(out=tmp_path / "run")
    assert run.summary.equals(SimulationRunner(scenario, replicas=3, threads=2).run().summary)
    kept = SimulationResult.load(tmp_path / "run").scenario
    assert kept == scenario.pinned() and kept.market.mid_price.digest == scenario.market.recording.digest  # type: ignore
    key = Study("s", {"a": scenario}, 2, totals).key(0)
    with Path(file).open("a") as more:
        more.write("700,1,1.1\n")
    assert Study("s", {"a": scenario}, 2, totals).key(0) != key
    SimulationRunner(scenario, replicas=3).run()  # a scenario that names no digest takes the file as it is
    with raises(ParameterError, "market.mid_price.file", names=["SHA-256"]):
        SimulationRunner(kept, replicas=3)


def test_given_prices_go_with_drawn_orders() -> None:
    scenario = Scenario.load("informed", ["steps=50"])
    mid, spread = walk(54), np.full(50, 2e-4)
    one, many = (Tape.draw(scenario, 1, 4, mid=given) for given in (mid, np.tile(mid, (4, 1))))
    assert one == many
    assert_array_equal(one.mid, np.tile(mid, (4, 1)))
    assert_array_equal(Tape.draw(scenario, 1, 4, reference_spread=spread).reference_spread, np.tile(spread, (4, 1)))
    drawn = Tape.draw(scenario, 1, 4)
    assert_array_equal(Tape.draw(scenario, 1, 4, mid=drawn.mid).side, drawn.side)  # oracles know the given prices
    assert not np.array_equal(one.side, drawn.side)
    assert SimulationRunner(scenario).run(tape=one).summary["pnl"].notna().all()
    for name, wrong in (("mid", mid[:50]), ("mid", -mid), ("mid", np.tile(mid, (3, 1))), ("reference_spread", 0 * spread)):
        with raises(TapeError, name):
            Tape.draw(scenario, 1, 4, **{name: wrong})


def test_commands_say_what_was_read(quotes: tuple[str, Array], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(recorded(quotes[0], SPREADS).to_toml())
    main(["check", str(file)])
    out = capsys.readouterr().out
    assert "700 rows of" in out and "7 windows" in out
    Path(quotes[0]).unlink()
    assert "cannot be read" in refused(capsys, "check", str(file))
    assert "cannot be read" in refused(capsys, "run", str(file), "--out", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_file_that_does_not_fit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    from dealermarket.reading import columns

    text = "time,mid\n" + "".join(f"{n},1.1\n" for n in range(10_000))
    (tmp_path / "m.csv").write_text(text)
    (tmp_path / "m.csv.gz").write_bytes(gzip.compress(text.encode()))
    pd.DataFrame({"time": np.arange(10_000), "mid": 1.1}).to_parquet(tmp_path / "m.parquet")
    needed = 10_000 * 2 * columns.BYTES_OF_A_CELL
    for path in sorted(tmp_path.iterdir()):
        monkeypatch.setattr(columns, "machine_memory", lambda: int(1.01 * needed))
        read_prices(str(path), {}, MINUTE, 4.0)
        path.touch()
        monkeypatch.setattr(columns, "machine_memory", lambda: int(0.99 * needed))
        monkeypatch.setattr(columns, "_read_csv", lambda *_: pytest.fail("was read"))
        with raises(DataError, path, names=["GB"]):
            read_prices(str(path), {}, MINUTE, 5.0)
        monkeypatch.undo()
