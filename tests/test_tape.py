"""Tapes: what is drawn follows the laws of the market, whatever else is drawn; what is handed in is checked.

Sections are those of Ganesh et al. (2019), *Multi-Agent Simulation for Pricing and Hedging in a Dealer Market*.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy import stats

from conftest import raises
from dealermarket.draws.streams import Episode, Stream
from dealermarket.draws.tape import Tape, TapeSource
from dealermarket.errors import DealerMarketError, ParameterError, TapeError
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal
from dealermarket.model.scenario import Scenario
from philox_in_python import arrival_words, normals, uniforms

INVESTORS = (
    InvestorAgent(name="rare", trade_probability=0.02, mean_size=5.0, log_std=0.6, oracle_probability=0.3),
    InvestorAgent(name="buyer", trade_probability=0.3, log_mean=0.5, log_std=0.2, buy_probability=0.8),
    InvestorAgent(name="oracle", trade_probability=0.25, mean_size=2.0, log_std=1.0, oracle_probability=0.6),
    InvestorAgent(name="always", trade_probability=1.0, mean_size=1.0, log_std=0.4),
    InvestorAgent(name="never", trade_probability=0.0, mean_size=1.0),
    InvestorAgent(name="mixed", trade_probability=0.4, mean_size=0.1, buy_probability=0.3, oracle_probability=0.5),
)
RARE, BUYER, ORACLE, ALWAYS, NEVER, MIXED = range(6)
VOLATILITY, DRIFT = 0.4, 2.0
SPREADS = ClippedNormal(mean=1.5e-4, std=5e-5, minimum=8e-5, maximum=2.4e-4)
NAN, INF = math.nan, math.inf


def makers(count: int = 2, **changes: Any) -> tuple[MarketMakerAgent, ...]:
    return tuple(
        MarketMakerAgent(name=f"maker-{n}", **{"tiering": AverageYield(tiers=2), "hedging": FullHedge(venue="best")} | changes)
        for n in range(count)
    )


def market(steps: int = 500, reward_horizon: int = 3, **changes: Any) -> Scenario:
    parts: dict[str, Any] = {
        "exchange": Exchange(v_max=400.0),
        "market": MarketEnvironment(
            mid_price=GeometricBrownianMotion(initial=3.0, drift=DRIFT, volatility=VOLATILITY), reference_spread=SPREADS
        ),
        "investors": INVESTORS,
        "makers": makers(),
    }
    return Scenario(steps=steps, reward_horizon=reward_horizon, **parts | changes)


@pytest.fixture(scope="module")
def tape() -> Tape:
    """24 replicas of 500 steps, about 24,000 orders."""
    return Tape.draw(market(), seed=42, replicas=24)


def within(observed: float, expected: float, standard_error: float) -> None:
    """A statistic of a fixed seed lies within four standard errors of its expectation."""
    z = (observed - expected) / standard_error
    assert abs(z) < 4, f"{observed} instead of {expected}: {z:.2f} standard errors"


def share(events: Any, expected: float) -> None:
    within(float(np.mean(events)), expected, math.sqrt(expected * (1 - expected) / np.size(events)))


def uncorrelated(a: Any, b: Any) -> None:
    within(float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]), 0.0, 1 / math.sqrt(np.size(a)))


def moves(tape: Tape, scenario: Scenario) -> Any:
    """P_{t + t_m} - P_t at every order."""
    replica, step = tape.orders.T
    return tape.mid[replica, step + scenario.reward_horizon] - tape.mid[replica, step]


def arrays(tape: Tape) -> dict[str, Any]:
    return {field.name: getattr(tape, field.name) for field in fields(tape)}


def same(a: Tape, b: Tape, but: Sequence[str] = ()) -> None:
    for name, values in arrays(a).items():
        if name not in but:
            np.testing.assert_array_equal(values, arrays(b)[name], err_msg=name)


def replica_of(tape: Tape, b: int) -> dict[str, Any]:
    """Everything of one replica, orders counted from 0."""
    first, last = tape.order_start[b, 0], tape.order_start[b, -1]
    orders = {name: arrays(tape)[name][first:last] for name in ("investor", "side", "size", "log_curve", "tie")}
    rest = {name: arrays(tape)[name][b] for name in ("mid", "reference_spread", "hedge_tie", "tie_order", "capped")}
    return orders | rest | {"order_start": tape.order_start[b] - first}


# --- shapes


def test_shapes_and_kinds(tape: Tape) -> None:
    scenario = market()
    orders = int(tape.order_start[-1, -1])
    assert (tape.replicas, tape.steps) == (24, 500)
    expected = {
        "mid": ((24, 503), np.float64),
        "reference_spread": ((24, 500), np.float64),
        "order_start": ((24, 501), np.int64),
        "investor": ((orders,), np.int32),
        "side": ((orders,), np.int8),
        "size": ((orders,), np.float64),
        "log_curve": ((orders,), np.float64),
        "tie": ((orders,), np.float64),
        "reservation": ((0,), np.float64),
        "asked": ((0, 2), np.bool_),
        "hedge_tie": ((24, 500, 2), np.float64),
        "tie_order": ((24, 2, 8), np.int32),
        "capped": ((24,), np.int64),
    }
    assert {name: (values.shape, values.dtype.type) for name, values in arrays(tape).items()} == expected
    assert len(scenario.participants) == 8
    assert all(np.isfinite(values).all() for values in arrays(tape).values())


def test_orders_are_listed_replica_by_replica_and_step_by_step(tape: Tape) -> None:
    assert tape.order_start[0, 0] == 0
    np.testing.assert_array_equal(tape.order_start[1:, 0], tape.order_start[:-1, -1])
    assert np.all(np.diff(tape.order_start, axis=1) >= 0)
    listed = tape.orders
    assert listed.shape == (len(tape.investor), 2)
    for b, t in ((0, 0), (3, 17), (23, 499)):
        here = np.flatnonzero((listed[:, 0] == b) & (listed[:, 1] == t))
        np.testing.assert_array_equal(here, np.arange(tape.order_start[b, t], tape.order_start[b, t + 1]))
        assert np.all(np.diff(tape.investor[here]) > 0)  # at most one order each
    assert len(np.unique(np.column_stack([listed, tape.investor]), axis=0)) == len(listed)


# --- laws


def test_arrivals_have_each_investors_frequency(tape: Tape) -> None:
    replica, step = tape.orders.T
    arrived = np.zeros((24, 500, len(INVESTORS)), dtype=bool)
    arrived[replica, step, tape.investor] = True
    for j, agent in enumerate(INVESTORS):
        if 0 < agent.trade_probability < 1:
            share(arrived[:, :, j], agent.trade_probability)
    assert arrived[:, :, ALWAYS].all()
    assert not arrived[:, :, NEVER].any()
    uncorrelated(arrived[:, :, BUYER], arrived[:, :, MIXED])
    uncorrelated(arrived[:, 1:, BUYER], arrived[:, :-1, BUYER])
    uncorrelated(arrived[1:, :, BUYER], arrived[:-1, :, BUYER])
    per_step = arrived[:, :, [BUYER, MIXED]].sum(axis=2)
    share(per_step == 2, 0.3 * 0.4)


def test_sizes_are_log_normal(tape: Tape) -> None:
    """Section 3.2; caps at 0.99 v_max are too far out to be seen here."""
    for j, agent in enumerate(INVESTORS):
        sizes = tape.size[tape.investor == j]
        if j == NEVER:
            assert len(sizes) == 0
            continue
        law = stats.lognorm(s=agent.log_std, scale=math.exp(agent.order_size.size_log_mean))
        assert stats.kstest(sizes, law.cdf).pvalue > 1e-3
        within(np.log(sizes).mean(), agent.order_size.size_log_mean, agent.log_std / math.sqrt(len(sizes)))
        within(np.log(sizes).std(ddof=1), agent.log_std, agent.log_std / math.sqrt(2 * len(sizes)))
        if agent.mean_size is not None:
            within(sizes.mean(), agent.mean_size, law.std() / math.sqrt(len(sizes)))
    assert tape.capped.sum() == 0


def test_log_curves_are_those_of_the_sizes(tape: Tape) -> None:
    exchange = market().exchange
    np.testing.assert_allclose(tape.log_curve, np.log(exchange.relative_spread(tape.size)), rtol=1e-12, atol=3e-16)


def test_sides_follow_buy_probabilities(tape: Tape) -> None:
    for j in (BUYER, ALWAYS):
        share(tape.side[tape.investor == j] == 1, INVESTORS[j].buy_probability)
    assert set(np.unique(tape.side)) == {-1, 1}
    uncorrelated(tape.side[tape.investor == ALWAYS], moves(tape, market())[tape.investor == ALWAYS])


def test_oracles_hit_as_often_as_they_should(tape: Tape) -> None:
    """An oracle with p hits the move t_m steps ahead with (1 + p) / 2; more than a coin, given the side it leans to."""
    move = moves(tape, market())
    hit = tape.side == np.sign(move)
    for j in (RARE, ORACLE):
        p = INVESTORS[j].oracle_probability
        share(hit[tape.investor == j], (1 + p) / 2)
    for rises, coin in ((True, 0.3), (False, 0.7)):  # MIXED buys with 0.3 where it asks no oracle
        share(hit[(tape.investor == MIXED) & ((move > 0) == rises)], 0.5 + 0.5 * coin)
    assert np.all(move != 0)


def test_an_oracle_that_is_always_asked_is_always_right() -> None:
    scenario = market(60, 7, investors=(InvestorAgent(name="a", trade_probability=1.0, mean_size=1.0, oracle_probability=1.0),))
    tape = Tape.draw(scenario, seed=3, replicas=5)
    np.testing.assert_array_equal(tape.side, np.sign(moves(tape, scenario)))
    assert len(tape.side) == 300
    # the last orders look at prices beyond the last step
    replica, step = tape.orders.T
    last = tape.mid[replica, -1] - tape.mid[replica, step]
    np.testing.assert_array_equal(tape.side[step == 59], np.sign(last[step == 59]))


def test_where_the_price_stands_still_the_oracle_tosses_the_coin() -> None:
    still = MarketEnvironment(mid_price=GeometricBrownianMotion(volatility=0.0, drift=0.0))
    agents = (InvestorAgent(name="a", trade_probability=1.0, mean_size=1.0, buy_probability=0.8, oracle_probability=1.0),)
    tape = Tape.draw(market(2000, market=still, investors=agents), seed=5)
    assert np.all(tape.mid == 1.0)
    share(tape.side == 1, 0.8)
    rising = still.replace(mid_price=GeometricBrownianMotion(volatility=0.0, drift=0.1))
    assert np.all(Tape.draw(market(200, market=rising, investors=agents), seed=5).side == 1)


def test_reference_spreads_are_clipped_normals(tape: Tape) -> None:
    s0 = tape.reference_spread
    low, high = (SPREADS.minimum - SPREADS.mean) / SPREADS.std, (SPREADS.maximum - SPREADS.mean) / SPREADS.std
    share(s0 == SPREADS.minimum, float(stats.norm.cdf(low)))
    share(s0 == SPREADS.maximum, float(stats.norm.sf(high)))
    free = s0[(s0 > SPREADS.minimum) & (s0 < SPREADS.maximum)]
    assert stats.kstest(free, stats.truncnorm(low, high, SPREADS.mean, SPREADS.std).cdf).pvalue > 1e-3
    assert s0.min() == SPREADS.minimum
    assert s0.max() == SPREADS.maximum
    uncorrelated(s0[:, 1:], s0[:, :-1])
    uncorrelated(s0[1:], s0[:-1])


def test_prices_are_geometric_brownian_motions(tape: Tape) -> None:
    dt, count = market().market.dt, tape.mid[:, 1:].size
    assert np.all(tape.mid[:, 0] == 3.0)
    returns = np.diff(np.log(tape.mid), axis=1)
    deviation = VOLATILITY * math.sqrt(dt)
    within(returns.mean(), (DRIFT - VOLATILITY**2 / 2) * dt, deviation / math.sqrt(count))
    within(returns.std(ddof=1), deviation, deviation / math.sqrt(2 * count))
    assert stats.kstest(returns.ravel(), stats.norm((DRIFT - VOLATILITY**2 / 2) * dt, deviation).cdf).pvalue > 1e-3
    uncorrelated(returns[:, 1:], returns[:, :-1])
    uncorrelated(np.abs(returns[:, 1:]), np.abs(returns[:, :-1]))
    uncorrelated(returns[1:], returns[:-1])
    end = tape.mid[:, -1] / 3.0
    years = 502 * dt
    within(end.mean(), math.exp(DRIFT * years), math.exp(DRIFT * years) * math.sqrt(math.expm1(VOLATILITY**2 * years) / 24))


def test_draws_for_ties_are_uniform(tape: Tape) -> None:
    for draws in (tape.tie, tape.hedge_tie):
        assert draws.min() >= 0
        assert draws.max() < 1
        assert stats.kstest(draws.ravel(), stats.uniform.cdf).pvalue > 1e-3
    uncorrelated(tape.hedge_tie[..., 0], tape.hedge_tie[..., 1])


def test_orders_of_ties_are_random_permutations() -> None:
    """Of four participants: all 24 orders equally often, and those of two makers independent."""
    investors = tuple(InvestorAgent(name=f"a{n}", trade_probability=0.0, mean_size=1.0) for n in range(2))
    orders = Tape.draw(market(2, 1, investors=investors), seed=6, replicas=12_000).tie_order
    np.testing.assert_array_equal(np.sort(orders, axis=-1), np.broadcast_to(np.arange(4), orders.shape))
    number = orders @ np.array([64, 16, 4, 1])
    both = np.unique(number[:, 0] * 1000 + number[:, 1], return_counts=True)[1]
    assert len(both) == 24 * 24
    assert stats.chisquare(both).pvalue > 1e-3
    assert stats.chisquare(np.unique(number[:, 0], return_counts=True)[1]).pvalue > 1e-3


def test_capped_sizes_are_counted() -> None:
    agents = (
        InvestorAgent(name="large", trade_probability=1.0, mean_size=30.0, log_std=0.5),
        InvestorAgent(name="small", trade_probability=1.0, mean_size=1.0, log_std=0.1),
    )
    scenario = market(1500, exchange=Exchange(v_max=87.0), investors=agents)
    expected = agents[0].capped_share(scenario.exchange.largest_trade)
    assert 0.005 < expected < 0.01
    tape = Tape.draw(scenario, seed=9, replicas=8)
    at_cap = tape.size == scenario.exchange.largest_trade
    assert tape.size.max() == scenario.exchange.largest_trade
    assert not at_cap[tape.investor == 1].any()
    share(at_cap[tape.investor == 0], expected)
    np.testing.assert_array_equal(tape.capped, np.bincount(tape.orders[at_cap, 0], minlength=8))
    assert tape.capped.sum() > 50


@pytest.mark.parametrize("v_max", [50.0, 100.0, 10_000.0])
def test_a_size_that_is_the_largest_anyway_is_not_capped(v_max: float) -> None:
    """Constant sizes of just 0.99 v_max: nothing was cut off, as `capped_share` says too."""
    exchange = Exchange(v_max=v_max)
    agents = (InvestorAgent(name="a", trade_probability=1.0, mean_size=exchange.largest_trade, log_std=0.0),)
    assert agents[0].capped_share(exchange.largest_trade) == 0.0
    tape = Tape.draw(market(5, exchange=exchange, investors=agents))
    np.testing.assert_allclose(tape.size, exchange.largest_trade, rtol=1e-14)
    assert tape.capped.sum() == 0


# --- the streams behind


def test_a_replica_does_not_depend_on_the_others() -> None:
    scenario = market(50)
    many = Tape.draw(scenario, seed=7, replicas=6)
    for chosen in (range(3, 4), range(2, 6), range(5, -1, -1), range(0, 6, 2)):
        some = Tape.draw(scenario, seed=7, replicas=chosen)
        assert some.replicas == len(chosen)
        for place, replica in enumerate(chosen):
            mine, other = replica_of(some, place), replica_of(many, replica)
            for name, values in mine.items():
                np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_far_replicas_have_numbers_of_their_own() -> None:
    """A replica's number is a word of the counter; what does not fit there is part of the key."""
    scenario, far = market(40), (1, 2**32 + 1, 2**64 + 1, 10**30)
    tapes = [Tape.draw(scenario, 5, range(replica, replica + 1)) for replica in far]
    assert len({tape.mid[0, -1] for tape in tapes}) == len(far)
    same(tapes[1], TapeSource(scenario).draw([Episode(5, 2**32 + 1)]))
    draws = {Episode(5, 1, number).generator(Stream.POLICY).random() for number in (0, 2**32, 2**64)}
    assert len(draws) == 3
    with raises(ParameterError, "replicas", -2):
        Tape.draw(scenario, 5, range(-2, 1))


