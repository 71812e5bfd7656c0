"""What a desk competes with: its rivals' quotes and its clients' reservations, by greatest likelihood from won and lost requests.

All in units of the reference curve at the size of a request, x = S / S_ref(v). The desk quotes x; each of its n - 1 rivals
N(m, d), independently; the client takes the best quote if it is at most its reservation, logistic with mean and scale. Then

    won:          no rival quotes less than x, and the reservation is at least x
    traded away:  the best rival quotes b < x, and the reservation is at least b
    not traded:   the rest

and where the winner is told the cover, the best rival's quote is known. What happened at other quotes is not seen (censored).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from dealermarket.data.outcomes import NOT_TRADED, TRADED_AWAY, WON
from dealermarket.estimates import LEVEL, Estimate

Array = NDArray[Any]

_POINTS = 1201  # of the grid of quotes over which is integrated
_MOST_POINTS = 3000  # that the likelihood is summed over, of a kind
_LARGEST_LOG = 20.0  # of a deviation or scale
FEWEST = 20  # requests of a kind, below which it tells nothing
LEAST_VARIED = 0.02  # relative standard deviation of the desk's quotes, below which they never varied
RIVAL_MEAN, RIVAL_STD, RESERVATION_MEAN, RESERVATION_SCALE = range(4)


@dataclass(frozen=True)
class Competition:
    """Laws of rivals' quotes and of reservations; None where the log does not tell, and `unknown` says why."""

    rival_mean: Estimate | None
    rival_std: Estimate | None
    reservation_mean: Estimate | None
    reservation_scale: Estimate | None
    unknown: tuple[str, ...]
    predicted: Array  # (requests, 3): the fitted probability of each outcome


def fit_competition(quote: Array, outcome: Array, rivals: Array, cover: Array, together: Array | None = None) -> Competition:
    """From the desk's quotes x (requests,), their outcomes, how many rivals were asked, and covers, NaN where not known.

    `together` (requests,) numbers requests that were quoted at once, and of which rivals may think alike: intervals then allow
    for it (clustered, or sandwich, standard errors). Without, all requests are independent."""
    unknown: list[str] = []
    away, refused = int(np.sum(outcome == TRADED_AWAY)), int(np.sum(outcome == NOT_TRADED))
    has_rivals = bool((rivals > 0).any()) and away >= FEWEST
    reserves = refused >= FEWEST
    if not has_rivals:
        unknown.append(f"rivals' quotes: {away:,} requests were traded away, {FEWEST} or more are needed")
    if not reserves:
        unknown.append(f"reservations: {refused:,} requests were not traded, {FEWEST} or more are needed")
    varied = float(np.std(quote) / np.mean(np.abs(quote)))
    if varied < LEAST_VARIED and not np.isfinite(cover).any():
        unknown.append(f"rivals' quotes and reservations: the desk's quotes vary by {100 * varied:.1f} % of the curve alone")
        has_rivals = reserves = False
    if not (has_rivals or reserves):
        return Competition(None, None, None, None, tuple(unknown), np.full((len(quote), 3), np.nan))
    free = np.array([has_rivals, has_rivals, reserves, reserves])
    begin = np.array([np.median(quote), np.log(0.3 * np.median(np.abs(quote))), 1.5 * np.median(quote), np.log(0.3)])
    asked = rivals if has_rivals else np.zeros_like(rivals)
    seen = cover if has_rivals else np.full_like(cover, np.nan)
    chosen = outcome if has_rivals else np.where(outcome == TRADED_AWAY, WON, outcome)
    evidence = _Evidence.of(quote, chosen, asked, seen)

    def unlikely(parameters: Array) -> float:
        whole = begin.copy()
        whole[free] = parameters
        return -evidence.log_likelihood(whole, free)

    best = optimize.minimize(unlikely, begin[free], method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-3, "maxiter": 2000})
    best = optimize.minimize(unlikely, best.x, method="BFGS", options={"gtol": 1e-3})
    groups = np.arange(len(quote)) if together is None else np.unique(together, return_inverse=True)[1]

    def of_each(parameters: Array) -> Array:
        whole = begin.copy()
        whole[free] = parameters
        return _log_each(whole, free, quote, chosen, asked, seen)

    errors = _errors(unlikely, of_each, groups, best.x)
    found: list[Estimate | None] = [None] * 4
    whole = begin.copy()
    whole[free] = best.x
    for place, value, error in zip(np.flatnonzero(free).tolist(), best.x, errors, strict=True):
        found[place] = _estimate(value, error, in_logs=place in (RIVAL_STD, RESERVATION_SCALE))
    for name, first, second in (("rivals' quotes", RIVAL_MEAN, RIVAL_STD), ("reservations", RESERVATION_MEAN, RESERVATION_SCALE)):
        pair = (found[first], found[second])
        if any(each is not None and not np.isfinite(each.error) for each in pair):
            found[first] = found[second] = None
            unknown.append(f"{name}: the likelihood is flat, so that the log tells nothing of them")
    return Competition(found[0], found[1], found[2], found[3], tuple(unknown), _probabilities(whole, free, quote, asked))


