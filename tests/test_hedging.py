"""Hedging schedules against known solutions and against SciPy, and the tables the engine reads its first trades from.

Section 3.3 and equation 7 of Ganesh et al. (2019), *Multi-Agent Simulation for Pricing and Hedging in a Dealer Market*;
Almgren and Chriss (2000), *Optimal execution of portfolio transactions*.

Where nothing else is said, sizes are in units of v_max and costs in units of the half spread S_ref(0), so that a rival
who quotes with volume penalty alpha and charges `extra` for the tier costs g(v)^alpha + extra, g = S_ref / S_ref(0).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from conftest import raises
from dealermarket.engine import hedge_tables
from dealermarket.engine.curve_tables import curve_table
from dealermarket.engine.hedge_tables import HedgeTables, best_schedule, lookup, power_table, stacked
from dealermarket.errors import ParameterError
from dealermarket.model.exchange import Exchange
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.power import PowerPricing
from hedging import Markets, first_with, loss_with
from hedging_optimum import loss_of

needs_tables = pytest.mark.compiled  # seconds to build when the engine is not compiled, minutes for all
Floats = NDArray[np.float64]
CAP = 0.99
LAM = 1.6


# --- the problem once more, for SciPy to solve


def curve(v: Floats, lam: float) -> tuple[Floats, Floats]:
    """g(v) = S_ref(v) / S_ref(0) and its slope, from v g(v) = integral of (1 - u)^(k - 1) over 0..v."""
    k = (lam - 2) / (lam - 1)
    v = np.maximum(np.asarray(v, dtype=np.float64), 1e-12)
    log_left = np.log1p(-v)
    value = -log_left / v if k == 0 else -np.expm1(k * log_left) / (k * v)
    slope = np.where(v < 1e-5, (1 - k) / 2 * (1 + 2 * (2 - k) / 3 * v), ((1 - v) ** (k - 1) - value) / v)
    return value, slope


class Problem:
    """Trade `total` of a position of `size` in `steps` steps at the cheapest of `rivals`; each (alpha, extra).

    The schedule x is in fractions of the position; `passed` is the sum of squares of what was left after former steps.
    """

    def __init__(
        self, size: float, risk: float, rivals: Sequence[tuple[float, float]], steps: int, total: float = 1.0, passed: float = 0.0
    ) -> None:
        self.size, self.risk, self.rivals, self.steps = size, risk, list(rivals), steps
        self.total, self.passed, self.most = total, passed, CAP / size

    def costs(self, x: Floats, rival: NDArray[np.int64] | None = None) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Cost per unit and its slope at each trade, and with which rival: the cheapest unless given."""
        value, slope = curve(np.clip(self.size * x, 0, CAP), LAM)
        quotes = np.array([value**alpha + extra for alpha, extra in self.rivals])
        slopes = np.array([alpha * value ** (alpha - 1) * slope for alpha, _ in self.rivals])
        chosen = np.argmin(quotes, axis=0) if rival is None else rival
        steps = np.arange(len(x))
        return quotes[chosen, steps], slopes[chosen, steps], chosen

    def value(self, x: Floats) -> float:
        return self.value_and_gradient(x)[0]

    def value_and_gradient(self, x: Floats, rival: NDArray[np.int64] | None = None) -> tuple[float, Floats]:
        """E + gamma sqrt(Var) and its gradient in x; `rival` fixes with whom each step trades."""
        cost, slope, _ = self.costs(x, rival)
        left = self.total - np.cumsum(x)
        left[-1] = 0.0
        deviation = math.sqrt(self.passed + float(left @ left))
        gradient = cost + self.size * x * slope
        if deviation > 0:
            gradient = gradient - self.risk / deviation * np.cumsum(left[::-1])[::-1]
        return float(x @ cost) + self.risk * deviation, gradient

    def feasible(self, x: Floats) -> Floats:
        """The nearest thing to x that sums to `total` within the bounds; what exceeds the cap moves to later steps."""
        out, carried = np.zeros(self.steps), 0.0
        for n, wanted in enumerate(np.maximum(x, 0.0)):
            out[n] = min(wanted + carried, self.most)
            carried = wanted + carried - out[n]
        for _ in range(60):
            gap = self.total - out.sum()
            room = self.most - out if gap > 0 else out
            if abs(gap) < 1e-15 or room.sum() <= 0:
                break
            out = np.clip(out + gap * room / room.sum(), 0, self.most)
        return out

    def descend(self, x: Floats, rival: NDArray[np.int64] | None = None) -> Floats:
        found = minimize(
            self.value_and_gradient,
            x,
            args=(rival,),
            jac=True,
            method="SLSQP",
            bounds=[(0, min(self.most, self.total))] * self.steps,
            constraints=[{"type": "eq", "fun": lambda x: x.sum() - self.total, "jac": np.ones_like}],
            options={"maxiter": 200, "ftol": 1e-10},
        )
        return self.feasible(found.x)

    def polished(self, x: Floats) -> Floats:
        """SLSQP on the envelope, then with the rivals found, whose problem is convex, until nothing gets better."""
        x = min((x, self.descend(x)), key=self.value)
        while True:
            better = self.descend(x, self.costs(x)[2])
            if self.value(better) >= self.value(x) * (1 - 1e-9):
                return min((x, better), key=self.value)
            x = better

    def starts(self) -> list[Floats]:
        """Uniform, geometric, all at once, and each rival's own optimum."""
        starts = [np.full(self.steps, self.total / self.steps)]
        for ratio in (0.0, 0.15, 0.4, 0.65, 0.85, 0.95):
            weights = ratio ** np.arange(self.steps)
            starts.append(self.feasible(self.total * weights / weights.sum()))
        if len(self.rivals) > 1:
            alone = [Problem(self.size, self.risk, [rival], self.steps, self.total, self.passed) for rival in self.rivals]
            starts += [one.best(starts[::3]) for one in alone]
        return starts

    def best(self, starts: Sequence[Floats] | None = None) -> Floats:
        if self.steps == 1 or self.total < 1e-14:
            return self.feasible(np.eye(1, self.steps)[0] * self.total)
        return min((self.polished(start) for start in (starts or self.starts())), key=self.value)