def test_a_tape_is_its_seeds_alone() -> None:
    scenario = market(40)
    same(Tape.draw(scenario, seed=7, replicas=3), Tape.draw(scenario, seed=7, replicas=3))
    same(Tape.draw(scenario), Tape.draw(scenario, seed=0, replicas=range(1)))


def test_replicas_and_seeds_differ() -> None:
    scenario = market(300)
    first, second = (Tape.draw(scenario, seed=seed, replicas=2) for seed in (0, 1))
    one, two = replica_of(first, 0), replica_of(first, 1)
    other = replica_of(second, 0)
    large = replica_of(Tape.draw(scenario, seed=2**70, replicas=1), 0)
    for a, b in ((one, two), (one, other), (two, other), (one, large), (two, replica_of(second, 1))):
        for name in ("mid", "reference_spread", "hedge_tie"):
            fresh = slice(1, None) if name == "mid" else slice(None)  # the first price is given
            assert not np.any(a[name][fresh] == b[name][fresh]) or name == "reference_spread"
        assert not np.array_equal(a["order_start"], b["order_start"])
        uncorrelated(np.diff(np.log(a["mid"])), np.diff(np.log(b["mid"])))
        uncorrelated(a["reference_spread"], b["reference_spread"])
        uncorrelated(a["hedge_tie"], b["hedge_tie"])
        assert len(np.intersect1d(a["size"], b["size"])) == 0
        assert len(np.intersect1d(a["tie"], b["tie"])) == 0


