"""Estimates and their intervals against SciPy, NumPy and simulation; numbers as they are printed; three-valued outcomes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from dealermarket.estimates import (
    FEWEST_RUNS,
    Estimate,
    band,
    interval_of,
    mean,
    p_not_above_zero,
    percentile,
    plus_minus,
    ratio,
    resampled,
    share,
    slopes,
)
from dealermarket.model.market.environment import MarketEnvironment, duration
from dealermarket.pages.table import Column, Table
from dealermarket.pages.wording import estimated, number
from dealermarket.papers.outcome import Outcome, above, agrees, below, decided, overall

NAN = float("nan")


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def assert_covers(covered: int, of: int, level: float = 0.95) -> None:
    """As often as promised, up to four standard errors of a binomial."""
    assert abs(covered / of - level) < 4 * math.sqrt(level * (1 - level) / of)


# --- means


@pytest.mark.parametrize("level", [0.95, 0.99, 0.5])
def test_mean_has_students_interval(level: float) -> None:
    values = generator().exponential(size=(37, 4, 2)) - 0.5
    found = mean(values, level)
    expected = stats.ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(level)
    assert_allclose(found.value, values.mean(axis=0), rtol=1e-13)
    assert_allclose(found.error, stats.sem(values, axis=0), rtol=1e-12)
    assert_allclose(found.low, interval.low, rtol=1e-10)
    assert_allclose(found.high, interval.high, rtol=1e-10)


def test_mean_without_a_level_has_a_95_percent_interval() -> None:
    values = generator().normal(size=12)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert_allclose([mean(values).low, mean(values).high], [interval.low, interval.high], rtol=1e-10)


def test_mean_leaves_out_replicas_that_do_not_count() -> None:
    values = generator().normal(size=(20, 3))
    values[:7, 0] = np.nan
    values[:, 2] = np.nan
    found = mean(values)
    alone = mean(values[7:, 0])
    assert_allclose([found.value[0], found.low[0], found.high[0]], [alone.value, alone.low, alone.high], rtol=1e-13)
    assert_allclose(found.value[1], values[:, 1].mean(), rtol=1e-13)
    assert np.isnan([found.value[2], found.error[2], found.low[2], found.high[2]]).all()


def test_mean_of_one_replica_has_no_interval() -> None:
    found = mean([[3.0, 4.0]])
    assert found.value.tolist() == [3.0, 4.0]
    assert np.isnan([found.error, found.low, found.high]).all()


def test_mean_of_replicas_all_alike_is_exact() -> None:
    found = mean([2.5, 2.5, 2.5])
    assert (found.value, found.error, found.low, found.high) == (2.5, 0.0, 2.5, 2.5)


def test_parts_of_an_estimate() -> None:
    found = mean(generator().normal(size=(9, 3, 2)))
    part = found[1, :]
    for name in ("value", "error", "low", "high"):
        np.testing.assert_array_equal(getattr(part, name), getattr(found, name)[1, :])


def test_intervals_of_means_cover_the_mean() -> None:
    of = 4000
    found = mean(generator(1).normal(3.0, 2.0, size=(6, of)))
    assert_covers(int(np.sum((found.low <= 3.0) & (found.high >= 3.0))), of)


def test_estimates_of_one_shape_are_stacked_and_scaled() -> None:
    estimates = [mean(generator(seed).normal(size=(9, 2))) for seed in (1, 2, 3)]
    stacked = Estimate.stacked(estimates)
    for name in ("value", "error", "low", "high"):
        np.testing.assert_array_equal(getattr(stacked, name), [getattr(estimate, name) for estimate in estimates])
        np.testing.assert_array_equal(getattr(stacked.scaled(4.0), name), 4.0 * getattr(stacked, name))
    np.testing.assert_array_equal(stacked.margin, (stacked.high - stacked.low) / 2)


# --- ratios


def pairs(replicas: int, times: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A part that moves with its whole, as volume hedged does with volume traded; and the true ratio."""
    draw = generator(seed)
    whole = draw.uniform(1.0, 9.0, size=(replicas, times))
    return 0.3 * whole + draw.normal(0.0, 0.1, size=whole.shape), whole, 0.3


