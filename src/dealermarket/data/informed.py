"""How often clients know where the price goes: the probability of an oracle, from the mids after all of their requests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dealermarket.estimates import LEVEL, Estimate

Array = NDArray[Any]

_GRID = np.linspace(0.0, 1.0, 1001)


def oracle_probabilities(client: Array, clients: int, side: Array, move: Array) -> tuple[Estimate, Array]:
    """Each client's probability p of asking an oracle, (clients,), with its 95 % interval; and that of buying without one.

    `side` (requests,) and the `move` of the mid over the reward horizon after each, won or not: those won are the requests that
    the desk priced too well (the winner's curse). Given a move, a side agrees with it with probability p + (1 - p) q, where q is
    that of a side without an oracle: b where the mid rises, 1 - b where it falls. Greatest likelihood, intervals by likelihood
    ratio; b from the share of buyers that p leaves unexplained. Moves of 0, or NaN where no mid is known, tell nothing."""
    told = np.isfinite(move) & (move != 0)
    counts = np.zeros((2, 2, clients))  # rises?, agrees?
    rises, agrees = (move[told] > 0).astype(int), (np.sign(move[told]) == side[told]).astype(int)
    np.add.at(counts, (rises, agrees, client[told]), 1.0)
    total = np.maximum(counts.sum(axis=(0, 1)), 1.0)
    buys = (counts[1, 1] + counts[0, 0]) / total
    up = counts[1].sum(axis=0) / total
    buyer = np.full(clients, 0.5)
    for _ in range(5):
        likelihood = _likelihood(counts, buyer)
        best = _GRID[np.argmax(likelihood, axis=0)]
        buyer = np.clip((buys - best * up) / np.maximum(1.0 - best, 1e-9), 0.01, 0.99)
        sure = np.sqrt(0.25 / total) * stats.norm.ppf((1.0 + LEVEL) / 2.0) / np.maximum(1.0 - best, 0.05)
        buyer = np.where(np.abs(buyer - 0.5) < sure, 0.5, buyer)  # an even coin unless the requests say otherwise
    likelihood = _likelihood(counts, buyer)
    best = np.argmax(likelihood, axis=0)
    near = likelihood >= likelihood.max(axis=0) - 0.5 * stats.chi2.ppf(LEVEL, 1)
    low, high = _GRID[np.argmax(near, axis=0)], _GRID[len(_GRID) - 1 - np.argmax(near[::-1], axis=0)]
    return Estimate(_GRID[best], (high - low) / (2.0 * stats.norm.ppf((1.0 + LEVEL) / 2.0)), low, high), buyer


def _likelihood(counts: Array, buyer: Array) -> Array:
    """The logarithm of the likelihood of every p of the grid, (grid, clients)."""
    p = _GRID[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = []
        for rises, q in ((1, buyer), (0, 1.0 - buyer)):
            for agrees, chance in ((1, p + (1.0 - p) * q), (0, (1.0 - p) * (1.0 - q))):
                terms.append(np.where(counts[rises, agrees] > 0, counts[rises, agrees] * np.log(chance), 0.0))
        return np.asarray(sum(terms))
