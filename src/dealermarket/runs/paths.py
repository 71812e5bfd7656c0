"""The paths of a run as arrays: positions, P&L and its parts by replica, step and maker, and the clients' orders."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.runs.statistics.rewards import REWARDS, interdealer_revenue
from dealermarket.runs.tables import KINDS

if TYPE_CHECKING:
    from dealermarket.runs.result import SimulationResult

Array = NDArray[Any]

PNL_PARTS = ("client_revenue", "interdealer_revenue", "hedging_cost", "inventory_pnl")
"""What P&L is made of, by the names of statistics; they add up to it."""
_STEPS = ("mid", "position", "client_revenue", *REWARDS, "hedge_fraction")


class Paths:
    """What happened in B replicas of a run, step by step, read when first asked for: the first ones, or all.

    Sizes in units of the asset, money in price units times units. Raises RunFolderError for what was not recorded.
    """

    def __init__(self, result: SimulationResult, replicas: int | None = None) -> None:
        self.scenario, self._result, self._replicas = result.scenario, result, replicas

    @cached_property
    def steps(self) -> dict[str, Array]:
        """The columns of `steps.parquet` that are used here, each (B, T, M); `mid` is the same for all makers."""
        shape = (-1, self.scenario.steps, len(self.scenario.makers))
        columns = self._result.arrays("steps", _STEPS, self._replicas)
        return {name: values.reshape(shape) for name, values in columns.items()}

    @cached_property
    def replicas(self) -> Array:
        """The numbers of the replicas, (B,)."""
        rows = self._result.arrays("steps", ("replica",), self._replicas)["replica"]
        return np.asarray(rows[:: self.scenario.steps * len(self.scenario.makers)])

    @property
    def position(self) -> Array:
        """Held into each step, (B, T, M)."""
        return self.steps["position"]

    @property
    def mid(self) -> Array:
        """The mid of each step, (B, T)."""
        return self.steps["mid"][:, :, 0]

    def earned(self, name: str) -> Array:
        """What a reward or a part of P&L has come to after each step, (B, T, M)."""
        if name == "inventory_pnl":
            move = np.diff(self.steps["mid"], axis=1, prepend=self.steps["mid"][:, :1])
            return np.cumsum(self.position * move, axis=1)
        by_step = interdealer_revenue(self.steps) if name == "interdealer_revenue" else self.steps[name]
        return np.cumsum(by_step, axis=1)

    @cached_property
    def pnl(self) -> Array:
        """P&L after each step, at its mid, (B, T, M)."""
        return np.asarray(sum(self.earned(name) for name in PNL_PARTS))

    @cached_property
    def orders(self) -> dict[str, Array]:
        """The trades of clients in the order they were made, each (orders,): `replica` as it is counted here, `step`, `client`
        and `maker` by number, `side`, `size`, `tier`."""
        names = ("replica", "step", "taker", "maker", "side", "size", "tier", "kind")
        trades = self._result.arrays("trades", names, self._replicas)
        of_clients = trades.pop("kind") == KINDS.index("order")
        orders = {name: values[of_clients] for name, values in trades.items()}
        clients, replica = orders.pop("taker"), np.searchsorted(self.replicas, orders["replica"])
        return {**orders, "client": clients, "maker": orders["maker"] - len(self.scenario.agents), "replica": replica}


def largest_drawdown(pnl: Array) -> Array:
    """The largest fall of P&L (B, T, ...) from what it had reached before, 0 at the start; (B, ...), never below 0."""
    reached = np.maximum(np.maximum.accumulate(pnl, axis=1), 0.0)
    return np.asarray((reached - pnl).max(axis=1))
