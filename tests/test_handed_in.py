"""Tapes handed in: what does not describe a market of the scenario is refused, and never reaches the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from conftest import raises
from dealermarket import LiveMarket, Scenario, SimulationRunner, Tape, TapeError

Array = np.ndarray[Any, Any]
NAMES = [field.name for field in fields(Tape)]
OF_ORDERS = ("investor", "side", "size", "log_curve", "tie", "reservation", "asked")
WIDE = np.iinfo(np.int64)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    demand = "investors.*.demand={kind='logistic', mean=1.0, scale=0.2}"
    return Scenario.load(
        "paper", ["steps=40", "investors.*.trade_probability=0.5", "exchange.v_max=1000", "investors.*.asks=1", demand]
    )


@pytest.fixture(scope="module")
def tape(scenario: Scenario) -> Tape:
    return Tape.draw(scenario, seed=1, replicas=3)


def changed(tape: Tape, name: str, change: Callable[[Array], object]) -> Tape:
    array = getattr(tape, name).copy()
    given = change(array)
    return replace(tape, **{name: array if given is None else given})


def put(place: tuple[int, ...] | int, value: Any) -> Callable[[Array], None]:
    return lambda array: array.__setitem__(place, value)


def test_orders_are_priced_at_the_scenarios_own_exchange(scenario: Scenario, tape: Tape) -> None:
    other = scenario.with_settings("exchange.lam=2.5", "exchange.v_max=500")
    count = tape.order_start[0, -1]
    first = replace(tape, **{name: getattr(tape, name)[: count if name in OF_ORDERS else 1] for name in NAMES})
    orders = np.column_stack([first.orders[:, 1], first.investor, first.side, first.size, first.tie])
    by_hand = Tape.from_orders(
        other,
        first.mid[0],
        first.reference_spread[0],
        orders.tolist(),
        reservation=first.reservation,
        asked=first.asked,
        hedge_tie=first.hedge_tie[0],
        tie_order=first.tie_order[0],
    )
    runner = SimulationRunner(other, record="trades")
    assert runner.run(tape=first).trades.equals(runner.run(tape=by_hand).trades)
    assert not runner.run(tape=first).trades.equals(SimulationRunner(scenario, record="trades").run(tape=first).trades)


def test_orders_too_large_for_the_scenarios_exchange_are_refused(scenario: Scenario, tape: Tape) -> None:
    with raises(TapeError, "size", names=["1.98"]):
        SimulationRunner(scenario.with_settings("exchange.v_max=2", "investors.*.mean_size=0.1")).run(tape=tape)


@pytest.mark.parametrize(
    ("name", "change", "field", "shown"),
    [
        ("mid", put((1, 7), np.nan), "mid", "nan at [1, 7]"),
        ("mid", put((1, 7), -1.0), "mid", "-1.0 at [1, 7]"),
        ("mid", lambda mid: mid[:, :-1].copy(), "tape", "(3, 43)"),
        ("reservation", put(3, np.nan), "reservation", "nan at [3]"),
        ("reservation", lambda limits: limits[:-1].copy(), "tape", None),
        ("asked", put(5, False), "asked", "none"),
        ("asked", lambda asked: asked[:, :1].copy(), "tape", None),
        ("asked", lambda asked: asked[:-1].copy(), "tape", None),
        ("reference_spread", put((2, 0), 0.0), "reference_spread", "0.0 at [2, 0]"),
        ("reference_spread", put((2, 0), np.inf), "reference_spread", "inf at [2, 0]"),
        ("hedge_tie", put((2, 5, 1), 1.0), "hedge_tie", "1.0 at [2, 5, 1]"),
        ("hedge_tie", lambda draws: draws[..., :-1].copy(), "tape", "(3, 40, 1)"),
        ("tie_order", put((0, 0, 3), 99), "tie_order", None),
        ("tie_order", lambda order: 0 * order, "tie_order", None),
        ("tie", put(5, 1.5), "tie", None),
        ("tie", put(5, np.nan), "tie", None),
        ("size", put(5, -1.0), "size", None),
        ("size", put(5, np.nan), "size", None),
        ("size", put(5, 991.0), "size", None),
        ("size", lambda size: size[:-1].copy(), "tape", None),
        ("side", put(5, 0), "side", None),
        ("side", put(5, -128), "side", None),
        ("investor", put(5, 10), "investor", None),
        ("investor", put(5, -1), "investor", None),
        ("investor", put(5, 2**31 - 1), "investor", None),
        ("order_start", put((0, 0), -1), "order_start", None),
        ("order_start", put((2, 40), 10**9), "order_start", None),
        ("order_start", put((1, 0), 0), "order_start", None),
        ("order_start", put((0, slice(1, 4)), [WIDE.max, WIDE.min, -1]), "order_start", None),  # differences overflow
        ("capped", lambda capped: capped[:1].copy(), "tape", "(1,)"),
    ],
)
def test_numbers_that_describe_no_market_are_refused(
    scenario: Scenario, tape: Tape, name: str, change: Callable[[Array], object], field: str, shown: str | None
) -> None:
    with (
        raises(TapeError, field, shown)
        if field not in ("tie", "size", "side", "investor")
        else pytest.raises(TapeError, match=rf"^order \d+ .*: {field}: must")
    ):
        SimulationRunner(scenario).run(tape=changed(tape, name, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype(np.complex128),
        lambda array: array.astype(np.float32),
        lambda array: array.astype(np.int64) if array.dtype != np.int64 else array.astype(np.int32),
        lambda array: array.astype(array.dtype.newbyteorder()) if array.dtype.itemsize > 1 else array.astype(np.int16),
        np.ma.masked_array,
        lambda array: array[None],
        lambda array: array.astype(object),
        lambda array: array.tolist(),
        lambda _: 1.0,
    ],
    ids=["complex", "float32", "other integers", "other byte order", "masked", "one more axis", "objects", "a list", "a number"],
)
@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_another_type_make_no_tape(tape: Tape, name: str, change: Callable[[Array], object]) -> None:
    with raises(TapeError, name):
        changed(tape, name, change)


@pytest.mark.compiled
def test_whatever_a_tape_holds_it_runs_or_is_refused(scenario: Scenario, tape: Tape) -> None:
    """Where this fails, the process that runs the test may end."""
    rng = np.random.default_rng(3)
    runner, outcomes = SimulationRunner(scenario), {True: 0, False: 0}
    for _ in range(300):
        name = str(rng.choice(NAMES))
        array = getattr(tape, name).copy()
        places = rng.integers(array.size, size=rng.choice([1, 3, array.size]))
        raw = array.view(np.uint8).reshape(array.size, -1)
        if rng.random() < 0.5:  # any bits
            raw[places] = rng.integers(256, size=(len(places), raw.shape[1]))
        else:  # other numbers of the tape
            array.ravel()[places] = rng.permutation(array.ravel())[places]
        try:
            totals = runner.run(tape=replace(tape, **{name: array})).summary
            assert np.isfinite(totals["pnl"]).all()
            outcomes[True] += 1
        except TapeError:
            outcomes[False] += 1
    assert min(outcomes.values()) > 30


@pytest.mark.parametrize("price", [np.nan, -1.0, 1e101, 10**400, 1j, np.complex128(1), "1.0", None, [1.0]])
def test_live_prices_are_checked_alike(scenario: Scenario, price: Any) -> None:
    live = LiveMarket(scenario)
    with raises(TapeError, "mid"):
        live.begin(price, 1e-4)
    with raises(TapeError, "reference_spread"):
        live.begin(1.0, price)
    live.begin(1, np.float32(1e-4))
    with raises(TapeError, "hedge_tie"):
        live.finish(hedge_tie=[price, 0.5])


def test_live_orders_are_checked_alike(scenario: Scenario) -> None:
    live = LiveMarket(scenario)
    live.begin(1.0, 1e-4)
    for order in [(10, 1, 1.0), (0, 0, 1.0), (0, 1, 991.0), (0, 1, np.nan), (0, 1, 1.0, 1.0)]:
        with pytest.raises(TapeError, match=r"^order 0 "):
            live.finish([order])
    assert [trade.size for trade in live.finish([(0, 1, 1.0)])] == [1.0]
