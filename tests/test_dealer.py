"""The FX dealer's problem: closed forms, published numbers, the same chain in another way, the process simulated; bad inputs."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from conftest import assert_same_bits, raises
from dealermarket import ParameterError
from dealermarket.control.dealer import (
    EURUSD,
    USDCNH,
    ClientTier,
    DealerProblem,
    Solution,
    efficient_frontier,
    simulate,
    solve,
    solve_horizon,
)
from dealermarket.control.dealer.chain import Chain, ChainPolicy
from dealermarket.control.dealer.ergodic import between, grids
from dealermarket.control.dealer.hamiltonians import best_hedging_rate, best_quote, fill_probability, hedging_cost

SECONDS = 86400.0  # a day
RISK_AVERSE = USDCNH.replace(risk_aversion=5e-3)
LARGE = USDCNH.replace(tiers=(USDCNH.tiers[0].replace(rates=(2280.0, 450.0, 225.0, 45.0)),))  # three times the requests
SMALL = DealerProblem(
    sizes=(1.0, 2.0),
    tiers=(ClientTier(a=-1.0, b=10.0, rates=(700.0, 100.0)), ClientTier(a=0.0, b=5.0, rates=(300.0, 0.0))),
    volatility=50.0,
    linear_cost=0.1,
    quadratic_cost=1e-4,
    impact=0.005,
    risk_aversion=5e-3,
    largest_inventory=12.0,
)


# --- closed forms


@pytest.mark.parametrize(("a", "b"), [(-1.0, 10.0), (-1.9, 15.0), (2.0, 0.3)])
@pytest.mark.parametrize("price", [-3.0, -0.4, 0.0, 0.05, 1.0])
def test_the_best_quote_is_what_a_search_finds(a: float, b: float, price: float) -> None:
    quote = best_quote(price, a, b)
    found = minimize_scalar(
        lambda markup: -fill_probability(markup, a, b) * (markup - price),
        bounds=(price, price + 60 / b),
        options={"xatol": 1e-10},
    )
    assert quote.value == pytest.approx(-found.fun, rel=1e-9)
    assert quote.markup == pytest.approx(found.x, abs=1e-5 / b)
    assert quote.fill == pytest.approx(fill_probability(quote.markup, a, b), rel=1e-12)
    assert quote.value == pytest.approx(quote.fill * (quote.markup - price), rel=1e-12)


def test_the_best_quote_at_prices_that_overflow_an_exponential() -> None:
    quote = best_quote(np.array([-1e4, 1e4]), -1.0, 10.0)
    assert quote.fill[0] == pytest.approx(1.0, abs=1e-4)
    assert quote.value[0] == pytest.approx(1e4, rel=0.01)
    assert quote.fill[1] == quote.value[1] == 0.0
    assert quote.markup[1] == pytest.approx(1e4 + 0.1)


@pytest.mark.parametrize("gain", [0.05, 0.2, 0.7])
def test_the_best_hedging_rate_is_what_a_search_finds(gain: float) -> None:
    rate = best_hedging_rate(gain, 0.2, 1e-5)
    found = minimize_scalar(lambda v: hedging_cost(v, 0.2, 1e-5) - gain * v, bounds=(0.0, 1e5), method="bounded")
    assert rate == pytest.approx(found.x, abs=0.1)
    assert gain * rate - hedging_cost(rate, 0.2, 1e-5) == pytest.approx(1e-5 * rate**2)


# --- published numbers; those that do not come out are in the experiment


@pytest.fixture(scope="module")
def base() -> Solution:
    return solve(USDCNH)


@pytest.mark.parametrize(
    ("problem", "zone", "rate"),
    [
        (USDCNH, 20.73, 0.2387),
        (USDCNH.replace(impact=0.01), 31.57, 0.2083),
        (RISK_AVERSE, 4.25, 0.8803),
        (LARGE, 50.62, 0.1409),
        (USDCNH.replace(linear_cost=0.4), 34.04, None),
        (USDCNH.replace(linear_cost=0.4, impact=0.01), 45.3, None),
    ],
)
def test_zones_and_hedging_rates_of_the_first_paper(problem: DealerProblem, zone: float, rate: float | None) -> None:
    controls = solve(problem).controls
    assert controls.zone == pytest.approx(zone, abs=0.15)
    if rate is not None:
        assert -controls.hedging_rate(100.0) / SECONDS == pytest.approx(rate, rel=0.01)


def test_the_mean_and_the_spread_of_the_first_paper(base: Solution) -> None:
    assert base.constant == pytest.approx(216.63, rel=1e-3)
    assert base.controls.spread(1.0) == pytest.approx(0.3220, abs=5e-4)


def test_the_second_paper() -> None:
    solution = solve(EURUSD)
    assert solution.controls.zone == pytest.approx(14.48, abs=0.1)
    assert solution.constant == pytest.approx(1412.3, rel=1e-3)
    assert solution.controls.spread(1.0, tier=0) == pytest.approx(0.5484, abs=5e-4)
    assert solution.controls.spread(1.0, tier=1) == pytest.approx(0.2660, abs=5e-4)
    shares = solution.long_run.tier_shares
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] < shares[1]


def test_the_frontier_of_the_second_paper() -> None:
    frontier = efficient_frontier(EURUSD, (1e-4, 1e-3, 1e-2))
    for found, expected, tolerance in zip(frontier["external_share"], (0.0, 0.005, 0.1), (1e-3, 1e-3, 8e-3), strict=True):
        assert found == pytest.approx(expected, abs=tolerance)
    assert frontier["zone"][0] == EURUSD.largest_inventory
    for falls in ("mean_pnl", "sd_pnl", "inventory_risk", "zone", "holding_time", "memory"):
        assert (np.diff(frontier[falls]) < 0).all(), falls


# --- another way to the same


def two_sided(solution: Solution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inventories on both sides, the rates of the chain between all of them, and the reward: loops and a full matrix."""
    chain, policy, problem = solution.controls.chain, solution.controls.policy, solution.problem
    most = chain.nodes - 1
    inventory = np.arange(-most, most + 1) * chain.step
    rates, reward = np.zeros((len(inventory), len(inventory))), np.zeros(len(inventory))
    for i, q in enumerate(inventory):
        node = abs(i - most)
        reward[i] = -0.5 * problem.risk_aversion * problem.volatility**2 * q * q
        for side in range(2):
            own = side if q >= 0 else 1 - side
            for t, tier in enumerate(problem.tiers):
                for s, size in enumerate(problem.sizes):
                    to = i + (1 if side == 0 else -1) * round(size / chain.step)
                    if 0 <= to < len(inventory):
                        markup = policy.markup[own, t, s, node]
                        fills = tier.rates[s] / (1 + np.exp(tier.a + tier.b * markup))
                        rates[i, to] += fills
                        reward[i] += fills * size * markup
        if q:
            v = policy.hedging[node]
            rates[i, i - int(np.sign(q))] += v / chain.step
            reward[i] -= (problem.linear_cost + problem.quadratic_cost * v + problem.impact * (abs(q) - chain.step / 2)) * v
    return inventory, rates - np.diag(rates.sum(axis=1)), reward


