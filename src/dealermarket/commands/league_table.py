"""The league as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dealermarket.commands.makers_tables import UNITS
from dealermarket.commands.tables import NO_CLIENTS, Column, risk_columns, split_tables, whose_row
from dealermarket.estimates import plus_minus
from dealermarket.runs.statistics import registered_statistics, statistic_named
from dealermarket.study.league import League, Standing

if TYPE_CHECKING:
    from rich.table import Table

# the statistics of the two tables; those registered follow in the first
LEAGUE = ("pnl", "market_share", "mean_abs_position", "last_abs_position", "total_reward")
SPLIT = (
    "client_revenue",
    "interdealer_revenue",
    "hedging_cost",
    "inventory_pnl",
    "position_revenue",
    "risk_cost",
    "hedge_volume",
)


def league_tables(league: League, by: str, against: str | None, width: int) -> list[Table]:
    """The league, and what P&L and reward are made of: a table each, or several where a terminal of `width` is too narrow."""
    contest, standings = league.contest, league.standings(by, against)
    ranked = []
    for name in (by, *(each for each in (*LEAGUE, *(statistic.name for statistic in registered_statistics())) if each != by)):
        ranked.append(_column(name, standings))
        if name == by and len(standings) > 1:
            ranked.append(_difference_column(by, standings, against))
        if name == "pnl":
            ranked += risk_columns([each.deviation["pnl"] for each in standings], [each.tail["pnl"] for each in standings])
    made_of = [_column(name, standings) for name in SPLIT if name != by]
    title = (
        f"{contest.scenario.name}: policies as {contest.maker}, per replica of {contest.scenario.steps:,} steps, "
        f"mean of {contest.replicas:,} replicas"
    )
    policies = [whose_row(standing.label, standing.no_clients) for standing in standings]
    labels = [
        Column("rank", [f"{standing.rank}{'=' if standing.shared else ' '}" for standing in standings]),
        Column("policy", policies, "left", most=max(width // 3, 12)),
    ]
    return [*split_tables(title, labels, ranked, width), *split_tables("What it is made of", labels, made_of, width)]


def explanation(league: League, by: str) -> str:
    """What the numbers of the tables are."""
    standings = league.standings(by)
    lines = [
        "± is half of the 95 % interval of a mean; sd: the standard deviation between replicas; one replica in 20 ends below its "
        f"5 % tail. {UNITS}",
        "P&L = client and interdealer revenue (spreads that clients and other makers paid) + hedging cost + inventory P&L; total "
        "reward = client, interdealer and position revenue + hedging and risk cost.",
    ]
    if len(standings) > 1:
        lines += [
            "Differences are taken replica by replica, on the same prices and orders; their intervals hold all at once.",
            "Rank: 1 + the number of policies that are better, with a 95 % interval of the difference that leaves out 0; "
            "= where it is shared.",
        ]
        if all(standing.rank == 1 for standing in standings):
            lines.append("No interval of a difference leaves out 0, so all share rank 1: more --replicas may tell them apart.")
    if any(standing.no_clients for standing in standings):
        lines.append(f"{NO_CLIENTS}: no investor traded with it in any replica. Who does nothing risks nothing, too.")
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