def _estimate(value: float, error: float, in_logs: bool) -> Estimate:
    half = stats.norm.ppf((1.0 + LEVEL) / 2.0) * error
    if in_logs:
        return Estimate(*map(np.asarray, (np.exp(value), np.exp(value) * error, np.exp(value - half), np.exp(value + half))))
    return Estimate(*map(np.asarray, (value, error, value - half, value + half)))


def _laws(parameters: Array, free: Array, grid: Array, rivals: int) -> tuple[Array, Array, Array]:
    """On a grid of quotes: the density of the best rival's, the probability that it is above, and that a reservation is."""
    mean, std, reserve, scale = parameters[0], np.exp(parameters[1]), parameters[2], np.exp(parameters[3])
    trades = special.expit((reserve - grid) / scale) if free[RESERVATION_MEAN] else np.ones_like(grid)
    if rivals == 0:
        return np.zeros_like(grid), np.ones_like(grid), trades
    z = (grid - mean) / std
    above = special.ndtr(-z)
    density = rivals * np.exp(-0.5 * z * z) / (std * np.sqrt(2.0 * np.pi)) * above ** (rivals - 1)
    return density, above**rivals, trades


def _grid(parameters: Array, quote: Array) -> Array:
    mean, std = parameters[0], np.exp(parameters[1])
    return np.linspace(min(quote.min(), mean - 8.0 * std) - 1e-9, quote.max() + 1e-9, _POINTS)


def _probabilities(parameters: Array, free: Array, quote: Array, rivals: Array) -> Array:
    """Of each outcome, (requests, 3)."""
    chances, grid = np.empty((len(quote), 3)), _grid(parameters, quote)
    for count in np.unique(rivals):
        these = rivals == count
        density, above, trades = _laws(parameters, free, grid, int(count))
        lost = density * trades
        away = np.concatenate([[0.0], np.cumsum(0.5 * (lost[1:] + lost[:-1]))]) * (grid[1] - grid[0])
        chances[these, WON] = np.interp(quote[these], grid, above * trades)
        chances[these, TRADED_AWAY] = np.interp(quote[these], grid, away)
    chances[:, NOT_TRADED] = 1.0 - chances[:, WON] - chances[:, TRADED_AWAY]
    return np.clip(chances, 1e-12, 1.0)