@pytest.mark.parametrize(("held", "count", "level"), [(190, 200, 0.95), (200, 200, 0.95), (0, 7, 0.99)])
def test_a_share_has_wilsons_interval(held: int, count: int, level: float) -> None:
    found = share(np.arange(count) < held, level)
    expected = stats.binomtest(held, count).proportion_ci(level, "wilson")
    assert found.value == held / count
    assert_allclose([found.low, found.high], [expected.low, expected.high], atol=1e-12)


def test_what_holds_and_fails_together_counts_once() -> None:
    """Five of one replica that are always alike are about as good as one; five that are independent are five."""
    drawn = np.random.default_rng(0).random((400, 5)) < 0.9
    alike = np.repeat(drawn[:, :1], 5, axis=1)
    assert share(alike).margin == pytest.approx(share(drawn[:, 0]).margin, rel=0.01)
    assert share(drawn).margin == pytest.approx(share(drawn.ravel()).margin, rel=0.1)


def test_ratio_by_hand() -> None:
    part, whole = np.array([1.0, 2.0, 6.0]), np.array([2.0, 4.0, 4.0])
    found = ratio(part, whole)
    residual = (part - 0.9 * whole) / (10.0 / 3.0)
    error = math.sqrt(np.sum(residual**2) / 2) / math.sqrt(3)  # the residuals add up to 0
    half = stats.t.ppf(0.975, 2) * error
    assert_allclose([found.value, found.error, found.low, found.high], [0.9, error, 0.9 - half, 0.9 + half], rtol=1e-12)


def test_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    part, whole = np.array([[1.0], [0.0]]), np.array([[1.0], [99.0]])
    assert ratio(part, whole).value == pytest.approx(0.01)


def test_a_ratio_that_is_the_same_in_every_replica_is_exact() -> None:
    whole = generator().uniform(1.0, 2.0, size=30)
    found = ratio(0.25 * whole, whole)
    assert_allclose([found.value, found.low, found.high], 0.25, rtol=1e-12)
    assert found.error < 1e-15


def test_an_interval_of_a_ratio_holds_its_value_however_it_is_rounded() -> None:
    whole = np.random.default_rng(1).random((7, 500))
    estimate = ratio(whole * (1 / 3), whole)
    assert (estimate.low <= estimate.value).all()
    assert (estimate.value <= estimate.high).all()


def test_the_error_of_a_ratio_beside_a_bootstrap() -> None:
    part, whole, _ = pairs(80, 1, 2)
    found = ratio(part, whole)
    drawn = generator(3).integers(80, size=(4000, 80))
    sums = part[drawn, 0].sum(axis=1) / whole[drawn, 0].sum(axis=1)
    error = float(found.error[0])
    assert abs(error / sums.std() - 1) < 0.1
    apart = float(found.value[0]) * math.hypot(*(stats.sem(x[:, 0]) / x.mean() for x in (part, whole)))
    assert apart > 3 * error  # what it were if part and whole had nothing to do with each other


def test_intervals_of_ratios_cover_the_ratio() -> None:
    of = 4000
    part, whole, true = pairs(25, of, 4)
    found = ratio(part, whole)
    assert_covers(int(np.sum((found.low <= true) & (found.high >= true))), of)


def test_a_ratio_to_nothing_is_no_number() -> None:
    found = ratio(np.zeros((3, 2)), np.array([[0.0, 1.0]] * 3))
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()
    assert (found.value[1], found.low[1], found.high[1]) == (0.0, 0.0, 0.0)


def test_a_ratio_that_one_replica_alone_tells_has_no_interval() -> None:
    found = ratio([0.0, 3.0, 0.0], [0.0, 4.0, 0.0])
    assert found.value == 0.75
    assert np.isnan([found.error, found.low, found.high]).all()


# --- percentiles


@pytest.mark.parametrize("level", [0.25, 0.5, 0.75])
def test_percentile_and_the_order_statistics_beside_it(level: float) -> None:
    sample = generator(5).exponential(size=200)
    found = percentile([*sample, NAN, NAN], level)
    assert found.value == np.quantile(sample, level)
    ordered, chance = np.sort(sample), stats.binom(200, level)
    # P(below the k-th smallest) is that of fewer than k of 200 below the percentile; each tail has at most 2.5 %
    low = max(k for k in range(200) if chance.cdf(k) <= 0.025)
    high = min(k for k in range(200) if chance.sf(k) <= 0.025)
    assert (found.low, found.high) == (ordered[low], ordered[high])
    assert found.error == pytest.approx((found.high - found.low) / (2 * 1.959964), rel=1e-6)


