"""What is best for a dealer, read off the value of its inventories: quotes, how fast to hedge, and where it hedges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from dealermarket.control.dealer.chain import Array, Chain, ChainPolicy
from dealermarket.control.dealer.hamiltonians import best_hedging_rate
from dealermarket.errors import ParameterError
from dealermarket.values import real_numbers, short, within

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("dealer buys", "dealer sells")
"""The sides of quotes in this order: clients sell to the dealer, or buy from it."""


@dataclass(frozen=True, eq=False)
class Controls:
    """What a dealer does at its best, by inventory: quotes, and how fast it hedges. `Solution.controls` has them.

    Parameters
    ----------
    chain : Chain
        The problem on a grid of inventories.
    value : array, (nodes,)
        What each inventory of the grid is worth, bp M.

    """

    chain: Chain
    value: Array

    @cached_property
    def policy(self) -> ChainPolicy:
        """What is done at the nodes of the grid."""
        return self.chain.best_policy(self.value)

    @cached_property
    def _gain(self) -> tuple[Array, Array]:
        """Inventories (nodes + 1,) from 0, the middles between nodes and the largest, and what an M less of each gains, bp."""
        chain = self.chain
        gain = chain.gain_of_hedging(self.value)[1:]
        middles = chain.inventory[1:] - chain.step / 2
        last = gain[-1] + (gain[-1] - gain[-2]) / 2
        return np.concatenate([[0.0], middles, chain.inventory[-1:]]), np.concatenate([[0.0], gain, [last]])

    @cached_property
    def zone(self) -> float:
        """The inventory (M) up to which the dealer hedges nothing, the internalization zone: where |theta' + k q| reaches the
        linear cost, between nodes. The largest inventory where it never does."""
        inventory, gain = self._gain
        beyond = np.flatnonzero(gain > self.chain.problem.linear_cost)
        if not len(beyond):
            return float(inventory[-1])
        first = int(beyond[0])
        low, high = gain[first - 1], gain[first]
        share = (self.chain.problem.linear_cost - low) / (high - low)
        return float(inventory[first - 1] + share * (inventory[first] - inventory[first - 1]))

    def hedging_rate(self, inventory: ArrayLike) -> Array:
        """v*(q), M a day, at inventories (...): below 0, a sale, where the inventory is above. Raises ParameterError."""
        at = self._checked(inventory)
        return np.asarray(0.0 - np.sign(at) * self.pace(np.abs(at)))  # 0, never -0

    def pace(self, distance: Array) -> Array:
        """How fast an inventory so far from 0 (M, within the largest) is traded away, M a day."""
        problem = self.chain.problem
        return np.asarray(best_hedging_rate(np.interp(distance, *self._gain), problem.linear_cost, problem.quadratic_cost))

    def quotes(self, inventory: ArrayLike) -> Array:
        """Markups over the mid, bp, (..., 2, tiers, sizes), at inventories (...), M: those at which the dealer buys, then sells.

        NaN where a trade would carry the inventory beyond the largest. Raises ParameterError."""
        at = self._checked(inventory)
        tiers, sizes = self.chain.rates.shape
        return self.markup(at[..., None, None, None], *np.ogrid[:2, :tiers, :sizes])

    def markup(self, inventory: Array, side: Any, tier: Any, size: Any) -> Array:
        """The markup (bp) at inventories within the largest, for a side, a tier and a size by their numbers; all broadcast."""
        place = np.abs(inventory) / self.chain.step
        low = np.minimum(place.astype(int), self.chain.nodes - 2)
        share = place - low
        side = np.where(inventory < 0.0, 1 - side, side)
        below, above = (self.policy.markup[side, tier, size, node] for node in (low, low + 1))
        # at a node its neighbour has no weight, whether there is a quote or not
        return np.asarray(np.where(share == 0.0, below, np.where(share == 1.0, above, below + share * (above - below))))

    def spread(self, size: float, tier: int = 0, inventory: float = 0.0) -> float:
        """What a client pays from one side to the other, bp: both markups of a tier for a size. Raises ParameterError."""
        problem = self.chain.problem
        if size not in problem.sizes:
            raise ParameterError(f"size: must be one of {', '.join(f'{each:g}' for each in problem.sizes)}, got {short(size)}")
        if tier not in range(len(problem.tiers)):
            raise ParameterError(f"tier: must be 0 to {len(problem.tiers) - 1}, got {short(tier)}")
        return float(self.quotes(inventory)[:, tier, problem.sizes.index(size)].sum())

    def frame(self) -> pd.DataFrame:
        """A row an inventory of the grid (M, both sides): `value`, `hedging_rate`, and the markups by side, tier and size."""
        import pandas as pd

        nodes = self.chain.inventory
        at = np.concatenate([-nodes[:0:-1], nodes])
        columns = {"inventory": at, "value": np.interp(np.abs(at), nodes, self.value), "hedging_rate": self.hedging_rate(at)}
        quotes = self.quotes(at)
        for side, name in enumerate(("buys", "sells")):
            for tier in range(quotes.shape[2]):
                for number, size in enumerate(self.chain.problem.sizes):
                    columns[f"{name}_tier_{tier}_size_{size:g}"] = quotes[:, side, tier, number]
        return pd.DataFrame(columns)

    def _checked(self, inventory: ArrayLike) -> Array:
        """Inventories as an array. Raises ParameterError for what is none, or lies beyond the largest."""
        largest = self.chain.problem.largest_inventory
        try:
            at = np.asarray(real_numbers(inventory), dtype=np.float64)
        except TypeError as error:
            raise ParameterError(f"inventory: {error}") from None
        if not within(at, -largest, largest):
            raise ParameterError(f"inventory: must be from {-largest:g} to {largest:g} M, got {short(inventory)}")
        return at