def test_what_is_on_a_tape_is_independent(tape: Tape) -> None:
    """Prices, spreads, arrivals, sizes, sides and ties of one step know nothing of each other (investors without oracle)."""
    replica, step = tape.orders.T
    always = tape.investor == ALWAYS
    at = replica[always], step[always]
    columns = {
        "return": np.diff(np.log(tape.mid), axis=1)[at],
        "last return": np.diff(np.log(np.column_stack([tape.mid[:, 0], tape.mid])), axis=1)[at],
        "spread": tape.reference_spread[at],
        "arrivals": np.diff(tape.order_start, axis=1)[at],
        "log size": np.log(tape.size[always]),
        "side": tape.side[always],
        "tie": tape.tie[always],
        "hedge tie": tape.hedge_tie[..., 1][at],
    }
    names = list(columns)
    for a, name in enumerate(names):
        for other in names[:a]:
            uncorrelated(columns[name], columns[other])


def test_a_tape_is_made_of_its_streams() -> None:
    """One replica rebuilt from the generator in plain Python: prices, spreads, arrivals, sizes, sides and ties."""
    scenario, episode = market(30, 2, investors=INVESTORS[:3]), Episode(13, 8)
    tape = Tape.draw(scenario, seed=13, replicas=range(8, 9))

    def uniform(stream: int, count: int) -> Any:
        return np.array(uniforms(episode, stream, count))

    dt, normal = scenario.market.dt, np.array(normals(episode, Stream.PRICE, 32))
    growth = np.exp((DRIFT - VOLATILITY**2 / 2) * dt + VOLATILITY * math.sqrt(dt) * normal)
    np.testing.assert_allclose(tape.mid[0], 3.0 * np.cumprod(np.append(1.0, growth[1:])), rtol=1e-13)
    spreads = SPREADS.mean + SPREADS.std * np.array(normals(episode, Stream.SPREAD, 30))
    np.testing.assert_allclose(tape.reference_spread[0], np.clip(spreads, SPREADS.minimum, SPREADS.maximum), rtol=1e-13)
    probability = np.array([agent.trade_probability for agent in INVESTORS[:3]])
    bits = np.array(arrival_words(episode, Stream.ARRIVAL, 30, 3))
    step, investor = np.nonzero(bits < probability * 2**32)
    np.testing.assert_array_equal(tape.orders[:, 1], step)
    np.testing.assert_array_equal(tape.investor, investor)
    count = len(step)
    log_mean, log_std = (
        np.array([getattr(a.order_size, f) for a in INVESTORS[:3]])[investor] for f in ("size_log_mean", "log_std")
    )
    sizes = np.exp(log_mean + log_std * np.array(normals(episode, Stream.SIZE, count)))
    np.testing.assert_allclose(tape.size, sizes, rtol=1e-13)
    buys, asks = (np.array([getattr(a, f) for a in INVESTORS[:3]])[investor] for f in ("buy_probability", "oracle_probability"))
    coin = np.where(uniform(Stream.SIDE, count) < buys, 1, -1)
    side = np.where(uniform(Stream.ORACLE, count) < asks, np.sign(moves(tape, scenario)), coin)
    np.testing.assert_array_equal(tape.side, side)
    np.testing.assert_array_equal(tape.hedge_tie[0].ravel(), uniform(Stream.HEDGE_TIE, 60))
    np.testing.assert_array_equal(tape.tie, uniform(Stream.TIE, count))
    for order, draws in zip(tape.tie_order[0], uniform(Stream.RANKING, 2 * 5).reshape(2, 5), strict=True):
        expected: list[int] = []
        for j, draw in enumerate(draws):  # a newcomer takes a random place, and who had it goes to the end
            place = int(draw * (j + 1))
            expected.append(j)
            expected[place], expected[-1] = expected[-1], expected[place]
        assert order.tolist() == expected


