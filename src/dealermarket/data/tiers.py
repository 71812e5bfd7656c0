"""In which tiers a desk holds its clients, from its quotes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from dealermarket.estimates import LEVEL, Estimate

Array = NDArray[Any]

MOST_TIERS = 10
NEAREST = 0.01
"""Tiers that lie nearer to each other than so, as a share of a usual quote, are hardly told apart."""
_ALPHAS = (-2.0, 12.0)  # in which the exponent is looked for
_LOOKED_AT = 100_000  # requests that it is looked for with
_ROUNDS = 300  # of expectation and maximisation, at most


@dataclass(frozen=True, eq=False)
class FoundTiers:
    """The tier of each client, (clients,), 0 the best, and how many levels of prices there are, with a 95 % interval."""

    tier: Array
    levels: Estimate


def find_tiers(quote: Array, curve: Array, rise: Array, client: Array) -> FoundTiers:
    """From quotes in half reference spreads, log(S_ref(v) / S_ref(0)), by what one unit of surcharge raises a quote, and whose
    each is, (requests,) each; clients count from 0, and all have requests.

    Each client's surcharge over a curve that all share comes from least squares (clients as fixed effects). Surcharges are a
    mixture of normal laws of one width, each client's with its own standard error; their number, up to 10, is that of the least
    BIC, the interval holds those that have 95 % of exp(-BIC / 2) (Fraley and Raftery 2002, Model-based clustering, JASA 97).
    Levels become tiers by how many of the smallest steps between levels they lie above the lowest."""
    surcharge, error = _surcharges(quote, curve, rise, client)
    least = NEAREST * float(np.median(np.abs(quote)))
    fits = [_Mixture(surcharge, error, count, least) for count in range(1, min(MOST_TIERS, len(surcharge)) + 1)]
    bic = np.array([fit.bic for fit in fits])
    weight = np.exp(0.5 * (bic.min() - bic))
    weight /= weight.sum()
    best, number = int(np.argmin(bic)), np.arange(1, len(fits) + 1)
    order = np.argsort(-weight, kind="stable")
    likely = number[order[: int(np.searchsorted(np.cumsum(weight[order]), LEVEL)) + 1]]
    deviation = float(np.sqrt(weight @ (number - weight @ number) ** 2))
    levels = Estimate(*(np.asarray(float(part)) for part in (number[best], deviation, likely.min(), likely.max())))
    return FoundTiers(_spaced(fits[best].means)[fits[best].which], levels)


def _surcharges(quote: Array, curve: Array, rise: Array, client: Array) -> tuple[Array, Array]:
    """Each client's surcharge and its standard error, (clients,): quote = a exp(alpha curve) + rise surcharge."""
    clients = int(client.max()) + 1

    def sums(values: Array, chosen: slice) -> Array:
        return np.bincount(client[chosen], weights=values, minlength=clients)

    def without(values: Array, chosen: slice, squares: Array) -> Array:
        """What surcharges leave of values."""
        part = sums(values * rise[chosen], chosen) / np.maximum(squares, 1e-300)
        return np.asarray(values - rise[chosen] * part[client[chosen]])

    def level(alpha: float, chosen: slice) -> tuple[float, float]:
        """The best a for an exponent, and the sum of squares that it leaves."""
        squares = sums(rise[chosen] ** 2, chosen)
        shape = without(np.exp(alpha * curve[chosen]), chosen, squares)
        left = without(quote[chosen], chosen, squares)
        size = float(shape @ shape)
        a = float(shape @ left) / size if size > 1e-12 * len(shape) else 0.0  # else surcharges take it all
        return a, float(np.sum((left - a * shape) ** 2))

    some, every = slice(None, None, -(-len(quote) // _LOOKED_AT)), slice(None)
    alpha = float(optimize.minimize_scalar(lambda alpha: level(alpha, some)[1], bounds=_ALPHAS, method="bounded").x)
    a, remaining = level(alpha, every)
    squares = sums(rise**2, every)
    surcharge = sums(rise * (quote - a * np.exp(alpha * curve)), every) / squares
    variance = remaining / max(len(quote) - clients - 2, 1)
    return surcharge, np.sqrt(variance / squares)


class _Mixture:
    """So many normal laws of one standard deviation, at least `least`, fitted to values with their standard errors by
    expectation and maximisation; the better of two beginnings: quantiles, and even steps."""

    def __init__(self, value: Array, error: Array, count: int, least: float) -> None:
        shares = (np.arange(count) + 0.5) / count
        begins = (np.quantile(value, shares), value.min() + np.ptp(value) * (np.arange(count) + 0.5) / count)
        fits = [_climbed(value, error, begin, least) for begin in begins]
        likelihood, means, responsible = max(fits, key=lambda fit: fit[0])
        order = np.argsort(means)
        self.means, self.which = means[order], np.argmax(responsible[:, order], axis=1)
        self.bic = -2.0 * likelihood + 2 * count * np.log(len(value))


def _climbed(value: Array, error: Array, means: Array, least: float) -> tuple[float, Array, Array]:
    """The greatest log-likelihood that is reached, the means, (laws,), and which law each value is of, (values, laws)."""
    share, variance, before = (
        np.full(len(means), 1.0 / len(means)),
        max(float(np.var(value)) / len(means) ** 2, least**2),
        -np.inf,
    )
    for _ in range(_ROUNDS):
        both = (variance + error**2)[:, np.newaxis]
        away = value[:, np.newaxis] - means
        logs = np.log(np.maximum(share, 1e-300)) - 0.5 * (away**2 / both + np.log(2.0 * np.pi * both))
        highest = logs.max(axis=1, keepdims=True)
        likelihood = float(np.sum(highest[:, 0] + np.log(np.sum(np.exp(logs - highest), axis=1))))
        responsible = np.exp(logs - highest)
        responsible /= responsible.sum(axis=1, keepdims=True)
        if likelihood - before < 1e-9 * max(abs(likelihood), 1.0):
            break
        before = likelihood
        kept = variance / both  # of a deviation, as the value's own and not its error
        variance = max(
            float(np.sum(responsible * ((kept * away) ** 2 + kept * error[:, np.newaxis] ** 2)) / len(value)), least**2
        )
        heavy = responsible / both
        total = heavy.sum(axis=0)
        means = np.where(total > 1e-300, (heavy * value[:, np.newaxis]).sum(axis=0) / np.maximum(total, 1e-300), means)
        share = responsible.mean(axis=0)
    return likelihood, means, responsible


def _spaced(means: Array) -> Array:
    """The tier of each level, (levels,), rising; the number of its place where these would be too many."""
    gaps = np.diff(means)
    if not len(gaps) or not gaps.min() > 0:
        return np.arange(len(means))
    tier = np.round((means - means[0]) / gaps.min()).astype(np.int64)
    return tier if tier[-1] < MOST_TIERS else np.arange(len(means))
