"""Intervals from one stretch of time: a bootstrap that draws blocks of time, not requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import FEWEST_RUNS, LEVEL, Estimate
from dealermarket.runs.orders import sums_by_cell
from dealermarket.runs.statistics import quotient

Array = NDArray[Any]

MOST_BLOCKS = 100
LEAST_HORIZONS = 2
"""A block is at least so many times as long as the longest horizon of a markout."""
RESAMPLES, SEED = 1000, 0
_TOGETHER = 4096  # groups


@dataclass(frozen=True, eq=False)
class Blocks:
    """Requests in blocks of time of one length, which are drawn whole, with replacement (Künsch 1989; Carlstein 1986).

    Markouts of requests that are less than a horizon apart share moves of the mid, and busy or volatile hours come together, so
    that requests are not independent; stretches of time that are long beside a horizon nearly are. The time from the first
    request to the last is cut into 100 blocks, or into fewer, each of twice the longest horizon."""

    of: Array  # (requests,) the block of each
    steps: int  # of a block
    weights: Array  # (RESAMPLES, blocks) how often each block is in a resample

    @classmethod
    def cut(cls, place: Array, longest: int) -> Blocks:
        """Of requests at these places (requests,) in a recording, whose markouts go `longest` steps far."""
        since = place - place.min()
        span = int(since.max()) + 1
        steps = max(-(-span // MOST_BLOCKS), LEAST_HORIZONS * longest)
        count = -(-span // steps)
        rng = np.random.default_rng(SEED)
        return cls(since // steps, steps, rng.multinomial(count, np.full(count, 1.0 / count), RESAMPLES).astype(np.float64))

    def __len__(self) -> int:
        return int(self.weights.shape[1])

    def ratio(self, member: Array, groups: int, part: Array, whole: Array) -> Estimate:
        """The sum of `part` over that of `whole`, each (requests,), by group, (groups,), with its 95 % interval: the middle 95 %
        of the resamples, a little wider. `member` (requests,) says in which group each request is.

        NaN where the whole is 0, and intervals of groups that are in fewer than ten blocks."""
        shape, index = (len(self), groups), (self.of, member)
        parts, wholes = sums_by_cell(shape, index, part), sums_by_cell(shape, index, whole)
        value = quotient(parts.sum(axis=0), wholes.sum(axis=0))
        present = np.count_nonzero(wholes, axis=0)
        told = present >= FEWEST_RUNS
        error, low, high = (np.full(groups, np.nan) for _ in range(3))
        for these in np.array_split(np.flatnonzero(told), -(-int(told.sum()) // _TOGETHER) or 1):
            drawn_part, drawn_whole = self.weights @ parts[:, these], self.weights @ wholes[:, these]
            drawn = np.where(drawn_whole > 0, drawn_part / np.where(drawn_whole > 0, drawn_whole, 1.0), value[these])
            error[these] = drawn.std(axis=0)
            ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
            low[these], high[these] = value[these] + _widening(present[these]) * (ends - value[these])
        return Estimate(value, error, low, high)


def _widening(blocks: Array) -> Array:
    """By what the percentiles of resamples of so many blocks are too near: Student's quantile over the normal one, and the
    variance of n things over that of n - 1 (Hesterberg, What teachers should know about the bootstrap, 2015)."""
    from scipy.special import ndtri, stdtrit

    quantile = (1 + LEVEL) / 2
    return np.asarray(stdtrit(blocks - 1, quantile) / ndtri(quantile) * np.sqrt(blocks / (blocks - 1)))