def test_where_32_bits_do_not_decide_an_arrival_the_next_53_do() -> None:
    """A probability whose whole part in units of 2^-32 is the very word of some step and investor."""
    episode = Episode(5, 0)
    word = arrival_words(episode, Stream.ARRIVAL, 9, 3)[7][1]
    rest = uniforms(episode, Stream.ARRIVAL_REST, 7 * 3 + 2)[7 * 3 + 1]
    for share, trades in ((rest, False), (rest + 2.0**-20, True)):
        probability = (word + share) * 2.0**-32
        agents = tuple(InvestorAgent(name=f"a{n}", trade_probability=probability, mean_size=1.0) for n in range(3))
        tape = Tape.draw(market(9, investors=agents), seed=5)
        assert (1 in tape.investor[tape.orders[:, 1] == 7]) == trades


def test_room_for_orders_grows_where_it_does_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Tape.draw(market(60), seed=2, replicas=3)
    monkeypatch.setattr(TapeSource, "_likely_orders", lambda *_: 7)
    same(Tape.draw(market(60), seed=2, replicas=3), expected)


# --- common random numbers: what changes leaves the rest alone


@pytest.mark.parametrize(
    "changes",
    [
        {"pricing": PowerPricing(alpha=1.1, tier_penalty=3e-5, eps_buy=0.5)},
        {"hedging": NoHedge()},
        {"tiering": RevenueRate(weight=0.5, tiers=3)},
        {"tiering": FixedTiers(table={"rare": 2}), "hedging": FullHedge(venue="exchange", volatility=0.9)},
        {"tiering": AverageYield(tiers=2, pins={"always": 1})},
    ],
)
def test_what_makers_do_changes_no_draw(changes: dict[str, Any]) -> None:
    same(Tape.draw(market(60), seed=2, replicas=3), Tape.draw(market(60, makers=makers(**changes)), seed=2, replicas=3))


