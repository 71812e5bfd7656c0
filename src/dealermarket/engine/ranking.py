"""Rankings that move one participant at a time: a maker's order of all others, best metric first (section 3.3)."""

from __future__ import annotations

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
    old = _places_ahead(metric[participant], participant, metric, tie_break, ranking)
    new = _places_ahead(value, participant, metric, tie_break, ranking)
    if new > old:  # the participant itself was counted, still under its old metric
        new -= 1
    metric[participant] = value
    if new == old:
        return
    if new > old:
        for rank in range(old, new):
            ranking[rank] = ranking[rank + 1]
    else:
        for rank in range(old, new, -1):
            ranking[rank] = ranking[rank - 1]
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
def _places_ahead(value, participant, metric, tie_break, ranking):
    """How many in the order stand ahead of `participant` if its metric were `value`: binary search."""
    low, high = 0, len(ranking)
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
