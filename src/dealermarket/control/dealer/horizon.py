"""Until an end: the dealer's problem for a number of days, backwards in time by implicit Euler steps.

0 = d_t theta - (gamma/2) sigma^2 q^2 + clients + hedging, theta = 0 at the end: arXiv 2106.06974, section 3. In each step the
policy is improved until it is the best for the value that it leads to, so that steps may be long; errors are in
proportion to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dealermarket.control.dealer.chain import Array, Chain, solved
from dealermarket.control.dealer.controls import Controls
from dealermarket.control.dealer.ergodic import grids
from dealermarket.control.dealer.problem import DealerProblem
from dealermarket.errors import ParameterError
from dealermarket.values import short, whole_number

MOST_TIMES = 100_000
_MOST_ITERATIONS = 30
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class HorizonSolution:
    """The solution of a problem that ends, as `solve_horizon` finds it.

    Parameters
    ----------
    chain : Chain
        The problem on a grid of inventories.
    times : array, (times,)
        Days from the start, up to the end.
    values : array, (times, nodes)
        What each inventory of the grid is worth at each time, bp M.

    """

    chain: Chain
    times: Array
    values: Array

    @property
    def value(self) -> float:
        """Of the whole problem, bp M, for a dealer that starts without inventory."""
        return float(self.values[0, 0])

    def controls(self, time: float) -> Controls:
        """What is best at a time, days from the start. Raises ParameterError."""
        end = float(self.times[-1])
        if isinstance(time, bool) or not isinstance(time, (int, float)) or not 0.0 <= time <= end:
            raise ParameterError(f"time: must be from 0 to {end:g} days, got {short(time)}")
        after = min(int(np.searchsorted(self.times, time, side="right")), len(self.times) - 1)
        share = (time - self.times[after - 1]) / (self.times[after] - self.times[after - 1])
        return Controls(self.chain, (1.0 - share) * self.values[after - 1] + share * self.values[after])


def solve_horizon(problem: DealerProblem, days: float, times: int = 100, step: float | None = None) -> HorizonSolution:
    """The solution of a problem that ends after some days.

    Parameters
    ----------
    problem : DealerProblem
        What is solved.
    days : float
        When it ends, days.
    times : int, default 100
        In how many steps of time, at most 100,000; errors are in proportion to their length.
    step : float, optional
        The largest distance of inventories on the grid, M; half of the smallest size if not given.

    Returns
    -------
    HorizonSolution
        The value of each inventory at each time, and the best controls.

    Raises
    ------
    ParameterError
        If one of these is not allowed, or the step gives too many inventories.

    References
    ----------
    Barzykin, Bergault and Guéant (2021), arXiv 2106.06974, section 3.

    """
    if isinstance(days, bool) or not isinstance(days, (int, float)) or not 0.0 < days < math.inf:
        raise ParameterError(f"days: must be a number above 0, got {short(days)}")
    whole_number("times", times, 1, MOST_TIMES)
    chain = Chain(problem, grids(problem, problem.sizes[0] / 2 if step is None else step)[-1])
    values = np.zeros((times + 1, chain.nodes))
    for n in range(times - 1, -1, -1):
        values[n] = _before(chain, values[n + 1], times / days)
    return HorizonSolution(chain, np.linspace(0.0, days, times + 1), values)


def _before(chain: Chain, after: Array, pace: float) -> Array:
    """The value one step of time earlier; `pace` is the number of steps a day."""
    value = after
    for _ in range(_MOST_ITERATIONS):
        policy = chain.best_policy(value)
        better = solved(chain.generator(policy, pace), -chain.reward(policy) - pace * after)
        moved, value = float(np.max(np.abs(better - value))), better
        if moved <= _TOLERANCE * float(np.max(np.abs(value))):
            break
    return value
