"""The tables of a run: what each maker earned, how it traded, and the paper's rewards; a row a maker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.tables import Column, risk_columns, split_tables, whose_row
from dealermarket.estimates import Estimate, decimals_of, deviation, fixed, plus_minus, tail
from dealermarket.model.market.environment import duration
from dealermarket.runs.statistics import REWARDS, registered_statistics, statistic_named
from dealermarket.runs.statistics.positions import half_life

if TYPE_CHECKING:
    from rich.table import Table

    from dealermarket.runs.result import SimulationResult

PNL = ("pnl", "pnl_bp", "client_revenue", "interdealer_revenue", "hedging_cost", "inventory_pnl")
TRADED = ("market_share", "client_volume", "hedge_ratio", "mean_abs_position", "position_persistence")
REQUESTS = ("asked", "hit_ratio", "hit_ratio_volume", "traded_away", "not_traded")
PAPERS = (*REWARDS, "total_reward", "internalization")
REQUESTS_TITLE = "Clients' requests: how many asked the maker, and what became of these"
UNITS = "Money in price × units of the asset; volumes and |z|, the size of a position, in units; 1 bp is 100 per million traded."
HALF_LIFE = (
    "Half-life: how soon half of a position would be gone at the rate at which it fades from one step to the next [95 % "
    "interval], - where the runs do not tell. What makers pass to and fro fades fast, and comes back all the same."
)


def makers_tables(result: SimulationResult, width: int) -> list[Table]:
    """P&L and its parts; volumes and positions, with the statistics registered; what became of requests, where that is not the
    same for all; the paper's rewards and their sum.

    A table goes on below itself where its columns do not fit in `width` characters."""
    averages = result.statistics()
    idle = makers_without_clients(result)
    makers = Column("maker", [whose_row(maker, maker in idle) for maker in averages], "left")

    def columns(names: Sequence[str]) -> list[Column]:
        return [_column(name, [of_maker[name] for of_maker in averages.values()], result) for name in names]

    earned = columns(PNL)
    pnl = result.summary["pnl"].to_numpy().reshape(-1, len(averages)).T
    earned[1:1] = risk_columns([deviation(values) for values in pnl], [tail(values) for values in pnl])
    of_ones_own = [statistic.name for statistic in registered_statistics() if statistic.name in next(iter(averages.values()))]
    replicas, steps = result.meta["replicas"], result.scenario.steps
    what = f"mean ± half of its 95 % interval, {replicas:,} replicas" if replicas > 1 else "one replica, so nothing to average"
    title = f"{result.scenario.name}, P&L of {steps:,} steps ({duration(result.scenario.market, steps)}): {what}"
    requests = split_tables(REQUESTS_TITLE, [makers], columns(REQUESTS), width) if result.scenario.selective else []
    return [
        *split_tables(title, [makers], earned, width),
        *split_tables("Trading and inventory", [makers], columns((*TRADED, *of_ones_own)), width),
        *requests,
        *split_tables("The paper's four rewards and internalization", [makers], columns(PAPERS), width),
    ]


def makers_without_clients(result: SimulationResult) -> list[str]:
    """The makers with whom no investor traded in any replica."""
    traded = result.summary.groupby("maker", sort=False)["client_volume"].sum()
    return [str(maker) for maker, volume in traded.items() if volume == 0]


def _column(name: str, estimates: Sequence[Estimate], result: SimulationResult) -> Column:
    statistic = statistic_named(name)
    if name == "position_persistence":  # what a dealer has in mind is the half-life that follows from it
        return Column("half-life,\nhours", half_lives(estimates, result.scenario.market.hours_per_step))
    return Column(statistic.column_heading, plus_minus(estimates, statistic.scale))


def half_lives(persistence: Sequence[Estimate], step: float = 1.0) -> list[str]:
    """The half-lives of positions of which these shares are kept from each step to the next; a step takes `step` of the time in
    which they are said. `6.2 [5.1, 7.9]`: the value and its interval; the value alone where there is no interval.

    `< 0.25` where it is shorter than a step of 0.25, or as sure as the interval says it. `-` where an end of the interval is not
    known: infinite, where the position may not fade at all, or 0, where it may change sign."""
    bounds = [tuple(float(step * half_life(part)) for part in (each.value, each.low, each.high)) for each in persistence]
    known = [
        Estimate(*map(np.asarray, (value, math.nan, low, high)))
        for value, low, high in bounds
        if step <= value and high < math.inf
    ]
    decimals = decimals_of(known) or 0

    def text(value: float, low: float, high: float) -> str:
        if math.isnan(value) or high == math.inf:
            return "-"
        if value < step:
            return f"< {high if high > step else step:.3g}"
        if math.isnan(high):
            return f"{value:.3g}" if math.isfinite(value) else "-"
        return f"{fixed(value, decimals)} [{fixed(low, decimals)}, {fixed(high, decimals)}]" if low > 0 else "-"

    return [text(*each) for each in bounds]