Case = tuple[float, float, int, list[tuple[float, float]]]

SIZES = (0.003, 0.02, 0.1, 0.4, 0.8, 0.98, 1.5, 4.0)
RISKS = (1e-3, 0.01, 0.1, 0.5, 2.0, 10.0, 50.0)
ALPHAS = (1.1, 1.4, 1.7)
HORIZONS = (1, 2, 5, 20)


def cases(rivals: int, count: int, seed: int) -> list[Case]:
    """A seeded subset of the grid of size, risk and horizon; alpha, delta (1e-6 to 4e-4 for s0 = 1.5e-4) and tier at random."""
    rng = np.random.default_rng(seed)
    grid = [point for point in itertools.product(SIZES, RISKS, HORIZONS) if point[0] < CAP * point[2]]
    chosen = []
    for n in rng.choice(len(grid), count, replace=False):
        deltas = np.exp(rng.uniform(math.log(1e-6), math.log(4e-4), rivals))
        extras = deltas * rng.integers(0, 5, rivals) / 7.5e-5
        quotes = [(float(alpha), float(extra)) for alpha, extra in zip(rng.choice(ALPHAS, rivals), extras, strict=True)]
        chosen.append((*grid[n], quotes))
    return chosen


def envelope(rivals: Sequence[tuple[float, float]]) -> Callable[[Floats], Floats]:
    exchange = Exchange(lam=LAM, v_max=1.0)
    return lambda v: np.min([exchange.relative_spread(v) ** alpha + extra for alpha, extra in rivals], axis=0)


@cache
def table(alpha: float, horizon: int) -> HedgeTables:
    return stacked([power_table(alpha, LAM, horizon)])


def engine_first(size: float, risk: float, horizon: int, rivals: Sequence[tuple[float, float]]) -> float:
    """x_0 as the engine picks it: of the rival whose own optimum, tier cost included, is the cheapest."""
    own = [(lookup(table(alpha, horizon), 0, size, risk), extra) for alpha, extra in rivals]
    (first, _), _ = min(own, key=lambda quote: quote[0][1] + quote[1])
    return float(first)


def completed(first: float, problem: Problem, hint: Floats) -> float:
    """The value of the best schedule that starts with `first`."""
    if problem.steps == 1:
        assert first == pytest.approx(1.0, rel=1e-12)
        return problem.value(np.ones(1))
    left = 1.0 - first
    rest = Problem(problem.size, problem.risk, problem.rivals, problem.steps - 1, left, left * left)
    starts = rest.starts()
    if hint[1:].sum() > 0:
        starts.append(rest.feasible(hint[1:] * left / hint[1:].sum()))
    after = rest.best(starts)
    assert after.sum() == pytest.approx(left, abs=1e-12)  # what is left can be traded in time
    return first * float(problem.costs(np.array([first]))[0][0]) + rest.value(after)


def exact(size: float, risk: float, horizon: int, alpha: float) -> tuple[float, float]:
    """x_0 and value of the best schedule with one rival, found from a uniform schedule."""
    left = size * (1.0 - np.arange(1, horizon) / horizon)
    first, value = best_schedule(size, risk, horizon, alpha, (LAM - 2) / (LAM - 1), left)
    return float(first), float(value)


# --- the optimum is the optimum


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rivals", "count", "seed", "engine_tolerance"), [(1, 50, 11, 1e-3), (2, 50, 12, 2.5e-2), (4, 40, 13, 2.5e-2)]
)
def test_the_optimum_is_the_optimum(rivals: int, count: int, seed: int, engine_tolerance: float) -> None:
    """Nothing SciPy finds is 0.1 % better than `schedule`, nor better than the engine's first trade by more than allowed."""
    wrong = []
    for size, risk, horizon, quotes in cases(rivals, count, seed):
        problem = Problem(size, risk, quotes, horizon)
        policy = AlmgrenChriss(risk_aversion=risk, horizon=horizon)
        x = policy.schedule(size, envelope(quotes), 1.0, largest=CAP)
        assert x.shape == (horizon,)
        assert x.sum() == pytest.approx(1.0, abs=1e-12)
        assert x.min() >= 0
        assert x.max() * size <= CAP * (1 + 1e-11)
        mine = problem.value(x)
        assert policy.objective(x, size, envelope(quotes), 1.0) == pytest.approx(mine, rel=1e-9)
        best = problem.best()
        first = engine_first(size, risk, horizon, quotes)
        engine = completed(first, problem, best)
        least = min(mine, engine, problem.value(best))
        for what, value, tolerance in (("schedule", mine, 1e-3), ("engine", engine, engine_tolerance)):
            if not value <= least * (1 + tolerance):
                wrong.append(
                    f"{what} {value / least - 1:.2%} above: size {size}, risk {risk}, horizon {horizon}, rivals {quotes}"
                )
    assert not wrong, "\n".join(wrong)


def test_the_gradient_given_to_scipy_is_right() -> None:
    problem = Problem(0.9, 0.7, [(1.7, 0.0), (1.1, 0.2)], 5)
    x = np.array([0.5, 0.3, 0.1, 0.06, 0.04])
    _, gradient = problem.value_and_gradient(x)
    for n in range(4):  # moves that keep the sum
        move = np.zeros(5)
        move[n], move[4] = 1e-6, -1e-6
        slope = (problem.value(x + move) - problem.value(x - move)) / 2e-6
        assert slope == pytest.approx(gradient[n] - gradient[4], rel=1e-6)


def test_the_schedule_of_several_rivals_uses_them_all() -> None:
    """Cheap for small trades, cheap for large trades: the envelope is not convex, the best schedule trades with both."""
    rivals = [(1.7, 0.0195), (1.1, 0.3359)]
    x = AlmgrenChriss(risk_aversion=2.0, horizon=2).schedule(0.8, envelope(rivals), 1.0, largest=CAP)
    chosen = Problem(0.8, 2.0, rivals, 2).costs(x)[2]
    assert set(chosen[x > 1e-6].tolist()) == {0, 1}


