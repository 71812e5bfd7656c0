"""Every law and public method of the components against values computed elsewhere: mpmath, SciPy, sums by hand.

Sections, equations and figures are those of Ganesh et al. (2019), *Multi-Agent Simulation for Pricing and Hedging in a
Dealer Market*.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import stats

from conftest import assert_says, raises
from dealermarket import laws
from dealermarket.errors import ParameterError
from dealermarket.model.exchange import Exchange
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.group import InvestorGroup
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.makers.tiering.base import TieringPolicy
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.reference_spread.clipped_normal import ClippedNormal

NAN, INF = math.nan, math.inf
LAMS = (1.01, 1.3, 1.6, 2 - 1e-12, 2.0, 2 + 1e-9, 2.5, 3.0, 50.0)
FRACTIONS = (
    *(1e-300, 1e-200, 1e-100, 1e-30, 1e-20, 1e-17, 1e-16, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-4, 1e-3),
    *(0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999),
)


def within(deviation: float, standard_error: float) -> None:
    """A statistic of a fixed seed lies within four standard errors of its expectation."""
    assert abs(deviation) < 4 * standard_error, f"{deviation / standard_error:.2f} standard errors"


# --- the exchange (section 3.1, Appendix A.1)


@cache
def paper_curve(fraction: float, lam: float) -> mpmath.mpf:
    """S_ref(v) / S_ref(0) as the paper prints it, two branches, correct to 50 digits and more."""
    with mpmath.workdps(420):  # 300 of them are lost in 1 - 1e-300
        vt, exponent = mpmath.mpf(fraction), mpmath.mpf(lam)
        if exponent == 2:
            return -mpmath.log(1 - vt) / vt
        omega = (exponent - 1) / (exponent - 2)
        return omega / vt * (1 - (1 - vt) ** (1 / omega))


def rounding_bound(fraction: float, lam: float) -> float:
    """What the curve's formula can lose: 4.5e-16, plus what e^(kL) makes of the last digits of its exponent.

    Where |k L| <= 2 (v up to 0.95 v_max for the paper's lam) the error is below 1e-15; k, L and their product are each
    rounded once, which e^(kL) turns into about |k L| times 2.5e-16.
    """
    return 4.5e-16 + 2.5e-16 * max(0.0, laws.curve_exponent(lam) * math.log1p(-fraction))


@pytest.mark.parametrize("lam", LAMS)
def test_the_reference_curve_is_exact_to_rounding(lam: float) -> None:
    exchange = Exchange(lam=lam, v_max=1.0)
    for fraction in FRACTIONS:
        expected = paper_curve(fraction, lam)
        if expected > 1e300:  # lam = 1.01 has next to no liquidity: the price is beyond what a double can hold
            continue
        error = abs(mpmath.mpf(float(exchange.relative_spread(fraction))) / expected - 1)
        assert error < rounding_bound(fraction, lam), f"v / v_max = {fraction}: {mpmath.nstr(error, 3)}"


def test_the_reference_curve_is_exact_to_five_in_ten_to_the_sixteen_where_the_paper_uses_it() -> None:
    """lam = 1.6 and sizes up to half of v_max: errors below 5e-16; near lam = 2 below that for every size."""
    for lam, largest in ((1.6, 0.5), (2 - 1e-12, 1.0), (2.0, 1.0), (2 + 1e-9, 1.0)):
        for fraction in [f for f in FRACTIONS if f <= largest]:
            computed = mpmath.mpf(float(Exchange(lam=lam, v_max=1.0).relative_spread(fraction)))
            error = abs(computed / paper_curve(fraction, lam) - 1)
            assert error < 5e-16


def test_the_engine_compiles_the_same_curve() -> None:
    from dealermarket.engine.hedge_tables import marginal_spread, relative_spread

    for lam in LAMS:
        k = laws.curve_exponent(lam)
        for fraction in FRACTIONS:
            expected = paper_curve(fraction, lam)
            if expected < 1e300:
                assert abs(mpmath.mpf(relative_spread(fraction, k)) / expected - 1) < rounding_bound(fraction, lam)
                assert marginal_spread(fraction, k) == pytest.approx(laws.marginal_spread(fraction, k), rel=1e-13)
        assert relative_spread(0.0, k) == 1.0


@pytest.mark.parametrize("lam", [1.3, 1.6, 2.0, 3.0])
def test_the_reference_curve_is_the_average_price_of_the_best_orders_in_the_book(lam: float) -> None:
    """Appendix A.1: v_max unit orders, their density at distance s0/2 + x proportional to (s0/2 + x)^-lam."""
    s0, v_max = 0.0003, 250.0

    def book(weight: Callable[[Any], Any], first: Any, last: Any) -> Any:
        """The integral of weight and density over distances p = (s0/2) e^u from u = first to last, dp = p du."""

        def integrand(u: Any) -> Any:
            distance = mpmath.mpf(s0) / 2 * mpmath.exp(u)
            return weight(distance) * distance ** (-mpmath.mpf(lam)) * distance

        return mpmath.quad(integrand, [first, last])

    def one(distance: Any) -> int:
        return 1

    with mpmath.workdps(20):
        unit = v_max / (book(one, 0, 4) + book(one, 4, mpmath.inf))  # the book holds v_max orders
        exchange = Exchange(lam=lam, v_max=v_max)
        for depth in (0.01, 0.5, 2.0):  # log of the worst price paid, in half spreads
            size = unit * book(one, 0, depth)
            average = unit * book(lambda distance: distance, 0, depth) / size
            assert float(exchange.reference_spread(float(size), s0)) == pytest.approx(float(average), rel=1e-13)
            marginal = laws.marginal_spread(float(size) / v_max, laws.curve_exponent(lam))
            assert marginal == pytest.approx(math.exp(depth), rel=1e-12)


@pytest.mark.parametrize("lam", [1.3, 1.6, 2.0, 2.5, 50.0])
def test_the_marginal_spread_is_the_slope_of_the_total_cost(lam: float) -> None:
    for fraction in (0.01, 0.4, 0.95):
        with mpmath.workdps(40):
            slope = mpmath.diff(lambda v: v * paper_curve(v, lam), mpmath.mpf(fraction))
        assert laws.marginal_spread(fraction, laws.curve_exponent(lam)) == pytest.approx(float(slope), rel=1e-13)


def test_curve_exponent_is_the_reciprocal_of_omega() -> None:
    assert laws.curve_exponent(1.6) == pytest.approx(1 / -1.5, rel=1e-15)  # the paper's omega is -1.5
    assert laws.curve_exponent(3.0) == 0.5
    assert laws.curve_exponent(2.0) == 0.0


def test_figures_2_and_3() -> None:
    """s0 = 0.015 (the axis is in percent), v_max = 500, lam = 1.6; the digits read off the paper's curves."""
    exchange = Exchange(lam=1.6, v_max=500.0)
    sizes = np.arange(0, 301, 50)
    expected = [0.0075, 0.008186, 0.009022, 0.010066, 0.011411, 0.013217, 0.015788]
    np.testing.assert_allclose(exchange.reference_spread(sizes, 0.015), expected, rtol=0, atol=5e-7)
    assert float(PowerPricing(alpha=1.1, tier_penalty=1e-5).spread(300, 0, 0.015, exchange)) == pytest.approx(0.017008, abs=5e-7)
    # the axis of figure 2 is in percent: its tier penalty of 0.001 is 1e-5 of the price
    tiers = PowerPricing(alpha=1.1, tier_penalty=1e-3).spread(0, np.arange(5), 0.015, exchange)
    np.testing.assert_allclose(tiers, [0.0075, 0.0085, 0.0095, 0.0105, 0.0115], rtol=1e-14)


def test_reference_spread_broadcasts_and_scales_with_the_spread() -> None:
    exchange = Exchange(lam=1.6, v_max=100.0)
    grid = exchange.reference_spread(np.array([[0.0], [10.0], [60.0]]), np.array([1e-4, 2e-4]))
    assert grid.shape == (3, 2)
    np.testing.assert_allclose(grid[:, 1], 2 * grid[:, 0], rtol=1e-15)
    np.testing.assert_allclose(grid[0], [0.5e-4, 1e-4], rtol=1e-15)
    np.testing.assert_array_equal(grid[:, 0], 0.5e-4 * exchange.relative_spread([0.0, 10.0, 60.0]))
    assert exchange.reference_spread(0, 0.0).shape == ()
    assert np.all(np.diff(exchange.relative_spread(np.linspace(0, 99.9, 500))) > 0)


def test_the_largest_trade_is_99_percent_of_v_max() -> None:
    assert laws.LARGEST_TRADE == 0.99
    assert Exchange(v_max=200.0).largest_trade == 198.0


@pytest.mark.parametrize("size", [-1e-9, 100.0, 1e9, NAN, INF, -INF, [1.0, 100.0]])
def test_sizes_that_cannot_trade_are_refused(size: Any) -> None:
    for method in (
        Exchange(v_max=100.0).relative_spread,
        lambda v: Exchange(v_max=100.0).reference_spread(v, 1e-4),
        lambda v: PowerPricing().spread(v, 0, 1e-4, Exchange(v_max=100.0)),
    ):
        with raises(ParameterError, "size", repr(size), names=[">= 0", "v_max = 100"]):
            method(size)


@pytest.mark.parametrize("s0", [-1e-9, NAN, INF, [1e-4, -1.0]])
def test_reference_spreads_below_zero_are_refused(s0: Any) -> None:
    for method in (lambda s: Exchange().reference_spread(1.0, s), lambda s: PowerPricing().spread(1.0, 0, s, Exchange())):
        with raises(ParameterError, "s0", repr(s0), names=["finite", ">= 0"]):
            method(s0)


# --- pricing (section 3.3, equation 5)


def test_pricing_is_equation_5() -> None:
    exchange, s0 = Exchange(lam=1.6, v_max=1000.0), 1.5e-4
    pricing = PowerPricing(alpha=1.37, tier_penalty=3e-5, eps_buy=0.2, eps_sell=-0.6)
    for size in (0.0, 1e-6, 7.0, 420.0, 999.0):
        curve = float(paper_curve(size / 1000.0, 1.6)) if size else 1.0
        for tier in (0, 1, 4):
            for side, skew in ((0, 0.0), (1, 0.2), (-1, -0.6)):
                expected = s0 / 2 * curve**1.37 * (1 + skew) + 3e-5 * tier
                assert float(pricing.spread(size, tier, s0, exchange, side)) == pytest.approx(expected, rel=2e-14)
    reference = PowerPricing(alpha=1.0).spread([5.0, 500.0], 0, s0, exchange)
    np.testing.assert_allclose(reference, exchange.reference_spread([5.0, 500.0], s0), rtol=1e-15)


def test_pricing_broadcasts() -> None:
    spread = PowerPricing().spread(np.ones((3, 1)), np.arange(4), 1e-4, Exchange())
    assert spread.shape == (3, 4)
    np.testing.assert_allclose(np.diff(spread, axis=1), 1e-5, rtol=1e-10)


def test_a_skew_of_minus_one_leaves_the_tier_alone() -> None:
    pricing = PowerPricing(eps_buy=-1.0, eps_sell=0.0, tier_penalty=2e-5)
    assert float(pricing.spread(10.0, 3, 1e-4, Exchange(), side=1)) == pytest.approx(6e-5, rel=1e-15)
    assert float(pricing.spread(10.0, 3, 1e-4, Exchange(), side=-1)) > 6e-5


def test_pricing_refuses_wrong_tiers_and_sides() -> None:
    for tier in (-1, [0, -2], NAN):
        with raises(ParameterError, "tier", tier, names=[">= 0"]):
            PowerPricing().spread(1.0, tier, 1e-4, Exchange())
    with raises(ParameterError, "side", 2, names=["+1", "-1", "0"]):
        PowerPricing().spread(1.0, 0, 1e-4, Exchange(), side=2)


def test_quoted_spread_by_hand() -> None:
    assert laws.quoted_spread(laws.skewed_level(0.5, 0.25), laws.power_curve(math.log(4.0), 1.5), 0.125) == pytest.approx(
        0.5 * 1.25 * 8 + 0.125, rel=1e-15
    )


# --- prices and reference spreads (section 3.1)


def test_growth_is_the_exact_solution() -> None:
    normal = np.array([-2.0, 0.0, 1.3])
    expected = [math.exp((0.4 - 0.3**2 / 2) * 0.25 + 0.3 * 0.5 * z) for z in normal]
    np.testing.assert_allclose(
        laws.log_growth(normal, laws.log_drift(0.4, 0.3, 0.25), 0.3 * math.sqrt(0.25)), expected, rtol=1e-15
    )


def test_prices_are_exact_however_long_the_step() -> None:
    """Four steps of a quarter of a year: P_1y = P_0 exp((mu - sigma^2/2) + sigma Z), a log-normal an Euler scheme misses."""
    drift, volatility, count = 0.3, 0.6, 40_000
    market = MarketEnvironment(
        mid_price=GeometricBrownianMotion(initial=7.0, drift=drift, volatility=volatility), steps_per_day=1, days_per_year=4
    )
    mids, _ = market.sample(np.random.default_rng(1), steps=5, replicas=count)
    assert mids.shape == (count, 5)
    assert np.all(mids[:, 0] == 7.0)
    log_growth = np.log(mids[:, -1] / 7.0)
    within(log_growth.mean() - (drift - volatility**2 / 2), volatility / math.sqrt(count))
    within(log_growth.var(ddof=1) - volatility**2, volatility**2 * math.sqrt(2 / (count - 1)))
    growth_sd = math.exp(drift) * math.sqrt(math.expm1(volatility**2))
    within(mids[:, -1].mean() / 7.0 - math.exp(drift), growth_sd / math.sqrt(count))
    assert stats.kstest(log_growth, stats.norm(drift - volatility**2 / 2, volatility).cdf).pvalue > 1e-3
    returns = np.diff(np.log(mids), axis=1)
    within(np.corrcoef(returns[:, 0], returns[:, 1])[0, 1], 1 / math.sqrt(count))
    np.testing.assert_allclose(returns.std(axis=0), volatility * 0.5, rtol=4 / math.sqrt(2 * count))


def test_a_step_is_a_quarter_of_an_hour_of_252_days() -> None:
    assert MarketEnvironment().dt == 1 / (252 * 96)
    assert MarketEnvironment(steps_per_day=4, days_per_year=10).dt == 1 / 40
    mids, _ = MarketEnvironment().sample(np.random.default_rng(5), 30_000)
    deviation = np.diff(np.log(mids[0])).std()
    within(deviation / (0.1 / math.sqrt(252 * 96)) - 1, 1 / math.sqrt(2 * 30_000))


def test_without_volatility_the_price_grows_at_the_drift() -> None:
    market = MarketEnvironment(mid_price=GeometricBrownianMotion(initial=2.0, drift=0.5, volatility=0.0), steps_per_day=2)
    mids, _ = market.sample(np.random.default_rng(0), steps=6)
    np.testing.assert_allclose(mids[0], 2.0 * np.exp(0.5 * np.arange(6) / 504), rtol=1e-14)


def test_reference_spreads_are_clipped_normals() -> None:
    law = ClippedNormal(mean=1.5e-4, std=5e-5, minimum=1.1e-4, maximum=2.3e-4)
    market, count = MarketEnvironment(reference_spread=law), 60_000
    _, s0 = market.sample(np.random.default_rng(2), steps=300, replicas=count // 300)
    assert s0.min() == law.minimum
    assert s0.max() == law.maximum
    for share, expected in (
        ((s0 == law.minimum).mean(), stats.norm.cdf(-0.8)),
        ((s0 == law.maximum).mean(), stats.norm.sf(1.6)),
        ((s0 < 1.5e-4).mean(), 0.5),
        ((s0 < 1.75e-4).mean(), stats.norm.cdf(0.5)),
    ):
        within(share - expected, math.sqrt(expected * (1 - expected) / count))
    free = s0[(s0 > law.minimum) & (s0 < law.maximum)]
    assert stats.kstest(free, stats.truncnorm(-0.8, 1.6, 1.5e-4, 5e-5).cdf).pvalue > 1e-3
    within(np.corrcoef(s0[:, :-1].ravel(), s0[:, 1:].ravel())[0, 1], 1 / math.sqrt(count))


def test_the_papers_reference_spread() -> None:
    law = ClippedNormal()
    assert (law.mean, law.std, law.minimum, law.maximum) == (0.00015, 0.00005, 0.00002, 0.0005)
    np.testing.assert_array_equal(
        laws.clipped_normal(np.array([-3.0, -2.0, 0.0, 7.5]), 0.00015, 0.00005, 0.00002, 0.0005),
        [0.00002, 0.00015 - 2 * 0.00005, 0.00015, 0.0005],
    )


def test_spreads_can_scale_with_the_price() -> None:
    fixed = MarketEnvironment(mid_price=GeometricBrownianMotion(initial=50.0))
    scaled = fixed.replace(spreads_scale_with_price=True)
    mids, s0 = fixed.sample(np.random.default_rng(3), 20, 4)
    mids_again, s0_scaled = scaled.sample(np.random.default_rng(3), 20, 4)
    np.testing.assert_array_equal(mids, mids_again)
    np.testing.assert_array_equal(s0_scaled, s0 * mids)
    assert s0.shape == mids.shape == (4, 20)


@pytest.mark.parametrize(("steps", "replicas"), [(0, 1), (-3, 1), (5, 0)])
def test_sampling_nothing_is_refused(steps: int, replicas: int) -> None:
    with pytest.raises(ParameterError, match=f"steps and replicas .* >= 1, got {steps} and {replicas}$"):
        MarketEnvironment().sample(np.random.default_rng(0), steps, replicas)


def test_step_volatility_is_in_price_units() -> None:
    market = MarketEnvironment(mid_price=GeometricBrownianMotion(volatility=0.2), steps_per_day=4, days_per_year=100)
    np.testing.assert_allclose(market.step_volatility(np.array([1.0, 30.0])), [0.01, 0.3], rtol=1e-15)
    assert float(market.step_volatility(30.0, volatility=0.5)) == pytest.approx(0.75, rel=1e-15)
    assert float(market.step_volatility(30.0, volatility=0.0)) == 0.0
    assert market.step_volatility(1.0).shape == ()


# --- investors (section 3.2)


def test_sizes_are_log_normal() -> None:
    count = 40_000
    agent = InvestorAgent(name="a", trade_probability=0.1, mean_size=3.0, log_std=0.7)
    assert agent.order_size.size_log_mean == pytest.approx(math.log(3.0) - 0.245, rel=1e-15)
    law = stats.lognorm(s=0.7, scale=math.exp(agent.order_size.size_log_mean))
    sizes = agent.sample_sizes(np.random.default_rng(4), count)
    assert sizes.shape == (count,)
    assert law.mean() == pytest.approx(3.0, rel=1e-14)
    within(sizes.mean() - 3.0, law.std() / math.sqrt(count))
    within(np.log(sizes).mean() - agent.order_size.size_log_mean, 0.7 / math.sqrt(count))
    within(np.log(sizes).std(ddof=1) - 0.7, 0.7 / math.sqrt(2 * count))
    assert stats.kstest(sizes, law.cdf).pvalue > 1e-3


def test_the_level_of_sizes_may_be_a_log_mean() -> None:
    agent = InvestorAgent(name="a", trade_probability=0.1, log_mean=1.25, log_std=0.4)
    assert agent.order_size.size_log_mean == 1.25
    same = InvestorAgent(name="a", trade_probability=0.1, mean_size=math.exp(1.25 + 0.08), log_std=0.4)
    np.testing.assert_allclose(
        agent.sample_sizes(np.random.default_rng(1), 9), same.sample_sizes(np.random.default_rng(1), 9), rtol=1e-14
    )
    constant = InvestorAgent(name="a", trade_probability=0.1, mean_size=2.5, log_std=0.0)
    np.testing.assert_allclose(constant.sample_sizes(np.random.default_rng(1), 3), 2.5, rtol=1e-15)


def test_sizes_are_capped() -> None:
    agent = InvestorAgent(name="a", trade_probability=0.1, mean_size=3.0, log_std=0.7)
    free, capped = (agent.sample_sizes(np.random.default_rng(4), 4000, largest) for largest in (INF, 6.0))
    np.testing.assert_array_equal(capped, np.minimum(free, 6.0))
    within((capped == 6.0).mean() - agent.capped_share(6.0), 0.5 / math.sqrt(4000))
    np.testing.assert_allclose(laws.order_size(np.array([-1.0, 0.0, 3.0]), 1.0, 0.5), [math.exp(0.5), math.e, math.exp(2.5)])


@pytest.mark.parametrize("log_std", [0.05, 0.5, 1.3])
@pytest.mark.parametrize("largest", [0.2, 1.0, 2.0, 40.0, 9900.0])
def test_capped_share_is_the_tail_of_the_log_normal(log_std: float, largest: float) -> None:
    agent = InvestorAgent(name="a", trade_probability=0.1, mean_size=2.0, log_std=log_std)
    expected = stats.lognorm.sf(largest, s=log_std, scale=2.0 * math.exp(-(log_std**2) / 2))
    assert agent.capped_share(largest) == pytest.approx(expected, rel=1e-11, abs=1e-300)


def test_capped_share_of_constant_sizes() -> None:
    agent = InvestorAgent(name="a", trade_probability=0.1, mean_size=2.0, log_std=0.0)
    assert [agent.capped_share(largest) for largest in (1.9, 2.1)] == [1.0, 0.0]


def test_the_side_of_an_order() -> None:
    """Oracle (draw below its probability) and a move: the move's sign; else a coin that buys below buy_probability."""
    side = laws.order_side(
        side_draw=np.array([0.9, 0.9, 0.1, 0.9, 0.1, 0.3, 0.3]),
        oracle_draw=np.array([0.5, 0.5, 0.5, 0.7, 0.7, 0.0, 0.0]),
        buy_probability=np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.3, 0.31]),
        oracle_probability=np.array([0.6, 0.6, 0.6, 0.6, 0.6, 0.0, 0.0]),
        future_move=np.array([0.01, -0.01, 0.0, 0.01, -0.01, 1.0, -1.0]),
    )
    np.testing.assert_array_equal(side, [1, -1, 1, -1, 1, -1, 1])
    assert laws.order_side(0.999, 0.999, 1.0, 1.0, 0.0) == 1  # no move: the oracle knows nothing
    assert laws.order_side(0.0, 0.0, 0.0, 1.0, 0.0) == -1


