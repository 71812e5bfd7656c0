"""The optimal hedging schedule for any cost curve, by dynamic programming.

Minimises E + gamma sqrt(Var) with E = sum x_k c(|z| x_k) and Var = s^2 sum_{k < H-1} y_k^2 (section 3.3, eq. 7). Since
sqrt(V) = min over tau of (V / tau + tau) / 2, the problem is, for each tau, a sum over the steps in the fraction left
y_k alone, which dynamic programming solves on a grid for any curve, convex or not, such as the envelope of several
makers' quotes. The best path is then refined on grids that close in on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.makers.hedging.base import ROUNDING

Floats = NDArray[np.float64]

_COARSE_POINTS = 240  # grid points over the whole position, about; a multiple of the horizon
_FINE_POINTS = 17  # grid points a step around the best path so far
_TAUS = 40
_SHRINK = 0.6
_SMALLEST_WIDTH = 1e-9


def optimal_schedule(
    size: float, cost: Callable[[Floats], Floats], risk_per_step: float, horizon: int, largest: float = np.inf
) -> Floats:
    """Fractions of `size` to trade in each of `horizon` steps, shape (horizon,); see AlmgrenChriss.schedule.

    `risk_per_step` is gamma s, price units. Deterministic; raises ParameterError if the cost is not a number.
    """
    if size == 0:
        return np.zeros(horizon)
    most = min(largest / size, 1.0)
    if most * horizon <= 1.0 + ROUNDING:
        return np.full(horizon, min(most, 1.0 / horizon))
    if horizon == 1:
        return np.ones(1)

    def step_cost(fraction: Floats) -> Floats:
        """Cost x c(|z| x) for each fraction; 0 at 0, inf where the trade is too large or would be the wrong way."""
        allowed = (fraction > 0) & (fraction <= most * (1 + ROUNDING))
        value = np.where(fraction == 0, 0.0, np.inf)
        value[allowed] = fraction[allowed] * checked_cost(cost(size * fraction[allowed]))
        return value

    path = _coarse_path(step_cost, risk_per_step, horizon)
    path = _refined_path(path, step_cost, risk_per_step, 2.0 / _COARSE_POINTS)
    if path[1] == 0.0:
        # All at once is a kink of the objective that grids do not leave: try to hold a little back for one step.
        for held in np.geomspace(0.5 / _COARSE_POINTS, 1e-6, 12):
            other = path.copy()
            other[1] = held
            if _objective(other, step_cost, risk_per_step) < _objective(path, step_cost, risk_per_step):
                path = _refined_path(other, step_cost, risk_per_step, held)
                break
    return path[:-1] - path[1:]


def checked_cost(costs: Floats) -> Floats:
    """What a cost curve returned. Raises ParameterError unless all of it are numbers."""
    if np.isnan(costs).any():
        raise ParameterError("cost: must return a number for every size that can trade, got NaN")
    return costs


def _objective(path: Floats, step_cost: Callable[[Floats], Floats], risk_per_step: float) -> float:
    return float(step_cost(-np.diff(path)).sum() + risk_per_step * np.sqrt(np.sum(path[1:-1] ** 2)))


def _coarse_path(step_cost: Callable[[Floats], Floats], risk_per_step: float, horizon: int) -> Floats:
    """The best path y on one uniform grid, from 1 at index 0 to 0 at index `horizon`, over a range of tau."""
    points = horizon * round(_COARSE_POINTS / horizon) if horizon <= _COARSE_POINTS else _COARSE_POINTS
    grid = np.linspace(0.0, 1.0, points + 1)
    trade = grid[:, None] - grid[None, :]  # from y (row) to a smaller y (column)
    trade[np.abs(trade) < 1e-12] = 0.0
    move_cost = step_cost(trade)
    # tau = sqrt(sum y_k^2): from a first trade that leaves almost nothing to the slowest path
    taus = np.geomspace(0.5 / points, np.sqrt(horizon), _TAUS) if risk_per_step > 0 else np.ones(1)
    best = np.linspace(1.0, 0.0, horizon + 1)
    best_value = _objective(best, step_cost, risk_per_step)
    for tau in taus:
        risk = 0.5 * risk_per_step / tau * grid**2
        index = _cheapest([move_cost] * horizon, [risk] * horizon, points)
        path = np.append(grid[index], 0.0)
        path_value = _objective(path, step_cost, risk_per_step)
        if path_value < best_value:
            best, best_value = path, path_value
    return best


def _refined_path(path: Floats, step_cost: Callable[[Floats], Floats], risk_per_step: float, width: float) -> Floats:
    """The path improved on grids around it, of half-width `width` and then narrower; it never gets worse."""
    horizon = len(path) - 1
    offsets = np.linspace(-1.0, 1.0, _FINE_POINTS)
    best_value = _objective(path, step_cost, risk_per_step)
    while width > _SMALLEST_WIDTH:
        tau = np.sqrt(np.sum(path[1:-1] ** 2))
        weight = 0.5 * risk_per_step / tau if tau > 0 else np.inf
        levels = np.clip(path[:, None] + width * offsets, 0.0, 1.0)
        levels[0], levels[-1] = 1.0, 0.0
        risk = np.where(levels > 0, np.minimum(weight, 1e300) * levels**2, 0.0)
        moves = step_cost(levels[:-1, :, None] - levels[1:, None, :])
        index = _cheapest(list(moves), list(risk), 0)
        candidate = np.append(levels[np.arange(horizon), index], 0.0)
        candidate_value = _objective(candidate, step_cost, risk_per_step)
        if candidate_value < best_value - 1e-15 * abs(best_value):
            path, best_value = candidate, candidate_value
        else:
            width *= _SHRINK
    return path


def _cheapest(moves: list[Floats], risk: list[Floats], start: int) -> list[int]:
    """Dynamic programming: the indices of the cheapest path over the steps' levels, from `start` to level 0 at the end.

    `moves[k]` is the cost of going from a level of step k (row) to one of step k + 1 (column), `risk[k]` that of being at a
    level of step k.
    """
    value, choices = moves[-1][:, 0], []
    for k in range(len(moves) - 2, -1, -1):
        total = moves[k] + (risk[k + 1] + value)[None, :]
        choice = np.argmin(total, axis=1)
        value = np.take_along_axis(total, choice[:, None], axis=1)[:, 0]
        choices.append(choice)
    index = [start]
    for choice in reversed(choices):
        index.append(int(choice[index[-1]]))
    return index
