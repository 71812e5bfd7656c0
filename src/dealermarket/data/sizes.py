"""Laws of sizes from a log: the round numbers of a desk, or log-normal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from dealermarket.model.investors.sizes import LadderSize, LogNormalSize, OrderSize

Array = NDArray[Any]

MOST_RUNGS, ON_RUNGS, OFTEN = 30, 0.95, 5
"""A ladder has at most so many sizes; these, each of which came so often, are that share of all."""
OWN, PRIOR = 30, 20.0
"""Requests from which on a client has a log-normal law of its own; with how many of all clients' each one's ladder begins."""


def size_laws(member: Array, members: int, size: Array) -> tuple[list[OrderSize], str]:
    """The law of each member's sizes, and which kind it is and why; `member` (requests,) says whose each size is.

    Sizes that repeat lie on a grid, either as round numbers or because they are rounded: the law of the lesser BIC, as a law of
    cells of that grid, says which. Sizes that hardly repeat, or too many for a ladder, are log-normal. Who has few sizes takes
    them from all: weights are drawn towards the common ones, or the law is that of all."""
    values, places, counts = np.unique(size, return_inverse=True, return_counts=True)
    often = counts >= OFTEN
    if not often.any() or often.sum() > MOST_RUNGS or counts[often].sum() < ON_RUNGS * len(size):
        logs = np.log(size)
        fits = [(float(logs.mean()), float(logs.std()))]
        for number in range(members):
            mine = logs[member == number]
            fits.append(fits[0] if len(mine) < OWN else (float(mine.mean()), float(mine.std(ddof=1))))
        return _lognormal(fits[1:]), "sizes hardly repeat"
    rungs = values[often]
    nearest = np.argmin(np.abs(np.log(values)[:, np.newaxis] - np.log(rungs)), axis=1)[places]
    table = np.bincount(member * len(rungs) + nearest, minlength=members * len(rungs)).reshape(members, -1)
    many, total, cells = table.sum(axis=1) >= OWN, table.sum(axis=0), _cells(rungs)
    found = [*table[many], table[~many].sum(axis=0)]
    learned = [*table[many], total]  # who has few sizes has the law of all
    rounded = [_rounded_lognormal(count, rungs, cells) for count in learned]
    ladders = [count / count.sum() for count in learned]
    bic_of_ladder = sum(_bic(part, law, len(rungs) - 1) for part, law in zip(found, ladders, strict=True))
    bic = sum(_bic(part, _mass(fit, cells), 2) for part, fit in zip(found, rounded, strict=True))
    said = f"{len(rungs)} sizes are {100 * counts[often].sum() / len(size):.1f} % of all requests"
    if bic < bic_of_ladder:
        own = np.where(many, np.cumsum(many) - 1, len(rounded) - 1)
        return _lognormal(
            [rounded[number] for number in own]
        ), f"{said}, rounded ones: its BIC is {bic_of_ladder - bic:,.0f} less"
    weights = (table + PRIOR * ladders[-1]) / (table.sum(axis=1, keepdims=True) + PRIOR)
    laws: list[OrderSize] = [LadderSize(sizes=rungs.tolist(), weights=row.tolist()) for row in weights]
    return laws, f"{said}, and its BIC is {bic - bic_of_ladder:,.0f} less than that of log-normal ones"


def _lognormal(fits: list[tuple[float, float]]) -> list[OrderSize]:
    return [LogNormalSize(log_mean=mean, log_std=std) for mean, std in fits]


def _cells(rungs: Array) -> tuple[Array, Array]:
    """Where the cell of each size begins and ends, on the coarsest grid of 1, 2 or 5 times a power of ten on which all lie."""
    width = float(np.diff(rungs).min(initial=rungs[0]))
    for step in (digit * 10.0**power for power in range(12, -13, -1) for digit in (5, 2, 1)):
        scaled = rungs / step
        if scaled[0] > 0.5 and np.all(np.abs(scaled - np.round(scaled)) <= 1e-9 * scaled):
            width = step
            break
    below = rungs - 0.5 * width
    return np.where(below <= 0.5 * width * (1.0 + 1e-9), 0.0, below), rungs + 0.5 * width


def _mass(fit: tuple[float, float], cells: tuple[Array, Array]) -> Array:
    """The probability of each cell."""
    mean, std = fit
    with np.errstate(divide="ignore"):
        low, high = (special.ndtr((np.log(edge) - mean) / std) for edge in cells)
    return np.asarray(high - low)


def _rounded_lognormal(count: Array, rungs: Array, cells: tuple[Array, Array]) -> tuple[float, float]:
    """Mean and standard deviation of log size of the greatest likelihood of these counts of cells, (rungs,)."""
    logs = np.log(rungs)
    mean = float(np.average(logs, weights=count))
    std = max(float(np.sqrt(np.average((logs - mean) ** 2, weights=count))), 1e-3)

    def unlikely(parameters: Array) -> float:
        return _bic(count, _mass((float(parameters[0]), float(np.exp(parameters[1]))), cells), 0)

    begin = np.array([mean, np.log(std)])
    best = optimize.minimize(unlikely, begin, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-4, "maxiter": 200})
    return float(best.x[0]), float(np.exp(best.x[1]))


def _bic(count: Array, probability: Array, parameters: int) -> float:
    """Of a law of so many free parameters, from the counts of cells and their probabilities (Schwarz 1978)."""
    there = count > 0
    likelihood = float(count[there] @ np.log(np.maximum(probability[there], 1e-300)))
    return -2.0 * likelihood + parameters * float(np.log(max(count.sum(), 1)))
