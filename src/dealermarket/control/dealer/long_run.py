"""What comes of a policy in the long run: the law of the inventory, volumes, P&L with its risk, and how long risk is held."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.control.dealer.chain import ODD, Array, Chain, ChainPolicy, without_nothing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LongRun:
    """The stationary process under a policy: inventory, volumes, P&L and its risk. `Solution.long_run` has it.

    Parameters
    ----------
    chain : Chain
        The problem on a grid of inventories.
    policy : ChainPolicy
        What is done at each inventory of the grid.

    """

    chain: Chain
    policy: ChainPolicy

    @cached_property
    def probability(self) -> Array:
        """Of each |inventory| on the grid, (nodes,): half of it on either side."""
        return self.chain.occupation(self.policy)

    def frame(self) -> pd.DataFrame:
        """The law of the inventory: a row an `inventory` of the grid (M, both sides) with its `probability`."""
        import pandas as pd

        nodes, half = self.chain.inventory, self.probability[1:] / 2.0
        both = np.concatenate([half[::-1], self.probability[:1], half])
        return pd.DataFrame({"inventory": np.concatenate([-nodes[:0:-1], nodes]), "probability": both})

    def _mean(self, values: Array) -> float:
        return float(self.probability @ values)

    @cached_property
    def client_volume(self) -> Array:
        """What clients trade, M a day, (tiers, sizes)."""
        volume = self.policy.trades.sum(axis=0) * self.chain.sizes[:, None]
        return np.asarray(volume @ self.probability)

    @cached_property
    def hedged_volume(self) -> float:
        """What is hedged, M a day."""
        return self._mean(self.policy.hedging)

    @property
    def tier_shares(self) -> Array:
        """Shares of clients' volume by tier, (tiers,)."""
        return np.asarray(self.client_volume.sum(axis=1) / self.client_volume.sum())

    @property
    def external_share(self) -> float:
        """What is hedged, as a share of all that is traded, with clients or as a hedge."""
        return float(self.hedged_volume / (self.client_volume.sum() + self.hedged_volume))

    @cached_property
    def mean_pnl(self) -> float:
        """Mean P&L, bp M a day."""
        return self._mean(self.chain.mean_pnl(self.policy))

    @cached_property
    def spread_income(self) -> float:
        """From clients, bp M a day."""
        return self._mean(self.chain.spread_income(self.policy))

    @cached_property
    def hedging_expense(self) -> float:
        """Costs and impact of hedging, bp M a day."""
        return self._mean(self.chain.hedging_expense(self.policy))

    @cached_property
    def inventory_risk(self) -> float:
        """The standard deviation of what the mid does to the inventory's value, bp M per square root of a day."""
        return float(np.sqrt(self._mean(self.chain.variance())))

    @cached_property
    def inventory_sd(self) -> float:
        """The standard deviation of the inventory, M."""
        return self.inventory_risk / self.chain.problem.volatility

    @cached_property
    def mean_inventory(self) -> float:
        """The mean of |inventory|, M."""
        return self._mean(self.chain.inventory)

    @cached_property
    def sd_pnl(self) -> float:
        """The standard deviation of P&L, bp M per square root of a day, over times long against those for which risk is held.

        By what the mid does, and by when clients come: their part is that of the martingale of the Poisson equation
        mean P&L + A u = its average, with a jump of markup z + u(after) - u(before) at each trade."""
        chain, policy = self.chain, self.policy
        _, relative = chain.average(policy, chain.mean_pnl(policy), np.zeros(chain.nodes))
        gained = np.nan_to_num(policy.markup) * chain.sizes[:, None] + (relative[chain.targets] - relative)[:, None]
        by_clients = (policy.trades * gained**2).sum(axis=(0, 1, 2))
        return float(np.sqrt(self.inventory_risk**2 + self._mean(by_clients)))

    @cached_property
    def holding_time(self) -> float:
        """How long a M that is taken on is held until it is netted with clients or hedged, on average, days: by Little's law, the
        mean |inventory| over half of the turnover (what Butz and Oomen, 2019, Quantitative Finance 19, ask for)."""
        return self.mean_inventory / (0.5 * (float(self.client_volume.sum()) + self.hedged_volume))

    @cached_property
    def memory(self) -> float:
        """How long inventories are alike, days: the integral of the autocorrelation of the inventory."""
        chain = self.chain
        ahead = without_nothing(chain.generator(self.policy, chain.retirement, ODD), -chain.inventory)
        return self._mean(chain.inventory * ahead) / self.inventory_sd**2
