"""Laws of sizes from a log: the round numbers of a desk, or log-normal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.investors.sizes import LadderSize, LogNormalSize, OrderSize

Array = NDArray[Any]

MOST_RUNGS, ON_RUNGS, OFTEN = 30, 0.95, 5
"""A ladder has at most so many sizes; these, each of which came so often, are that share of all."""
OWN, PRIOR = 30, 20.0
"""Requests from which on a client has a log-normal law of its own; with how many of all clients' each one's ladder begins."""


def size_laws(member: Array, members: int, size: Array) -> tuple[list[OrderSize], str]:
    """The law of each member's sizes, and which kind it is and why; `member` (requests,) says whose each size is.

    Sizes that repeat have no density, so a ladder has the greater likelihood wherever nearly all do; else they are log-normal.
    Who has few sizes takes them from all: weights are drawn towards the common ones, or the law is that of all."""
    values, places, counts = np.unique(size, return_inverse=True, return_counts=True)
    often = counts >= OFTEN
    if often.any() and often.sum() <= MOST_RUNGS and counts[often].sum() >= ON_RUNGS * len(size):
        rungs = values[often]
        nearest = np.argmin(np.abs(np.log(values)[:, np.newaxis] - np.log(rungs)), axis=1)[places]
        table = np.bincount(member * len(rungs) + nearest, minlength=members * len(rungs)).reshape(members, -1)
        common = table.sum(axis=0) / table.sum()
        weights = (table + PRIOR * common) / (table.sum(axis=1, keepdims=True) + PRIOR)
        laws: list[OrderSize] = [LadderSize(sizes=rungs.tolist(), weights=row.tolist()) for row in weights]
        return laws, f"{len(rungs)} sizes are {100 * counts[often].sum() / len(size):.1f} % of all requests"
    logs = np.log(size)
    everybody = LogNormalSize(log_mean=float(logs.mean()), log_std=float(logs.std()))
    own: list[OrderSize] = []
    for number in range(members):
        mine = logs[member == number]
        own.append(everybody if len(mine) < OWN else LogNormalSize(log_mean=float(mine.mean()), log_std=float(mine.std(ddof=1))))
    return own, "sizes hardly repeat"