def test_another_maker_changes_nothing_that_investors_do() -> None:
    two, three = (Tape.draw(market(60, makers=makers(count)), seed=2, replicas=3) for count in (2, 3))
    same(two, three, but=("asked", "hedge_tie", "tie_order"))


@pytest.mark.parametrize("changed", [ORACLE, ALWAYS])
def test_one_investors_oracle_changes_no_other_investor(changed: int) -> None:
    def draw(probability: float, others: float | None = None) -> Tape:
        agents = [
            agent.replace(
                oracle_probability=probability if j == changed else agent.oracle_probability if others is None else others
            )
            for j, agent in enumerate(INVESTORS)
        ]
        return Tape.draw(market(200, investors=tuple(agents)), seed=4, replicas=3)

    for others in (None, 0.0):  # with 0, the first tape draws no oracle at all
        without, with_oracle = draw(0.0, others), draw(0.9, others)
        same(without, with_oracle, but=("side",))
        mine = without.investor == changed
        np.testing.assert_array_equal(without.side[~mine], with_oracle.side[~mine])
        assert not np.array_equal(without.side[mine], with_oracle.side[mine])
        move = moves(with_oracle, market(200))[mine]
        assert np.mean(with_oracle.side[mine] == np.sign(move)) > 0.9


def test_parameters_of_one_law_change_no_other() -> None:
    base = Tape.draw(market(60), seed=6, replicas=2)
    wild = market(60).market.replace(mid_price=GeometricBrownianMotion(volatility=0.9))
    same(base, Tape.draw(market(60, market=wild), seed=6, replicas=2), but=("mid", "side"))
    wide = market(60).market.replace(reference_spread=ClippedNormal(mean=3e-4))
    same(base, Tape.draw(market(60, market=wide), seed=6, replicas=2), but=("reference_spread",))
    larger = tuple(agent.replace(log_std=0.3) for agent in INVESTORS)
    same(base, Tape.draw(market(60, investors=larger), seed=6, replicas=2), but=("size", "log_curve"))
    deep = Tape.draw(market(60, exchange=Exchange(lam=3.0, v_max=500.0)), seed=6, replicas=2)
    same(base, deep, but=("log_curve",))
    scaled = market(60).market.replace(spreads_scale_with_price=True)
    same(base, Tape.draw(market(60, market=scaled), seed=6, replicas=2))  # the engine multiplies