# --- known solutions


def test_almgren_and_chriss_own_example() -> None:
    """Their numerical example, lambda = 1e-6: a million shares in five days; the first of five trades is 45.8 %."""
    shares, step_volatility = 1e6, 0.95
    policy = AlmgrenChriss(risk_aversion=1.206862, horizon=5)

    def cost(v: Floats) -> Floats:
        return 0.1875 + 2.375e-6 * v  # epsilon + gamma X / 2, eta - gamma tau / 2

    x = policy.schedule(shares, cost, step_volatility)
    left = shares * (1 - np.cumsum(x))
    np.testing.assert_allclose(left, [541_956, 289_854, 147_897, 62_142, 0], rtol=0, atol=0.6)
    expected = float(np.sum(shares * x * cost(shares * x)))
    variance = step_volatility**2 * float(np.sum(left**2))
    assert expected == pytest.approx(911_227, abs=1)
    assert variance == pytest.approx(3.641e11, rel=1.5e-4)
    assert policy.objective(x, shares, cost, step_volatility) * shares == pytest.approx(
        expected + 1.206862 * math.sqrt(variance), rel=1e-12
    )


@needs_tables
@pytest.mark.parametrize(("risk_aversion", "first"), [(0.02, 0.233), (0.05, 0.366), (0.1, 0.494), (0.25, 0.691)])
def test_first_trades_of_the_documentation(risk_aversion: float, first: float) -> None:
    exchange, s0, step_volatility = Exchange(lam=1.6, v_max=500.0), 1.5e-4, 6.43e-4
    pricing = PowerPricing(alpha=1.5)
    x = AlmgrenChriss(risk_aversion=risk_aversion, horizon=20).schedule(
        -300.0, lambda v: pricing.spread(v, 0, s0, exchange), step_volatility, largest=exchange.largest_trade
    )
    assert x[0] == pytest.approx(first, abs=5e-4)
    assert lookup(table(1.5, 20), 0, 0.6, risk_aversion * step_volatility / (s0 / 2))[0] == pytest.approx(first, abs=1e-3)


@needs_tables
@pytest.mark.parametrize("horizon", [1, 2, 5, 20])
def test_without_risk_aversion_a_convex_cost_is_spread_evenly(horizon: int) -> None:
    for alpha in ALPHAS:
        for size in (0.01, 0.5, 0.9):
            x = AlmgrenChriss(risk_aversion=0.0, horizon=horizon).schedule(size, envelope([(alpha, 0.1)]), 3.0, largest=CAP)
            np.testing.assert_allclose(x, 1 / horizon, rtol=1e-5)
            assert lookup(table(alpha, horizon), 0, size, 0.0)[0] == pytest.approx(1 / horizon, rel=1e-4)
    x = AlmgrenChriss(risk_aversion=0.5, horizon=horizon).schedule(0.5, envelope([(1.4, 0.1)]), 0.0)
    np.testing.assert_allclose(x, 1 / horizon, rtol=1e-5)  # no volatility, no risk


