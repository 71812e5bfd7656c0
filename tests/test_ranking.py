"""Tiers by quantile, kept up to date one participant at a time, beside a full sort."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from dealermarket import laws
from dealermarket.engine.ranking import BEST, BLOCK, WORST, Ranking, extreme, key_of, move_in_ranking, rank_all
from dealermarket.engine.records import STANDING
from dealermarket.model.makers.tiering.average_yield import AverageYield

MAKER = 3


def ranking_of(participants: int, tiers: int, tie_order: np.ndarray, fixed: dict[int, int] | None = None) -> Ranking:
    """All participants but MAKER, in `tie_order`."""
    ranked = participants - 1
    start = np.searchsorted(laws.tier_of_rank(np.arange(ranked), tiers, ranked), np.arange(tiers + 1))
    first_block = np.cumsum(-(-np.diff(start, prepend=0) // BLOCK))
    fixed_tier = np.full(participants, -1)
    for participant, tier in (fixed or {}).items():
        fixed_tier[participant] = tier
    ranking = Ranking(
        np.zeros(participants, STANDING),
        np.zeros(ranked, np.int32),
        np.zeros(ranked, np.int64),
        np.zeros(ranked, np.int32),
        np.zeros((2, tiers), np.int32),
        start,
        np.zeros((2, first_block[-1]), np.int64),
        first_block,
        tiers,
        fixed_tier,
        np.full(participants, 99),
    )
    rank_all(ranking, MAKER, tie_order.astype(np.int32))
    return ranking


def sorted_tiers(ranking: Ranking, metric: np.ndarray, tie_order: np.ndarray) -> np.ndarray:
    """By sorting everybody anew."""
    others = np.delete(np.arange(len(tie_order)), MAKER)
    tiers = np.zeros(len(tie_order), np.int64)
    tiers[others] = AverageYield(tiers=ranking.tiers).assign(metric[others], np.argsort(tie_order)[others])
    return np.where(ranking.fixed_tier < 0, tiers, ranking.fixed_tier)


@pytest.mark.parametrize(
    ("participants", "tiers", "moves", "values"),
    [(5, 4, 300, 3), (5, 2, 300, 3), (12, 5, 600, 6), (60, 1, 50, 9), (60, 59, 600, 40), (330, 3, 600, 9), (700, 5, 900, 10**6)],
)
def test_tiers_are_those_of_a_full_sort(participants: int, tiers: int, moves: int, values: int) -> None:
    """Few values, so that many metrics are equal; the longest quantiles have three blocks."""
    rng = np.random.default_rng(participants)
    tie_order = rng.permutation(participants)
    ranking = ranking_of(participants, tiers, tie_order, {1: tiers - 1})
    others, metrics = np.delete(np.arange(participants), MAKER), np.zeros(participants)
    assert_array_equal(ranking.tier, sorted_tiers(ranking, metrics, tie_order))
    for n in range(moves):
        metric = float(rng.integers(-values, values + 1)) / 4 * rng.choice([1.0, 1e-300, 1e300])
        participant = int(rng.choice(others))
        metrics[participant] = metric
        move_in_ranking(ranking, participant, metric)
        if n % 7 == 0 or participants < 20:
            assert_array_equal(ranking.tier, sorted_tiers(ranking, metrics, tie_order))
            for k in range(tiers):
                own = ranking.ranked[ranking.start[k] : ranking.start[k + 1]]
                order = np.lexsort((np.argsort(tie_order)[own], -metrics[own]))
                for edge, place in ((BEST, order[0]), (WORST, order[-1])):
                    assert ranking.ranked[ranking.edge[edge, k]] == own[place]
                    assert ranking.ranked[extreme(ranking, k, edge)] == own[place]


def test_keys_are_in_the_order_of_metrics() -> None:
    metrics = np.array([-np.inf, -1e300, -2.5, -1e-320, 0.0, 1e-320, 0.1, 7.0, 1e300, np.inf])
    keys = [int(key_of(metric)) for metric in metrics.tolist()]
    assert keys == sorted(set(keys))
    assert key_of(-0.0) == key_of(0.0)