def test_a_longer_horizon_only_adds_prices() -> None:
    short, long = (Tape.draw(market(60, horizon), seed=6, replicas=2) for horizon in (2, 9))
    assert (short.mid.shape, long.mid.shape) == ((2, 62), (2, 69))
    np.testing.assert_array_equal(short.mid, long.mid[:, :62])
    same(short, long, but=("mid", "side"))


def test_more_steps_continue_the_same_market() -> None:
    short, long = (Tape.draw(market(steps), seed=6, replicas=range(3, 4)) for steps in (40, 90))
    np.testing.assert_array_equal(short.mid, long.mid[:, :43])
    np.testing.assert_array_equal(short.reference_spread, long.reference_spread[:, :40])
    count = int(short.order_start[0, -1])
    np.testing.assert_array_equal(short.order_start[0], long.order_start[0, :41])
    for name in ("investor", "size", "side"):
        np.testing.assert_array_equal(arrays(short)[name], arrays(long)[name][:count])


def test_many_arrivals_are_drawn_in_one_stream() -> None:
    """However many steps are drawn at once, the numbers are the stream's."""
    agents = tuple(InvestorAgent(name=f"a{n}", trade_probability=0.001 * (n % 3), mean_size=1.0) for n in range(3001))
    tape = Tape.draw(market(40, investors=agents), seed=3, replicas=1)
    bits = np.array(arrival_words(Episode(3, 0), Stream.ARRIVAL, 40, 3001))
    step, investor = np.nonzero(bits < np.array([agent.trade_probability for agent in agents]) * 2**32)
    np.testing.assert_array_equal(tape.orders[:, 1], step)
    np.testing.assert_array_equal(tape.investor, investor)


# --- activity by time of day


def active(weights: Sequence[float], steps_per_day: int, steps: int, probability: float = 0.3) -> Scenario:
    agents = tuple(InvestorAgent(name=f"a{n}", trade_probability=probability / (n + 1), mean_size=1.0) for n in range(3))
    environment = MarketEnvironment(steps_per_day=steps_per_day, activity=tuple(weights))
    return market(steps, investors=agents, market=environment)


@pytest.mark.parametrize(("parts", "steps_per_day"), [(24, 48), (24, 36), (3, 7), (24, 5), (5, 5)])
def test_arrivals_follow_the_profile_of_a_day(parts: int, steps_per_day: int) -> None:
    """Rebuilt in plain Python: a day is cut into so many pieces that each part and each step has whole ones."""
    weights = [1.0 + n % 3 for n in range(parts)]
    scenario = active(weights, steps_per_day, 90)
    tape = Tape.draw(scenario, seed=4)
    pieces = np.repeat(weights, steps_per_day) / np.mean(weights)
    factors = np.resize(pieces.reshape(steps_per_day, parts).mean(axis=1), 90)
    np.testing.assert_allclose(scenario.market.activity_at(np.arange(90)), factors, rtol=1e-12)
    probability = factors[:, None] * [agent.trade_probability for agent in scenario.agents]
    step, investor = np.nonzero(np.array(arrival_words(Episode(4, 0), Stream.ARRIVAL, 90, 3)) < probability * 2**32)
    np.testing.assert_array_equal(tape.orders[:, 1], step)
    np.testing.assert_array_equal(tape.investor, investor)
    assert scenario.volume_moment(0) == pytest.approx(probability.sum(axis=1).mean(), rel=1e-12)
    assert scenario.volume_moment(1) == pytest.approx(
        scenario.volume_moment(0) * scenario.agents[0].size_moment(1, 1e9), rel=1e-9
    )


def test_a_flat_profile_is_none() -> None:
    same(Tape.draw(active([3.0] * 24, 96, 200), 1, 3), Tape.draw(active([], 96, 200), 1, 3))


def test_nobody_can_trade_with_a_probability_above_1() -> None:
    assert active([1.0, 3.0], 96, 60, 2 / 3).market.busiest == 1.5
    with raises(ParameterError, "investors.0.trade_probability", 0.7, names=["0.666667", "market.activity"]):
        active([1.0, 3.0], 96, 60, 0.7)
    with raises(ParameterError, "activity"):
        MarketEnvironment(activity=(0.0, 0.0))


# --- tapes made by hand


STEPS, HORIZON = 4, 2
HAND = market(STEPS, HORIZON, investors=INVESTORS[:3])
MID = np.array([1.0, 1.1, 1.2, 1.1, 1.0, 0.9])
S0 = np.full(STEPS, 1e-4)


def by_hand(orders: Any = (), **changes: Any) -> Tape:
    return Tape.from_orders(HAND, **{"mid": MID, "reference_spread": S0, "orders": orders} | changes)


