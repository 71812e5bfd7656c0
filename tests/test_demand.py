"""Requests: who is asked, at which quotes they trade, and what that makes of prices and shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import lambertw

from conftest import raises
from dealermarket import (
    Action,
    AlwaysTrades,
    InvestorAgent,
    InvestorGroup,
    LadderSize,
    LogisticDemand,
    MakerPolicy,
    MarketMakerAgent,
    NoHedge,
    NormalDemand,
    Observation,
    ParameterError,
    PowerPricing,
    Scenario,
    SimulationResult,
    SimulationRunner,
    Tape,
    TapeError,
)
from dealermarket.model.investors.demand import Demand
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.reference_spread.constant import ConstantSpread
from dealermarket.study import Study, compare, measure
from dealermarket.study.measures import totals

LOGISTIC, NORMAL = LogisticDemand(mean=1.0, scale=0.25), NormalDemand(mean=1.1, std=0.4)
Array = np.ndarray[Any, Any]


def maker(name: str, eps: float = 0.0) -> MarketMakerAgent:
    """Quotes 1 + eps times the reference curve to everybody, whatever the size."""
    pricing = PowerPricing(alpha=1.0, tier_penalty=0.0, eps_buy=eps, eps_sell=eps)
    return MarketMakerAgent(name=name, tiering=FixedTiers(tiers=1), pricing=pricing, hedging=NoHedge())


def market(*makers: MarketMakerAgent, investors: int = 20, steps: int = 100, **agent: Any) -> Scenario:
    fields: dict[str, Any] = {"trade_probability": 0.5, "mean_size": 1.0} | agent
    group = InvestorGroup(name="client", count=investors, **fields)
    environment = MarketEnvironment(reference_spread=ConstantSpread(mean=1e-4))
    return Scenario(steps=steps, market=environment, investors=(group,), makers=makers)


def five(**agent: Any) -> Scenario:
    return market(*(maker(f"m{i}") for i in range(5)), **agent)


# --- what a scenario may say


@pytest.mark.parametrize(
    ("asks", "field", "shown"),
    [
        (3, "asks", "2"),
        (0, "asks", "1"),
        (True, "asks", None),
        (1.5, "asks", "1.5"),
        ("both", "asks", "all"),
        ([], "asks", None),
        (["m0", "nobody"], "asks", "nobody"),
        (["m0", "m0"], "asks", "2 times"),
    ],
)
def test_panels_that_cannot_be_are_refused(asks: Any, field: str, shown: str | None) -> None:
    with pytest.raises(ParameterError) as caught:
        market(maker("m0"), maker("m1"), asks=asks)
    assert field in str(caught.value)
    assert shown is None or shown in str(caught.value)


@pytest.mark.parametrize(
    "demand",
    [
        {"kind": "logistic", "mean": 1.0},
        {"kind": "logistic", "mean": 1.0, "scale": 0.0},
        {"kind": "normal", "mean": math.inf, "std": 1.0},
        {"kind": "normal", "mean": 1.0, "std": -1.0},
        {"mean": 1.0, "std": 1.0},
        {"kind": "elastic"},
        "always",
    ],
)
def test_demands_that_cannot_be_are_refused(demand: Any) -> None:
    with pytest.raises(ParameterError, match=r"^investors|^demand|demand"):
        InvestorAgent(name="c", trade_probability=0.5, mean_size=1.0, demand=demand)


def test_a_file_and_settings_say_the_same_as_python() -> None:
    scenario = five(asks=("m1", "m3"), demand=NORMAL)
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    by_setting = five().with_settings("investors.*.asks=['m1', 'm3']", "investors.*.demand={kind='normal', mean=1.1, std=0.4}")
    assert by_setting == scenario
    assert five().with_settings("investors.*.asks=2").agents[3].asks == 2


# --- what is drawn


@pytest.mark.parametrize("demand", [LOGISTIC, NORMAL])
def test_reservations_have_their_law(demand: Demand) -> None:
    law = stats.logistic(1.0, 0.25) if demand == LOGISTIC else stats.norm(1.1, 0.4)
    tape = Tape.draw(five(demand=demand), 1, 20)
    assert stats.kstest(tape.reservation, law.cdf).pvalue > 1e-3
    assert stats.kstest(demand.sample(np.random.default_rng(1), 20_000), law.cdf).pvalue > 1e-3
    quotes = np.array([[-3.0, 0.3, 0.9], [1.0, 1.7, 60.0]])
    assert_allclose(demand.trade_share(quotes), law.sf(quotes), rtol=1e-12)


def test_demand_at_the_ends() -> None:
    assert_array_equal(AlwaysTrades().trade_share([0.0, 1e9]), [1.0, 1.0])
    assert_array_equal(AlwaysTrades().sample(np.random.default_rng(0), 3), [np.inf] * 3)
    assert_array_equal(NormalDemand(mean=1.0, std=0.0).trade_share([1.0, np.nextafter(1.0, 2.0)]), [1.0, 0.0])
    with np.errstate(divide="ignore"):
        assert_array_equal(LogisticDemand.law(np.array([0.0]), LOGISTIC), [-np.inf])  # a uniform number can be 0


def test_panels_are_drawn_alike() -> None:
    """All ten sets of two makers of five come as often; those of names are these."""
    asked = Tape.draw(five(asks=2), 3, 20).asked
    sets, counts = np.unique(asked, axis=0, return_counts=True)
    assert len(sets) == 10 and set(asked.sum(axis=1)) == {2}
    assert stats.chisquare(counts).pvalue > 1e-3
    assert (Tape.draw(five(asks=("m3", "m0")), 3).asked == [True, False, False, True, False]).all()
    assert Tape.draw(five(asks=5), 3).asked.shape == (0, 5)


def test_what_investors_ask_and_accept_moves_no_other_draw() -> None:
    plain = Tape.draw(five(), 5, 3)
    for field, law, array in (("asks", 2, "asked"), ("demand", LOGISTIC, "reservation"), ("demand", NORMAL, "reservation")):
        other = Tape.draw(five(**{field: law}), 5, 3)
        names = [each.name for each in fields(Tape)]
        assert [name for name in names if not np.array_equal(getattr(plain, name), getattr(other, name))] == [array]
    one = five(demand=LOGISTIC).investors[0].replace(count=19)
    last = InvestorAgent(name="last", trade_probability=0.5, mean_size=1.0, demand=NORMAL)
    mixed, alike = Tape.draw(five().replace(investors=(one, last)), 5), Tape.draw(five(demand=LOGISTIC), 5)
    others = mixed.investor < 19
    assert_array_equal(mixed.reservation[others], alike.reservation[others])
    assert not np.array_equal(mixed.reservation, alike.reservation)


def test_makers_named_otherwise_have_another_tape_where_they_are_asked_by_name() -> None:
    first, second = five(asks=("m1",)), five(asks=2)
    for scenario, alike in ((first, False), (second, True)):
        swapped = scenario.replace(makers=(*scenario.makers[:3], *scenario.makers[:2:-1]))
        if alike:
            Study("s", {"a": scenario, "b": swapped}, 2, totals)
        else:
            with raises(ParameterError, "study 's'", names=["makers"]):
                Study("s", {"a": scenario, "b": swapped}, 2, totals)


def test_a_tape_by_hand() -> None:
    scenario = market(maker("cheap", -0.1), maker("dear", 0.2), investors=4, steps=6)
    orders = [(1, 0, 1, 5.0), (0, 1, -1, 5.0), (1, 2, 1, 5.0), (1, 3, 1, 5.0)]  # in any order of steps
    asked = np.array([[True, True], [False, True], [False, True], [False, True]])
    tape = Tape.from_orders(scenario, [1.0] * 6, [1e-4] * 6, orders, reservation=[0.9, np.inf, 1.19, 1.21], asked=asked)
    result = SimulationRunner(scenario, record="requests").run(tape=tape)
    assert result.requests["client"].tolist() == ["client-1", "client-0", "client-2", "client-3"]
    assert result.requests["outcome"].tolist() == ["traded", "traded", "not traded", "traded"]
    assert result.requests["best_maker"].tolist() == ["dear", "cheap", "dear", "dear"]
    assert result.requests["asked"].tolist() == ["dear", "cheap, dear", "dear", "dear"]
    relative = (result.requests["best_spread"] / result.requests["reference"]).tolist()
    assert_allclose(relative, [1.2, 0.9, 1.2, 1.2], rtol=1e-14)
    cover = (result.requests["cover_spread"] / result.requests["reference"]).tolist()
    assert_allclose(cover, [np.nan, 1.2, np.nan, np.nan], rtol=1e-14)
    assert result.trades["taker"].tolist() == ["client-1", "client-0", "client-3"]
    summary = result.summary.set_index("maker")
    assert summary["asked"].tolist() == [1, 4] and summary["requests"].tolist() == [4, 4]
    assert_allclose(summary["hit_ratio"], [1.0, 0.5])
    assert_allclose(summary["traded_away"], [0.0, 0.25])
    assert_allclose(summary["not_traded"], [0.0, 0.25])
    assert_allclose(summary["hit_ratio_volume"], [1.0, 0.5])


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reservation": [1.0]}, "reservation"),
        ({"reservation": [1.0, np.nan]}, "reservation"),
        ({"reservation": ["dear", "cheap"]}, "reservation"),
        ({"asked": [[True, True]]}, "asked"),
        ({"asked": [[1, 0], [0, 1]]}, "asked"),
        ({"asked": [[True, True], [False, False]]}, "asked"),
    ],
)
def test_what_a_tape_by_hand_refuses(given: dict[str, Any], field: str) -> None:
    scenario = market(maker("a"), maker("b"), steps=6)
    with raises(TapeError, field):
        Tape.from_orders(scenario, [1.0] * 6, [1e-4] * 6, [(0, 0, 1, 1.0), (1, 0, 1, 1.0)], **given)


# --- what follows for makers


@pytest.mark.compiled
@pytest.mark.parametrize("demand", [LOGISTIC, NORMAL])
@pytest.mark.parametrize("eps", [-0.5, 0.0, 0.3])
def test_hit_ratio_of_one_maker_is_demand_at_its_quote(demand: Demand, eps: float) -> None:
    result = SimulationRunner(market(maker("only", eps), demand=demand), replicas=40).run()
    asked, won = (result.summary[name].sum() for name in ("asked", "trades"))
    expected = float(demand.trade_share(1.0 + eps))
    assert abs(won / asked - expected) < 4.5 * math.sqrt(expected * (1 - expected) / asked)
    assert float(result.statistics()["only"]["hit_ratio"].value) == pytest.approx(won / asked, rel=1e-12)
    tape = Tape.draw(market(maker("only", eps), demand=demand), 0, 40)
    assert abs(won - np.sum(tape.reservation >= 1.0 + eps)) <= 1  # of 40,000; but for rounding


def best_of(eps: Array, scenario: Callable[[float], Scenario]) -> Array:
    """Spread revenue of the first maker at each eps, on common tapes, shape (eps,)."""
    study = Study("grid", {f"{value:g}": scenario(value) for value in eps}, 60, totals)
    measured = measure([study], seed=1)["grid"]
    return np.array([measured[f"{value:g}"]["spread_revenue"][:, 0].mean() for value in eps])


@pytest.mark.compiled
def test_best_quote_of_a_lone_maker_solves_its_first_order_condition() -> None:
    """x (1 - F(x)) = s: x = s (1 + W(exp(m / s - 1))), .802 here."""
    size = LadderSize(sizes=(2.0,), weights=(1.0,))
    eps = np.round(np.arange(-0.65, 0.41, 0.15), 2)
    revenue = best_of(eps, lambda value: market(maker("only", value), mean_size=None, size=size, demand=LOGISTIC))
    exact = 0.25 * (1.0 + float(lambertw(math.exp(1.0 / 0.25 - 1.0)).real))
    assert exact == pytest.approx(0.802, abs=5e-4)
    assert 1.0 + eps[np.argmax(revenue)] == pytest.approx(0.8)  # the nearest of the grid
    quotes = 1.0 + eps
    expected = quotes * LOGISTIC.trade_share(quotes)
    assert_allclose(revenue / revenue.max(), expected / expected.max(), atol=0.012)


@pytest.mark.compiled
@pytest.mark.parametrize("asks", [1, 3, 5])
def test_equal_makers_share_what_panels_ask(asks: int) -> None:
    """Each of five is asked in asks / 5 of the requests and wins a fifth of them."""
    result = SimulationRunner(five(asks=asks), replicas=40).run()
    requests = result.summary["requests"].iloc[::5].sum()
    asked, won = (result.summary.groupby("maker")[name].sum() / requests for name in ("asked", "trades"))
    assert_allclose(asked, asks / 5, atol=4.5 * math.sqrt(0.25 / requests))
    assert_allclose(won, 0.2, atol=4.5 * math.sqrt(0.16 / requests))
    assert won.sum() == pytest.approx(1.0)


@pytest.mark.compiled
def test_the_more_makers_are_asked_the_more_informed_clients_cost() -> None:
    """The winner's curse: the winner is who quotes the least, and the move to come is the same whoever wins."""
    makers = [maker(f"m{i}", 0.4 * i) for i in range(5)]
    yields = []
    for asks in (1, 2, 3, 4, "all"):
        scenario = market(*makers, oracle_probability=1.0, asks=asks, steps=200)
        trades = SimulationRunner(scenario, replicas=5, record="trades").run().trades
        matured = trades.dropna(subset=["yield"])
        yields.append((matured["yield"] * matured["size"]).sum() / matured["size"].sum())
    assert np.all(np.diff(yields) < 0) and yields[-1] < 0