@pytest.mark.parametrize("kappa", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("horizon", [2, 6, 20])
def test_a_linear_cost_gives_the_sinh_curve(kappa: float, horizon: int) -> None:
    """y_k = sinh(kappa (H - k)) / sinh(kappa H), where gamma s = 2 c1 |z| sqrt(sum y^2) 2 (cosh kappa - 1)."""
    constant, slope, size, step_volatility = 0.7, 0.02, 30.0, 0.4
    left = np.sinh(kappa * (horizon - np.arange(horizon + 1))) / np.sinh(kappa * horizon)
    norm = math.sqrt(float(np.sum(left[1:] ** 2)))
    risk_aversion = 2 * slope * size * norm * 2 * (math.cosh(kappa) - 1) / step_volatility
    policy = AlmgrenChriss(risk_aversion=risk_aversion, horizon=horizon)
    x = policy.schedule(size, lambda v: constant + slope * v, step_volatility)
    np.testing.assert_allclose(x, left[:-1] - left[1:], rtol=0, atol=2e-6)


def threshold(size: float, alpha: float) -> float:
    """c(z) + z c'(z) - c(0), by mpmath: the least gamma s at which everything is traded at once."""
    with mpmath.workdps(30):
        k = mpmath.mpf(LAM - 2) / mpmath.mpf(LAM - 1)

        def total(v: Any) -> Any:
            return v * ((1 - (1 - v) ** k) / (k * v)) ** alpha

        return float(mpmath.diff(total, mpmath.mpf(size))) - 1


SHARES_OF_THRESHOLD = (0.9, 0.97, 0.99, 0.997, 0.999, 1 + 1e-9, 1.001, 1e6)
AT_THRESHOLDS = list(itertools.product((1.1, 1.7), (0.01, 0.3, 0.9), (2, 20)))


@pytest.mark.parametrize(
    ("alpha", "size", "horizon"), [(1.1, 0.01, 2), (1.1, 0.3, 6), (1.1, 0.9, 2), (1.7, 0.01, 6), (1.7, 0.3, 2), (1.7, 0.9, 6)]
)
def test_all_at_once_exactly_where_risk_outweighs_the_marginal_cost(alpha: float, size: float, horizon: int) -> None:
    """x_0 = 1 if and only if gamma s >= c(z) + z c'(z) - c(0)."""
    limit, cost = threshold(size, alpha), envelope([(alpha, 0.25)])
    shares = (0.9, 0.99, 0.999, 1 + 1e-9, 1e6)
    firsts = [
        AlmgrenChriss(risk_aversion=limit * share, horizon=horizon).schedule(size, cost, 1.0, largest=CAP)[0] for share in shares
    ]
    assert [first == 1.0 for first in firsts] == [share >= 1 for share in shares], firsts


@pytest.mark.parametrize(("alpha", "size", "horizon"), AT_THRESHOLDS)
def test_the_tables_trade_all_at_once_from_the_same_threshold_on(alpha: float, size: float, horizon: int) -> None:
    limit = threshold(size, alpha)
    firsts = [exact(size, limit * share, horizon, alpha)[0] for share in SHARES_OF_THRESHOLD]
    assert [first == 1.0 for first in firsts] == [share >= 1 for share in SHARES_OF_THRESHOLD], firsts


def test_a_linear_cost_is_traded_at_once_from_its_threshold_on() -> None:
    """c = c0 + c1 v: gamma s >= 2 c1 |z|."""
    for factor, at_once in ((0.999, False), (1.001, True)):
        x = AlmgrenChriss(risk_aversion=0.5 * factor, horizon=4).schedule(10.0, lambda v: 3.0 + 0.05 * v, 2.0)
        assert (x[0] == 1.0) == at_once


def test_a_constant_added_to_the_cost_does_not_move_the_minimiser() -> None:
    for size, risk, horizon in ((0.6, 0.5, 20), (1.5, 2.0, 5), (0.02, 0.01, 5)):
        policy = AlmgrenChriss(risk_aversion=risk, horizon=horizon)
        schedules = [policy.schedule(size, envelope([(1.4, extra)]), 1.0, largest=CAP) for extra in (0.0, 0.3, 5.0)]
        for x in schedules[1:]:
            np.testing.assert_allclose(x, schedules[0], rtol=0, atol=2e-6)


def test_units_do_not_matter() -> None:
    """The same market in other units of money and of the asset: the same schedule."""
    reference = AlmgrenChriss(risk_aversion=0.8, horizon=10).schedule(0.7, envelope([(1.4, 0.2)]), 1.0, largest=CAP)
    cost = envelope([(1.4, 0.2)])
    for price, volume in ((7.5e-5, 1e4), (3e5, 1e-6)):
        x = AlmgrenChriss(risk_aversion=0.8, horizon=10).schedule(
            -0.7 * volume, lambda v, p=price, u=volume: p * cost(v / u), price, largest=CAP * volume
        )
        np.testing.assert_allclose(x, reference, rtol=0, atol=2e-6)


def test_schedules_fall_from_step_to_step() -> None:
    x = AlmgrenChriss(risk_aversion=0.3, horizon=12).schedule(2.5, envelope([(1.7, 0.0)]), 1.0, largest=CAP)
    assert np.all(np.diff(x) < 1e-6)
    assert x[0] * 2.5 <= CAP


# --- the other policies


@pytest.mark.parametrize("size", [0.02, 0.5, 0.98, 2.3, 7.0])
@pytest.mark.parametrize("rivals", [[(1.4, 0.3)], [(1.7, 0.0), (1.1, 0.4)]])
def test_linear_is_the_best_of_all_uniform_schedules(size: float, rivals: list[tuple[float, float]]) -> None:
    horizon, cost = 12, envelope(rivals)
    chosen = set()
    for risk in (0.0, 0.01, 0.1, 0.5, 2.0, 50.0):
        policy = LinearSchedule(risk_aversion=risk, horizon=horizon)
        x = policy.schedule(size, cost, 1.0, largest=CAP)
        candidates = []
        for pieces in range(1, horizon + 1):
            if size / pieces <= CAP:
                uniform = np.where(np.arange(horizon) < pieces, 1 / pieces, 0.0)
                candidates.append((Problem(size, risk, rivals, horizon).value(uniform), pieces))
        best = min(candidates)[1]
        np.testing.assert_array_equal(x, np.where(np.arange(horizon) < best, 1 / best, 0.0))
        chosen.add(best)
        optimal = AlmgrenChriss(risk_aversion=risk, horizon=horizon).schedule(size, cost, 1.0, largest=CAP)
        assert policy.objective(optimal, size, cost, 1.0) <= policy.objective(x, size, cost, 1.0) * (1 + 1e-12)
    assert len(chosen) > 1
    assert horizon in chosen


def test_fraction_full_and_none() -> None:
    cost = envelope([(1.5, 0.0)])
    assert ConstantFraction(fraction=0.3).schedule(-5.0, cost, 0.1).tolist() == [0.3]
    assert ConstantFraction(fraction=0.0).schedule(-5.0, cost, 0.1).tolist() == [0.0]
    assert ConstantFraction(fraction=0.3).schedule(5.0, cost, 0.1, largest=1.0).tolist() == [0.2]
    assert ConstantFraction(fraction=0.2).schedule(5.0, cost, 0.1, largest=1.0).tolist() == [0.2]
    assert FullHedge().schedule(-5.0, cost, 0.1).tolist() == [1.0]
    assert FullHedge().schedule(-5.0, cost, 0.1, largest=CAP).tolist() == [CAP / 5.0]
    assert NoHedge().schedule(-5.0, cost, 0.1).tolist() == [0.0]


@pytest.mark.parametrize(
    "policy",
    [
        AlmgrenChriss(risk_aversion=0.5, horizon=4),
        LinearSchedule(risk_aversion=0.5, horizon=4),
        ConstantFraction(fraction=0.5),
        FullHedge(),
        NoHedge(),
    ],
)
def test_no_position_no_trade(policy: Any) -> None:
    def never(_: Floats) -> Floats:
        raise AssertionError("nothing is traded, nothing is asked")

    for position in (0.0, -0.0):
        assert not policy.schedule(position, never, 0.1, largest=CAP).any()
    length = getattr(policy, "horizon", 1)
    assert policy.schedule(0.0, never, 0.1).shape == (length,)


@needs_tables
@pytest.mark.parametrize("horizon", [1, 3, 20])
def test_a_position_too_large_for_the_horizon_trades_the_most_at_every_step(horizon: int) -> None:
    cost = envelope([(1.5, 0.0)])
    for size in (CAP * horizon * (1 + 1e-9), CAP * horizon * 1.5, 1e4):
        for policy in (AlmgrenChriss(risk_aversion=0.1, horizon=horizon), LinearSchedule(risk_aversion=0.1, horizon=horizon)):
            x = policy.schedule(-size, cost, 1.0, largest=CAP)
            np.testing.assert_allclose(x, np.full(horizon, CAP / size), rtol=2e-9)
            assert x.sum() <= 1.0
        first, value = lookup(table(1.5, horizon), 0, size, 0.1)
        assert first == CAP / size
        assert value == math.inf


def test_the_cap_binds_one_trade_after_the_other() -> None:
    """In a hurry, and nearly twice what can trade at once: two trades at the cap come first."""
    x = AlmgrenChriss(risk_aversion=1e6, horizon=5).schedule(2.2, envelope([(1.1, 0.0)]), 1.0, largest=CAP)
    np.testing.assert_allclose(x[:2] * 2.2, CAP, rtol=1e-9)
    assert x[2] * 2.2 == pytest.approx(2.2 - 2 * CAP, abs=1e-6)
    left = np.empty(4)
    left[:] = 2.2 * (1.0 - np.arange(1, 5) / 5)
    first, _ = best_schedule(2.2, 1e6, 5, 1.1, (LAM - 2) / (LAM - 1), left)
    assert first == pytest.approx(CAP / 2.2, rel=1e-12)
    np.testing.assert_allclose(left[:2], [2.2 - CAP, 2.2 - 2 * CAP], rtol=1e-9)


@needs_tables
def test_a_horizon_of_one_trades_all() -> None:
    for policy in (AlmgrenChriss(risk_aversion=0.0, horizon=1), LinearSchedule(risk_aversion=0.0, horizon=1)):
        assert policy.schedule(0.5, envelope([(1.5, 0.0)]), 1.0, largest=CAP).tolist() == [1.0]
    assert lookup(table(1.5, 1), 0, 0.5, 0.0)[0] == 1.0


@pytest.mark.parametrize("policy", [AlmgrenChriss(), LinearSchedule(), ConstantFraction(), FullHedge()])
def test_positions_that_are_no_numbers_are_refused(policy: Any) -> None:
    for position in (math.nan, math.inf, -math.inf):
        with raises(ParameterError, "position", position, names=["finite"]):
            policy.schedule(position, envelope([(1.5, 0.0)]), 0.1)


@pytest.mark.parametrize("policy", [AlmgrenChriss(), LinearSchedule()])
def test_volatilities_below_zero_are_refused(policy: Any) -> None:
    for volatility in (-0.1, math.nan, math.inf):
        with raises(ParameterError, "step_volatility", volatility, names=["finite", ">= 0"]):
            policy.schedule(1.0, envelope([(1.5, 0.0)]), volatility)


def test_costs_that_are_no_numbers_are_refused() -> None:
    with raises(ParameterError, "cost", "NaN"):
        AlmgrenChriss().schedule(1.0, lambda v: v * math.nan, 0.1)


def test_a_rebate_is_a_cost_too() -> None:
    """Costs below zero, of a venue that pays for orders, have an optimum like any other: a constant does not move it."""
    policy = AlmgrenChriss(risk_aversion=0.1, horizon=3)

    def paid_or_charged(constant: float) -> Callable[[Floats], Floats]:
        calls = itertools.count()

        def cost(v: Floats) -> Floats:
            assert next(calls) < 20_000, "the search does not end"
            return constant + v

        return cost

    paid, charged = (policy.schedule(0.5, paid_or_charged(constant), 1.0) for constant in (-5.0, 0.0))
    np.testing.assert_allclose(paid, charged, rtol=0, atol=1e-5)


# --- the tables of the engine


@pytest.mark.parametrize("lam", [1.1, 1.6, 2.0, 3.0])
@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.7])
def test_the_cost_of_a_trade_and_its_slopes(alpha: float, lam: float) -> None:
    k = (lam - 2) / (lam - 1)
    with mpmath.workdps(40):

        def total(v: Any) -> Any:
            power = -mpmath.log(1 - v) / v if k == 0 else (1 - (1 - v) ** mpmath.mpf(k)) / (k * v)
            return v * power**alpha

        for v in (1e-9, 3e-6, 1e-4, 0.3, 0.9, 0.98):
            expected = [total(mpmath.mpf(v)), *(mpmath.diff(total, mpmath.mpf(v), n) for n in (1, 2))]
            found = hedge_tables.trade_cost(v, alpha, k)
            assert found[0] == pytest.approx(float(expected[0]), rel=1e-13)
            assert found[1] == pytest.approx(float(expected[1]), rel=1e-9)
            assert found[2] == pytest.approx(float(expected[2]), rel=3e-5)