def test_orders_by_hand() -> None:
    rows = [(2, 1, -1, 3.0, 0.25), (0, 0, 1, 396.0), (2, 0, 1, 1.5, 0.75), (0, 2, -1, 1e-9, 0.0), (3, 2, 1, 8)]
    tape = by_hand(rows)
    assert (tape.replicas, tape.steps) == (1, STEPS)
    np.testing.assert_array_equal(tape.orders, [[0, 0], [0, 0], [0, 2], [0, 2], [0, 3]])
    np.testing.assert_array_equal(tape.order_start, [[0, 2, 2, 4, 5]])
    np.testing.assert_array_equal(tape.investor, [0, 2, 1, 0, 2])  # within a step in the order given
    np.testing.assert_array_equal(tape.side, [1, -1, -1, 1, 1])
    np.testing.assert_array_equal(tape.size, [396.0, 1e-9, 3.0, 1.5, 8.0])
    np.testing.assert_array_equal(tape.tie, [0.0, 0.0, 0.25, 0.75, 0.0])
    np.testing.assert_allclose(tape.log_curve, np.log(HAND.exchange.relative_spread(tape.size)), rtol=1e-13, atol=3e-16)
    np.testing.assert_array_equal(tape.mid, MID[None])
    np.testing.assert_array_equal(tape.reference_spread, S0[None])
    np.testing.assert_array_equal(tape.hedge_tie, np.zeros((1, STEPS, 2)))
    np.testing.assert_array_equal(tape.tie_order, np.tile(np.arange(5), (1, 2, 1)))
    np.testing.assert_array_equal(tape.capped, [0])
    assert [arrays(tape)[name].dtype for name in ("order_start", "investor", "side")] == [np.int64, np.int32, np.int8]


def test_no_orders_by_hand() -> None:
    tape = by_hand()
    assert tape.orders.shape == (0, 2)
    np.testing.assert_array_equal(tape.order_start, np.zeros((1, STEPS + 1)))


def test_a_drawn_tape_handed_in_again_is_the_same() -> None:
    scenario = market(80)
    drawn = Tape.draw(scenario, seed=21)
    rows = np.column_stack([drawn.orders[:, 1], drawn.investor, drawn.side, drawn.size, drawn.tie])
    again = Tape.from_orders(
        scenario,
        drawn.mid[0],
        drawn.reference_spread[0],
        [tuple(row) for row in rows],
        hedge_tie=drawn.hedge_tie[0],
        tie_order=drawn.tie_order[0],
    )
    same(drawn, again)
    for name, values in arrays(drawn).items():
        assert arrays(again)[name].dtype == values.dtype, name
    from_array = Tape.from_orders(scenario, drawn.mid[0].tolist(), drawn.reference_spread[0].tolist(), rows)
    same(drawn, from_array, but=("hedge_tie", "tie_order"))


def test_without_prices_beyond_the_end_the_last_price_stays() -> None:
    tape = by_hand(mid=MID[:STEPS])
    np.testing.assert_array_equal(tape.mid[0], [1.0, 1.1, 1.2, 1.1, 1.1, 1.1])


def test_what_is_handed_in_is_copied() -> None:
    mid, s0, ties = MID.copy(), S0.copy(), np.full((STEPS, 2), 0.5)
    tape = by_hand(mid=mid, reference_spread=s0, hedge_tie=ties)
    mid[:], s0[:], ties[:] = 9.0, 9.0, 0.9
    np.testing.assert_array_equal(tape.mid[0], MID)
    np.testing.assert_array_equal(tape.reference_spread[0], S0)
    np.testing.assert_array_equal(tape.hedge_tie, np.full((1, STEPS, 2), 0.5))


def test_the_engine_gets_what_a_tape_shows() -> None:
    order = np.array([[3, 1, 2, 0, 4], [0, 1, 2, 3, 4]])
    tape = by_hand([(1, 0, 1, 2.0)], tie_order=order)
    np.testing.assert_array_equal(tape.tie_order, order[None])
    for name, values in tape.arrays()._asdict().items():
        np.testing.assert_array_equal(values, arrays(tape)[name])


GOOD = (1, 0, 1, 2.0, 0.5)
LARGEST = r"size: must be above 0 and at most 0\.99 v_max = 396"
WRONG_ORDERS = [
    ((-1, 0, 1, 2.0), r"step: must be a whole number in 0\.\.3"),
    ((4, 0, 1, 2.0), r"step: must be a whole number in 0\.\.3"),
    ((0.5, 0, 1, 2.0), r"step: must be a whole number in 0\.\.3"),
    ((NAN, 0, 1, 2.0), r"step: must be a whole number in 0\.\.3"),
    ((INF, 0, 1, 2.0), r"step: must be a whole number in 0\.\.3"),
    ((0, -1, 1, 2.0), r"investor: must be a number in 0\.\.2"),
    ((0, 3, 1, 2.0), r"investor: must be a number in 0\.\.2"),
    ((0, 1.5, 1, 2.0), r"investor: must be a number in 0\.\.2"),
    ((0, NAN, 1, 2.0), r"investor: must be a number in 0\.\.2"),
    ((0, 0, 0, 2.0), r"side: must be \+1 \(buys\) or -1 \(sells\)"),
    ((0, 0, 2, 2.0), r"side: must be \+1 \(buys\) or -1 \(sells\)"),
    ((0, 0, NAN, 2.0), r"side: must be \+1 \(buys\) or -1 \(sells\)"),
    ((0, 0, 1, 0.0), LARGEST),
    ((0, 0, 1, -2.0), LARGEST),
    ((0, 0, 1, 396.0001), LARGEST),
    ((0, 0, 1, NAN), LARGEST),
    ((0, 0, 1, INF), LARGEST),
    ((0, 0, 1, 2.0, 1.0), r"tie: must be in \[0, 1\)"),
    ((0, 0, 1, 2.0, -0.1), r"tie: must be in \[0, 1\)"),
    ((0, 0, 1, 2.0, NAN), r"tie: must be in \[0, 1\)"),
]


