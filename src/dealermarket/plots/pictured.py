"""What the figures of a run are drawn from: all its replicas, or the first ones, as many as fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.files import orders_of_a_step
from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate
from dealermarket.model.scenario import Scenario
from dealermarket.plots.held_tiers import HeldTiers, held_tiers
from dealermarket.plots.time_axis import TimeAxis
from dealermarket.runs.orders import sums_by_cell
from dealermarket.runs.paths import Paths
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.tables import tables_of

Array = NDArray[Any]
MOST_REPLICAS = 200
MOST_WATCHED = 20  # replicas that are run again to see tiers
MOST_ROWS = 2_000_000  # of the tables of steps and trades
STRETCHES = 40  # of time, in which orders are added up
MOST_MAKERS = 20  # that have a panel
MOST_NAMES = 4  # in a sentence


@dataclass(frozen=True)
class PicturedRun:
    """A run, and the paths of its first replicas.

    Where the run did not record its trades, or has more replicas than are drawn, the first ones are run again: a replica's
    numbers depend on scenario, seed and replica alone. Where they cannot be (the run had policies or a tape of its caller's),
    there is what was recorded. `plot_*` and `save_plots` take one in place of a result, so that its tables are read once.

    Parameters
    ----------
    result : SimulationResult
        The run.
    """

    result: SimulationResult

    @classmethod
    def of(cls, run: SimulationResult | PicturedRun) -> PicturedRun:
        """The run, if it is not one of these already."""
        return run if isinstance(run, cls) else cls(run)  # type: ignore[arg-type]

    @property
    def scenario(self) -> Scenario:
        """The market that was run."""
        return self.result.scenario

    @property
    def recorded(self) -> bool:
        """Whether there is everything to draw: steps and trades, recorded or run again."""
        return "trades" in tables_of(self.result.record) or self.can_run_again

    @property
    def can_run_again(self) -> bool:
        """Whether its replicas can be run once more: all that acted in them is known."""
        return self.result.can_run_again

    @cached_property
    def paths(self) -> Paths:
        """Of the replicas that are drawn."""
        if "trades" in tables_of(self.result.record) or not self.can_run_again:
            return Paths(self.result, self._drawn if self.result.meta["complete"] else None)
        from dealermarket.runs.runner import SimulationRunner

        runner = SimulationRunner(self.scenario, self._drawn, self.result.meta["seed"], record="trades")
        return Paths(runner.run())

    @property
    def replicas(self) -> str:
        """How many replicas the paths are of, in words."""
        drawn, there = len(self.paths.replicas), self.result.meta["replicas"]
        of_all = f"the first {drawn:,} of {there:,} replicas"
        return of_all if drawn < there else "1 replica" if drawn == 1 else f"{drawn:,} replicas"

    @cached_property
    def volume_by_tier(self) -> Array:
        """The clients' volume by step, maker and the tier it was quoted in, all replicas together, (T, M, K)."""
        makers, orders = self.scenario.makers, self.paths.orders
        shape = (self.scenario.steps, len(makers), max(maker.tiering.tiers for maker in makers))
        return sums_by_cell(shape, (orders["step"], orders["maker"], orders["tier"]), orders["size"])

    @cached_property
    def volume_by_client(self) -> Array:
        """The clients' volume by client, stretch of time and maker, all replicas together, (N, stretches, M)."""
        return self._by_client(self.paths.orders["size"])

    @cached_property
    def held(self) -> dict[str, HeldTiers]:
        """In which tiers each maker that has a panel, and more than one tier, held the clients: of the first replicas, run
        again, since no record has tiers. Nothing where they cannot be."""
        if not self.can_run_again:
            return {}
        tiers = {maker: self.scenario.makers[self.number(maker)].tiering.tiers for maker in self.makers}
        sorting = [maker for maker, count in tiers.items() if count > 1]
        return held_tiers(self.scenario, sorting, min(self._drawn, MOST_WATCHED), self.result.meta["seed"], self.time.shown)

    @cached_property
    def time(self) -> TimeAxis:
        """The axis of time, in the unit that suits the run."""
        return TimeAxis(self.scenario)

    @cached_property
    def active(self) -> tuple[str, ...]:
        """The makers that traded in any replica, as quoting side or hedger."""
        return tuple(name for name in self.scenario.maker_names if self.of_replicas("volume", name).any() or self._hedges(name))

    @property
    def makers(self) -> tuple[str, ...]:
        """The makers that have a panel: those that traded, and the first of them where there are very many."""
        return self.active[:MOST_MAKERS]

    @property
    def without_panel(self) -> str:
        """A sentence on the makers that have no panel, if any."""
        idle = [name for name in self.scenario.maker_names if name not in self.active]
        more = f" The first {MOST_MAKERS} of {len(self.active)} makers." if len(self.active) > MOST_MAKERS else ""
        return more + (f" Without a panel, since they never traded: {together(idle)}." if idle else "")

    def number(self, maker: str) -> int:
        """A maker's place on the axis of the makers. Raises ParameterError for one that is not there."""
        names = self.scenario.maker_names
        if maker not in names:
            raise ParameterError(f"maker: must be one of {', '.join(names)}, got {maker!r}")
        return names.index(maker)

    def of_replicas(self, statistic: str, maker: str) -> Array:
        """A statistic of a maker in every replica of the run.

        Parameters
        ----------
        statistic : str
            A column of the summary that figures show: "pnl", "hedging_cost", "risk_cost", "volume" or "hedge_volume".
        maker : str
            The name of the maker.

        Returns
        -------
        array, (replicas,)
            In the unit of the statistic.

        Raises
        ------
        ParameterError
            The run has no such maker.
        """
        return self.summary[statistic].reshape(-1, len(self.scenario.makers))[:, self.number(maker)]

    @cached_property
    def summary(self) -> dict[str, Array]:
        """Columns of `summary.parquet` that figures show, each (replicas * M,)."""
        return self.result.arrays("summary", ("pnl", "hedging_cost", "risk_cost", "volume", "hedge_volume"))

    @cached_property
    def statistics(self) -> dict[str, dict[str, Estimate]]:
        """The run's statistics by maker."""
        return self.result.statistics()

    def _hedges(self, maker: str) -> bool:
        return bool(self.of_replicas("hedge_volume", maker).any())

    def _by_client(self, values: Array) -> Array:
        orders, stretches = self.paths.orders, min(STRETCHES, self.scenario.steps)
        shape = (len(self.scenario.agents), stretches, len(self.scenario.makers))
        stretch = orders["step"].astype(np.int64) * stretches // self.scenario.steps
        return sums_by_cell(shape, (orders["client"], stretch, orders["maker"]), values)

    @property
    def _drawn(self) -> int:
        return min(int(self.result.meta["replicas"]), MOST_REPLICAS, max(MOST_ROWS // rows_of(self.scenario), 1))


def rows_of(scenario: Scenario) -> int:
    """About how many rows of steps and trades one replica has."""
    return math.ceil(scenario.steps * (2 * len(scenario.makers) + orders_of_a_step(scenario)))


def together(names: Sequence[str]) -> str:
    """Names in a sentence or a legend, not all of very many."""
    return ", ".join(names) if len(names) <= MOST_NAMES else f"{', '.join(names[:2])} and {len(names) - 2} others"
