"""Orders from files: what is read, what is refused or left out and counted, and what markets make of them."""

from __future__ import annotations

import json
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from conftest import raises, refused
from dealermarket import DataError, ParameterError, Scenario, SimulationResult, SimulationRunner, Tape
from dealermarket.commands.main import main
from dealermarket.draws.files import read_from_files
from dealermarket.runs.chunks import chunks_of
from dealermarket.study import Study
from dealermarket.study.measures import totals

Array = np.ndarray[Any, Any]
START = pd.Timestamp("2024-03-04T08:00Z")
"""The first of 211 minutes, which are two windows of 96 steps, what their last trades need, and more."""


def replaying(folder: Path, text: str | bytes, *settings: str, name: str = "orders.csv") -> Scenario:
    """The paper's market, with the orders of a file of this text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Scenario.load("paper", ["steps=96", f"orders.file={json.dumps(str(path))}", *settings])


def orders_of(tape: Tape, replica: int = 0) -> list[tuple[float, ...]]:
    """Step, investor, side and size of the orders of a replica."""
    mine = tape.orders[:, 0] == replica
    columns = tape.orders[mine, 1], tape.investor[mine], tape.side[mine], tape.size[mine]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def as_table(tape: Tape, scenario: Scenario) -> pd.DataFrame:
    """The orders of a tape of one replica as a desk has them."""
    names = np.array(scenario.participants)
    return pd.DataFrame(
        {"step": tape.orders[:, 1], "client": names[tape.investor], "side": tape.side, "size": tape.size.astype(np.float64)}
    )


def minutes(folder: Path) -> str:
    """A setting: prices of a file of 211 minutes."""
    mid = 1.1 * np.exp(np.cumsum(1e-4 * np.random.default_rng(1).standard_normal(211)))
    table = pd.DataFrame({"time": pd.date_range(START, periods=211, freq="1min"), "bid": mid - 1e-5, "ask": mid + 1e-5})
    table.to_csv(folder / "quotes.csv", index=False)
    return f"market.mid_price={{kind='recorded', file={json.dumps(str(folder / 'quotes.csv'))}}}"


DAY = ("market.steps_per_day=1440", "market.reference_spread={kind='recorded'}")


def at(*seconds: float) -> list[str]:
    return [(START + pd.Timedelta(seconds=s)).isoformat() for s in seconds]


# --- what is read


HAND = [(0, 1, 1, 2.5), (0, 1, -1, 1.0), (0, 4, 1, 2.0), (0, 1, 1, 3.0), (95, 0, -1, 0.5)]


@pytest.mark.parametrize(
    "lines",
    [
        "t,client,side,size 95,investor-0,sell,.5 0,investor-1,buy,2.5 0,investor-1,SELL,1 0,investor-4,Buy,2 0,investor-1,buy,3",
        "Time;Client;Side;Qty 0;investor-1;b;2,5 0;investor-1;s;1 0;investor-4;B;2 0;investor-1;b;3 95;investor-0;SELL;0,5",
        "t|cpty|way|size 0|investor-1|+1|2.5 0|investor-1|-1|1 0|investor-4|1.0|2 0|investor-1|1|3 95|investor-0|-1|.5",
    ],
    ids=["words", "letters", "numbers"],
)
def test_orders_are_those_of_the_file_in_the_order_of_their_times(tmp_path: Path, lines: str) -> None:
    tape = Tape.draw(replaying(tmp_path, lines.replace(" ", "\n")), 3, 2)
    assert orders_of(tape) == orders_of(tape, 1) == HAND
    assert not len(tape.reservation) and not len(tape.asked) and not tape.capped.any()


def test_the_same_from_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame(HAND, columns=["step", "client", "side", "size"])
    named = table.assign(client=[f"investor-{n}" for n in table["client"]])
    named.to_parquet(tmp_path / "o.parquet")
    named.astype({"client": "category", "side": float}).assign(asked=None).to_parquet(tmp_path / "p.parquet")
    for name in ("o.parquet", "p.parquet"):
        assert orders_of(Tape.draw(replaying(tmp_path, (tmp_path / name).read_bytes(), name=name))) == HAND


def test_columns_may_be_named(tmp_path: Path) -> None:
    text = "when,who,side,size,side of us\n1,investor-1,buy,2,sell\n"
    scenario = replaying(tmp_path, text, "orders.columns={time='when', client='who'}")
    assert orders_of(Tape.draw(scenario)) == [(1, 1, 1, 2.0)]
    assert Scenario.from_toml(scenario.to_toml()) == scenario


def test_times_numbers_and_sides_of_orders_as_the_file_writes_them(tmp_path: Path) -> None:
    text = "day;client;side;size\n31.01.24;investor-1;Bid;1,500\n01.02.24;investor-4;Offer;2,250\n"
    told = (
        "format.time='%d.%m.%y'",
        "format.decimal=','",
        "format.timezone='Europe/Paris'",
        "sides={buy=['bid'], sell=['offer']}",
    )
    scenario = replaying(tmp_path, text, "orders.columns={time='day'}", *(f"orders.{each}" for each in told))
    assert scenario.orders is not None
    log = scenario.orders.log()
    assert pd.to_datetime(log.times.values, unit="s").tolist() == [
        pd.Timestamp("2024-01-30 23:00"),
        pd.Timestamp("2024-01-31 23:00"),
    ]
    assert log.side.tolist() == [1, -1] and log.size.tolist() == [1.5, 2.25]


def test_reservations_and_who_is_asked(tmp_path: Path) -> None:
    text = (
        'step,client,side,size,reservation,asked\n0,investor-1,buy,1,1.25,maker-2\n1,investor-1,buy,1,,"maker-2, maker-1"\n'
        "2,investor-1,buy,1,0.9,\n3,investor-1,buy,1,-1,maker-1;\n"
    )
    tape = Tape.draw(replaying(tmp_path, text))
    assert tape.reservation.tolist() == [1.25, np.inf, 0.9, -1.0]
    assert tape.asked.tolist() == [[False, True], [True, True], [True, True], [True, False]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], ["no rows"]),
        (
            ["0,investor-1,buy,1,,", "1,investor-11,buy,1,,"],
            ["'client'", "1 row: 3 ('investor-11')", "did you mean 'investor-1'"],
        ),
        (["0,,buy,1,,"], ["'client'", "empty", "1 row: 2"]),
        (
            ["0,investor-1,long,1,,", "1,investor-1,2,1,,", "2,investor-1,,1,,"],
            ["'side'", "3 rows: 2 ('long'), 3 ('2'), 4 (None)"],
        ),
        (["0,investor-1,buy,one,,", "1,investor-1,buy,two,,"], ["'size'", "2 rows: 2 ('one'), 3 ('two')"]),
        (["0,investor-1,buy,,,"], ["'size'", "empty", "1 row: 2"]),
        (["0,investor-1,buy,-3,,", "1,investor-1,buy,0,,"], ["'size'", "above 0", "2 rows: 2 ('-3'), 3 ('0')"]),
        (["0,investor-1,buy,99.5,,"], ["'size'", "0.99 v_max = 99", "1 row: 2 ('99.5')", "exchange.v_max"]),
        ([",investor-1,buy,1,,"], ["'step'", "empty", "1 row: 2"]),
        (["-1,investor-1,buy,1,,"], ["'step'", "0..95", "1 row: 2 ('-1')"]),
        ([f"{n},investor-1,buy,1,," for n in range(90, 120)], ["'step'", "0..95", "24 rows: 8 ('96'), 9 ('97')", "..."]),
        (["2024-03-04T08:00Z,investor-1,buy,1,,"], ["'step'", "drawn", "0..95"]),
        (["0,investor-1,buy,1,cheap,"], ["'reservation'", "1 row: 2 ('cheap')"]),
        (["0,investor-1,buy,1,,maker-1;maker-2x"], ["'asked'", "1 row: 2 ('maker-1;maker-2x')", "did you mean 'maker-2'"]),
        (["0,investor-1,buy,1,,;"], ["'asked'", "1 row: 2", "all makers"]),
    ],
)
def test_files_that_will_not_do_are_refused_with_their_rows(tmp_path: Path, rows: list[str], words: list[str]) -> None:
    scenario = replaying(tmp_path, "\n".join(["step,client,side,size,reservation,asked", *rows, ""]))
    with raises(DataError, "orders.file", names=words):
        SimulationRunner(scenario)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with raises(DataError, "orders.file", names=["no column 'client', 'size'", "columns"]):
        SimulationRunner(replaying(tmp_path, "step,side\n0,buy\n"))
    scenario = replaying(tmp_path, "step,client,side,size\n0,investor-1,up,1\nnoon,investor-1,buy,one\n")
    with pytest.raises(DataError) as caught:
        SimulationRunner(scenario)
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == ["orders.file"] * 3
    scenario = replaying(tmp_path, "step,client,side,size\n0,investor-99,buy,1\n96,investor-1,buy,100\n")
    with pytest.raises(DataError) as caught:
        SimulationRunner(scenario)
    assert len(str(caught.value).splitlines()) == 3


def test_what_is_read_is_said(tmp_path: Path) -> None:
    text = "step,client,side,size\n5,investor-1,buy,1\n3,investor-2,sell,1\n5,investor-1,b,1.0\n"
    first, *notes, last = read_from_files(replaying(tmp_path, text))
    assert "3 orders of 2 clients" in first and "them all" in last
    assert "1 rows came before" in notes[0] and "1 row: 4" in notes[1]


# --- markets


def test_a_drawn_tape_written_and_read_is_the_same(tmp_path: Path) -> None:
    """With the same seed prices, ties and what the file does not say are drawn as ever."""
    settings = [
        "investors.*.demand={kind='logistic', mean=1.0, scale=0.2}",
        "investors.*.asks=1",
        "investors.*.oracle_probability=0",
    ]
    drawn_of = Scenario.load("paper", ["steps=96", *settings])
    drawn = Tape.draw(drawn_of, 5, range(7, 8))
    scenario = replaying(tmp_path, as_table(drawn, drawn_of).to_csv(index=False), *settings)
    tape = Tape.draw(scenario, 5, range(7, 8))
    for field in fields(Tape):
        assert_array_equal(getattr(tape, field.name), getattr(drawn, field.name), err_msg=field.name)
    others = Tape.draw(scenario, 5, 3)
    assert orders_of(others, 2) == orders_of(drawn)
    assert not np.array_equal(others.mid[2], others.mid[1])
    assert not np.array_equal(others.tie[: len(drawn.tie)], others.tie[-len(drawn.tie) :])


def test_the_same_numbers_as_a_tape_of_the_same_orders(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = [
        (t, int(rng.integers(10)), int(rng.choice([-1, 1])), float(rng.uniform(0.1, 20))) for t in range(96) for _ in range(25)
    ]
    table = pd.DataFrame(rows, columns=["step", "client", "side", "size"])
    limits, asked = rng.uniform(0.9, 1.4, len(rows)), rng.choice(["maker-1", "maker-2", "maker-2;maker-1"], len(rows))
    table = table.assign(client=[f"investor-{n}" for n in table["client"]], reservation=limits, asked=asked)
    scenario = replaying(tmp_path, table.to_csv(index=False))
    run = SimulationRunner(scenario, 2, record="requests").run()
    tape = Tape.draw(scenario, 0, 2)
    for replica in range(2):
        own = {name: getattr(tape, name)[replica] for name in ("mid", "reference_spread", "hedge_tie", "tie_order")}
        ties = tape.tie[tape.orders[:, 0] == replica]
        orders = [(*row, tie) for row, tie in zip(rows, ties, strict=True)]
        panels = np.array([[name in names for name in scenario.maker_names] for names in asked])
        by_hand = Tape.from_orders(scenario, orders=orders, reservation=limits, asked=panels, **own)
        expected = SimulationRunner(scenario, record="requests").run(tape=by_hand)
        for table_name in ("trades", "requests"):
            ours = getattr(run, table_name)
            mine = ours[ours["replica"] == replica].drop(columns="replica").reset_index(drop=True)
            pd.testing.assert_frame_equal(mine, getattr(expected, table_name).drop(columns="replica"), check_exact=True)


def test_orders_go_with_the_prices_of_their_times(tmp_path: Path) -> None:
    """Minutes of one window each: an order has the last price that was there, and what lies outside of all windows is said."""
    times = at(-1, 0, 59.999, 60, 96 * 60 - 1, 96 * 60, 150 * 60, 192 * 60, 250 * 60)
    text = "time,client,side,size\n" + "".join(f"{time},investor-1,buy,{n + 1}\n" for n, time in enumerate(times))
    scenario = replaying(tmp_path, text, minutes(tmp_path), *DAY)
    tape = Tape.draw(scenario, 0, 2)
    assert [row[::3] for row in orders_of(tape)] == [(0, 2.0), (0, 3.0), (1, 4.0), (95, 5.0)]
    assert [row[::3] for row in orders_of(tape, 1)] == [(0, 6.0), (54, 7.0)]
    notes = "\n".join(read_from_files(scenario))
    assert "2 windows" in notes and "3 rows: 2, 9, 10: outside" in notes and "those of its window" in notes
    assert_array_equal(tape.mid, Tape.draw(scenario.replace(orders=None), 0, 2).mid)
    with raises(ParameterError, "replicas", 3, names=["2", "windows"]):
        SimulationRunner(scenario, 3)
    with raises(ParameterError, "replicas", 3):
        Study("s", {"a": scenario}, 3, totals)


def test_windows_without_orders_around_them_are_not_played(tmp_path: Path) -> None:
    text = "time,client,side,size\n" + "".join(f"{time},investor-1,buy,1\n" for time in at(40 * 60 + 30, 70 * 60))
    scenario = replaying(tmp_path, text, minutes(tmp_path), *DAY, "steps=20")
    tape = Tape.draw(scenario, 0, 2)
    assert [[row[0] for row in orders_of(tape, replica)] for replica in range(2)] == [[0], [10]]
    assert_array_equal(tape.mid, Tape.draw(scenario.replace(orders=None), 0, range(2, 4)).mid)
    assert SimulationRunner(scenario, 2).replicas == 2
    with raises(ParameterError, "replicas", 3):
        SimulationRunner(scenario, 3)


def test_orders_by_the_step_go_with_any_prices(tmp_path: Path) -> None:
    text = "step,client,side,size\n0,investor-1,buy,1\n95,investor-1,sell,2\n"
    prices = minutes(tmp_path)
    for settings in ((), DAY, ("market.mid_price.bootstrap=block", "market.mid_price.block=10")):
        tape = Tape.draw(replaying(tmp_path, text, prices, "market.steps_per_day=1440", *settings), 0, 2)
        assert orders_of(tape) == orders_of(tape, 1) == [(0, 1, 1, 1.0), (95, 1, -1, 2.0)]


@pytest.mark.parametrize(
    ("time", "settings", "words"),
    [
        ("2024-03-05T08:00Z", DAY, ["windows", "step_seconds"]),
        (at(0)[0], (*DAY, "market.mid_price.bootstrap=block"), ["blocks", "0..95"]),
    ],
)
def test_times_without_prices_are_refused(tmp_path: Path, time: str, settings: tuple[str, ...], words: list[str]) -> None:
    scenario = replaying(tmp_path, f"time,client,side,size\n{time},investor-1,buy,1\n", minutes(tmp_path), *settings)
    with raises(DataError, "orders.file", names=words):
        SimulationRunner(scenario)


def test_many_orders_take_smaller_chunks(tmp_path: Path) -> None:
    text = "step,client,side,size\n" + "0,investor-1,buy,1\n" * 400_000
    chunks = chunks_of(replaying(tmp_path, text), range(1000))
    assert max(len(chunk) for chunk in chunks) <= 5
    assert all(one.stop == other.start for one, other in pairwise(chunks))


def test_a_run_on_another_file_of_the_name_is_refused(tmp_path: Path) -> None:
    scenario = replaying(tmp_path, "step,client,side,size\n0,investor-1,buy,1\n", minutes(tmp_path), *DAY)
    SimulationRunner(scenario).run(out=tmp_path / "run")
    kept = SimulationResult.load(tmp_path / "run").scenario
    assert kept == scenario.pinned() and kept.orders is not None and kept.orders.digest is not None
    key = Study("s", {"a": scenario}, 1, totals).key(0)
    with (tmp_path / "orders.csv").open("a") as more:
        more.write("1,investor-1,buy,1\n")
    assert Study("s", {"a": scenario}, 1, totals).key(0) != key
    with raises(ParameterError, "orders.file", names=["SHA-256", kept.orders.digest[:16]]):
        SimulationRunner(kept)


def test_variants_have_common_tapes_only_with_the_same_orders(tmp_path: Path) -> None:
    a = replaying(tmp_path, "step,client,side,size\n0,investor-1,buy,1\n")
    Study("s", {"a": a, "b": a.with_settings("makers.0.pricing.alpha=1.2")}, 2, totals)
    with raises(ParameterError, "study 's'", names=["orders"]):
        Study("s", {"a": a, "b": a.replace(orders=None)}, 2, totals)


def test_the_command_replays_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my orders.csv"
    file.write_text("step,client,side,size\n0,investor-1,buy,1\n0,investor-1,sell,4\n")
    run = ["run", "paper", "--steps", "20", "--orders", str(file), "--json"]
    main([*run, "--replicas", "3", "--record", "trades", "--out", str(tmp_path / "run")])
    assert "2 orders of 1 client" in capsys.readouterr().err
    trades = SimulationResult.load(tmp_path / "run").trades
    assert trades.loc[trades["kind"] == "order", "size"].tolist() == [1.0, 4.0] * 3
    assert "leave them out" in refused(capsys, "run", "--resume", str(tmp_path / "run"), "--orders", str(file))
    file.write_text("step,client,side,size\n0,investor-77,buy,1\n")
    assert "1 row: 2 ('investor-77')" in refused(capsys, *run, "--out", str(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_the_command_runs_as_many_replicas_as_there_are_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "time,client,side,size\n" + "".join(f"{time},investor-1,buy,1\n" for time in at(0, 100 * 60))
    (tmp_path / "desk.toml").write_text(replaying(tmp_path, text, minutes(tmp_path), *DAY).to_toml())
    main(["check", str(tmp_path / "desk.toml")])
    assert "a run of 2 replicas" in capsys.readouterr().out
    main(["run", str(tmp_path / "desk.toml"), "--json", "--out", str(tmp_path / "run")])
    assert SimulationResult.load(tmp_path / "run").meta["replicas"] == 2


def test_volumes_are_measured_in_those_of_the_file(tmp_path: Path) -> None:
    from dealermarket.draws.files import volume_moment
    from dealermarket.engine.scales import scales_of
    from dealermarket.model.makers.reward import Reward

    scenario = replaying(tmp_path, "step,client,side,size\n0,investor-1,buy,3\n5,investor-2,sell,1\n")
    assert [volume_moment(scenario, order) for order in (0, 1, 2)] == [2 / 96, 4 / 96, 10 / 96]
    assert scales_of(scenario, Reward()).volume == 4 / 96
    drawn = Scenario.load("paper")
    assert volume_moment(drawn, 0) == pytest.approx(sum(agent.trade_probability for agent in drawn.agents))
