"""When clients ask: how often each does, whether requests come in clusters, and how they are spread over the hours of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from dealermarket.data.shares import shares
from dealermarket.estimates import LEVEL, Estimate
from dealermarket.reading.prices import Recording

Array = NDArray[Any]

ERROR = 0.01
"""Of logs that follow the law, so many are said to have a profile, and as many to have clusters."""
MOST_BLOCKS, FEWEST_BLOCKS, OF_A_BLOCK = 100, 10, 5
"""Into how many blocks the time is cut for the test of clusters, and how many requests are expected in each at least."""
FEWEST_DAYS = 5
"""Days with mids, below which hours are not told apart."""
HOURS = 24
MOST_NAMED = 10  # clients in a note
_SECONDS_PER_DAY, _SECONDS_PER_HOUR = 86_400.0, 3_600.0


@dataclass(frozen=True, eq=False)
class DayProfile:
    """How requests are spread over the hours of a day (UTC), all clients together."""

    requests: Array  # (24,) steps in which a client asked, counted by client
    steps: Array  # (24,) steps with mids
    factor: Estimate  # (24,) times as many requests as in all hours; 1 where no mids are known
    dispersion: float  # variance of an hour's requests from day to day over what independent requests have
    p_value: float  # of the hours being alike

    @property
    def significant(self) -> bool:
        """Whether hours differ by more than chance and busy days explain."""
        return self.p_value < ERROR

    @property
    def over_a_day(self) -> float:
        """The mean over all 24 hours, in units of the hours that have mids."""
        return float(np.mean(self.factor.value))


def day_profile(recording: Recording, place: Array) -> tuple[DayProfile | None, str]:
    """The profile of requests at these places in the recording, (requests,); None where it cannot be told, and why.

    Hours are compared by an F-test of Pearson's statistics: between the 24 hours over between the days of each hour, so that
    busy days and clusters are allowed for (quasi-likelihood: McCullagh and Nelder, Generalized Linear Models, 2nd ed., sections
    4.5 and 6.2). Factors are drawn towards 1: gamma-Poisson, the law of the hours by greatest marginal likelihood, counts over
    the dispersion."""
    seconds = recording.seconds
    if seconds is None or seconds > _SECONDS_PER_HOUR:
        return None, "steps are longer than an hour" if seconds else "times count steps, and do not tell the hour"
    day, hour = _days_and_hours(recording.at * seconds)
    days = len(np.unique(day))
    if days < FEWEST_DAYS:
        return None, f"{days} day{'s' if days != 1 else ''} of mids, {FEWEST_DAYS} or more are needed"
    _, first, cell, long = np.unique(day * HOURS + hour, return_index=True, return_inverse=True, return_counts=True)
    asked, of = np.bincount(cell[place], minlength=len(long)), hour[first]
    requests, steps = (np.bincount(of, weights=each, minlength=HOURS) for each in (asked, long))
    expected = steps * len(place) / len(hour)
    open_hours = int((steps > 0).sum())
    if open_hours < 2 or len(long) <= open_hours:
        return None, "mids are known in one hour of the day alone"
    usual = long * (requests / np.maximum(steps, 1))[of]
    between = _pearson(requests, expected) / (open_hours - 1)
    within = _pearson(asked, usual) / (len(long) - open_hours)
    p_value = float(stats.f.sf(between / max(within, 1e-12), open_hours - 1, len(long) - open_hours))
    factor = _shrunk(requests / max(within, 1.0), expected / max(within, 1.0))
    return DayProfile(requests, steps, factor, within, p_value), ""


def _days_and_hours(time: Array) -> tuple[Array, Array]:
    """The day and the hour of each time in seconds since 1970, UTC."""
    time = np.round(time, 6)
    return (time // _SECONDS_PER_DAY).astype(np.int64), ((time % _SECONDS_PER_DAY) // _SECONDS_PER_HOUR).astype(np.int64)


def _pearson(found: Array, expected: Array) -> float:
    told = expected > 0
    return float(np.sum((found[told] - expected[told]) ** 2 / expected[told]))


def _shrunk(found: Array, expected: Array) -> Estimate:
    """Factors of expected numbers, which come from one gamma law of mean 1."""

    def unlikely(log_shape: float) -> float:
        a = np.exp(log_shape)
        terms = special.gammaln(a + found) - special.gammaln(a) + a * np.log(a) - (a + found) * np.log(a + expected)
        return -float(np.sum(terms))

    a = float(np.exp(optimize.minimize_scalar(unlikely, bounds=(-3.0, 12.0), method="bounded").x))
    law, tail = stats.gamma(a + found, scale=1.0 / (a + expected)), (1.0 - LEVEL) / 2.0
    return Estimate(*(np.asarray(part) for part in (law.mean(), law.std(), law.ppf(tail), law.ppf(1.0 - tail))))


@dataclass(frozen=True, eq=False)
class Arrivals:
    """How often each client, or group of clients, asks."""

    requests: Array  # (members,) steps in which one asked, counted by client
    probability: Estimate  # (members,) a step and client, in the mean over a day
    dispersion: Array  # (members,) variance of requests over what the market draws; NaN where there are too few to tell
    clustered: Array  # (members,) bool: whether it is above 1 by more than chance
    together: float  # the dispersion of all
    all_clustered: bool


def fit_arrivals(recording: Recording, member: Array, place: Array, clients: Array, profile: DayProfile | None) -> Arrivals:
    """From steps in which clients asked: whose, (requests,), and the place of each in the recording; how many `clients` each
    member stands for, (members,). `profile`: the hours' factors, where they matter.

    Time is cut into up to 100 blocks of as much expected activity; the index of dispersion of their counts is held against the
    chi-square law (Cox and Lewis, The Statistical Analysis of Series of Events, 1966, section 6.3), the variance being that of
    Bernoulli draws, one-sided, at 1 % for all tests of a log together (Bonferroni). Where clusters are found, trials count as
    so many fewer (quasi-likelihood)."""
    steps, members = len(recording.mid), len(clients)
    activity = np.ones(steps)
    if profile is not None and recording.seconds is not None:
        activity = profile.factor.value[_days_and_hours(recording.at * recording.seconds)[1]]
    whole = float(np.sum(activity))
    at = ((np.cumsum(activity) - 0.5 * activity) / whole)[place]  # the share of a log's activity that lies before each request
    requests = np.bincount(member, minlength=members)
    probability = requests / (steps * clients)
    order = np.argsort(member, kind="stable")
    parts = np.split(at[order], np.cumsum(requests)[:-1])
    found = np.array([_dispersion(part, chance) for part, chance in zip(parts, probability, strict=True)])
    everybody, p_of_all = _dispersion(at, float(np.sum(requests * probability) / max(requests.sum(), 1)))
    dispersion, p_value = found.T
    level = ERROR / (1 + np.count_nonzero(np.isfinite(dispersion)))
    clustered = p_value < level
    fewer = np.where(clustered, dispersion, 1.0)
    estimate = shares(requests / fewer, whole * clients / fewer).scaled(1.0 if profile is None else profile.over_a_day)
    return Arrivals(requests, estimate, dispersion, clustered, everybody, bool(p_of_all < level))


def _dispersion(at: Array, probability: float) -> tuple[float, float]:
    """The index of dispersion of requests at these times in 0..1, and its p-value; NaN where there are too few."""
    blocks = min(MOST_BLOCKS, len(at) // OF_A_BLOCK)
    if blocks < FEWEST_BLOCKS or probability >= 1.0:
        return np.nan, np.nan
    counts = np.bincount((at * blocks).astype(np.int64), minlength=blocks)
    chi = _pearson(counts, np.full(blocks, len(at) / blocks)) / (1.0 - probability)
    return chi / (blocks - 1), float(stats.chi2.sf(chi, blocks - 1))


def said_of_hours(profile: DayProfile) -> str:
    """What the hours of a day are, in a sentence."""
    factor, test = profile.factor, f"F-test of hours against days, p {_p(profile.p_value)}"
    if not profile.significant:
        return f"hours of the day (UTC) do not differ: {test}; the same all day"
    ends = [
        f"{name} {hour}-{(hour + 1) % HOURS} h: {float(factor.value[hour]):.2f} ({float(factor.low[hour]):.2f} to "
        f"{float(factor.high[hour]):.2f})"
        for name, hour in (("busiest", int(np.argmax(factor.value))), ("quietest", int(np.argmin(factor.value))))
    ]
    known = int((profile.steps > 0).sum())
    unknown = "" if known == HOURS else f"; {HOURS - known} hours have no mids and the mean of the others"
    return f"hours of the day (UTC) differ, {', '.join(ends)} times the mean: {test}{unknown}"


def _p(value: float) -> str:
    return f"= {value:.2g}" if value >= 1e-6 else "< 1e-6"


def said_of_clusters(names: Sequence[str], arrivals: Arrivals) -> list[str]:
    """Whose requests come in clusters, in sentences."""
    found = np.flatnonzero(arrivals.clustered)
    found = found[np.argsort(-arrivals.dispersion[found], kind="stable")]
    said = [
        f"arrivals of {names[number]} come in clusters: {arrivals.dispersion[number]:.2f} times the variance that the "
        "market draws"
        for number in found[:MOST_NAMED]
    ]
    if len(found) > MOST_NAMED:
        said.append(f"so do those of {len(found) - MOST_NAMED} others")
    if arrivals.all_clustered:
        said.append(
            f"arrivals of all clients together come in clusters: {arrivals.together:.2f} times the variance that the market draws"
        )
    return said
