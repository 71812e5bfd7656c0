"""Tiers are quantiles of a maker's ranking, best metric first (section 3.3). Of the ranking only what tiers need is kept: who is
in which quantile, and the best and the worst of each. Whoever gets ahead of the worst of the next quantile changes places with
it.

Participants have places, quantile by quantile, in any order within one. Whole numbers stand for metrics, so that the best and
the worst of many are found several at a time, and of each block of places the best and the worst number are kept; equal metrics
are ordered by `tie`, lowest first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dealermarket.compiled import kernel

BEST, WORST = 0, 1
BLOCK = 64  # places
_SIGN, _HIGHEST = 63, np.int64((1 << 63) - 1)
_PLACES = 32  # bits of a place


class Ranking(NamedTuple):
    """What one maker keeps of its ranking of all J - 1 others."""

    standing: Any  # (J,) STANDING
    ranked: Any  # (J - 1,) int32: the participant in each place
    key: Any  # (J - 1,) int64: its metric, as `key_of`
    tie: Any  # (J - 1,) int32: orders equal metrics
    edge: Any  # (2, K) int32: the places of the best and the worst of each quantile
    start: Any  # (K + 1,) int64: the first place of each quantile
    block: Any  # (2, blocks) int64: the key of the best and of the worst of each block of a quantile, as `from_edge`
    first_block: Any  # (K + 1,) int64: of each quantile
    tiers: Any  # how many quantiles there are
    fixed_tier: Any  # (J,) int64: the tier that no ranking moves, else -1
    tier: Any  # (J,) int64: of each participant


@kernel
def rank_all(ranking, maker, tie_order):
    """Ranks everybody but participant `maker`; all have the metric 0, so that they stand in `tie_order` (J,)."""
    place, quantile = 0, 0
    for n in range(len(tie_order)):
        participant = tie_order[n]
        if participant == maker:
            ranking.tier[maker] = 0
            continue
        if place == ranking.start[quantile + 1]:
            quantile += 1
        if place == ranking.start[quantile]:
            ranking.edge[BEST, quantile] = place
        ranking.edge[WORST, quantile] = place
        ranking.key[place] = key_of(0.0)
        put(ranking, participant, n, place, quantile)
        place += 1
    for edge in (BEST, WORST):
        for block in range(ranking.block.shape[1]):
            ranking.block[edge, block] = from_edge(key_of(0.0), edge)


@kernel
def move_in_ranking(ranking, participant, metric):
    """Gives a participant its metric; whoever comes into another quantile by that changes tier."""
    standing = ranking.standing[participant]
    own, place = standing.quantile, standing.place
    key, tie, former = key_of(metric), ranking.tie[place], ranking.key[place]
    if key == former:
        return
    rises = key > former
    towards, ahead, behind = (-1, BEST, WORST) if rises else (1, WORST, BEST)  # edges in the direction of the move
    set_key(ranking, key, place, own)
    k = own
    while 0 <= k + towards < ranking.tiers:
        there = ranking.edge[behind, k + towards]
        if is_ahead(ranking, place, there) != rises:
            break
        gone = k != own or ranking.edge[behind, k] == place
        set_key(ranking, ranking.key[there], place, k)
        set_key(ranking, key, there, k + towards)
        put(ranking, ranking.ranked[there], ranking.tie[there], place, k)
        put(ranking, participant, tie, there, k + towards)
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
    return bits ^ ((bits >> _SIGN) & _HIGHEST)


@kernel
def metric_of_key(key):
    """The metric that a key stands for."""
    return np.int64(key ^ ((key >> _SIGN) & _HIGHEST)).view(np.float64)


@kernel
def put(ranking, participant, tie, place, quantile):
    """Puts a participant into a place and its quantile, and so into a tier, unless its tier is fixed."""
    ranking.ranked[place], ranking.tie[place] = participant, tie
    ranking.standing[participant].place, ranking.standing[participant].quantile = place, quantile
    ranking.tier[participant] = quantile if ranking.fixed_tier[participant] < 0 else ranking.fixed_tier[participant]


@kernel
def is_ahead(ranking, one, other):
    """Whether who is in one place stands ahead of who is in another."""
    mine, theirs = ranking.key[one], ranking.key[other]
    return mine > theirs or (mine == theirs and ranking.tie[one] < ranking.tie[other])


@kernel
def from_edge(key, edge):
    """A whole number that is the smaller, the nearer a key is to an edge of the order."""
    return key ^ np.int64(-1 if edge == BEST else 0)  # x ^ -1 puts whole numbers in the reverse order


@kernel
def set_key(ranking, key, place, quantile):
    """Writes the key in a place, and what follows for its block; a single block of a quantile is not kept."""
    first, last = ranking.start[quantile], ranking.start[quantile + 1]
    former, ranking.key[place] = ranking.key[place], key
    if last - first <= BLOCK:
        return
    block = (place - first) // BLOCK
    for edge in (BEST, WORST):
        kept = ranking.block[edge, ranking.first_block[quantile] + block]
        if from_edge(key, edge) <= kept:
            ranking.block[edge, ranking.first_block[quantile] + block] = from_edge(key, edge)
        elif from_edge(former, edge) == kept:
            low = first + block * BLOCK
            keys = ranking.key[low : min(low + BLOCK, last)]
            ranking.block[edge, ranking.first_block[quantile] + block] = nearest(keys, edge)


@kernel
def nearest(keys, edge):
    """The least `from_edge` of keys. No branches: several at a time."""
    least = _HIGHEST
    for n in range(len(keys)):
        least = min(least, from_edge(keys[n], edge))
    return least


@kernel
def extreme(ranking, quantile, edge):
    """The place of the best or the worst of a quantile."""
    first, last = ranking.start[quantile], ranking.start[quantile + 1]
    blocks = ranking.block[edge, ranking.first_block[quantile] : ranking.first_block[quantile + 1]]
    found, least = _HIGHEST, _HIGHEST
    if len(blocks) == 1:
        blocks[0] = nearest(ranking.key[first:last], edge)
    for block in range(len(blocks)):
        least = min(least, blocks[block])
    for block in range(len(blocks)):
        if blocks[block] == least:
            low = first + block * BLOCK
            high = min(low + BLOCK, last)
            key, tie = ranking.key[low:high], ranking.tie[low:high]
            for n in range(len(key)):
                order = (from_edge(np.int64(tie[n]), WORST - edge) << _PLACES) | (block * BLOCK + n)
                found = min(found, order if from_edge(key[n], edge) == least else _HIGHEST)
    return first + (found & ((1 << _PLACES) - 1))
