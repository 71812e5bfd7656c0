"""Climbing: looking in the unit cube for where a value is largest, with few evaluations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt
from dealermarket.questions.points import sobol_places

Array = NDArray[Any]

_START_RADIUS, _END_RADIUS = 0.1, 1e-3  # of the trust region


class Trial(NamedTuple):
    """A place, (fields,), the value there, and on how many replicas it was measured, 0 where that is not known."""

    place: Array
    value: float
    replicas: int = 0


def climb(value_of: Callable[[Array], float], start: Sequence[float] | Array, evaluations: int, seed: int = 0) -> list[Trial]:
    """The places that were tried, in order. Half of the evaluations goes to the start, the corners, if they are few, and a
    Sobol sequence. From the best of these on a local method asks, COBYQA (Ragonneau, Model-Based Derivative-Free Optimization
    Methods and Software, thesis, 2022, arXiv 2210.12018), and again from the next best while evaluations are left: each time
    with three quarters of these at most.

    Where the value is NaN, nothing is best."""
    from scipy.optimize import Bounds, minimize

    fields, trials = len(start), list[Trial]()

    def loss(place: Array) -> float:
        interrupt.check()
        place = np.clip(place, 0.0, 1.0)
        value = value_of(place)
        trials.append(Trial(place, value))
        return math.inf if math.isnan(value) else -value

    explored = max(evaluations // 2, 1)
    corners = list(itertools.product((0.0, 1.0), repeat=fields)) if 2**fields <= explored // 2 else []
    starts = [np.asarray(start), *map(np.array, corners), *sobol_places(fields, explored - len(corners), seed)]
    starts.sort(key=loss)  # equal ones stay in their order
    cube = Bounds(np.zeros(fields), np.ones(fields))
    for place in starts:
        left, least = evaluations - len(trials), 2 * fields + 1
        if left < least:  # fewer tell COBYQA nothing
            break
        options: Any = {"maxfev": max(3 * left // 4, least), "initial_tr_radius": _START_RADIUS, "final_tr_radius": _END_RADIUS}
        minimize(loss, place, method="COBYQA", bounds=cube, options=options)
    return trials


def best_of(trials: Sequence[Trial]) -> Trial:
    """The first of the highest values."""
    return max(trials, key=lambda trial: -math.inf if math.isnan(trial.value) else trial.value)
