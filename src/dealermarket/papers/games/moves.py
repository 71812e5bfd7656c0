"""Claims on a game that was played: from which profiles nobody gains by moving alone, and from which somebody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dealermarket.estimates import Estimate, joint, mean
from dealermarket.papers import Outcome, above, below, decided
from dealermarket.questions import Played

Profile = tuple[int, ...]


@dataclass(frozen=True)
class Decided:
    """A claim on profiles, and what is nearest to deciding it otherwise: what a maker, by its place, gains by moving alone from
    a profile. All intervals are widened for `count` comparisons."""

    outcome: Outcome
    profile: Profile
    maker: int
    gain: Estimate
    count: int


def nobody_gains(played: Played, profiles: Sequence[Profile], makers: Sequence[int] | None = None) -> Decided:
    """That no maker, or none of `makers` by their places, gains by moving alone from any of the profiles: that all other choices
    of its own are worse."""
    places, gains, count = _moves(played, profiles, makers)
    every = Estimate(*(np.concatenate([getattr(own, name) for own in gains]) for name in ("value", "error", "low", "high")))
    outcome = below(every)
    nearest = int(np.argmax(every.low if outcome is Outcome.FAILS else every.high))
    profile, maker = places[int(np.repeat(np.arange(len(places)), [len(own.value) for own in gains])[nearest])]
    return Decided(outcome, profile, maker, every[nearest], count)


def somebody_gains(played: Played, profiles: Sequence[Profile]) -> Decided:
    """That from each of the profiles some maker gains by moving alone: that none of them is an equilibrium."""
    places, gains, count = _moves(played, profiles, None)
    of_profile = np.array([profiles.index(profile) for profile, _ in places])
    surest = np.array([own.low.max() for own in gains])
    most = np.array([own.high.max() for own in gains])
    by_profile = range(len(profiles))
    holds, fails = (np.array([each[of_profile == n].max() for n in by_profile]) for each in (surest, most))
    outcome = decided(holds > 0, fails < 0)
    least = int(np.argmin(fails if outcome is Outcome.FAILS else holds))
    place = int(np.flatnonzero(of_profile == least)[np.argmax(surest[of_profile == least])])
    profile, maker = places[place]
    return Decided(outcome, profile, maker, gains[place][int(np.argmax(gains[place].low))], count)


def more_together(played: Played, profile: Profile, others: Sequence[Profile]) -> tuple[Outcome, Estimate]:
    """That all makers together get more at a profile than at each of the others; and by how much, (others,), paired, at a level
    that is right for all at once."""
    here = played.at(profile).sum(axis=-1)
    lead = np.stack([here - played.at(other).sum(axis=-1) for other in others], axis=1)
    more = mean(lead, joint(len(others)))
    return above(more), more


def _moves(
    played: Played, profiles: Sequence[Profile], makers: Sequence[int] | None
) -> tuple[list[tuple[Profile, int]], list[Estimate], int]:
    """The makers at the profiles, what each gains by its moves, and how many moves these are in all."""
    shape = played.game.shape
    places = [(profile, maker) for profile in profiles for maker in (range(len(shape)) if makers is None else makers)]
    count = sum(shape[maker] - 1 for _, maker in places)
    return places, [played.gains(profile, maker, joint(count)) for profile, maker in places], count
