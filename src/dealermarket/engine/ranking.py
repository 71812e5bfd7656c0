"""Rankings that move one participant at a time: a maker's order of all others, best metric first (section 3.3).

`tier_at` (J - 1,) is the tier of each rank, `tier_start` (K,) the first rank of each tier.
"""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import kernel

LONG = 128  # participants: to find one in a shorter ranking, looking at all is faster than a binary search


@kernel
def rank_all(maker, order, ranking, tier, fixed_tier, tier_at):
    """Ranks everybody but participant `maker` in the given `order` of all."""
    rank = 0
    for n in range(len(order)):
        participant = order[n]
        if participant != maker:
            ranking[rank] = participant
            _set_tier(participant, tier_at[rank], tier, fixed_tier)
            rank += 1
    tier[maker] = 0


@kernel
def move_in_ranking(participant, value, metric, tie_rank, ranking, tier, fixed_tier, tier_at, tier_start):
    """Gives a participant a new metric and its place in the order; whoever crosses a quantile changes tier."""
    ranked = len(ranking)
    former = metric[participant]
    if ranked > LONG:
        old = _places_ahead(former, participant, metric, tie_rank, ranking, 0, ranked)
    else:
        old = 0  # without branches to guess, for whole vectors at a time
        for rank in range(ranked):
            old += rank * (ranking[rank] == participant)
    if value > former:
        new = _places_ahead(value, participant, metric, tie_rank, ranking, 0, old)
    else:
        new = _places_ahead(value, participant, metric, tie_rank, ranking, old + 1, ranked) - 1
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
    for border in range(tier_at[min(old, new)] + 1, tier_at[max(old, new)] + 1):
        first = tier_start[border]
        if new > old:
            _set_tier(ranking[first - 1], border - 1, tier, fixed_tier)
        else:
            _set_tier(ranking[first], border, tier, fixed_tier)
    _set_tier(participant, tier_at[new], tier, fixed_tier)


@kernel
def _places_ahead(value, participant, metric, tie_rank, ranking, low, high):
    """How many in the order stand ahead of `participant` if its metric were `value`, known to be in low..high."""
    while low < high:
        middle = (low + high) // 2
        other = ranking[middle]
        if metric[other] > value or (metric[other] == value and tie_rank[other] < tie_rank[participant]):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _set_tier(participant, value, tier, fixed_tier):
    tier[participant] = value if fixed_tier[participant] < 0 else fixed_tier[participant]
