"""Tiers are quantiles of a maker's ranking, best metric first (section 3.3). Of the ranking only what tiers need is kept: who is
in which quantile, and the best and the worst of each. Whoever gets ahead of the worst of the next quantile changes places with
it.

Participants have places, quantile by quantile, in any order within one. Whole numbers stand for metrics, so that the best and
the worst of many are found several at a time; equal metrics are ordered by `tie`, lowest first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dealermarket.compiled import kernel

BEST, WORST = 0, 1
_SIGN, _MAGNITUDE = 63, (1 << 63) - 1
_PLACES = 32  # bits of a place


class Ranking(NamedTuple):
    """What one maker keeps of its ranking of all J - 1 others."""

    standing: Any  # (J,) STANDING
    ranked: Any  # (J - 1,) int32: the participant in each place
    key: Any  # (J - 1,) int64: its metric, as `key_of`
    tie: Any  # (J - 1,) int32: orders equal metrics
    edge: Any  # (2, K) int32: the places of the best and the worst of each quantile
    start: Any  # (K + 1,) int64: the first place of each quantile
    tiers: Any  # how many quantiles there are
    fixed_tier: Any  # (J,) int64: the tier that no ranking moves, else -1
    tier: Any  # (J,) int64: of each participant


@kernel
def rank_all(ranking, maker, tie_order):
    """Ranks everybody but participant `maker`; all have the metric 0, so that they stand in `tie_order` (J,)."""
    place, quantile = 0, 0
    for n in range(len(tie_order)):
        participant = tie_order[n]
        ranking.standing[participant].metric = 0.0
        if participant == maker:
            ranking.tier[maker] = 0
            continue
        if place == ranking.start[quantile + 1]:
            quantile += 1
        if place == ranking.start[quantile]:
            ranking.edge[BEST, quantile] = place
        ranking.edge[WORST, quantile] = place
        put(ranking, participant, key_of(0.0), n, place, quantile)
        place += 1


@kernel
def move_in_ranking(ranking, participant, metric):
    """Gives a participant another metric; whoever comes into another quantile by that changes tier."""
    standing = ranking.standing[participant]
    rises, standing.metric = metric > standing.metric, metric
    towards, ahead, behind = (-1, BEST, WORST) if rises else (1, WORST, BEST)  # edges in the direction of the move
    own, place = standing.quantile, standing.place
    key, tie = key_of(metric), ranking.tie[place]
    ranking.key[place] = key
    k = own
    while 0 <= k + towards < ranking.tiers:
        there = ranking.edge[behind, k + towards]
        if is_ahead(ranking, place, there) != rises:
            break
        gone = k != own or ranking.edge[behind, k] == place
        put(ranking, ranking.ranked[there], ranking.key[there], ranking.tie[there], place, k)
        put(ranking, participant, key, tie, there, k + towards)
        ranking.edge[ahead, k] = place
        if gone:
            ranking.edge[behind, k] = extreme(ranking, k, behind)
        place = there
        k += towards
    if k != own or ranking.edge[behind, k] == place:
        ranking.edge[behind, k] = extreme(ranking, k, behind)
    if is_ahead(ranking, place, ranking.edge[ahead, k]) == rises:
        ranking.edge[ahead, k] = place


@kernel
def key_of(metric):
    """A whole number for a metric, in the same order: the bits of a floating-point number, those of negative ones reversed."""
    bits = np.float64(metric + 0.0).view(np.int64)  # -0 is 0
    return bits ^ ((bits >> _SIGN) & _MAGNITUDE)


@kernel
def put(ranking, participant, key, tie, place, quantile):
    """Puts a participant into a place and its quantile, and so into a tier, unless its tier is fixed."""
    ranking.ranked[place], ranking.key[place], ranking.tie[place] = participant, key, tie
    ranking.standing[participant].place, ranking.standing[participant].quantile = place, quantile
    ranking.tier[participant] = quantile if ranking.fixed_tier[participant] < 0 else ranking.fixed_tier[participant]


@kernel
def is_ahead(ranking, one, other):
    """Whether who is in one place stands ahead of who is in another."""
    mine, theirs = ranking.key[one], ranking.key[other]
    return mine > theirs or (mine == theirs and ranking.tie[one] < ranking.tie[other])


@kernel
def extreme(ranking, quantile, edge):
    """The place of the best or the worst of a quantile. Two loops without branches: the key, and who of those that have it."""
    first, last = ranking.start[quantile], ranking.start[quantile + 1]
    key, tie = ranking.key[first:last], ranking.tie[first:last]
    flip = np.int64(-1 if edge == BEST else 0)  # x ^ -1 puts whole numbers in the reverse order
    least = found = np.int64(_MAGNITUDE)
    for n in range(len(key)):
        least = min(least, key[n] ^ flip)
    for n in range(len(key)):
        order = ((np.int64(tie[n]) ^ ~flip) << _PLACES) | n
        found = min(found, order if key[n] ^ flip == least else _MAGNITUDE)
    return first + (found & ((1 << _PLACES) - 1))
