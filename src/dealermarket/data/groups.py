"""Clients who behave alike: a desk of thousands of clients as some tens of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[Any]

MOST_GROUPS = 40
ERROR = 0.01  # the level of the test that clients differ in a trait
LEAST_GAIN = 1.0
"""What a split takes of the sum of squares, beyond noise, at least: as much as one client who is a standard deviation apart."""
CLEAR = 0.5  # standard deviations from all clients, from which on a group's name says so


@dataclass(frozen=True, eq=False)
class Trait:
    """Something that clients differ in: each one's value, (clients,), its standard error, infinite where there is none, and words
    for who has less of it than usual and who has more."""

    value: Array
    error: Array
    less: str
    more: str


def mean_trait(values: Array, client: Array, clients: int, less: str, more: str) -> Trait:
    """The mean of each client's values, (requests,), NaN being left out; all have the variance within clients in common."""
    told = np.isfinite(values)
    values, client = values[told], client[told]
    count = np.bincount(client, minlength=clients)
    mean = np.bincount(client, weights=values, minlength=clients) / np.maximum(count, 1)
    variance = float(np.sum((values - mean[client]) ** 2)) / max(len(values) - int(np.count_nonzero(count)), 1)
    return Trait(mean, np.where(count > 0, np.sqrt(variance / np.maximum(count, 1)), np.inf), less, more)


def groups_of(traits: Sequence[Trait], requests: Array) -> tuple[Array, list[str]]:
    """In which group each client is, (clients,), and what the groups are called; those who ask most together, by `requests`
    (clients,), are the first.

    Traits are in standard deviations of what clients truly differ by, and drawn towards the mean by as much as they are unsure
    (DerSimonian and Laird 1986), so that clients who asked rarely count little; traits in which clients differ by no more than
    chance (Cochran's Q, 1 %) do not count.
    The group with the most to gain is split in two at one value of one trait, where that leaves the least sum of squares
    (Edwards and Cavalli-Sforza 1965, A method for cluster analysis, Biometrics 21, by one trait at a time as in regression
    trees), until there are 40 or nothing is left to gain beyond the noise of the trait in the group."""
    place, noise = (np.column_stack(parts) for parts in zip(*(_standardised(trait) for trait in traits), strict=True))
    parts, gains = [np.arange(len(place))], [_best_split(place, noise)]
    while len(parts) < MOST_GROUPS:
        widest = int(np.argmax([gain for gain, _ in gains]))
        gain, lower = gains[widest]
        if gain < LEAST_GAIN:
            break
        part = parts[widest]
        parts[widest : widest + 1] = [part[lower], part[~lower]]
        gains[widest : widest + 1] = [_best_split(place[half], noise[half]) for half in (part[lower], part[~lower])]
    parts.sort(key=lambda part: (-int(requests[part].sum()), int(part[0])))
    group = np.empty(len(place), np.int64)
    for number, part in enumerate(parts):
        group[part] = number
    return group, [f"group-{number + 1}-{_words(traits, place[part])}" for number, part in enumerate(parts)]


def _standardised(trait: Trait) -> tuple[Array, Array]:
    """How far each client truly lies from all, in standard deviations between clients, as far as is known, (clients,); and the
    variance of its noise."""
    value, told = trait.value, np.isfinite(trait.error)
    found, left = np.zeros(len(value)), np.zeros(len(value))
    if told.sum() < 2 or not np.ptp(value[told]) > 0:
        return found, left
    noise = np.maximum(trait.error[told] ** 2, 1e-6 * float(np.var(value[told])))
    weight = 1.0 / noise
    mean = np.average(value[told], weights=weight)
    spread, others = float(weight @ (value[told] - mean) ** 2), len(noise) - 1
    if special.chdtrc(others, spread) > ERROR:
        return found, left
    between = (spread - others) / float(weight.sum() - np.sum(weight**2) / weight.sum())
    mean, shrunk = np.average(value[told], weights=1.0 / (between + noise)), between / (between + noise)
    found[told], left[told] = shrunk * (value[told] - mean) / np.sqrt(between), shrunk * (1.0 - shrunk)
    return found, left


def _best_split(place: Array, noise: Array) -> tuple[float, Array]:
    """By how much more than the noise of the split trait a split lowers the sum of squares of points (points, traits), and which
    are below it, (points,) bool."""
    count, best = len(place), (0.0, np.zeros(len(place), np.bool_))
    centred = place - place.mean(axis=0)
    below = np.arange(1, count)
    for trait, chance in zip(place.T, noise.sum(axis=0), strict=True):
        order = np.argsort(trait, kind="stable")
        sums = np.cumsum(centred[order], axis=0)[:-1]
        gain = np.sum(sums**2, axis=1) * count / (below * (count - below)) - chance
        gain = np.where(np.diff(trait[order]) > 0, gain, 0.0)  # equals stay together
        at = int(np.argmax(gain)) if len(gain) else 0
        if len(gain) and gain[at] > best[0]:
            best = float(gain[at]), trait <= trait[order[at]]
    return best


def _words(traits: Sequence[Trait], place: Array) -> str:
    """What a group is, beside all clients."""
    words = [
        trait.more if away > 0 else trait.less
        for trait, away in zip(traits, place.mean(axis=0), strict=True)
        if abs(away) > CLEAR
    ]
    return "-".join(words) or "usual"
