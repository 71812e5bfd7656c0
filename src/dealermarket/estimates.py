"""Means, shares and ratios with their intervals. Replicas are independent and stand on the first axis; NaN marks those
that do not count."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.arrays import HoldsArrays

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
LEVEL = 0.95
FEWEST_RUNS = 10  # intervals and tests of fewer say nothing
TAIL = 0.05  # the share of the replicas in the tail
_RESAMPLES = 2000


def joint(count: int) -> float:
    """The level of each of several intervals that are to be right all at once at 95 % (Bonferroni).

    Parameters
    ----------
    count : int
        How many intervals.

    Returns
    -------
    float
        The level, from 0 to 1.

    Examples
    --------
    >>> from dealermarket.study import joint
    >>> round(joint(10), 6)
    0.995
    """
    return 1 - (1 - LEVEL) / max(count, 1)


@dataclass(frozen=True, eq=False)
class Estimate(HoldsArrays):
    """A value, its standard error and its interval: single numbers, or arrays of one shape.

    As a text, a single one is `1.23 ± 0.04`: the value and half of its interval.

    Parameters
    ----------
    value : array
        The value.
    error : array
        Its standard error, in the same unit.
    low, high : array
        The bounds of its interval, at 95 % where nothing else is said.
    """

    value: Array
    error: Array
    low: Array
    high: Array

    def __str__(self) -> str:
        return repr(self) if np.ndim(self.value) else plus_minus([self])[0]

    def __getitem__(self, index: Any) -> Estimate:
        return Estimate(self.value[index], self.error[index], self.low[index], self.high[index])

    @property
    def margin(self) -> Array:
        """Half of the interval's width."""
        return np.asarray((self.high - self.low) / 2)

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit; the factor is above 0."""
        return Estimate(factor * self.value, factor * self.error, factor * self.low, factor * self.high)

    def rows(self) -> list[Estimate]:
        """Of arrays, those of each entry of the first axis."""
        return [self[row] for row in range(len(self.value))]

    @classmethod
    def stacked(cls, estimates: Iterable[Estimate]) -> Estimate:
        """Estimates of one shape as one whose arrays have them on a new first axis."""
        rows = [(estimate.value, estimate.error, estimate.low, estimate.high) for estimate in estimates]
        return cls(*(np.array(column) for column in zip(*rows, strict=True)))


def with_interval(name: str, estimate: Estimate) -> dict[str, float]:
    """One number as the fields of a frame's row.

    Parameters
    ----------
    name : str
        The name of the number.
    estimate : Estimate
        A single number.

    Returns
    -------
    dict of str to float
        `NAME`, `NAME_low` and `NAME_high`.
    """
    return {name: float(estimate.value), f"{name}_low": float(estimate.low), f"{name}_high": float(estimate.high)}


def in_columns(frame: pd.DataFrame, name: str) -> Estimate:
    """The columns `name`, `name_low` and `name_high` of a frame as estimates (rows,), whose errors are not known."""
    value, low, high = (frame[column].to_numpy(dtype=np.float64) for column in (name, f"{name}_low", f"{name}_high"))
    return Estimate(value, np.full(len(value), np.nan), low, high)


def plus_minus(values: Sequence[Estimate], scale: float = 1.0) -> list[str]:
    """How numbers with an uncertainty are written everywhere: `1.23 ± 0.04`, the value and half of its 95 % interval.

    The numbers of a column, each times `scale`, all with the same decimals: those that show two digits of the smallest half
    interval, or one where the largest is of another order. A value that never varies goes without; `-` where there is none."""
    halves, decimals = [float(estimate.margin) * scale for estimate in values], decimals_of(values, scale)
    texts = []
    for estimate, half in zip(values, halves, strict=True):
        value = float(estimate.value) * scale
        if not math.isfinite(value):
            texts.append("-")
        elif decimals is None or (half == 0 and value == 0):
            texts.append(f"{value:.4g}")
        else:
            texts.append(fixed(value, decimals) + (f" ± {half:,.{decimals}f}" if half > 0 else ""))
    return texts


def decimals_of(values: Sequence[Estimate], scale: float = 1.0) -> int | None:
    """The decimals with which `plus_minus` writes a column; None where no value has an interval."""
    halves = [half for half in (float(estimate.margin) * scale for estimate in values) if math.isfinite(half) and half > 0]
    if not halves:
        return None
    smallest, largest = (math.floor(math.log10(float(f"{half:.1e}"))) for half in (min(halves), max(halves)))
    return max(-smallest + (largest - smallest <= 1), 0)


def fixed(value: float, decimals: int) -> str:
    """A number with thousands apart, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"