def test_intervals_of_percentiles_cover_the_percentile() -> None:
    draw, of = generator(6), 400
    found = [percentile(draw.exponential(size=60), 0.75) for _ in range(of)]
    covered = sum(estimate.low <= math.log(4) <= estimate.high for estimate in found)
    error = math.sqrt(0.95 * 0.05 / of)
    assert 0.95 - 4 * error < covered / of < 0.99 + 4 * error  # never less than promised, little more


def test_a_percentile_of_few_replicas_has_no_interval() -> None:
    found = percentile([1.0, 2.0, 3.0], 0.25)
    assert found.value == 1.5
    assert not np.isfinite(found.low)
    assert not np.isfinite(found.error)


def test_a_percentile_of_nothing_is_no_number() -> None:
    for sample in ([], [NAN, NAN]):
        found = percentile(sample, 0.5)
        assert np.isnan([found.value, found.error, found.low, found.high]).all()


def test_bands_hold_what_they_say() -> None:
    values = np.stack([np.arange(101.0), np.full(101, NAN), np.where(np.arange(101) < 51, np.arange(101.0), NAN)], axis=1)
    low, high = band(values, 0.25, 0.75)
    np.testing.assert_array_equal(low, [25.0, NAN, 12.5])
    np.testing.assert_array_equal(high, [75.0, NAN, 37.5])


# --- slopes and p-values


def test_slopes_are_those_of_least_squares() -> None:
    at, values = generator(7).uniform(size=10), generator(8).normal(size=(15, 10))
    assert_allclose(slopes(values, at), [stats.linregress(at, row).slope for row in values], rtol=1e-10)
    values[3, 2:8] = np.nan
    values[4, :] = np.nan
    values[5, 1:] = np.nan
    found = slopes(values, at)
    there = ~np.isnan(values[3])
    assert found[3] == pytest.approx(stats.linregress(at[there], values[3, there]).slope, rel=1e-10)
    assert np.isnan(found[4:6]).all()
    assert np.isfinite(np.delete(found, [4, 5])).all()


def test_slopes_of_lines_are_exact() -> None:
    at = np.array([0.0, 0.1, 0.4, 0.8])
    assert_allclose(slopes(np.outer([1.0, -2.0, 0.0], at) + 5.0, at), [1.0, -2.0, 0.0], atol=1e-14)


def test_there_is_no_slope_on_a_single_point() -> None:
    """Rounding must not make one: the mean of three times 0.1 is not quite 0.1."""
    assert np.isnan(slopes([[1.0, 2.0, 4.0, NAN]], [0.1, 0.1, 0.1, 0.8])).all()


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.3])
def test_p_value_is_students(shift: float) -> None:
    sample = generator(9).normal(shift, 1.0, size=25)
    expected = stats.ttest_1samp(sample, 0.0, alternative="greater").pvalue
    assert p_not_above_zero(sample) == pytest.approx(expected, rel=1e-10)
    assert p_not_above_zero([*sample, NAN]) == pytest.approx(expected, rel=1e-10)


def test_p_values_without_spread() -> None:
    assert p_not_above_zero([2.0] * FEWEST_RUNS) == 0.0
    assert p_not_above_zero([0.0] * FEWEST_RUNS) == 1.0
    assert p_not_above_zero([-1.0] * FEWEST_RUNS) == 1.0


def test_there_is_no_p_value_of_few_runs() -> None:
    sample = generator(14).normal(9.0, 1.0, size=FEWEST_RUNS)
    assert p_not_above_zero(sample) < 1e-6
    assert math.isnan(p_not_above_zero(sample[1:]))
    assert math.isnan(p_not_above_zero([*sample[1:], NAN]))
    assert math.isnan(p_not_above_zero([]))


def test_p_values_are_uniform_where_there_is_no_effect() -> None:
    of, draw = 2000, generator(10)
    found = [p_not_above_zero(draw.normal(size=FEWEST_RUNS)) for _ in range(of)]
    assert_covers(sum(p < 0.05 for p in found), of, 0.05)
    assert_covers(sum(p > 0.95 for p in found), of, 0.05)