@dataclass(frozen=True)
class _Evidence:
    """What the likelihood depends on: numbers with how often they came, which are means of neighbours where there are many.

    A request whose cover is known tells two things apart: the best rival's quote, and that a reservation is not below the desk's.
    """

    quotes: dict[tuple[int, int], tuple[Array, Array]]  # (rivals, outcome) -> quotes of requests without a cover, and how many
    covers: dict[int, tuple[Array, Array]]  # rivals -> covers, and how many
    taken: tuple[Array, Array]  # quotes of the requests with a cover, and how many

    @classmethod
    def of(cls, quote: Array, outcome: Array, rivals: Array, cover: Array) -> _Evidence:
        told = _with_cover(outcome, rivals, cover)
        counts, kinds = np.unique(rivals).tolist(), np.unique(outcome).tolist()
        groups = {(n, kind): quote[(rivals == n) & (outcome == kind) & ~told] for n in counts for kind in kinds}
        covers = {n: cover[told & (rivals == n)] for n in counts}
        return cls(
            {key: _thinned(values) for key, values in groups.items() if len(values)},
            {n: _thinned(values) for n, values in covers.items() if len(values)},
            _thinned(quote[told]),
        )

    def log_likelihood(self, parameters: Array, free: Array) -> float:
        if np.abs(parameters[[RIVAL_STD, RESERVATION_SCALE]]).max() > _LARGEST_LOG:
            return -np.inf
        total = 0.0
        for (rivals, kind), (quote, weight) in self.quotes.items():
            total += float(weight @ _log_outcome(parameters, free, quote, np.full(len(quote), kind), np.full(len(quote), rivals)))
        for rivals, (cover, weight) in self.covers.items():
            total += float(weight @ _log_cover(parameters, cover, rivals))
        quote, weight = self.taken
        return total + float(weight @ _log_taken(parameters, free, quote))


def _log_each(parameters: Array, free: Array, quote: Array, outcome: Array, rivals: Array, cover: Array) -> Array:
    """The log-likelihood of each request, (requests,)."""
    told = _with_cover(outcome, rivals, cover)
    each = np.empty(len(quote))
    each[~told] = _log_outcome(parameters, free, quote[~told], outcome[~told], rivals[~told])
    each[told] = _log_cover(parameters, cover[told], rivals[told]) + _log_taken(parameters, free, quote[told])
    return each


def _with_cover(outcome: Array, rivals: Array, cover: Array) -> Array:
    """Which requests tell the best rival's quote."""
    return np.asarray((outcome == WON) & np.isfinite(cover) & (rivals > 0))


def _log_outcome(parameters: Array, free: Array, quote: Array, outcome: Array, rivals: Array) -> Array:
    return np.asarray(np.log(_probabilities(parameters, free, quote, rivals)[np.arange(len(quote)), outcome]))


def _log_cover(parameters: Array, cover: Array, rivals: Array | int) -> Array:
    """The log density of the best rival's quote."""
    z = (cover - parameters[RIVAL_MEAN]) / np.exp(parameters[RIVAL_STD])
    return np.asarray(np.log(rivals) - 0.5 * z * z - parameters[RIVAL_STD] + (rivals - 1) * special.log_ndtr(-z))


def _log_taken(parameters: Array, free: Array, quote: Array) -> Array:
    """The log probability that a reservation is not below a quote."""
    if not free[RESERVATION_MEAN]:
        return np.zeros(len(quote))
    return np.asarray(special.log_expit((parameters[RESERVATION_MEAN] - quote) / np.exp(parameters[RESERVATION_SCALE])))


def _thinned(values: Array) -> tuple[Array, Array]:
    """Numbers, and how often each came; of more than some thousands, means of neighbours."""
    if len(values) <= _MOST_POINTS:
        return values, np.ones(len(values))
    parts = np.array_split(np.sort(values), _MOST_POINTS)
    return np.array([part.mean() for part in parts]), np.array([float(len(part)) for part in parts])


def _errors(unlikely: Callable[[Array], float], of_each: Callable[[Array], Array], groups: Array, best: Array) -> Array:
    """Standard errors: the curvature of the likelihood, and how much its slope varies from group to group of requests."""
    count, step = len(best), 1e-3
    steps = step * np.eye(count)
    hessian = np.empty((count, count))
    for i in range(count):
        for j in range(i, count):
            corners = [unlikely(best + a * steps[i] + b * steps[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            hessian[i, j] = hessian[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4.0 * step * step)
    slopes = [(of_each(best + move) - of_each(best - move)) / (2.0 * step) for move in steps]
    sums = np.stack([np.bincount(groups, weights=slope) for slope in slopes], axis=1)
    try:
        inverse = np.linalg.inv(hessian)
    except np.linalg.LinAlgError:
        return np.full(count, np.inf)
    variances = np.diag(inverse @ (sums.T @ sums) @ inverse)
    return np.where((variances > 0) & (np.diag(inverse) > 0), np.sqrt(np.maximum(variances, 0.0)), np.inf)