def test_the_cheapest_maker_is_chosen() -> None:
    spreads = np.random.default_rng(6).permuted(np.tile(np.arange(5.0), (200, 1)), axis=1)
    draw = np.random.default_rng(7).random(200)
    np.testing.assert_array_equal(InvestorAgent.choose(spreads, draw), spreads.argmin(axis=1))
    assert InvestorAgent.choose(spreads.reshape(10, 20, 5), draw.reshape(10, 20)).shape == (10, 20)
    assert InvestorAgent.choose([3.0, -1.0, INF], 0.99) == 1
    assert InvestorAgent.choose([INF], 0.0) == 0


@pytest.mark.parametrize("ties", [1, 2, 3, 5, 7])
def test_ties_are_fair_and_in_order(ties: int) -> None:
    """Of n equal makers, in order, number floor(U n) wins: evenly spaced draws fall on each exactly as often."""
    spreads = np.full(12, 4.0)
    cheapest = np.sort(np.random.default_rng(ties).choice(12, ties, replace=False))
    spreads[cheapest] = 1.0
    draws = (np.arange(ties * 40) + 0.5) / (ties * 40)
    chosen = InvestorAgent.choose(np.tile(spreads, (len(draws), 1)), draws)
    np.testing.assert_array_equal(chosen, np.repeat(cheapest, 40))
    assert InvestorAgent.choose(spreads, 0.0) == cheapest[0]
    assert InvestorAgent.choose(spreads, np.nextafter(1.0, 0.0)) == cheapest[-1]


