"""Tiers are quantiles of a maker's ranking, best metric first (section 3.3). Of the ranking only what tiers need is kept: who is
in which quantile, and the best and the worst of each. Whoever gets ahead of the worst of the next quantile changes places with
it.

Equal metrics stand in the order of `tie_rank`. The quantiles 0 to `tiers` - 1 are as long as tiers are, and none is empty.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dealermarket.compiled import kernel

BEST, WORST = 0, 1


class Ranking(NamedTuple):
    """What one maker keeps of its ranking of all J - 1 others."""

    metric: Any  # (J,)
    tie_rank: Any  # (J,) int32
    ranked: Any  # (J - 1,) int32: participants, quantile by quantile, in any order within one
    place: Any  # (J,) int32: where in `ranked` each stands
    quantile: Any  # (J,) int32: of each
    edge: Any  # (2, K) int32: the best and the worst participant of each quantile
    start: Any  # (K + 1,) int64: where in `ranked` quantiles begin
    tiers: Any  # how many quantiles there are
    fixed_tier: Any  # (J,) int64: the tier that no ranking moves, else -1
    tier: Any  # (J,) int64: of each


@kernel
def rank_all(ranking, maker, tie_order):
    """Ranks everybody but participant `maker`; all have the same metric, so that they stand in `tie_order` (J,)."""
    rank, quantile = 0, 0
    for n in range(len(tie_order)):
        participant = tie_order[n]
        ranking.metric[participant], ranking.tie_rank[participant] = 0.0, n
        if participant == maker:
            ranking.tier[maker] = 0
            continue
        if rank == ranking.start[quantile + 1]:
            quantile += 1
        if rank == ranking.start[quantile]:
            ranking.edge[BEST, quantile] = participant
        ranking.edge[WORST, quantile] = participant
        put(ranking, participant, rank, quantile)
        rank += 1


@kernel
def move_in_ranking(ranking, participant, metric):
    """Gives a participant another metric; whoever comes into another quantile by that changes tier."""
    rises = metric > ranking.metric[participant]
    towards, ahead, behind = (-1, BEST, WORST) if rises else (1, WORST, BEST)  # edges in the direction of the move
    own = ranking.quantile[participant]
    ranking.metric[participant] = metric
    k = own
    while 0 <= k + towards < ranking.tiers:
        other = ranking.edge[behind, k + towards]
        if is_ahead(ranking, participant, other) != rises:
            break
        place = ranking.place[participant]
        put(ranking, participant, ranking.place[other], k + towards)
        put(ranking, other, place, k)
        ranking.edge[ahead, k] = other
        find_edge(ranking, participant, k, behind, k != own)
        k += towards
    find_edge(ranking, participant, k, behind, k != own)
    if is_ahead(ranking, participant, ranking.edge[ahead, k]) == rises:
        ranking.edge[ahead, k] = participant


@kernel
def put(ranking, participant, place, quantile):
    """Puts a participant into a place and its quantile, and so into a tier, unless its tier is fixed."""
    ranking.ranked[place] = participant
    ranking.place[participant], ranking.quantile[participant] = place, quantile
    ranking.tier[participant] = quantile if ranking.fixed_tier[participant] < 0 else ranking.fixed_tier[participant]


@kernel
def find_edge(ranking, participant, quantile, edge, gone):
    """Finds who is now at the `edge` of a quantile, where the former one is `gone` or is the participant that moved."""
    if not gone and ranking.edge[edge, quantile] != participant:
        return
    first, last = ranking.start[quantile], ranking.start[quantile + 1]
    found = ranking.ranked[first]
    for place in range(first + 1, last):
        if is_ahead(ranking, ranking.ranked[place], found) == (edge == BEST):
            found = ranking.ranked[place]
    ranking.edge[edge, quantile] = found


@kernel
def is_ahead(ranking, one, other):
    """Whether a participant stands ahead of another."""
    mine, theirs = ranking.metric[one], ranking.metric[other]
    return mine > theirs or (mine == theirs and ranking.tie_rank[one] < ranking.tie_rank[other])
