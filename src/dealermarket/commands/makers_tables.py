"""The tables of a run: what each maker earned, how it traded, and the paper's rewards; a row a maker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.tables import Column, risk_columns, split_tables
from dealermarket.estimates import Estimate, deviation, plus_minus, tail
from dealermarket.runs.statistics import REWARDS, registered_statistics, statistic_named
from dealermarket.runs.statistics.positions import half_life

if TYPE_CHECKING:
    from rich.table import Table

    from dealermarket.model.scenario import Scenario
    from dealermarket.runs.result import SimulationResult

PNL = ("pnl", "pnl_bp", "client_revenue", "interdealer_revenue", "hedging_cost", "inventory_pnl")
TRADED = ("market_share", "client_volume", "hedge_ratio", "mean_abs_position", "position_persistence")
PAPERS = (*REWARDS, "total_reward", "internalization")
UNITS = "Money in price × units of the asset; volumes and |z|, the size of a position, in units; 1 bp is 100 per million traded."


def makers_tables(result: SimulationResult, width: int) -> list[Table]:
    """P&L and its parts; volumes and positions, with the statistics registered; the paper's rewards and their sum.

    A table goes on below itself where its columns do not fit in `width` characters."""
    averages = result.statistics()
    makers = Column("maker", list(averages), "left")

    def columns(names: Sequence[str]) -> list[Column]:
        return [_column(name, [of_maker[name] for of_maker in averages.values()], result) for name in names]

    earned = columns(PNL)
    pnl = result.summary["pnl"].to_numpy().reshape(-1, len(averages)).T
    earned[1:1] = risk_columns([deviation(values) for values in pnl], [tail(values) for values in pnl])
    of_ones_own = [statistic.name for statistic in registered_statistics() if statistic.name in next(iter(averages.values()))]
    replicas, steps = result.meta["replicas"], result.scenario.steps
    days = steps / result.scenario.market.steps_per_day
    what = f"mean ± half of its 95 % interval, {replicas:,} replicas" if replicas > 1 else "one replica, so nothing to average"
    title = f"{result.scenario.name}, P&L of {steps:,} steps ({days:.3g} days): {what}"
    return [
        *split_tables(title, [makers], earned, width),
        *split_tables("Trading and inventory", [makers], columns((*TRADED, *of_ones_own)), width),
        *split_tables("The paper's four rewards and internalization", [makers], columns(PAPERS), width),
    ]


def _column(name: str, estimates: Sequence[Estimate], result: SimulationResult) -> Column:
    statistic = statistic_named(name)
    if name == "position_persistence":  # what a dealer has in mind is the half-life that follows from it
        return Column("half-life,\nhours", plus_minus([_half_life(estimate, result.scenario) for estimate in estimates]))
    return Column(statistic.column_heading, plus_minus(estimates, statistic.scale))


def _half_life(persistence: Estimate, scenario: Scenario) -> Estimate:
    """In hours, with its interval; NaN of a position that does not fade within a run."""
    parts = (persistence.value, persistence.error, persistence.low, persistence.high)
    value, error, low, high = (float(scenario.market.hours_per_step * half_life(part)) for part in parts)
    known = value < scenario.steps * scenario.market.hours_per_step
    return Estimate(*map(np.asarray, (value if known else math.nan, error, low, high)))