def test_the_newton_solution_is_the_optimum() -> None:
    """`best_schedule`: no other schedule of one rival found by SciPy is better, and the value is that of its schedule."""
    k = (LAM - 2) / (LAM - 1)
    for size, risk, horizon, quotes in cases(1, 25, seed=21):
        alpha = quotes[0][0]
        left = size * (1.0 - np.arange(1, horizon) / horizon)
        first, value = best_schedule(size, risk, horizon, alpha, k, left)
        problem = Problem(size, risk, [(alpha, 0.0)], horizon)
        best = problem.value(problem.best())
        assert value <= best * (1 + 1e-9)
        if first < 1:
            path = np.concatenate([[size], left, [0.0]])
            x = (path[:-1] - path[1:]) / size
            assert x[0] == pytest.approx(first, rel=1e-12)
            assert problem.value(x) == pytest.approx(value, rel=1e-10)
        else:
            assert value == pytest.approx(problem.value(np.eye(1, horizon)[0]), rel=1e-13)


@pytest.mark.parametrize(
    ("size", "risk", "horizon", "alpha"),
    [
        (0.961439652, 59.8446469, 50, 1.1),
        (0.908661737, 14.3915148, 50, 1.1),
        (0.854142868, 15.5674192, 50, 1.3),
        (0.925608566, 30.0888761, 3, 1.0),
        (0.626593666, 7.07138436, 3, 1.7),
        (0.645795820, 6.38426290, 20, 1.5),
    ],
)
def test_the_newton_solution_leaves_the_kink_at_all_at_once(size: float, risk: float, horizon: int, alpha: float) -> None:
    """Where y = 0 the deviation has a kink, and Newton's steps lead there although waiting a little is better."""
    problem = Problem(size, risk, [(alpha, 0.0)], horizon)
    best = problem.best()
    assert best[0] < 0.99
    first, value = exact(size, risk, horizon, alpha)
    assert value <= problem.value(best) * (1 + 1e-6)
    assert first == pytest.approx(best[0], abs=1e-3)