def test_the_chain_is_what_a_full_matrix_of_both_sides_gives() -> None:
    solution = solve(SMALL, 0.5)
    found = solution.long_run
    inventory, rates, reward = two_sided(solution)
    count = len(inventory)
    law = np.linalg.lstsq(np.vstack([rates.T, np.ones(count)]), np.append(np.zeros(count), 1.0), rcond=None)[0]
    np.testing.assert_allclose(law[inventory > 0] + law[inventory < 0][::-1], found.probability[1:], rtol=1e-4, atol=1e-9)
    frame = found.frame()
    np.testing.assert_array_equal(frame["inventory"], inventory)
    np.testing.assert_allclose(frame["probability"], law, rtol=1e-3, atol=1e-9)
    assert law @ reward == pytest.approx(solution.constant, rel=1e-5)
    assert law @ np.abs(inventory) == pytest.approx(found.mean_inventory, rel=1e-5)
    penalty = 0.5 * SMALL.risk_aversion * found.inventory_risk**2
    assert found.spread_income - found.hedging_expense - penalty == pytest.approx(solution.constant, rel=1e-5)

    pnl = reward + 0.5 * SMALL.risk_aversion * SMALL.volatility**2 * inventory**2
    relative = np.linalg.lstsq(rates, law @ pnl - pnl, rcond=None)[0]
    chain, policy = solution.controls.chain, solution.controls.policy
    by_clients = 0.0
    for i in range(count):
        node = abs(i - count // 2)
        for (side, t, s), fills in np.ndenumerate(policy.trades[..., node]):
            if fills:
                up = (side == 0) == (inventory[i] >= 0)
                to = i + (1 if up else -1) * chain.jumps[s]
                gained = policy.markup[side, t, s, node] * SMALL.sizes[s] + relative[to] - relative[i]
                by_clients += law[i] * fills * gained**2
    assert found.sd_pnl**2 == pytest.approx(found.inventory_risk**2 + by_clients, rel=1e-4)

    ahead = np.linalg.lstsq(rates, -inventory, rcond=None)[0]
    assert found.memory == pytest.approx(law @ (inventory * ahead) / (law @ inventory**2), rel=1e-4)
    turnover = found.client_volume.sum() + found.hedged_volume
    assert found.holding_time == pytest.approx(2 * found.mean_inventory / turnover)


def test_no_other_policy_is_better() -> None:
    solution = solve(SMALL, 0.5)
    _, rates, reward = two_sided(solution)
    half = solution.controls.value
    value = np.concatenate([half[:0:-1], half])
    np.testing.assert_allclose(reward + rates @ value, solution.constant, rtol=1e-4)
    for factor in (0.9, 1.1):
        policy = solution.controls.policy
        chain = solution.controls.chain
        markup = policy.markup * factor
        a, b = (np.array([getattr(tier, name) for tier in SMALL.tiers])[:, None, None] for name in ("a", "b"))
        trades = np.nan_to_num(chain.rates[:, :, None] * fill_probability(markup, a, b))
        others = [
            ChainPolicy(markup, trades, policy.hedging),
            ChainPolicy(policy.markup, policy.trades, policy.hedging * factor),
        ]
        for other in others:
            assert chain.average(other, chain.reward(other), half)[0] < solution.constant


def test_the_equation_holds_between_grids() -> None:
    """The equation itself, with central differences and Lambert's function of another library, where all is smooth."""
    import mpmath

    solution = solve(USDCNH, 0.125)
    nodes, theta = solution.controls.chain.inventory, solution.controls.value
    for q in (0.0, 3.0, 10.0, 18.0, 26.0, 40.0):
        left = -0.5 * USDCNH.risk_aversion * (USDCNH.volatility * q) ** 2
        for size, rate in zip(USDCNH.sizes, USDCNH.tiers[0].rates, strict=True):
            here, *there = (float(np.interp(abs(x), nodes, theta)) for x in (q, q + size, q - size))
            for other in there:
                left += size * rate * float(mpmath.lambertw(mpmath.exp(-1 + 1 - 10 * (here - other) / size))) / 10
        if q:
            slope = float(np.interp(q + 0.5, nodes, theta) - np.interp(q - 0.5, nodes, theta))
            gain = max(-slope - USDCNH.impact * q - USDCNH.linear_cost, 0.0)
            left += gain**2 / (4 * USDCNH.quadratic_cost)
        penalty = 0.5 * USDCNH.risk_aversion * (USDCNH.volatility * q) ** 2
        assert left == pytest.approx(solution.constant, abs=2e-3 * (solution.constant + penalty)), q


def test_the_scheme_is_monotone() -> None:
    """Whatever the policy: rates of a Markov chain, none below 0, which lead away as often as somewhere."""
    chain = Chain(SMALL, 0.5)
    policy = chain.best_policy(-0.1 * chain.inventory**2)
    rates = chain.generator(policy, 3.0).toarray()
    np.testing.assert_allclose(rates.sum(axis=1), -3.0)
    assert (rates - np.diag(np.diag(rates)) >= 0).all()


# --- controls


def test_both_sides_mirror_each_other(base: Solution) -> None:
    controls = base.controls
    at = np.array([0.0, 0.3, 7.0, 55.55, 99.5, 100.0])
    quotes, mirrored = controls.quotes(at), controls.quotes(-at)
    assert quotes.shape == (6, 2, 1, 4)
    np.testing.assert_array_equal(quotes, mirrored[:, ::-1])
    np.testing.assert_array_equal(controls.hedging_rate(-at), -controls.hedging_rate(at))
    assert (np.isnan(quotes[:, 0]).sum(axis=(1, 2)) == [0, 0, 0, 0, 4, 4]).all()
    assert not np.isnan(quotes[:, 1]).any()  # a long dealer sells to everybody
    buys, sells = controls.quotes(7.0)
    assert (buys > sells).all()


def test_nothing_is_hedged_in_the_zone(base: Solution) -> None:
    zone = base.controls.zone
    assert base.controls.hedging_rate(zone * 0.9999) == 0.0
    assert base.controls.hedging_rate(zone * 1.0001) < 0.0
    node = base.controls.chain.inventory[20]
    for side in range(2):
        np.testing.assert_array_equal(base.controls.quotes(node)[side], base.controls.policy.markup[side, :, :, 20])


def test_a_frame_of_all(base: Solution) -> None:
    frame = base.controls.frame()
    assert frame["inventory"].tolist()[:: len(frame) - 1] == [-100.0, 100.0]
    assert frame["value"].max() == 0.0 == frame.loc[frame["inventory"] == 0.0, "value"].item()
    row = frame[frame["inventory"] == 5.0]
    assert row["buys_tier_0_size_10"].item() == base.controls.quotes(5.0)[0, 0, 2]


def test_a_dealer_to_whom_hedging_is_too_dear_internalizes_all() -> None:
    solution = solve(USDCNH.replace(linear_cost=50.0))
    assert solution.controls.zone == 100.0
    assert not solution.controls.hedging_rate(np.linspace(-100, 100, 9)).any()
    assert solution.long_run.external_share == 0.0
    assert solution.controls.chain.step == 1.0  # finer grids would have inventories that nobody ever has


def test_grids_halve_the_common_step_of_the_sizes() -> None:
    assert grids(USDCNH, 0.3) == [1.0, 0.5, 0.25]
    assert grids(USDCNH, 5.0) == [1.0]
    assert SMALL.replace(sizes=(0.2, 0.5), largest_inventory=12.0).common_step == 0.1
    assert SMALL.replace(sizes=(1.5, 2.5), largest_inventory=12.0).common_step == 0.5


def test_finer_grids_begin_with_cubics() -> None:
    at = np.linspace(0.0, 4.0, 9)
    np.testing.assert_allclose(between((3.0 - at**2)[::2]), 3.0 - at**2, rtol=1e-12)


def test_finer_grids_agree(base: Solution) -> None:
    finer = solve(USDCNH, 0.125)
    assert finer.controls.zone == pytest.approx(base.controls.zone, abs=0.02)
    assert finer.constant == pytest.approx(base.constant, rel=1e-5)


# --- until an end


def test_far_from_the_end_all_is_as_in_the_long_run() -> None:
    ergodic, ending = solve(SMALL, 0.5), solve_horizon(SMALL, 1.0, times=50, step=0.5)
    start = ending.controls(0.0)
    assert start.zone == pytest.approx(ergodic.controls.zone, abs=1e-3)
    assert start.spread(1.0) == pytest.approx(ergodic.controls.spread(1.0), abs=1e-5)
    np.testing.assert_allclose(start.hedging_rate(10.0), ergodic.controls.hedging_rate(10.0), rtol=1e-4)
    assert (ending.values[0, 0] - ending.values[25, 0]) / 0.5 == pytest.approx(ergodic.constant, rel=1e-5)
    assert ending.value == ending.values[0, 0]
    end = ending.controls(1.0)
    assert end.zone == 12.0  # nothing is left to fear
    between = ending.controls(0.99)
    np.testing.assert_allclose(between.value, (ending.values[49] + ending.values[50]) / 2)


def test_steps_of_time_converge() -> None:
    coarse, finer, finest = (solve_horizon(SMALL, 0.02, times=times, step=0.5).value for times in (10, 20, 40))
    assert (finer - coarse) / (finest - finer) == pytest.approx(2.0, abs=0.4)  # of first order


# --- the process itself


@pytest.mark.parametrize(("problem", "step"), [(SMALL, 1 / 64), (RISK_AVERSE, 1 / 16)])
def test_the_simulated_process_agrees(problem: DealerProblem, step: float) -> None:
    solution = solve(problem, step)
    expected, found = solution.long_run, simulate(solution, replicas=300, seed=5)
    penalised = found.spread_income - found.hedging_expense - 0.5 * problem.risk_aversion * found.variance
    pairs = {
        "reward": (penalised, solution.constant),
        "spread income": (found.spread_income, expected.spread_income),
        "hedging expense": (found.hedging_expense, expected.hedging_expense),
        "hedged volume": (found.hedged_volume, expected.hedged_volume),
        "inventory": (found.inventory, expected.mean_inventory),
        "variance": (found.variance, expected.inventory_risk**2),
        "mid": (found.mid_gain, 0.0),
        "pnl": (found.pnl, expected.mean_pnl),
    }
    pairs |= {f"tier {n}": (found.client_volume[:, n], volume) for n, volume in enumerate(expected.client_volume.sum(axis=1))}
    for name, (values, exact) in pairs.items():
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - exact) < 3.5 * error, name
        if name not in ("mid", "pnl"):
            assert error < 0.03 * exact, name
    sd = found.pnl_by_day.std(ddof=1)
    assert sd == pytest.approx(expected.sd_pnl, rel=3.5 / np.sqrt(2 * found.pnl_by_day.size))
    beyond = expected.probability[solution.controls.chain.inventory > solution.controls.zone].sum()
    assert found.beyond_zone.mean() == pytest.approx(beyond, rel=0.15)