# --- what is recorded


class Leaning(MakerPolicy):
    """Moves with the position, so that what is recorded of quotes must be of the same step."""

    def act(self, observation: Observation) -> Action:
        lean = np.tanh(observation.position / 5.0) * 0.1
        return Action(eps_buy=lean, eps_sell=-lean)


@pytest.fixture(scope="module")
def choosing() -> Scenario:
    scenario = Scenario.load("paper", ["steps=40", "investors.*.trade_probability=0.5", "exchange.v_max=1000"])
    return scenario.with_settings("investors.*.asks=1", "investors.*.demand={kind='normal', mean=1.05, std=0.2}")


@pytest.mark.usefixtures("tiny_chunks")
def test_requests_are_the_same_in_memory_on_disk_and_resumed(choosing: Scenario, tmp_path: Path) -> None:
    runner = SimulationRunner(choosing, replicas=5, seed=1, threads=2, record="requests")
    in_memory, on_disk = runner.run(), runner.run(out=tmp_path / "run")
    for other in (on_disk, SimulationResult.load(tmp_path / "run").check()):
        pd.testing.assert_frame_equal(in_memory.requests, other.requests)
    pd.testing.assert_frame_equal(in_memory.trades, SimulationRunner(choosing, 5, 1, record="trades").run().trades)
    arrays = in_memory.arrays("requests", ["client", "best_maker", "outcome"], 2)
    shown = in_memory.requests[in_memory.requests["replica"] < 2]
    assert [choosing.participants[n] for n in arrays["client"]] == shown["client"].tolist()
    assert [choosing.participants[n] for n in arrays["best_maker"]] == shown["best_maker"].tolist()
    assert (arrays["outcome"] == (shown["outcome"] == "traded")).all()