def test_ties_are_exact_only() -> None:
    assert InvestorAgent.choose([np.nextafter(1.0, 2.0), 1.0], 0.0) == 1
    assert InvestorAgent.choose([0.0, -0.0], 0.9) == 1


def test_the_winner_of_a_tie() -> None:
    np.testing.assert_array_equal(laws.tied_winner(np.array([0.0, 0.49, 0.5, 0.99, 1.0]), 2), [0, 0, 1, 1, 1])
    ties = np.arange(1, 4000)
    np.testing.assert_array_equal(laws.tied_winner(np.nextafter(1.0, 0.0), ties), ties - 1)


@pytest.mark.parametrize("spreads", [[], [[], []], [1.0, NAN]])
def test_choosing_among_nothing_is_refused(spreads: Any) -> None:
    with raises(ParameterError, "spreads", names=["number", "maker"]):
        InvestorAgent.choose(spreads, 0.5)


def test_a_group_moves_linearly_between_first_and_last() -> None:
    group = InvestorGroup(
        name="g",
        count=5,
        trade_probability=(0.5, 0.1),
        mean_size=(1.0, 9.0),
        log_std=(0.0, 0.8),
        buy_probability=0.4,
        oracle_probability=(1.0, 0.0),
    )
    members = group.members()
    assert [m.name for m in members] == ["g-0", "g-1", "g-2", "g-3", "g-4"]
    for field, expected in {
        "trade_probability": [0.5, 0.4, 0.3, 0.2, 0.1],
        "mean_size": [1.0, 3.0, 5.0, 7.0, 9.0],
        "log_std": [0.0, 0.2, 0.4, 0.6, 0.8],
        "buy_probability": [0.4] * 5,
        "oracle_probability": [1.0, 0.75, 0.5, 0.25, 0.0],
    }.items():
        np.testing.assert_allclose([getattr(m, field) for m in members], expected, rtol=1e-14, atol=1e-300)
    assert members[0].trade_probability == 0.5
    assert members[-1].trade_probability == 0.1  # the ends exactly
    assert all(m.log_mean is None for m in members)