def test_a_replica_depends_on_seed_and_number_alone() -> None:
    solution = solve(SMALL.replace(tiers=(ClientTier(a=-1.0, b=10.0, rates=(70.0, 10.0)),)), 0.5)
    few, many, other = (simulate(solution, replicas=count, seed=seed) for count, seed in ((3, 1), (5, 1), (3, 2)))
    for field in fields(few):
        assert_same_bits(getattr(few, field.name), getattr(many, field.name)[:3])
        assert (getattr(few, field.name) != getattr(other, field.name)).all(), field.name
    assert few == simulate(solution, replicas=3, seed=1)


def test_where_a_replica_starts() -> None:
    solution = solve(SMALL.replace(tiers=(ClientTier(a=0.0, b=1e6, rates=(1e-6, 0.0)),)), 0.5)  # nobody ever trades
    for start in (-11.0, 11.0):
        found = simulate(solution, replicas=2, start=start)
        assert 0.0 < found.inventory[0] < 11.0  # hedged away
        assert found.hedged_volume[0] > 0.0
        assert not found.client_volume.any()
    assert not simulate(solution, replicas=2, start=0.0).inventory.any()


# --- bad inputs


@pytest.mark.parametrize(
    ("changes", "field", "value", "names"),
    [
        ({"sizes": (5.0, 1.0, 10.0, 20.0)}, "sizes", [5.0, 1.0, 10.0, 20.0], ["rise"]),
        ({"sizes": ()}, "sizes", None, ["empty"]),
        ({"sizes": (0.0, 5.0, 10.0, 20.0)}, "sizes.0", 0.0, ["> 0"]),
        ({"sizes": (1.0, 5.0)}, "tiers.0.rates", 4, ["2"]),
        ({"tiers": ()}, "tiers", None, ["empty"]),
        ({"volatility": 0.0}, "volatility", 0.0, ["> 0"]),
        ({"volatility": float("nan")}, "volatility", None, ["finite"]),
        ({"quadratic_cost": 0.0}, "quadratic_cost", 0.0, ["> 0"]),
        ({"linear_cost": -0.1}, "linear_cost", -0.1, [">= 0"]),
        ({"risk_aversion": 0.0}, "risk_aversion", 0.0, ["> 0"]),
        ({"largest_inventory": 30.0}, "largest_inventory", 30, ["40"]),
        ({"largest_inventory": 99.5}, "largest_inventory", 99.5, ["1"]),
    ],
)
def test_problems_that_are_none(changes: dict[str, object], field: str, value: object, names: list[str]) -> None:
    with raises(ParameterError, field, value, names=names):
        USDCNH.replace(**changes)


