"""The league as tables on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dealermarket.commands.tables import Column, split_tables
from dealermarket.study.league import By, League, Standing

if TYPE_CHECKING:
    from rich.table import Table

    from dealermarket.study.estimates import Estimate

HEADINGS = {
    "total_reward": "total\nreward",
    "pnl": "P&L",
    "spread_revenue": "spread\nrevenue",
    "position_revenue": "position\nrevenue",
    "hedging_cost": "hedging\ncost",
    "risk_cost": "risk\ncost",
    "inventory_pnl": "inventory\nP&L",
    "market_share": "market\nshare, %",
    "hedge_volume": "hedged\nvolume",
    "mean_abs_position": "mean\n|z|",
    "last_abs_position": "|z| at\nthe end",
}
SCALES = {"market_share": 100.0}
LEAGUE = ("total_reward", "pnl", "market_share", "mean_abs_position", "last_abs_position")
SPLIT = ("spread_revenue", "hedging_cost", "inventory_pnl", "position_revenue", "risk_cost", "hedge_volume")


def league_tables(league: League, by: By, against: str | None, width: int) -> list[Table]:
    """The league, and what P&L and reward are made of: a table each, or several where a terminal of `width` is too narrow."""
    contest, standings = league.contest, league.standings(by, against)
    ranked = [_column(by, standings)]
    if len(standings) > 1:
        ranked.append(_difference_column(by, standings, against))
    for name in LEAGUE:
        ranked += [_column(name, standings)] if name != by else []
        ranked += [_deviation_column(standings)] if name == "pnl" else []
    made_of = [_column(name, standings) for name in SPLIT if name != by]
    title = (
        f"{contest.scenario.name}: policies in the seat of {contest.maker}, per replica of {contest.scenario.steps:,} steps, "
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
            "Rank: 1 + how many are ahead for sure (the interval of the difference is above 0); = where it is shared.",
        ]
    return "\n".join(lines)


def plus_minus(values: Sequence[Estimate], scale: float = 1.0) -> list[str]:
    """`1.23 ± 0.04` for each, all with the same decimals: those that show two digits of the smallest half interval, or
    one where the largest is of another order.

    A value that never varies goes without; `-` where there is none."""
    halves = [float(each.high - each.low) / 2 * scale for each in values]
    decimals = _decimals([half for half in halves if math.isfinite(half) and half > 0])
    texts = []
    for each, half in zip(values, halves, strict=True):
        value = float(each.value) * scale
        if not math.isfinite(value):
            texts.append("-")
        elif decimals is None or (half == 0 and value == 0):
            texts.append(f"{value:.4g}")
        else:
            texts.append(_fixed(value, decimals) + (f" ± {half:,.{decimals}f}" if half > 0 else ""))
    return texts


def _decimals(halves: Sequence[float]) -> int | None:
    """Decimals that show them; None where there are none."""
    if not halves:
        return None
    smallest, largest = (math.floor(math.log10(float(f"{half:.1e}"))) for half in (min(halves), max(halves)))
    return max(-smallest + (largest - smallest <= 1), 0)


def _fixed(value: float, decimals: int) -> str:
    """With thousands apart, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"


def _column(name: str, standings: Sequence[Standing]) -> Column:
    return Column(HEADINGS[name], plus_minus([standing.mean[name] for standing in standings], SCALES.get(name, 1.0)))


def _difference_column(by: By, standings: Sequence[Standing], against: str | None) -> Column:
    """Differences to the reference, whose own cell is empty."""
    reference = standings[0].label if against is None else against
    others = [standing for standing in standings if standing.label != reference]
    shown = plus_minus([standing.difference[by] for standing in others], SCALES.get(by, 1.0))
    texts = dict(zip((standing.label for standing in others), shown, strict=True))
    heading = "less the\nbest" if against is None else f"less\n{against if len(against) <= 20 else against[:19] + '…'}"
    return Column(heading, [texts.get(standing.label, "") for standing in standings])


def _deviation_column(standings: Sequence[Standing]) -> Column:
    """Standard deviations of P&L, the smallest with two digits."""
    found = [standing.deviation["pnl"] for standing in standings]
    smallest = min((value for value in found if value > 0), default=1.0)
    decimals = max(1 - math.floor(math.log10(smallest)), 0)
    return Column("sd of\nP&L", [_fixed(value, decimals) if math.isfinite(value) else "-" for value in found])