def test_the_value_where_every_trade_is_at_the_cap() -> None:
    """The far end of the tables: three trades of 0.99 v_max at a cost of F(0.99) each, nothing counted twice."""
    for risk in (0.0, 0.0176923, 0.3, 40.0):
        size = CAP * 3 * (1 - 1e-9)
        first, value = exact(size, risk, 3, 1.459)
        cost = Problem(CAP, 0.0, [(1.459, 0.0)], 1).value(np.ones(1))
        assert first == pytest.approx(1 / 3, rel=1e-6)
        assert value == pytest.approx(cost + risk * math.sqrt(4 / 9 + 1 / 9), rel=1e-6)


@needs_tables
@pytest.mark.parametrize(("alpha", "horizon"), [(1.1, 2), (1.5, 20), (1.7, 5)])
def test_tables_interpolate_the_optimum(alpha: float, horizon: int) -> None:
    """Values within 0.5 % up to 0.9 v_max, first trades within 0.05 (near the kink where they become 1); exact at the nodes."""

    def best_of_starts(size: float, risk: float) -> tuple[float, float]:
        starts = [size * ratio ** np.arange(1, horizon) for ratio in (0.05, 0.2, 0.5, 0.9)]
        k = (LAM - 2) / (LAM - 1)
        return min((best_schedule(size, risk, horizon, alpha, k, left) for left in starts), key=lambda found: found[1])

    rng, tables = np.random.default_rng(31), table(alpha, horizon)
    for _ in range(300):
        size, risk = np.exp(rng.uniform(np.log(1e-4), np.log(0.9))), np.exp(rng.uniform(np.log(1e-5), np.log(50.0)))
        first, value = lookup(tables, 0, size, risk)
        expected, optimum = best_of_starts(size, risk)
        assert first == pytest.approx(expected, abs=0.05)
        assert value == pytest.approx(optimum, rel=5e-3)
    for i in (5, 20, 40, 60):
        size = CAP * (i / hedge_tables.BELOW_CAP) ** 2
        for j in (3, 30, 70):
            risk = tables.scale[0, i] * size * (j / (hedge_tables.RISKS - j)) ** 4
            first, value = lookup(tables, 0, size, risk)
            expected, optimum = best_of_starts(size, risk)
            assert first == pytest.approx(expected, abs=1e-5)
            assert value == pytest.approx(optimum, rel=1e-9)


@needs_tables
@pytest.mark.parametrize(("alpha", "horizon"), [(1.1, 2), (1.5, 20), (1.7, 5)])
def test_lookups_are_continuous_at_the_edges_of_the_tables(alpha: float, horizon: int) -> None:
    tables, largest = table(alpha, horizon), CAP * horizon

    def close(a: tuple[float, float], b: tuple[float, float], rel: float = 1e-6) -> None:
        assert a[0] == pytest.approx(b[0], rel=rel)
        assert a[1] == pytest.approx(b[1], rel=rel)

    for risk in (0.0, 1e-6, 0.3, 5.0, 50.0):
        # where the whole position stops fitting into one trade, and at nodes on both sides of it
        for size in (CAP * (1 / 64) ** 2, CAP * (31 / 64) ** 2, CAP, CAP * (1 + (horizon - 1) / 1024)):
            below, above = np.nextafter(size, 0), np.nextafter(size, 9)
            close(lookup(tables, 0, below, risk), lookup(tables, 0, size, risk), 2e-6)
            close(lookup(tables, 0, size, risk), lookup(tables, 0, above, risk), 2e-6)
        # the far end, beyond which nothing is left to choose
        first, value = lookup(tables, 0, largest * (1 - 1e-9), risk)
        assert first == pytest.approx(1 / horizon, rel=1e-6)
        at_the_cap = Problem(CAP, 0.0, [(alpha, 0.0)], 1).value(np.ones(1))
        left = 1 - np.arange(1, horizon) / horizon
        assert value == pytest.approx(at_the_cap + risk * math.sqrt(float(left @ left)), rel=5e-3)
        assert lookup(tables, 0, largest, risk)[0] == pytest.approx(1 / horizon, rel=1e-12)
        assert lookup(tables, 0, largest * (1 + 1e-9), risk)[0] == pytest.approx(1 / horizon, rel=2e-9)
    for size in (1e-9, 1e-6, 1e-4, 0.4, CAP, 1.2):
        close(lookup(tables, 0, size, 0.0), lookup(tables, 0, size, 1e-30))
        for risk in (1e9, 1e300):
            first, value = lookup(tables, 0, size, risk)
            assert first == pytest.approx(min(1.0, CAP / size), rel=2e-3)  # between two nodes at the cap
            assert first == 1.0 or size > CAP
            assert value >= 1.0
        threshold = tables.scale[0, 0] * size  # of the risk at which the first trade becomes all, for a small size
        close(lookup(tables, 0, size, threshold * (1 - 1e-9)), lookup(tables, 0, size, threshold * (1 + 1e-9)))


@needs_tables
@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_all_at_once_is_exactly_one_in_the_tables(horizon: int) -> None:
    """A first trade of one rounding error less than all would leave dust, to be hedged again at the next step."""
    rng, tables = np.random.default_rng(37), table(1.5, horizon)
    sizes = np.exp(rng.uniform(math.log(1e-5), math.log(0.9), 2000))
    firsts = [lookup(tables, 0, size, 5e3)[0] for size in sizes]
    assert set(firsts) == {1.0}


@needs_tables
def test_first_trades_grow_with_risk_and_never_exceed_the_cap() -> None:
    for alpha, horizon in ((1.1, 5), (1.7, 20)):
        for size in (1e-6, 0.01, 0.3, 0.97, 0.995, 1.7, 4.9):
            if size < CAP * horizon:
                firsts = [lookup(table(alpha, horizon), 0, size, risk)[0] for risk in np.geomspace(1e-7, 1e8, 120)]
                assert np.all(np.diff(firsts) > -1e-9)
                assert firsts[0] >= 1 / horizon - 1e-6
                assert max(firsts) <= min(1.0, CAP / size)


