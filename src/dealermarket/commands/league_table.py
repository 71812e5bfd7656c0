"""The league as tables on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dealermarket.commands.tables import Column, split_tables
from dealermarket.runs.statistics import registered_statistics, statistic_named
from dealermarket.study.estimates import fixed, plus_minus
from dealermarket.study.league import League, Standing

if TYPE_CHECKING:
    from rich.table import Table

# the statistics of the two tables; those registered follow in the first
LEAGUE = ("total_reward", "pnl", "market_share", "mean_abs_position", "last_abs_position")
SPLIT = ("spread_revenue", "hedging_cost", "inventory_pnl", "position_revenue", "risk_cost", "hedge_volume")


def league_tables(league: League, by: str, against: str | None, width: int) -> list[Table]:
    """The league, and what P&L and reward are made of: a table each, or several where a terminal of `width` is too narrow."""
    contest, standings = league.contest, league.standings(by, against)
    ranked = [_column(by, standings)]
    if len(standings) > 1:
        ranked.append(_difference_column(by, standings, against))
    for name in (*LEAGUE, *(statistic.name for statistic in registered_statistics())):
        ranked += [_column(name, standings)] if name != by else []
        ranked += [_deviation_column(standings)] if name == "pnl" else []
    made_of = [_column(name, standings) for name in SPLIT if name != by]
    title = (
        f"{contest.scenario.name}: policies as {contest.maker}, per replica of {contest.scenario.steps:,} steps, "
        f"mean of {contest.replicas:,} replicas"
    )
    labels = [
        Column("rank", [f"{standing.rank}{'=' if standing.shared else ' '}" for standing in standings]),
        Column("policy", [standing.label for standing in standings], "left", most=max(width // 3, 12)),
    ]
    return [*split_tables(title, labels, ranked, width), *split_tables("What it is made of", labels, made_of, width)]


def explanation(league: League) -> str:
    """What the numbers of the tables are."""
    lines = [
        "± is half a 95 % interval, sd between replicas. "
        "Money in price units times units of the asset, the position z and volume in units of it.",
        "P&L = spread revenue + hedging cost + inventory P&L; total reward = spread + position revenue + hedging + risk cost.",
    ]
    if len(league.samples) > 1:
        lines += [
            "Differences are taken replica by replica, on the same prices and orders; their intervals hold all at once.",
            "Rank: 1 + the number of policies that are better, with a 95 % interval of the difference that leaves out 0; "
            "= where it is shared.",
        ]
    return "\n".join(lines)


def _column(name: str, standings: Sequence[Standing]) -> Column:
    statistic = statistic_named(name)
    return Column(statistic.column_heading, plus_minus([standing.mean[name] for standing in standings], statistic.scale))


def _difference_column(by: str, standings: Sequence[Standing], against: str | None) -> Column:
    """Differences to the reference, whose own cell is empty."""
    reference = standings[0].label if against is None else against
    others = [standing for standing in standings if standing.label != reference]
    shown = plus_minus([standing.difference[by] for standing in others], statistic_named(by).scale)
    texts = dict(zip((standing.label for standing in others), shown, strict=True))
    heading = "less the\nbest" if against is None else f"less\n{against if len(against) <= 20 else against[:19] + '…'}"
    return Column(heading, [texts.get(standing.label, "") for standing in standings])


def _deviation_column(standings: Sequence[Standing]) -> Column:
    """Standard deviations of P&L, the smallest with two digits."""
    deviations = [standing.deviation["pnl"] for standing in standings]
    smallest = min((value for value in deviations if value > 0), default=1.0)
    decimals = max(1 - math.floor(math.log10(smallest)), 0)
    return Column("sd of\nP&L", [fixed(value, decimals) if math.isfinite(value) else "-" for value in deviations])