@pytest.mark.parametrize(("order", "rule"), WRONG_ORDERS)
def test_wrong_orders_are_refused_with_the_order_and_the_rule(order: tuple[float, ...], rule: str) -> None:
    full = tuple(float(x) for x in (*order, 0.0)[:5])
    with pytest.raises(TapeError) as caught:
        by_hand([order, GOOD])
    message = rf"order 0 \(step, investor, side, size, tie\) = {re.escape(repr(full))}: {rule}"
    assert re.fullmatch(message, str(caught.value)), str(caught.value)
    assert isinstance(caught.value, (DealerMarketError, ValueError))


def test_a_wrong_order_is_named_by_its_place_among_those_given() -> None:
    with raises(TapeError, "order 1 (step, investor, side, size, tie) = (1.0, 1.0, 5.0, 2.0, 0.0)", names=["side"]):
        by_hand([(2, 0, 1, 2.0), (1, 1, 5, 2.0), GOOD])


def test_orders_of_an_investor_in_a_step_stay_in_their_order() -> None:
    tape = by_hand([(1, 0, -1, 3.0), (2, 0, 1, 1.0), (1, 1, 1, 5.0), (1, 0, 1, 4.0), (1, 0, -1, 2.0)])
    assert tape.size.tolist() == [3.0, 5.0, 4.0, 2.0, 1.0]
    assert tape.order_start[0].tolist() == [0, 0, 4, 5, 5]


@pytest.mark.parametrize(
    "orders",
    [
        pytest.param([(0, 0, 1)], id="one order of three numbers"),
        pytest.param([(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 0, 1)], id="five orders of three numbers"),
        pytest.param([(0, 0, 1, 2.0), (1, 0, 1)], id="one too short"),
        pytest.param([(0, 0, 1, 2.0, 0.0, 9.0)], id="six numbers"),
        pytest.param([(0, 0, "buy", 2.0)], id="a word"),
        pytest.param([(0, 0, 1, None)], id="nothing"),
        pytest.param([(0, 0, 1, 10**400)], id="more than a computer's number holds"),
        pytest.param([(0, 0, 1, np.complex128(1))], id="a complex number"),
        pytest.param([3.0], id="no row"),
    ],
)
def test_orders_that_are_no_rows_of_numbers_are_refused(orders: Any) -> None:
    with pytest.raises(TapeError):
        by_hand(orders)


@pytest.mark.parametrize(
    ("changes", "value", "allowed"),
    [
        ({"mid": MID[:3]}, "(3,)", ["(6,)", "(4,)"]),
        ({"mid": MID[None]}, "(1, 6)", ["(6,)", "(4,)"]),
        ({"mid": [1.0, 1.0, 0.0, 1.0]}, "0.0 at [2]", ["finite", "above 0"]),
        ({"mid": [1.0, -1.0, 1.0, 1.0]}, "-1.0 at [1]", ["finite", "above 0"]),
        ({"mid": [1.0, NAN, 1.0, 1.0]}, "nan at [1]", ["finite"]),
        ({"mid": [1.0, INF, 1.0, 1.0]}, "inf at [1]", ["finite"]),
        ({"reference_spread": S0[:3]}, "(3,)", ["(4,)"]),
        ({"reference_spread": 1e-4}, "()", ["(4,)"]),
        ({"reference_spread": [1e-4, 0.0, 1e-4, 1e-4]}, "0.0 at [1]", ["finite", "above 0"]),
        ({"reference_spread": [NAN] * 4}, "nan at [0]", ["finite"]),
        ({"hedge_tie": np.zeros((4, 3))}, "(4, 3)", ["(4, 2)"]),
        ({"hedge_tie": np.full((4, 2), NAN)}, "nan at [0, 0]", ["finite"]),
        ({"tie_order": np.zeros((2, 4))}, "(2, 4)", ["(2, 5)"]),
        ({"tie_order": np.full((2, 5), INF)}, "inf at [0, 0]", ["finite"]),
        ({"tie_order": np.zeros((2, 5))}, None, ["0..4", "once"]),
        ({"tie_order": np.tile(np.arange(5) + 0.5, (2, 1))}, None, ["0..4", "once"]),
        ({"mid": [1.0, 1e101, 1.0, 1.0]}, "1e+101 at [1]", ["1e+100"]),
        ({"mid": [1.0, 10**400, 1.0, 1.0]}, None, ["numbers"]),
        ({"mid": [1.0, 1j, 1.0, 1.0]}, None, ["numbers"]),
        ({"mid": np.ma.masked_invalid([1.0, NAN, 1.0, 1.0])}, None, ["numbers"]),
        ({"hedge_tie": [[0.0, 0.0], [0.0]]}, None, ["numbers"]),
    ],
)
def test_wrong_series_are_refused_with_name_and_rule(changes: dict[str, Any], value: str | None, allowed: list[str]) -> None:
    (field,) = changes
    with raises(TapeError, field, value, names=allowed):
        by_hand(**changes)


@pytest.mark.parametrize("draw", [1.0, -0.1])
def test_draws_for_hedges_are_checked_like_those_of_orders(draw: float) -> None:
    with raises(TapeError, "hedge_tie", f"{draw} at [0, 0]", names=["[0, 1)"]):
        by_hand(hedge_tie=np.full((STEPS, 2), draw))