def test_groups_of_log_means_and_of_one() -> None:
    levels = InvestorGroup(name="g", count=3, trade_probability=0.5, log_mean=(-1.0, 3.0)).members()
    assert [member.log_mean for member in levels] == [-1.0, 1.0, 3.0]
    assert InvestorGroup(name="g", count=2, trade_probability=[0.1, 0.2], mean_size=1).members()[1].trade_probability == 0.2
    (only,) = InvestorGroup(name="g", count=1, trade_probability=(0.2, 0.9), mean_size=2.0).members()
    assert (only.name, only.trade_probability) == ("g-0", 0.2)
    for probability in (0.1, 1.0, 1 / 3):
        members = InvestorGroup(name="g", count=999, trade_probability=(probability, 1.0), mean_size=1.0).members()
        assert max(m.trade_probability for m in members) == 1.0


# --- tiers (section 3.3)


@pytest.mark.parametrize("tiers", [1, 2, 3, 5, 11])
def test_tiers_are_quantiles(tiers: int) -> None:
    metric = np.random.default_rng(8).normal(size=(6, 11))
    given = AverageYield(tiers=tiers).assign(metric)
    assert given.shape == metric.shape
    for row, tier in zip(metric, given, strict=True):
        for rank, participant in enumerate(sorted(range(11), key=lambda j: -row[j])):
            assert tier[participant] == rank * tiers // 11
        counts = np.bincount(tier, minlength=tiers)
        assert counts.max() - counts.min() <= 1
        assert counts.min() >= 1