# --- bootstrap


def test_resampled_keeps_pairs_together() -> None:
    first = generator(11).normal(size=40)
    found = resampled(np.stack([first, first + 1.0, -2.0 * first], axis=1))
    assert found.shape == (2000, 3)
    assert_allclose(found[:, 1] - found[:, 0], 1.0, atol=1e-12)
    assert_allclose(found[:, 2], -2.0 * found[:, 0], atol=1e-12)


def test_resampled_means_spread_like_the_mean() -> None:
    values = generator(12).exponential(size=(60, 2))
    found = resampled(values)
    # the bootstrap's own standard deviation has n where the estimate has n - 1, and a sampling error of 1 / sqrt(2 resamples)
    assert_allclose(found.std(axis=0), values.std(axis=0) / math.sqrt(60), rtol=4 / math.sqrt(4000))
    assert_allclose(found.mean(axis=0), values.mean(axis=0), atol=4 * values.std() / math.sqrt(60 * 2000))


def test_resampled_depends_on_the_seed_alone() -> None:
    values = generator(13).normal(size=(10, 2))
    assert resampled(values, seed=3).tobytes() == resampled(values, seed=3).tobytes()
    assert resampled(values, seed=3).tobytes() != resampled(values, seed=4).tobytes()


def test_resampled_draws_whole_replicas() -> None:
    assert set(resampled(np.array([[0.0], [1.0]])).ravel().tolist()) == {0.0, 0.5, 1.0}
    largest = resampled(np.array([[1.0, 30.0], [2.0, 20.0], [3.0, 10.0]]), np.max)
    assert set(largest.ravel().tolist()) == {1.0, 2.0, 3.0, 10.0, 20.0, 30.0}
    assert np.mean(largest[:, 0] == 3.0) == pytest.approx(1 - (2 / 3) ** 3, abs=4 * 0.5 / math.sqrt(2000))


def test_the_middle_of_a_distribution() -> None:
    assert interval_of(np.arange(2001) / 2000) == (0.025, 0.975)
    mostly_two = [1] * 3 + [2] * 95 + [5] * 2
    assert interval_of(mostly_two) == (1.0, 2.0)
    assert interval_of([0, 10] * 50) == (0.0, 10.0)  # values that occur, none in between


# --- numbers in print


@pytest.mark.parametrize(
    ("value", "digits", "scale", "text"),
    [
        (1234567.891, 1, 1.0, "1,234,567.9"),
        (-1234.5, 2, 1.0, "−1,234.50"),
        (0.00012, 2, 1e4, "1.20"),
        (-0.0004, 2, 1.0, "0.00"),
        (-0.0, 0, 1.0, "0"),
        (-0.006, 2, 1.0, "−0.01"),
        (0.4, 0, 1.0, "0"),
        (NAN, 2, 1.0, "–"),
        (math.inf, 2, 1.0, "–"),
    ],
)
def test_numbers(value: float, digits: int, scale: float, text: str) -> None:
    assert number(value, digits, scale) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "digits", "scale", "text"),
    [
        (37.84, -32.7, 108.38, 1, 1.0, "37.8 ± 70.5"),
        (-0.00123, -0.00201, -0.00004, 1, 1e4, "−12.3 [−20.1, −0.4]"),  # not symmetric
        (2.0, 2.0, 2.0, 1, 1.0, "2.0 ± 0.0"),
        (0.0, 0.0, 0.0, 0, 1.0, "0 ± 0"),
        (1234.5, 1000.0, 1469.0, 0, 1.0, "1,234 ± 234"),
        # as many digits as show on which side of 0 the interval lies
        (0.42, 0.01, 0.83, 1, 1.0, "0.42 ± 0.41"),
        (-0.42, -0.8396, -0.0004, 1, 1.0, "−0.4200 ± 0.4196"),
        (0.41, -0.01, 0.83, 1, 1.0, "0.4 ± 0.4"),
        (0.4, 0.0, 0.8, 1, 1.0, "0.4 ± 0.4"),
        (0.3, 0.02, 0.9, 1, 1.0, "0.30 [0.02, 0.90]"),
        (1.0, NAN, NAN, 1, 1.0, "1.0 ± –"),
    ],
)
def test_estimates_in_sentences(value: float, low: float, high: float, digits: int, scale: float, text: str) -> None:
    estimate = Estimate(*(np.asarray(number) for number in (value, 0.0, low, high)))
    assert estimated(estimate, digits, scale) == text


