"""Rankings that move one participant at a time: a maker's order of all others, best metric first (section 3.3)."""

from __future__ import annotations

import numpy as np

from dealermarket import laws
from dealermarket.engine.compiled import kernel

tier_of_rank = kernel(laws.tier_of_rank)


@kernel
def rank_all(maker, order, ranking, tier, fixed_tier, tiers):
    """Ranks everybody but participant `maker` in the given `order` of all."""
    rank = 0
    for n in range(len(order)):
        participant = order[n]
        if participant != maker:
            ranking[rank] = participant
            _set_tier(participant, tier_of_rank(rank, tiers, len(ranking)), tier, fixed_tier)
            rank += 1
    tier[maker] = 0


@kernel
def move_in_ranking(participant, value, metric, tie_break, ranking, tier, fixed_tier, tiers):
    """Gives a participant a new metric and its place in the order; whoever crosses a quantile changes tier."""
    ranked = len(ranking)
    former = metric[participant]
    old = _places_ahead(former, participant, metric, tie_break, ranking, 0, ranked)
    if value > former:
        new = _places_ahead(value, participant, metric, tie_break, ranking, 0, old)
    else:
        new = _places_ahead(value, participant, metric, tie_break, ranking, old + 1, ranked) - 1
    metric[participant] = value
    if new == old:
        return
    # unsigned: without a check for negative numbers the loops become moves of whole vectors
    place, one = np.uint64(old), np.uint64(1)
    if new > old:
        for rank in range(place, np.uint64(new)):
            ranking[rank] = ranking[rank + one]
    else:
        for rank in range(np.uint64(0), np.uint64(old - new)):
            ranking[place - rank] = ranking[place - rank - one]
    ranking[new] = participant
    best, worst = tier_of_rank(min(old, new), tiers, ranked), tier_of_rank(max(old, new), tiers, ranked)
    for border in range(best + 1, worst + 1):
        first = -(-border * ranked // tiers)  # the first rank of tier `border`
        if new > old:
            _set_tier(ranking[first - 1], border - 1, tier, fixed_tier)
        else:
            _set_tier(ranking[first], border, tier, fixed_tier)
    _set_tier(participant, tier_of_rank(new, tiers, ranked), tier, fixed_tier)


@kernel
def _places_ahead(value, participant, metric, tie_break, ranking, low, high):
    """How many in the order stand ahead of `participant` if its metric were `value`, known to be in low..high."""
    while low < high:
        middle = (low + high) // 2
        other = ranking[middle]
        if metric[other] > value or (metric[other] == value and tie_break[other] < tie_break[participant]):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _set_tier(participant, value, tier, fixed_tier):
    tier[participant] = value if fixed_tier[participant] < 0 else fixed_tier[participant]