def test_tier_of_rank_by_hand() -> None:
    assert [laws.tier_of_rank(rank, 5, 11) for rank in range(11)] == [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [laws.tier_of_rank(rank, 3, 3) for rank in range(3)] == [0, 1, 2]


def test_equal_metrics_are_ordered_by_the_tie_break() -> None:
    policy = RevenueRate(tiers=4)
    np.testing.assert_array_equal(policy.assign([0.0, 0.0, 0.0, 0.0]), [0, 1, 2, 3])
    np.testing.assert_array_equal(policy.assign([0.0, 0.0, 0.0, 0.0], tie_break=[0.3, 0.9, 0.1, 0.2]), [2, 3, 0, 1])
    np.testing.assert_array_equal(policy.assign([0.0, -0.0, 5.0, -INF], tie_break=[2, 1, 9, 0]), [2, 1, 0, 3])
    # one permutation for several rows, and one for each
    rows = policy.assign([[1.0, 1.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]], tie_break=[3, 2, 1, 0])
    np.testing.assert_array_equal(rows, [[3, 2, 0, 1], [3, 2, 1, 0]])
    rows = policy.assign(np.zeros((2, 4)), tie_break=[[0, 1, 2, 3], [3, 2, 1, 0]])
    np.testing.assert_array_equal(rows, [[0, 1, 2, 3], [3, 2, 1, 0]])


def test_impossible_tierings_are_refused() -> None:
    with raises(ParameterError, "tiers", 5, names=["participants", "4"]):
        AverageYield(tiers=5).assign(np.zeros(4))
    with raises(ParameterError, "metric", "NaN", names=["numbers"]):
        AverageYield(tiers=2).assign([0.0, NAN])


def test_pins_go_before_the_table() -> None:
    assert FixedTiers(pins={"a": 3}, table={"a": 1, "b": 2}).fixed_tiers == {"a": 3, "b": 2}
    assert AverageYield(pins={"a": 3}).fixed_tiers == {"a": 3}
    assert TieringPolicy().fixed_tiers == {}


def test_yields_and_their_average() -> None:
    assert laws.trade_yield(0.25, 1, 0.5) == -0.25  # the client bought, the price rose: the maker is short
    assert laws.trade_yield(0.25, -1, 0.5) == 0.75
    assert laws.updated_average(0.0, 0.3, 0.05, True) == 0.3
    assert laws.updated_average(1.0, 3.0, 0.25, False) == 1.5


# --- rewards (section 3.4) and the hedger's objective


def test_risk_cost_counts_losing_moves_alone() -> None:
    position, move = np.array([2.0, 2.0, -2.0, -2.0, 0.0]), np.array([0.5, -0.5, 0.5, -0.5, 1.0])
    np.testing.assert_array_equal(laws.risk_cost(position, move), [0, -1, -1, 0, 0])


def test_position_revenue() -> None:
    assert laws.position_revenue(-3.0, 0.5) == -1.5
    assert laws.position_revenue(3.0, 0.5) == 1.5


@pytest.mark.parametrize("pieces", [1, 2, 3, 20, 1000])
def test_uniform_variance_is_the_sum_of_squares_left(pieces: int) -> None:
    left = [1 - (k + 1) / pieces for k in range(pieces - 1)]
    assert laws.uniform_variance(pieces) == pytest.approx(sum(y * y for y in left), rel=1e-12, abs=1e-15)


def test_mean_plus_risk() -> None:
    assert laws.mean_plus_risk(2.0, 9.0, 0.5) == 3.5


# --- values that are refused


def agent(**fields: Any) -> InvestorAgent:
    return InvestorAgent(**{"name": "a", "trade_probability": 0.1, "mean_size": 1.0} | fields)


def group(**fields: Any) -> InvestorGroup:
    return InvestorGroup(**{"name": "g", "count": 3, "trade_probability": 0.1, "mean_size": 1.0} | fields)


def maker(**fields: Any) -> MarketMakerAgent:
    return MarketMakerAgent(**{"name": "m"} | fields)


# component, field, values refused, the word that says what would do
REFUSED: list[tuple[Callable[..., Any], str, tuple[Any, ...], str]] = [
    (Exchange, "lam", (1.0, 1, 0.5, -3.0), "be >= 1.01"),
    (Exchange, "lam", (100.1, 1e15), "be <= 100"),
    (Exchange, "v_max", (0.0, 0, -5.0), ">= 1e-15"),
    (GeometricBrownianMotion, "initial", (0.0, -1.0), ">= 1e-20"),
    (GeometricBrownianMotion, "volatility", (-0.1,), ">= 0"),
    (ClippedNormal, "mean", (0.0, -1e-4), ">= 1e-20"),
    (ClippedNormal, "std", (-1e-5,), ">= 0"),
    (ClippedNormal, "minimum", (0.0, -1.0), ">= 1e-20"),
    (ClippedNormal, "maximum", (0.0, -1.0), ">= 1e-20"),
    (MarketEnvironment, "steps_per_day", (0, -96), ">= 1"),
    (MarketEnvironment, "steps_per_day", (1.5, "96", True), "whole"),
    (MarketEnvironment, "days_per_year", (0,), ">= 1"),
    (MarketEnvironment, "spreads_scale_with_price", (1, "yes"), "true"),
    (agent, "trade_probability", (-0.1,), ">= 0"),
    (agent, "trade_probability", (1.1, 2), "<= 1"),
    (agent, "mean_size", (0.0, -1.0), ">= 1e-15"),
    (agent, "log_std", (-0.1,), ">= 0"),
    (agent, "buy_probability", (1.5,), "<= 1"),
    (agent, "oracle_probability", (-0.5,), ">= 0"),
    (agent, "name", ("",), "empty"),
    (agent, "name", (3,), "text"),
    (group, "count", (0, -1), ">= 1"),
    (group, "count", (2.0, "3"), "whole"),
    (group, "trade_probability", (1.2,), "<= 1"),
    (group, "trade_probability", ("often",), "number"),
    (group, "mean_size", (0.0,), ">= 1e-15"),
    (PowerPricing, "alpha", (0.0, -1.0), "> 0"),
    (PowerPricing, "alpha", (11.0,), "<= 10"),
    (PowerPricing, "tier_penalty", (-1e-9,), ">= 0"),
    (PowerPricing, "eps_buy", (-1.01,), ">= -1"),
    (PowerPricing, "eps_sell", (-2,), ">= -1"),
    (AverageYield, "tiers", (0,), ">= 1"),
    (AverageYield, "tiers", (2.5, "5"), "whole"),
    (AverageYield, "weight", (0.0, -0.1), "> 0"),
    (RevenueRate, "weight", (1.1,), "<= 1"),
    (AverageYield, "pins", (3, ["a"]), "table"),
    (FixedTiers, "table", ("a",), "table"),
    (AlmgrenChriss, "risk_aversion", (-0.1,), ">= 0"),
    (AlmgrenChriss, "horizon", (0, -1), ">= 1"),
    (LinearSchedule, "horizon", (501,), "<= 500"),
    (LinearSchedule, "horizon", (2.0,), "whole"),
    (AlmgrenChriss, "venue", ("maker", 1), "'makers', 'exchange' or 'best'"),
    (FullHedge, "volatility", ("mine",), "'market'"),
    (FullHedge, "volatility", (-0.2,), ">= 0"),
    (ConstantFraction, "fraction", (-0.5,), ">= 0"),
    (ConstantFraction, "fraction", (1.5,), "<= 1"),
    (maker, "pricing", ("power", 3), "table"),
]
NUMBERS = [
    *((Exchange, field) for field in ("lam", "v_max")),
    *((GeometricBrownianMotion, field) for field in ("initial", "drift", "volatility")),
    *((ClippedNormal, field) for field in ("mean", "std", "minimum", "maximum")),
    *((agent, field) for field in ("trade_probability", "mean_size", "log_std", "buy_probability", "oracle_probability")),
    (lambda **fields: InvestorAgent(name="a", trade_probability=0.1, **fields), "log_mean"),
    *((group, field) for field in ("trade_probability", "mean_size", "log_std", "buy_probability", "oracle_probability")),
    *((PowerPricing, field) for field in ("alpha", "tier_penalty", "eps_buy", "eps_sell")),
    *((policy, "weight") for policy in (AverageYield, RevenueRate)),
    *((policy, "risk_aversion") for policy in (AlmgrenChriss, LinearSchedule)),
    *((policy, "volatility") for policy in (AlmgrenChriss, LinearSchedule, ConstantFraction, FullHedge)),
    (ConstantFraction, "fraction"),
]


def refusal(build: Callable[..., Any], *args: Any, **fields: Any) -> str:
    """What a component says to values that it refuses."""
    with pytest.raises(ParameterError) as caught:
        build(*args, **fields)
    assert caught.type is ParameterError
    assert caught.value.__cause__ is None  # a person reads the message, not pydantic's
    return str(caught.value)


@pytest.mark.parametrize(("build", "field", "values", "rule"), REFUSED)
def test_wrong_values_are_refused_with_field_value_and_rule(
    build: Callable[..., Any], field: str, values: tuple[Any, ...], rule: str
) -> None:
    for value in values:
        assert_says(refusal(build, **{field: value}), field, repr(value), names=[rule])


@pytest.mark.parametrize(("build", "field"), NUMBERS)
def test_what_is_no_finite_number_is_refused(build: Callable[..., Any], field: str) -> None:
    for value in (NAN, INF, -INF):
        assert_says(refusal(build, **{field: value}), field, repr(value))
    for value in (True, {"a": 1}):
        assert_says(refusal(build, **{field: value}), field, repr(value), names=["number"])


def test_an_infinite_risk_aversion_points_to_full() -> None:
    assert_says(refusal(AlmgrenChriss, risk_aversion=INF), "risk_aversion", INF, names=["kind = 'full'"])
    assert_says(refusal(Exchange, lam=1.0), "lam", 1.0, names=["paper", ">= 1.01"])


def test_whole_numbers_are_numbers() -> None:
    assert Exchange(lam=2, v_max=50) == Exchange(lam=2.0, v_max=50.0)
    assert isinstance(Exchange(v_max=50).v_max, float)


@pytest.mark.parametrize(
    ("build", "misspelt", "meant"),
    [
        (Exchange, "lamb", "lam"),
        (Exchange, "vmax", "v_max"),
        (GeometricBrownianMotion, "volatilty", "volatility"),
        (ClippedNormal, "minimun", "minimum"),
        (MarketEnvironment, "step_per_day", "steps_per_day"),
        (agent, "trade_probabilty", "trade_probability"),
        (group, "counts", "count"),
        (PowerPricing, "alfa", "alpha"),
        (AverageYield, "tier", "tiers"),
        (FixedTiers, "tabel", "table"),
        (AlmgrenChriss, "risk_averson", "risk_aversion"),
        (LinearSchedule, "horizons", "horizon"),
        (ConstantFraction, "fractions", "fraction"),
        (maker, "prices", "pricing"),
    ],
)
def test_a_misspelt_field_is_refused_with_a_suggestion(build: Callable[..., Any], misspelt: str, meant: str) -> None:
    assert refusal(build, **{misspelt: 1.5}) == f"{misspelt}: unknown field; did you mean {meant!r}?"


def test_a_field_nothing_like_it_is_refused_with_what_is_known() -> None:
    assert refusal(Exchange, colour=1) == "colour: unknown field; known: lam, v_max"


@pytest.mark.parametrize(
    ("build", "fields", "field", "value", "names"),
    [
        (maker, {"pricing": {"alpa": 1.2}}, "pricing.alpa", None, ["unknown", "'alpha'"]),
        (maker, {"pricing": {"alpha": -1.0}}, "pricing.alpha", -1.0, ["> 0"]),
        (maker, {"hedging": {"kind": "optimal", "horizon": 0}}, "hedging.horizon", 0, [">= 1"]),
        (maker, {"hedging": {"kind": "fraction", "fraction": 7.0}}, "hedging.fraction", 7.0, ["<= 1"]),
        (maker, {"hedging": {"kind": "optimum"}}, "hedging.kind", None, ["'optimum'", "none, full, fraction, linear, optimal"]),
        (maker, {"tiering": {"tiers": 3}}, "tiering.kind", None, ["required"]),
        (maker, {"tiering": {"kind": "fixed", "table": {"bob": -1}}}, "tiering.table.bob", -1, [">= 0"]),
        (MarketEnvironment, {"mid_price": {"volatility": -1.0}}, "mid_price.volatility", -1.0, [">= 0"]),
        (group, {"mean_size": (1.0, "big")}, "mean_size.1", "'big'", ["number"]),
        (group, {"mean_size": (1.0, NAN)}, "mean_size.1", "nan", ["finite"]),
        # participants may be called like a kind
        (AverageYield, {"pins": {"bob": -1}}, "pins.bob", -1, [">= 0"]),
        (maker, {"tiering": {"kind": "fixed", "table": {"full": -1}}}, "tiering.table.full", -1, [">= 0"]),
    ],
)
def test_nested_fields_are_named_by_their_path(
    build: Callable[..., Any], fields: dict[str, Any], field: str, value: object, names: list[str]
) -> None:
    said = refusal(build, **fields)
    assert len(said.splitlines()) == 1
    assert_says(said, field, value, names=names)


def test_all_problems_are_named_at_once() -> None:
    said = refusal(Exchange, lam=0.5, v_max=-1.0)
    assert len(said.splitlines()) == 2
    assert_says(said, "lam", 0.5, names=[">= 1.01"])
    assert_says(said, "v_max", -1.0, names=[">= 1e-15"])


def test_rules_between_fields() -> None:
    assert_says(refusal(ClippedNormal, minimum=2e-4, maximum=1e-4), "minimum", 0.0002, names=["<= maximum = 0.0001"])
    assert ClippedNormal(minimum=1e-4, maximum=1e-4).maximum == 1e-4
    for build, fields in (
        (agent, {"log_mean": 1.0}),
        (agent, {"mean_size": None}),
        (group, {"log_mean": (0.0, 1.0)}),
        (InvestorGroup, {"name": "g", "count": 2, "trade_probability": 0.1}),
    ):
        assert_says(refusal(build, **fields), "mean_size", names=["mean_size or log_mean", "both"])


def test_ranges_are_checked_at_both_ends() -> None:
    assert_says(refusal(group, trade_probability=(0.1, 2.0)), "trade_probability", 2.0, names=["<= 1"])
    assert_says(refusal(group, trade_probability=(-0.1, 0.2)), "trade_probability", -0.1, names=[">= 0"])
    assert_says(refusal(group, mean_size=(1.0, 0.0)), "mean_size", 0.0, names=[">= 1e-15"])
    assert_says(refusal(group, log_std=[0.1, -0.1]), "log_std", -0.1, names=[">= 0"])
    for wrong in ((0.1,), (0.1, 0.2, 0.3), ()):
        assert refusal(group, trade_probability=wrong).startswith("trade_probability")


def test_required_fields() -> None:
    for build, fields in ((InvestorAgent, ["name", "trade_probability"]), (MarketMakerAgent, ["name"])):
        said = refusal(build)
        assert len(said.splitlines()) == len(fields)
        for field in fields:
            assert_says(said, field, names=["required"])


# --- values stay as they are


def test_replace_copies_and_checks_again() -> None:
    exchange = Exchange(lam=1.8)
    assert exchange.replace(v_max=5.0) == Exchange(lam=1.8, v_max=5.0)
    assert exchange == Exchange(lam=1.8)
    assert_says(refusal(exchange.replace, lam=0.5), "lam", 0.5, names=[">= 1.01"])
    assert refusal(exchange.replace, lamb=2.0) == "lamb: unknown field; did you mean 'lam'?"


def test_defaults_are_those_of_the_documentation() -> None:
    assert Exchange() == Exchange(lam=1.6, v_max=10_000.0)
    assert GeometricBrownianMotion() == GeometricBrownianMotion(initial=1.0, drift=0.0, volatility=0.1)
    assert PowerPricing() == PowerPricing(alpha=1.5, tier_penalty=1e-5, eps_buy=0.0, eps_sell=0.0)
    made = maker()
    assert made.tiering == AverageYield(tiers=5, weight=0.05)
    assert made.hedging == AlmgrenChriss(risk_aversion=0.25, horizon=20, venue="makers", volatility="market")
    assert agent().buy_probability == 0.5
    assert agent().oracle_probability == 0.0