@needs_tables
def test_the_largest_first_trade_lies_within_a_feasible_schedule() -> None:
    """What is left after the first trade can be traded at the cap in the steps that remain."""
    rng = np.random.default_rng(33)
    for horizon in (2, 5, 20):
        for size in CAP * (1 + (horizon - 1) * rng.random(200)):
            first, _ = lookup(table(1.4, horizon), 0, size, np.exp(rng.uniform(-9, 6)))
            assert size * (1 - first) <= CAP * (horizon - 1) * (1 + 1e-9)


def test_best_schedule_is_continuous_where_the_cap_starts_to_bind() -> None:
    for size in (0.99, 1.2):
        risks = np.geomspace(0.1, 1e5, 400)
        firsts = np.array([exact(size, risk, 3, 1.4)[0] for risk in risks])
        assert np.all(np.diff(firsts) >= -1e-9)
        assert np.abs(np.diff(firsts)).max() < 0.02
        assert firsts[-1] == pytest.approx(min(1.0, CAP / size), rel=1e-12)


def test_two_trades_against_a_scalar_search() -> None:
    """H = 2 has one unknown: x_0 c(q x_0) + (1 - x_0) c(q (1 - x_0)) + G (1 - x_0)."""
    for size, risk, alpha in ((0.3, 0.05, 1.4), (0.9, 2.0, 1.1), (1.4, 0.7, 1.7)):
        problem = Problem(size, risk, [(alpha, 0.0)], 2)
        found = minimize_scalar(
            lambda first, p=problem: p.value(np.array([first, 1 - first])),
            bounds=(max(0.5, 1 - CAP / size), min(1.0, CAP / size)),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert exact(size, risk, 2, alpha)[0] == pytest.approx(found.x, abs=1e-6)
        x = AlmgrenChriss(risk_aversion=risk, horizon=2).schedule(size, envelope([(alpha, 0.0)]), 1.0, largest=CAP)
        assert x[0] == pytest.approx(found.x, abs=1e-6)


# --- the worst cases of benchmarks/hedging.py, which draws tens of thousands


@needs_tables
@pytest.mark.parametrize(
    ("lam", "alpha", "horizon", "size", "risk"),
    [
        pytest.param(5.3, 1.5, 84, 0.99085, 80.0, id="just above the cap"),
        pytest.param(5.3, 1.5, 84, 0.99085, 1.8e4, id="just above the cap, in a hurry"),
        pytest.param(4.38323, 1.195, 22, 0.99135, 8.77e3, id="the next largest trade is far"),
        pytest.param(1.48658, 1.764, 35, 0.95014, 8.1e3, id="just below the cap, where the curve is steep"),
        pytest.param(1.01394, 0.812, 89, 0.99094, 8.77e4, id="a steep book, at the cap"),
        pytest.param(1.01005, 0.892, 76, 0.51137, 4.87e3, id="a steep book, half of it"),
        pytest.param(1.01602, 1.957, 3, 2.93191, 0.108, id="a steep book, close to the most"),
        pytest.param(1.07852, 1.409, 86, 7.12978, 119.0, id="far above the cap"),
        pytest.param(100.0, 0.7, 10, 0.995, 80.0, id="the flattest book"),
    ],
)
def test_first_trades_from_the_tables_cost_little_more_than_the_best(
    lam: float, alpha: float, horizon: int, size: float, risk: float
) -> None:
    first, _ = lookup(stacked([power_table(alpha, lam, horizon)]), 0, size, risk)
    assert 0.0 <= first <= min(1.0, CAP / size)
    assert loss_of(first, size, risk, horizon, alpha, (lam - 2) / (lam - 1)) < 1e-3


@needs_tables
def test_first_trades_against_rivals_whose_curves_cross() -> None:
    """At most 1 % more than the optimum on the envelope; by the cheapest rival's own optimum some of these cost 4 %."""
    markets: Markets = {}
    for lam, horizon, size, risk, alphas, extras in (
        (1.2, 2, 1.2020, 0.4448, (2.0, 0.8, 1.2, 1.6), (4.053, 15.1036, 0.0, 0.4687)),
        (2.0, 2, 1.0206, 0.9022, (2.0, 0.8), (0.0336, 0.7552)),
        (2.0, 5, 2.6785, 7.031, (1.1, 2.0), (1.5792, 0.0)),
        (1.05, 3, 1.0188, 0.006427, (1.3, 1.8, 0.8, 1.0, 1.1), (0.0532, 0.2874, 5.9008, 0.0, 14.2532)),
        (1.2, 5, 1.8530, 0.03217, (1.6, 1.8, 1.2, 0.8), (16.3559, 0.1142, 0.0, 1.7502)),
        (1.2, 3, 1.3904, 3.422, (0.8, 1.7, 1.5, 1.8), (7.3943, 0.5247, 0.2794, 0.0368)),
    ):
        case = {"lam": lam, "H": horizon, "q": size, "G": risk, "alphas": list(alphas), "extras": list(extras)}
        assert loss_with(markets, case) < 0.01, case


@needs_tables
def test_where_one_rival_is_the_cheapest_for_all_sizes_its_own_table_decides() -> None:
    markets: Markets = {}
    for size in (0.3, 0.9, 1.7):
        for risk in (0.01, 1.0, 30.0):
            extras = [0.1, 0.1]
            case: dict[str, Any] = {"lam": LAM, "H": 5, "q": size, "G": risk, "alphas": [1.2, 1.6], "extras": extras}
            assert first_with(markets, case) == lookup(table(1.2, 5), 0, size, risk)[0]


def test_a_piece_that_exceeds_the_largest_trade_by_rounding_is_one_piece() -> None:
    size = np.nextafter(CAP, 2)
    for policy in (LinearSchedule(risk_aversion=1e6, horizon=3), AlmgrenChriss(risk_aversion=1e6, horizon=3)):
        assert policy.schedule(size, envelope([(1.5, 0.0)]), 1.0, largest=CAP)[0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.compiled
def test_plans_of_many_steps_trade_first_what_theory_says() -> None:
    """More steps than the solver's grid has points."""
    for risk in (0.0, 1e-3, 0.1):
        x = AlmgrenChriss(risk_aversion=risk, horizon=300).schedule(0.8, envelope([(1.5, 0.0)]), 1.0, largest=CAP)
        assert x[0] == pytest.approx(exact(0.8, risk, 300, 1.5)[0], rel=1e-5)


@needs_tables
def test_ctrl_c_is_answered_while_a_table_is_built(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its rows, of which each takes a part of a second; nothing is kept."""
    rows = iter(range(3))
    monkeypatch.setattr(hedge_tables.interrupt, "check", lambda: next(rows))
    for build in (lambda: power_table.__wrapped__(1.234, 1.6, 2), lambda: curve_table(lambda share: 1.0 + share, 2)):
        rows = iter(range(3))
        with pytest.raises(StopIteration):
            build()
    assert not folder.exists()


# --- tables on disk


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path))
    return tmp_path / "hedging"


def stored_table(alpha: float, lam: float, horizon: int) -> tuple[Floats, Floats]:
    """Scale and nodes from the disk, and not from memory."""
    table = power_table.__wrapped__(alpha, lam, horizon)
    return table.scale, table.nodes


def same(a: Sequence[Floats], b: Sequence[Floats]) -> None:
    assert len(a) == len(b)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_tables
def test_tables_on_disk_are_those_built(folder: Path) -> None:
    built = hedge_tables.build_table(1.3, 1.7, 3)
    same(stored_table(1.3, 1.7, 3), built)
    (file,) = folder.iterdir()
    with np.load(file) as stored:
        same([stored[name] for name in stored], built)
    written = file.stat().st_mtime_ns
    same(stored_table(1.3, 1.7, 3), built)
    assert file.stat().st_mtime_ns == written  # read, not written again


@needs_tables
def test_a_table_on_disk_is_read_and_belongs_to_its_parameters(folder: Path) -> None:
    stored_table(1.3, 1.7, 3)
    (file,) = folder.iterdir()
    with np.load(file) as stored:
        marked = {name: stored[name] + 7.0 for name in stored}
    np.savez(file, **marked)
    same(stored_table(1.3, 1.7, 3), list(marked.values()))
    for other in ((1.31, 1.7, 3), (1.3, 1.71, 3), (1.3, 1.7, 4)):
        same(stored_table(*other), hedge_tables.build_table(*other))
    assert len(list(folder.iterdir())) == 4


def changed(content: bytes, mark: bytes, offset: int, flip: int) -> bytes:
    """One byte changed, `offset` behind the last `mark`."""
    wrong = bytearray(content)
    wrong[content.rindex(mark) + offset] ^= flip
    return bytes(wrong)


@needs_tables
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: b"not a table", id="text"),
        pytest.param(lambda content: content[:40], id="a few bytes"),
        pytest.param(lambda content: content[: len(content) // 2], id="half"),
        pytest.param(lambda content: content[:-10], id="end missing"),
        pytest.param(lambda content: content[:4] + bytes(100), id="zeros"),
        pytest.param(lambda content: changed(content, b"NUMPY", 5000, 255), id="number"),
        pytest.param(lambda content: changed(content, b"shape", 10, 255), id="shape"),
        pytest.param(lambda content: changed(content, b"PK\x01\x02", 8, 1), id="zip flag"),
        pytest.param(lambda content: changed(content, b"PK\x01\x02", 6, 128), id="zip version"),
        pytest.param(lambda content: content[content.index(b"\x93NUMPY") :], id="an array"),
    ],
)
def test_a_broken_table_on_disk_is_replaced(broken: Callable[[bytes], bytes], folder: Path) -> None:
    built = stored_table(1.2, 1.6, 2)
    (file,) = folder.iterdir()
    file.write_bytes(broken(file.read_bytes()))
    same(stored_table(1.2, 1.6, 2), built)
    assert list(folder.iterdir()) == [file]  # nothing is left behind
    with np.load(file) as stored:
        same([stored[name] for name in stored], built)


@needs_tables
def test_a_table_with_a_part_missing_is_replaced(folder: Path) -> None:
    built = stored_table(1.2, 1.6, 2)
    (file,) = folder.iterdir()
    np.savez(file, scale=built[0])
    same(stored_table(1.2, 1.6, 2), built)
    same(stored_table(1.2, 1.6, 2), built)


@needs_tables
def test_without_a_folder_tables_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a file"
    file.write_text("in the way")
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(file))
    same(stored_table(1.2, 1.6, 2), hedge_tables.build_table(1.2, 1.6, 2))
    assert file.read_text() == "in the way"


@needs_tables
def test_tables_of_several_rivals_stand_in_order(folder: Path) -> None:
    tables = stacked([power_table(alpha, 1.6, horizon) for alpha, horizon in ((1.2, 2), (1.4, 3), (1.2, 2))])
    assert tables.horizon.tolist() == [2.0, 3.0, 2.0]
    for n, (alpha, horizon) in enumerate([(1.2, 2), (1.4, 3), (1.2, 2)]):
        same([tables.scale[n], tables.nodes[n]], hedge_tables.build_table(alpha, 1.6, horizon))
        assert tables.least[n] == 1.0
    assert stacked([]).horizon.tolist() == [1.0]


def test_plain_python_takes_tables_of_machine_code_and_keeps_its_own_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path))
    sizes, risks = hedge_tables.SIZES, hedge_tables.RISKS + 1

    def read(compiles: bool, built: float) -> float:
        monkeypatch.setattr(hedge_tables, "COMPILES", compiles)
        scale, _ = hedge_tables.stored("one", lambda: (np.full(sizes, built), np.full((sizes, risks, 2), built)))
        return float(scale[0])

    assert [read(False, 1.0), read(False, 2.0)] == [1.0, 1.0]  # kept
    assert [read(True, 3.0), read(True, 4.0)] == [3.0, 3.0]  # its last bits are not those of plain Python
    assert read(False, 5.0) == 3.0