def test_tiers_that_are_none() -> None:
    with raises(ParameterError, "tiers.1.rates", names=["0", "leave"]):
        SMALL.replace(tiers=(SMALL.tiers[0], SMALL.tiers[1].replace(rates=(0.0, 0.0))))
    with raises(ParameterError, "b", -1.0, names=["> 0"]):
        SMALL.tiers[0].replace(b=-1.0)
    with raises(ParameterError, "rates.1", -1.0, names=[">= 0"]):
        SMALL.tiers[0].replace(rates=(1.0, -1.0))


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), "fine", True])
def test_steps_that_are_none(step: object) -> None:
    with raises(ParameterError, "step", repr(step)):
        solve(SMALL, step)  # type: ignore[arg-type]


def test_grids_that_are_too_fine() -> None:
    with raises(ParameterError, "step", names=["20,000", "larger"]):
        solve(SMALL, 1e-4)
    with raises(ParameterError, "step", names=["20,000", "larger"]):
        solve(SMALL.replace(sizes=(1.0, 1.0001), largest_inventory=12.0))


def test_questions_that_cannot_be_answered(base: Solution) -> None:
    with raises(ParameterError, "inventory", 100.1, names=["100"]):
        base.controls.quotes(100.1)
    with raises(ParameterError, "inventory", names=["100"]):
        base.controls.hedging_rate([0.0, float("nan")])
    with raises(ParameterError, "inventory"):
        base.controls.hedging_rate("long")  # type: ignore[arg-type]
    with raises(ParameterError, "size", 2.0, names=["1, 5, 10, 20"]):
        base.controls.spread(2.0)
    with raises(ParameterError, "tier", 1):
        base.controls.spread(1.0, tier=1)
    for name, value in (("days", 0), ("replicas", 0), ("seed", -1), ("replicas", 100_000_000)):
        with raises(ParameterError, name):
            simulate(base, **{name: value})
    for start in (100.5, float("nan"), "long"):
        with raises(ParameterError, "start", repr(start)):
            simulate(base, start=start)  # type: ignore[arg-type]
    for days in (0.0, float("inf"), "long"):
        with raises(ParameterError, "days", repr(days)):
            solve_horizon(SMALL, days)  # type: ignore[arg-type]
    with raises(ParameterError, "times", 0):
        solve_horizon(SMALL, 1.0, times=0)
    with raises(ParameterError, "time", 2.0, names=["1"]):
        solve_horizon(SMALL, 1.0, times=2, step=1.0).controls(2.0)
    with raises(ParameterError, "risk_aversion", 0.0):
        efficient_frontier(SMALL, [0.0])