@pytest.mark.parametrize("policies", [{}, {"maker-1": Leaning()}])
def test_requests_that_trade_are_the_orders(choosing: Scenario, policies: dict[str, MakerPolicy]) -> None:
    result = SimulationRunner(choosing, replicas=4, record="requests", policies=policies).run()
    done = result.requests[result.requests["outcome"] == "traded"].reset_index(drop=True)
    orders = result.trades[result.trades["kind"] == "order"].reset_index(drop=True)
    orders = orders.sort_values(["replica", "step"], kind="stable")
    for ours, theirs in {
        "client": "taker",
        "best_maker": "maker",
        "best_spread": "spread",
        "side": "side",
        "size": "size",
    }.items():
        assert done[ours].tolist() == orders[theirs].tolist()
    assert (done["asked"] == done["best_maker"]).all() and done["cover_spread"].isna().all()
    taken = result.requests["best_spread"] <= result.requests["reservation"]
    assert (taken == (result.requests["outcome"] == "traded")).mean() > 0.999  # but for rounding
    steps = result.steps.drop_duplicates(["replica", "step"]).set_index(["replica", "step"])["mid"]
    assert (steps.loc[list(zip(done["replica"], done["step"], strict=True))].to_numpy() == done["mid"]).all()


def test_what_is_recorded_changes_nothing(choosing: Scenario) -> None:
    few, all_ = (SimulationRunner(choosing, replicas=3, record=level).run() for level in ("summary", "requests"))
    pd.testing.assert_frame_equal(few.summary, all_.summary, check_exact=True)


