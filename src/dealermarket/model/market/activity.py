"""The profile of a day: how much more often than on average investors trade at some time of it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, Field


def _some_above_zero(weights: tuple[float, ...]) -> tuple[float, ...]:
    if weights and not any(weights):
        raise ValueError("must hold a weight above 0, got none; [] for the same activity all day")
    return weights


Weight = Annotated[float, Field(ge=0, le=1e15)]
Activity = Annotated[tuple[Weight, ...], Field(strict=False, max_length=86_400), AfterValidator(_some_above_zero)]
"""Weights of equal parts of a day, such as 24 for its hours; none: the same all day."""


def factors_of(weights: tuple[float, ...]) -> NDArray[np.float64]:
    """Each part's activity over that of the day, (parts,), 1 in the mean."""
    return np.asarray(np.array(weights) / np.mean(weights))


def factors_at(weights: tuple[float, ...], step: ArrayLike, steps_per_day: int) -> NDArray[np.float64]:
    """By what the probability to trade is multiplied in steps of these numbers, shape of `step`; step 0 begins a day.

    The mean of the factors of the parts over the time that the step takes, so that its mean over a day is 1, whatever the
    numbers of parts and steps. 1 without weights."""
    of_day = np.asarray(step, dtype=np.int64) % steps_per_day
    if not weights:
        return np.ones(of_day.shape)
    factors, parts = factors_of(weights), len(weights)
    first, last = of_day * parts // steps_per_day, ((of_day + 1) * parts - 1) // steps_per_day
    until = np.concatenate([[0.0], np.cumsum(factors)])
    begin, end = (np.interp((of_day + later) * (parts / steps_per_day), np.arange(parts + 1), until) for later in (0, 1))
    return np.where(first == last, factors[first], (end - begin) * (steps_per_day / parts))