@pytest.mark.parametrize(
    ("steps_per_day", "steps", "text"),
    [
        (96, 1, "15 minutes"),
        (24, 1, "1 hour"),
        (1, 1, "1 day"),
        (96, 144, "1.5 days"),
        (100, 1, "14.4 minutes"),
        (2880, 1, "30 seconds"),
    ],
)
def test_how_long_steps_are(steps_per_day: int, steps: int, text: str) -> None:
    assert duration(MarketEnvironment(steps_per_day=steps_per_day), steps) == text


def test_cells() -> None:
    row: dict[str, Any] = {"name": "a", "none": None, "x": 0.12345, "x_low": 0.1, "x_high": 0.2, "y": NAN, "z": "text"}
    row |= {"s": 0.15, "s_low": 0.1, "s_high": 0.2}
    row |= {"alone": 1.0, "alone_low": NAN, "alone_high": NAN, "y_low": 0.0, "y_high": 1.0}
    cells = {
        Column("name", "h"): "a",
        Column("none", "h"): "",
        Column("s", "h", 2): "0.15 ± 0.05",
        Column("x", "h", 2): "0.12 [0.10, 0.20]",
        Column("x", "h", 1, scale=100.0, interval=False): "12.3",
        Column("x", "h", 1, scale=100.0): "12.3 [10.0, 20.0]",
        Column("y", "h", 1): "–",
        Column("alone", "h", 1): "1.0",
        Column("z", "h", 3): "text",
    }
    for column, text in cells.items():
        assert column.text(row) == text


def test_a_column_says_its_numbers_once() -> None:
    estimate = mean([[1.0, 5.0], [3.0, 5.0]])
    columns = [
        Column("x", "an estimate", 1, lambda n: estimate[n]),
        Column("n", "a number", 0, int),
        Column("hidden", "", value=lambda n: f"row {n}"),
    ]
    table = Table.of("t", "c", range(2), *columns)
    assert list(table.frame) == ["x", "x_low", "x_high", "n", "hidden"]
    assert table.frame["hidden"].tolist() == ["row 0", "row 1"]
    assert [column.name for column in table.columns] == ["x", "n"]
    assert table.rows() == [["2.0 ± 12.7", "0"], ["5.0 ± 0.0", "1"]]


def test_rows_that_are_mappings_need_no_function() -> None:
    table = Table.of("t", "c", [{"a": 1.0, "b": "x"}, {"a": mean([2.0, 2.0]), "b": "y"}], Column("a", "A", 1), Column("b", "B"))
    assert table.rows() == [["1.0", "x"], ["2.0 ± 0.0", "y"]]


def test_a_table_without_rows_has_its_columns() -> None:
    table = Table.of("t", "c", [], Column("a", "A", 1, float), Column("b", "B", value=str))
    assert (list(table.frame), table.rows()) == (["a", "b"], [])


# --- outcomes


@pytest.mark.parametrize(
    ("holds", "fails", "outcome"),
    [
        (True, False, Outcome.HOLDS),
        (False, True, Outcome.FAILS),
        (False, False, Outcome.UNDECIDED),
    ],
)
def test_three_outcomes(holds: bool, fails: bool, outcome: Outcome) -> None:
    assert decided(holds, fails) is outcome


def interval(*bounds: tuple[float, float]) -> Estimate:
    low, high = np.array(bounds).T
    return Estimate((low + high) / 2, high - low, low, high)


@pytest.mark.parametrize(
    ("bounds", "outcome"),
    [
        ([(0.1, 0.3)], Outcome.HOLDS),
        ([(-0.1, 0.3)], Outcome.UNDECIDED),
        ([(-0.3, -0.1)], Outcome.FAILS),
        ([(0.1, 0.3), (0.2, 0.4)], Outcome.HOLDS),
        ([(0.1, 0.3), (-0.1, 0.1)], Outcome.UNDECIDED),
        ([(0.1, 0.3), (-0.3, -0.1)], Outcome.FAILS),
        ([(0.0, 0.0)], Outcome.UNDECIDED),
        ([(NAN, NAN)], Outcome.UNDECIDED),
        ([(0.1, 0.3), (NAN, NAN)], Outcome.UNDECIDED),
    ],
)
def test_an_interval_decides_on_which_side_of_a_bound_a_number_is(bounds: list[tuple[float, float]], outcome: Outcome) -> None:
    assert above(interval(*bounds)) is outcome
    assert above(interval(*((low + 7.0, high + 7.0) for low, high in bounds)), 7.0) is outcome
    assert below(interval(*((-high, -low) for low, high in bounds))) is outcome
    assert below(interval(*((7.0 - high, 7.0 - low) for low, high in bounds)), 7.0) is outcome