def mean(values: ArrayLike, level: float = LEVEL) -> Estimate:
    """The mean over the replicas, with Student's interval.

    Of paired differences, hand in the differences.

    Parameters
    ----------
    values : array_like, (replicas, ...)
        One for each replica; NaN for a replica that does not count.
    level : float
        The level of the interval, from 0 to 1.

    Returns
    -------
    Estimate
        Of shape (...), in the unit of the values; without error and interval (NaN) of a single replica.

    Examples
    --------
    >>> from dealermarket.study import mean
    >>> print(mean([1.0, 2.0, 3.0, 4.0]))
    2.5 ± 2.1
    """
    from scipy.special import stdtrit  # the quantile of Student's law; all of scipy.stats would cost a second

    values = np.asarray(values, dtype=np.float64)
    count = np.sum(~np.isnan(values), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.nansum(values, axis=0) / count
        spread = np.sqrt(np.nansum((values - middle) ** 2, axis=0) / (count - 1))
        error = spread / np.sqrt(count)
    half = stdtrit(np.maximum(count - 1, 1), 0.5 + level / 2) * error
    return Estimate(middle, error, middle - half, middle + half)


def share(held: ArrayLike, level: float = LEVEL) -> Estimate:
    """How often something holds, of truth values (replicas,) or (replicas, n), with Wilson's interval, which has room for chance
    where all or none hold, too (Wilson 1927, Journal of the American Statistical Association 22, 209-212).

    Those of one replica may hold and fail together: they then count for fewer, by the design effect (Kish, Survey Sampling,
    1965, section 5.4)."""
    from scipy.special import ndtri

    held = np.asarray(held, dtype=np.float64).reshape(len(np.asarray(held)), -1)
    count, each = held.shape
    value = held.mean()
    variance = value * (1.0 - value)
    together = each * held.mean(axis=1).var(ddof=1) / variance if each > 1 and count > 1 and variance > 0 else 1.0
    size = count * each / max(together, 1.0)
    squared = ndtri(0.5 + level / 2) ** 2 / size
    middle = (value + squared / 2) / (1 + squared)
    half = np.sqrt(squared * (variance + squared / 4)) / (1 + squared)
    return Estimate(np.asarray(value), np.asarray(np.sqrt(variance / size)), np.asarray(middle - half), np.asarray(middle + half))


def ratio(part: ArrayLike, whole: ArrayLike, level: float = LEVEL) -> Estimate:
    """The sum of parts over the sum of wholes, with an interval from the replicas' residuals.

    Parameters
    ----------
    part, whole : array_like, (replicas, ...)
        What is divided, and by what, of each replica.
    level : float
        The level of the interval, from 0 to 1.

    Returns
    -------
    Estimate
        Of shape (...); without error and interval (NaN) where fewer than two replicas have a whole.

    Notes
    -----
    The error of a ratio estimate: Cochran, Sampling Techniques, 3rd ed., section 6.4.
    """
    value, residuals = _linearised(part, whole)
    residual = mean(residuals, level)  # their mean is 0, but for rounding
    alone = np.where(np.count_nonzero(whole, axis=0) < 2, np.nan, 0.0)
    half = residual.margin + alone
    return Estimate(value, residual.error + alone, value - half, value + half)


def ratio_by_replica(part: ArrayLike, whole: ArrayLike) -> Array:
    """Numbers (replicas, ...) whose mean is the sum of `part` over the sum of `whole`, and whose spread gives its error: of
    two ratios in paired replicas, the mean of their differences is the difference, with its paired interval.

    Replicas without a whole have no residual; where a single one has a whole, which tells no error, the others are NaN."""
    value, residuals = _linearised(part, whole)
    there = np.asarray(whole) != 0
    return np.where((np.count_nonzero(there, axis=0) < 2) & ~there, np.nan, value + residuals)


def _linearised(part: ArrayLike, whole: ArrayLike) -> tuple[Array, Array]:
    """The ratio of the sums (...) and every replica's residual (replicas, ...), as the standard error of a ratio takes it
    (Cochran, Sampling Techniques, 3rd ed., section 6.4)."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = part.sum(axis=0) / whole.sum(axis=0)
        return value, (part - value * whole) / whole.mean(axis=0)


def percentile(values: ArrayLike, level: float) -> Estimate:
    """A percentile of one sample, with the distribution-free interval of its order statistics.

    Parameters
    ----------
    values : array_like, (n,)
        The sample; NaN does not count.
    level : float
        Which percentile, from 0 to 1.

    Returns
    -------
    Estimate
        A single number with its 95 % interval; all NaN of an empty sample.

    Raises
    ------
    ValueError
        `level` is not in 0..1.
    """
    from scipy import stats

    sample = np.asarray(values, dtype=np.float64)
    sample = sample[~np.isnan(sample)]
    if len(sample) == 0:
        nothing = np.asarray(np.nan)
        return Estimate(nothing, nothing, nothing, nothing)
    value = np.quantile(sample, level)
    interval: Any = stats.quantile_test(sample, q=float(value), p=level).confidence_interval(LEVEL)
    low, high = np.asarray(interval.low), np.asarray(interval.high)
    return Estimate(np.asarray(value), (high - low) / (2 * stats.norm.ppf(0.5 + LEVEL / 2)), low, high)


def band(values: ArrayLike, low: float, high: float) -> tuple[Array, Array]:
    """Two quantiles over the replicas, which hold the rest between them.

    Parameters
    ----------
    values : array_like, (replicas, ...)
        One for each replica; NaN does not count.
    low, high : float
        Which quantiles, from 0 to 1.

    Returns
    -------
    low : array, (...)
        The lower quantile; NaN where all values are.
    high : array, (...)
        The upper quantile, likewise.

    Raises
    ------
    ValueError
        A quantile is not in 0..1.
    """
    values = np.asarray(values, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns that are all NaN
        lower, upper = np.nanquantile(values, [low, high], axis=0)
    return lower, upper


def deviation(values: Array) -> float:
    """Standard deviation between the replicas (n,); NaN of fewer than two."""
    there = values[~np.isnan(values)]
    return float(there.std(ddof=1)) if len(there) > 1 else math.nan


def tail(values: Array) -> float:
    """What one replica in 20 (n,) ends below: the 5 % quantile; NaN of fewer than two."""
    there = values[~np.isnan(values)]
    return float(np.quantile(there, TAIL)) if len(there) > 1 else math.nan


def slopes(values: ArrayLike, at: ArrayLike) -> Array:
    """The least-squares slope of each replica's values.

    Parameters
    ----------
    values : array_like, (replicas, n)
        The values; NaN is left out.
    at : array_like, (n,)
        Where each of them was measured.

    Returns
    -------
    array, (replicas,)
        In the unit of the values over that of `at`; NaN where fewer than two different points are left.
    """
    values = np.asarray(values, dtype=np.float64)
    there = ~np.isnan(values)
    x = np.where(there, np.asarray(at, dtype=np.float64), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = x - np.nansum(x, axis=1, keepdims=True) / there.sum(axis=1, keepdims=True)
        squares = np.nansum(centred**2, axis=1)
        slope = np.nansum(centred * np.where(there, values, 0.0), axis=1) / squares
    return np.where(squares > 1e-20 * np.nansum(x**2, axis=1), slope, np.nan)  # beyond rounding


def p_not_above_zero(values: ArrayLike) -> float:
    """The one-sided p-value of Student's test: how likely a mean at least this high is if the true one is at most 0.

    Parameters
    ----------
    values : array_like, (n,)
        The sample; NaN does not count.

    Returns
    -------
    float
        From 0 to 1; NaN, so that nothing is significant, of fewer than 10 values.
    """
    from scipy import stats

    sample = np.asarray(values, dtype=np.float64)
    sample = sample[~np.isnan(sample)]
    if len(sample) < FEWEST_RUNS:
        return float("nan")
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    if error == 0:
        return float(sample.mean() <= 0)
    return float(stats.t.sf(sample.mean() / error, len(sample) - 1))


def resampled(values: ArrayLike, statistic: Callable[..., Array] = np.mean, seed: int = 0) -> Array:
    """A statistic of 2,000 bootstrap samples of the replicas.

    Whole replicas are drawn, so that pairs stay together. Equal calls give equal numbers.

    Parameters
    ----------
    values : array_like, (replicas, ...)
        One for each replica.
    statistic : callable
        `statistic(values, axis=...)` reduces the axis of the replicas, as np.mean does.
    seed : int
        The seed of the draws.

    Returns
    -------
    array, (samples, ...)
        The statistic of each sample.

    Raises
    ------
    ValueError
        There are fewer than two replicas.
    """
    from scipy import stats

    values = np.asarray(values, dtype=np.float64)
    result = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=_RESAMPLES,
        batch=100,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return np.moveaxis(result.bootstrap_distribution, -1, 0)


def interval_of(resamples: Sequence[float] | Array) -> tuple[float, float]:
    """The middle 95 % of a bootstrap distribution.

    Parameters
    ----------
    resamples : sequence of float or array, (samples,)
        The statistic of each sample.

    Returns
    -------
    low : float
        The lower bound.
    high : float
        The upper bound.
    """
    low, high = np.quantile(resamples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return float(low), float(high)