def test_who_always_trades_and_asks_all_is_the_papers_investor() -> None:
    """A reservation that is never reached changes nothing, to the bit, though other machine code runs."""
    paper = Scenario.load("paper", ["steps=60", "investors.*.trade_probability=0.5"])
    rich = "investors.*.demand={kind='normal', mean=1e6, std=0.0}"
    never = paper.with_settings(rich, "investors.*.asks=['maker-1', 'maker-2']")
    first, second = (SimulationRunner(each, replicas=3).run().summary for each in (paper, never))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_scenarios_that_differ_in_demand_have_no_common_tape(choosing: Scenario) -> None:
    other = choosing.with_settings("investors.*.demand.mean=1.2")
    with raises(ParameterError, "investors.investor.demand.mean", 1.2, names=["1.05"]):
        compare(choosing, other, replicas=2)


# --- the presets


@pytest.mark.compiled
def test_quotes_of_fx_are_those_it_promises() -> None:
    """All quotes, bid to ask, in bp of the mid: one dealer asked a request, drawn anew, is any dealer's quote."""
    scenario = Scenario.load("fx", ["investors.*.asks=1"])
    requests = SimulationRunner(scenario, replicas=40, record="requests").run().requests
    spread = 2e4 * requests["best_spread"] / requests["mid"]
    assert_allclose(np.quantile(spread, [0.05, 0.5, 0.95]), [0.09, 0.36, 0.72], rtol=0.08)


@pytest.mark.compiled
@pytest.mark.parametrize(("preset", "asked", "refused"), [("fx", 3, (0.15, 0.3)), ("bonds", 5, (0.1, 0.2))])
def test_clients_of_the_presets_ask_some_and_refuse_some(preset: str, asked: int, refused: tuple[float, float]) -> None:
    requests = SimulationRunner(Scenario.load(preset), replicas=20, record="requests").run().requests
    assert set(requests["makers_asked"]) == {asked}
    assert refused[0] < (requests["outcome"] == "not traded").mean() < refused[1]
