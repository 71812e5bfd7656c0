"""The dealer's problem on a grid of inventories: a controlled Markov chain, and the linear equations of its policies.

Everything is alike on both sides, so the grid has inventories q >= 0 alone: a trade that would cross 0 comes out as far from it
on the other side. Hedging moves the chain one node towards 0 (an upwind difference), so that whatever the policy its rates are
those of a Markov chain. Such a scheme is monotone and converges to the viscosity solution of the equation (Barles and
Souganidis, 1991, Asymptotic Analysis 4). Central differences are no such chain, and wobble.

Equations are sparse, for a trade leads to one node; SciPy's sparse solver takes milliseconds. (Its banded one is no faster where
others use the same processor: the threads of BLAS wait for each other.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dealermarket.control.dealer.hamiltonians import best_hedging_rate, best_quote, hedging_cost
from dealermarket.control.dealer.problem import DealerProblem
from dealermarket.errors import ParameterError

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Array = NDArray[np.float64]
EVEN, ODD = 1, -1

MOST_NODES = 20_000
"""Of a grid: more would take minutes."""

RETIREMENT = 1e-6
"""How often a policy is thought to start anew from what is known, as a share of the requests: about once in a year.

Without it, inventories between those that clients' trades lead to would belong to chains that meet the others only where the
dealer hedges, perhaps once in more years than numbers hold; of such equations nothing but noise would come. It moves means by
a few millionths."""


@dataclass(frozen=True, eq=False)
class ChainPolicy:
    """What is done at a node: `markup` (bp, NaN without a quote) and `trades` (requests filled a day), (2, tiers, sizes, nodes),
    where the dealer buys on side 0; and `hedging` (nodes,), M a day towards 0."""

    markup: Array
    trades: Array
    hedging: Array


class Chain:
    """A problem on inventories 0, step, 2 step and on, `inventory` (nodes,), M."""

    def __init__(self, problem: DealerProblem, step: float) -> None:
        nodes = round(problem.largest_inventory / step) + 1
        if nodes > MOST_NODES:
            raise ParameterError(
                f"step: {step:g} M gives {nodes:,} inventories up to {problem.largest_inventory:g} M, at most {MOST_NODES:,} "
                "can be solved; give a larger step, sizes with a larger common step, or a smaller largest_inventory"
            )
        self.problem, self.step, self.nodes = problem, step, nodes
        self.inventory: Array = np.arange(nodes, dtype=np.float64) * step
        self.sizes: Array = np.array(problem.sizes)
        self.jumps = [round(size / step) for size in problem.sizes]
        self.rates: Array = np.array([tier.rates for tier in problem.tiers])  # (tiers, sizes)
        self.retirement = RETIREMENT * 2.0 * float(self.rates.sum())
        here, jumps = np.arange(nodes), np.array(self.jumps)[:, None]
        self.targets = np.stack([here + jumps, np.abs(here - jumps)])  # (2, sizes, nodes)
        self.allowed = self.targets < nodes
        self.targets[~self.allowed] = 0

    # --- what is best where inventories are worth something

    def gain_of_hedging(self, value: Array) -> Array:
        """What each M less of inventory gains, bp, (nodes,): between each node and the one before; 0 at the first.

        That is -(d theta/dq + k q): of the value, and of the impact on the mid of what is held meanwhile."""
        middle = self.inventory[1:] - self.step / 2
        return np.concatenate([[0.0], -np.diff(value) / self.step - self.problem.impact * middle])

    def best_policy(self, value: Array) -> ChainPolicy:
        """The best that can be done at each node, where inventories have a `value` (nodes,), bp M."""
        problem = self.problem
        price = np.where(self.allowed, value - value[self.targets], 0.0) / self.sizes[:, None]
        a, b = (np.array([getattr(tier, name) for tier in problem.tiers])[:, None, None] for name in ("a", "b"))
        markup, fill, _ = best_quote(price[:, None], a, b)
        allowed = self.allowed[:, None]
        gain = self.gain_of_hedging(value)
        return ChainPolicy(
            markup=np.where(allowed, markup, np.nan),
            trades=self.rates[:, :, None] * np.where(allowed, fill, 0.0),
            hedging=best_hedging_rate(gain, problem.linear_cost, problem.quadratic_cost),
        )

    # --- what comes of a policy

    def spread_income(self, policy: ChainPolicy) -> Array:
        """From clients, bp M a day, (nodes,)."""
        income = policy.trades * np.nan_to_num(policy.markup) * self.sizes[:, None]
        return np.asarray(income.sum(axis=(0, 1, 2)))

    def hedging_expense(self, policy: ChainPolicy) -> Array:
        """Costs of hedging, and what its impact on the mid takes from the inventory, bp M a day, (nodes,)."""
        problem, v = self.problem, policy.hedging
        impact = problem.impact * v * (self.inventory - self.step / 2)
        return np.asarray(hedging_cost(v, problem.linear_cost, problem.quadratic_cost) + impact)

    def mean_pnl(self, policy: ChainPolicy) -> Array:
        """What is earned on average, bp M a day, (nodes,)."""
        return self.spread_income(policy) - self.hedging_expense(policy)

    def variance(self) -> Array:
        """Of the inventory's value, (bp M)^2 a day, (nodes,)."""
        return np.asarray((self.problem.volatility * self.inventory) ** 2)

    def reward(self, policy: ChainPolicy) -> Array:
        """Mean P&L less the penalty for risk, bp M a day, (nodes,)."""
        return self.mean_pnl(policy) - 0.5 * self.problem.risk_aversion * self.variance()

    def generator(self, policy: ChainPolicy, discount: float, parity: int = EVEN) -> csc_array:
        """A - discount, (nodes, nodes), where A are the chain's rates a day, for even or odd functions of the inventory."""
        from scipy.sparse import csc_array

        here = np.arange(self.nodes)
        flows = policy.trades.sum(axis=1)  # (2, sizes, nodes)
        crossing = np.array(self.jumps)[:, None] > here
        to_other_side = np.stack([np.ones_like(crossing, np.float64), np.where(crossing, parity, 1)])
        hedged = np.concatenate([[0.0], policy.hedging[1:] / self.step])
        left = flows.sum(axis=(0, 1)) + hedged + discount
        rows = np.concatenate([np.broadcast_to(here, flows.shape).ravel(), here[1:], here])
        columns = np.concatenate([self.targets.ravel(), here[:-1], here])
        entries = np.concatenate([(to_other_side * flows).ravel(), hedged[1:], -left])
        return csc_array((entries, (rows, columns)), shape=(self.nodes, self.nodes))

    def average(self, policy: ChainPolicy, reward: Array, guess: Array) -> tuple[float, Array]:
        """The long-run mean of a reward (nodes,) under a policy, and the relative value (nodes,), 0 without inventory, that makes
        reward + A value = mean; `guess` is what the value is near."""
        matrix = self.generator(policy, self.retirement)
        known = -reward - self.retirement * guess
        solved = without_nothing(matrix, np.stack([np.ones(self.nodes), known], axis=1))
        from_nothing = matrix[[0], :].toarray()[0]
        mean = (reward[0] + from_nothing @ solved[:, 1]) / (1.0 - from_nothing @ solved[:, 0])
        return float(mean), mean * solved[:, 0] + solved[:, 1]

    def occupation(self, policy: ChainPolicy) -> Array:
        """The long-run probability of each node, (nodes,), of a dealer that starts without inventory."""
        matrix = self.generator(policy, self.retirement)
        found = without_nothing(matrix.T.tocsc(), -matrix[[0], :].toarray()[0])
        found[0] = 1.0
        return np.asarray(found / found.sum())


def solved(matrix: csc_array, right: Array) -> Array:
    """The unknowns of sparse equations for one or several right-hand sides (nodes, ...)."""
    from scipy.sparse.linalg import splu

    return np.asarray(splu(matrix).solve(right))


def without_nothing(matrix: csc_array, right: Array) -> Array:
    """The unknowns of the equations of all nodes but the first, where they are 0; (nodes, ...)."""
    rest = solved(matrix[1:, 1:].tocsc(), right[1:])
    return np.concatenate([np.zeros_like(rest[:1]), rest])
