"""The long run: the policy with the largest mean reward a day, by policy iteration on ever finer grids.

0 = -c - (gamma/2) sigma^2 q^2 + sum z lambda(z) [H((theta(q) - theta(q+z))/z) + H((theta(q) - theta(q-z))/z)] + HH(theta' + k q)

with the largest mean c and the relative value theta: arXiv 2106.06974, section 3, far from the horizon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dealermarket.control.dealer.chain import Array, Chain
from dealermarket.control.dealer.controls import Controls
from dealermarket.control.dealer.long_run import LongRun
from dealermarket.control.dealer.problem import DealerProblem
from dealermarket.errors import DealerMarketError, ParameterError
from dealermarket.values import short

FINEST = 4
"""The steps that the smallest size has on the grid if no step is given."""

_MOST_ITERATIONS = 60
_TOLERANCE = 1e-6  # of the value: where all that is left moves as slowly as policies start anew, steps before were squared


@dataclass(frozen=True, eq=False)
class Solution:
    """The solution of a problem in the long run, as `solve` finds it.

    Parameters
    ----------
    problem : DealerProblem
        What was solved.
    constant : float
        The largest mean of P&L less the penalty for risk, bp M a day.
    controls : Controls
        What is best, as functions of the inventory.
    iterations : int
        How often a policy was improved, on all grids.

    """

    problem: DealerProblem
    constant: float
    controls: Controls
    iterations: int

    @cached_property
    def long_run(self) -> LongRun:
        """What comes of it in the long run."""
        return LongRun(self.controls.chain, self.controls.policy)


def solve(problem: DealerProblem, step: float | None = None) -> Solution:
    """The solution of a problem in the long run, in a fraction of a second.

    Parameters
    ----------
    problem : DealerProblem
        What is solved.
    step : float, optional
        The largest distance of inventories on the grid, M; the smallest size divided by 4 if not given. Errors are in
        proportion to it.

    Returns
    -------
    Solution
        The best controls, and what comes of them.

    Raises
    ------
    ParameterError
        If the step is no number above 0, or gives too many inventories.

    References
    ----------
    Barzykin, Bergault and Guéant (2021), arXiv 2106.06974, section 3, far from the horizon.

    """
    chain = Chain(problem, problem.common_step)
    constant, value, iterations = _improved(chain, np.zeros(chain.nodes))
    for finer in grids(problem, step)[1:]:
        if not chain.best_policy(value).hedging.any():
            break  # nobody is ever between the inventories that clients' trades lead to
        chain = Chain(problem, finer)
        constant, value, more = _improved(chain, between(value))
        iterations += more
    return Solution(problem, constant, Controls(chain, value), iterations)


def grids(problem: DealerProblem, step: float | None = None) -> list[float]:
    """The steps of the grids, each half of the one before, from the common step of the sizes: there all inventories meet.

    Raises ParameterError for a step that is none."""
    if step is None:
        step = problem.sizes[0] / FINEST
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0.0 < step < math.inf:
        raise ParameterError(f"step: must be a number of M above 0, got {short(step)}")
    coarsest = problem.common_step
    halvings = max(math.ceil(math.log2(coarsest / step) - 1e-9), 0)
    Chain(problem, coarsest / 2**halvings)  # refuses one that is too fine before anything is solved
    return [coarsest / 2**n for n in range(halvings + 1)]


def between(value: Array) -> Array:
    """An even function's values on a grid of half the step, (2 nodes - 1,), of those at its nodes (nodes,), three at least, by
    cubic polynomials: no kink is left where policies are slow to forget one."""
    finer = np.empty(2 * len(value) - 1)
    finer[::2] = value
    beyond = 3.0 * (value[-1] - value[-2]) + value[-3]  # of a parabola
    around = np.concatenate([[value[1]], value, [beyond]])
    finer[1::2] = (9.0 * (around[1:-2] + around[2:-1]) - around[:-3] - around[3:]) / 16.0
    return finer


def _improved(chain: Chain, value: Array) -> tuple[float, Array, int]:
    """The best mean, its relative value, and how often the policy was improved (Howard, 1960)."""
    for iteration in range(_MOST_ITERATIONS):
        policy = chain.best_policy(value)
        mean, better = chain.average(policy, chain.reward(policy), value)
        moved, value = float(np.max(np.abs(better - value))), better
        if moved <= _TOLERANCE * float(np.max(np.abs(value))):
            return mean, value, iteration + 1
    raise DealerMarketError(
        f"step: at {chain.step:g} M no policy was the best after {_MOST_ITERATIONS} improvements; try another step"
    )