def test_a_bound_may_be_reached() -> None:
    point = interval((2.0, 2.0))
    assert above(point, 2.0) is Outcome.UNDECIDED
    assert above(point, 2.0, or_equal=True) is Outcome.HOLDS


def test_what_refutes_may_be_wider_than_what_confirms() -> None:
    narrow, wide = interval((-0.3, -0.1), (0.1, 0.2)), interval((-0.5, 0.1), (0.0, 0.3))
    assert above(narrow) is Outcome.FAILS
    assert above(narrow, refuted_by=wide) is Outcome.UNDECIDED
    assert below(interval((0.1, 0.3)), refuted_by=interval((-0.1, 0.5))) is Outcome.UNDECIDED
    assert below(interval((-0.3, -0.1)), refuted_by=interval((-0.5, 0.1))) is Outcome.HOLDS


@pytest.mark.parametrize(
    ("bounds", "known", "outcome"),
    [
        ([(0.9, 1.1), (1.9, 2.1)], 0.1, Outcome.HOLDS),
        ([(0.9, 1.1), (1.9, 2.1)], 0.3, Outcome.UNDECIDED),
        ([(0.9, 1.1), (2.1, 2.2)], 0.1, Outcome.FAILS),
        ([(0.9, 1.1), (1.8, 1.9)], 0.3, Outcome.FAILS),
        ([(1.0, 1.0), (2.0, 2.0)], 0.0, Outcome.HOLDS),
        ([(0.9, 1.1), (NAN, NAN)], 0.1, Outcome.UNDECIDED),
        ([(0.9, 1.1), (1.9, 2.1)], NAN, Outcome.UNDECIDED),
    ],
)
def test_agreement_needs_numbers_that_are_known(bounds: list[tuple[float, float]], known: float, outcome: Outcome) -> None:
    assert agrees(interval(*bounds), [1.0, 2.0], known, 0.2) is outcome


@pytest.mark.parametrize(
    ("signs", "outcome"),
    [
        ("✓✓", Outcome.HOLDS),
        ("✓?", Outcome.UNDECIDED),
        ("?", Outcome.UNDECIDED),
        ("✓?✗", Outcome.FAILS),
        ("✗", Outcome.FAILS),
        ("", Outcome.HOLDS),
    ],
)
def test_one_claim_that_fails_is_enough(signs: str, outcome: Outcome) -> None:
    by_sign = {outcome.sign: outcome for outcome in Outcome}
    assert overall(*(by_sign[sign] for sign in signs)) is outcome


def test_outcomes_in_words() -> None:
    assert {str(outcome): outcome.sign for outcome in Outcome} == {"holds": "✓", "fails": "✗", "undecided": "?"}


def test_numbers_have_the_decimals_that_their_intervals_deserve() -> None:
    def shown(*pairs: tuple[float, float]) -> list[str]:
        return plus_minus([Estimate(np.array(v), np.array(h / 2), np.array(v - h), np.array(v + h)) for v, h in pairs])

    assert shown((1.23456, 0.0456)) == ["1.235 ± 0.046"]
    assert shown((10.6, 2.4), (-204.4, 10.7)) == ["10.6 ± 2.4", "-204.4 ± 10.7"]
    assert shown((-0.1234, 0.0047), (-4.1162, 0.1806)) == ["-0.123 ± 0.005", "-4.116 ± 0.181"]
    assert shown((1234567.0, 4321.0), (0.0, 0.0)) == ["1,234,567 ± 4,321", "0"]
    assert shown((0.25, 0.0), (math.nan, math.nan)) == ["0.25", "-"]
    assert shown((0.5, 0.0), (-0.0001, 0.042)) == ["0.500", "0.000 ± 0.042"]
