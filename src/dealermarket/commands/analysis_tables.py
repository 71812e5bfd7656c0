"""An analysis of a desk on a terminal: its requests by side, tier and client, and in words what to look at first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.tables import Column, Together, split_tables
from dealermarket.estimates import FEWEST_RUNS, LEVEL, Estimate, plus_minus
from dealermarket.runs.needs import in_time_units
from dealermarket.runs.statistics import statistic_named

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from dealermarket.data.analysis import Analysis

MOST_CLIENTS = 10
_COSTS = ("hedging_cost", "risk_cost")


def in_steps(found: Analysis) -> str:
    """What a step is, for an axis."""
    return "steps" if found.seconds is None else f"steps of {in_time_units(found.seconds)}"


def _later(found: Analysis) -> str:
    """The reward horizon in words."""
    steps = f"{found.reward_horizon:,} step{'s' if found.reward_horizon != 1 else ''}"
    return steps if found.seconds is None else f"{steps} ({in_time_units(found.reward_horizon * found.seconds)})"


def analysis_tables(found: Analysis, of: str, width: int) -> list[Table]:
    """All requests, by side and by tier; the clients that cost most; of a run, what its maker earned."""
    groups = [found.total.assign(total="all requests"), found.sides.assign(side="clients " + found.sides["side"])]
    groups += [found.tiers.assign(tier=[f"tier {tier}" for tier in found.tiers["tier"]])] if len(found.tiers) > 1 else []
    labels = [name for table in groups for name in table.iloc[:, 0]]
    rows = _stacked(groups)
    title = f"{of}: what was asked and won, and what it is worth {_later(found)} later, bp of volume"
    tables = split_tables(title, [Column("", labels, "left")], _columns(rows), width)
    clients = found.clients.head(MOST_CLIENTS)
    more = f"the {len(clients)} most toxic of {len(found.clients):,} clients" if len(clients) < len(found.clients) else "clients"
    title = f"{more[0].upper()}{more[1:]}: the first is the one whose interval lies furthest below 0"
    tables += split_tables(title, [Column("client", [str(name) for name in clients["client"]], "left")], _columns(clients), width)
    return [*tables, *([] if found.book is None else split_tables(*_book(found.book), width))]


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([table.iloc[:, 1:] for table in tables], ignore_index=True)


def _columns(rows: pd.DataFrame) -> list[Column | Together]:
    def points(name: str, heading: str) -> Column:
        return Column(heading, plus_minus(_estimates(rows, name)))

    def share(name: str, heading: str) -> Column:
        return Column(heading, [_number(100 * value, ".1f") for value in rows[name]])

    return [
        Column("requests", [f"{count:,}" for count in rows["requests"]]),
        points("markout_bp", "markout\nof all"),
        points("yield_bp", "yield\nof won"),
        Column("spread", [_number(value, ".2f") for value in rows["spread_bp"]]),
        points("won_markout_bp", "+ markout\nof won"),
        Column("hit ratio,\n%", plus_minus(_estimates(rows, "hit_ratio"), 100.0)),
        share("hit_ratio_volume", "by\nvolume"),
        share("traded_away", "traded\naway, %"),
        share("not_traded", "not\ntraded"),
        Column("won\nvolume", [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in rows["won_volume"]]),
        share("share", "of all\nwon, %"),
    ]


def _book(rows: pd.DataFrame) -> tuple[str, list[Column], list[Column | Together]]:
    """P&L and its parts, in money and in bp of the clients' volume: a row each."""
    from dealermarket.data.analysis import BOOK

    money = rows[rows["statistic"].isin(BOOK)]
    labels = [statistic_named(name).label for name in money["statistic"]]
    columns = {"money": "value", "bp of clients' volume": "bp"}
    parts = [Column(heading, plus_minus(_estimates(money, name))) for heading, name in columns.items()]
    return "What the maker earned: the mean of the replicas", [Column("", labels, "left")], list(parts)


def _estimates(rows: pd.DataFrame, name: str) -> list[Estimate]:
    """A column with its bounds, a row each; where there are none, it is known without."""
    ends = (rows[name], rows[f"{name}_low"], rows[f"{name}_high"])
    return [Estimate(*map(np.asarray, (value, math.nan, low, high))) for value, low, high in zip(*ends, strict=True)]


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "-"


def what_to_look_at(found: Analysis) -> list[str]:
    """Sentences: how to read the tables, which clients cost money, what winning costs, and where a maker's risk went."""
    blocks = f"{found.blocks:,} blocks of {found.block_steps:,} steps"
    intervals = f"± half of a 95 % interval, by a bootstrap of {blocks}; none for who is in fewer than {FEWEST_RUNS}."
    if found.blocks < FEWEST_RUNS:
        intervals = f"No intervals: the requests span {blocks}, and a bootstrap needs {FEWEST_RUNS} of them."
    return [
        "Markout: what the mid's move adds to a unit, seen from the desk; below 0, clients knew better. Yield: spread and "
        f"markout of what was won. {intervals}",
        *_toxic(found),
        *_winners_curse(found),
        *_inventory(found),
    ]


def _toxic(found: Analysis) -> list[str]:
    """Whose requests cost money, by their intervals."""
    clients, later = found.clients, _later(found)
    if clients["markout_bp_high"].isna().all():
        return ["Nothing is sure of any client: the log is too short for intervals, or no mid is known after its requests."]
    toxic = clients[clients["markout_bp_high"] < 0]
    if toxic.empty:
        return [f"No client's interval lies below 0 {later} later: what these requests tell, none of {len(clients):,} is toxic."]
    worst = toxic.iloc[0]
    markout, earned = (plus_minus(_estimates(toxic.head(1), name))[0] for name in ("markout_bp", "yield_bp"))
    share = f"what was won of it, {100 * worst['share']:.0f} % of all that was won, yields {earned} bp"
    won = share if math.isfinite(worst["yield_bp"]) else "nothing was won of it whose markout is known"
    said = f"Look at {worst['client']} first: {later} later its requests are worth {markout} bp to the desk; {won}."
    chance = (
        f"the 95 % interval of the markout lies below 0, as it does by chance for one in {2 / (1 - LEVEL):.0f} harmless clients"
    )
    losing = int((toxic["yield_bp_high"] < 0).sum())
    lost = f" After spread, {losing:,} of them lost money, by their intervals." if toxic["yield_bp_high"].notna().any() else ""
    return [said, f"Toxic clients: {len(toxic):,} of {len(clients):,} ({chance}).{lost}"]


def _winners_curse(found: Analysis) -> list[str]:
    """What was won beside all that was asked for."""
    row = found.total.iloc[0]
    if not math.isfinite(row["won_markout_bp"]):
        return ["Nothing was won whose markout is known."]
    sure = row["won_markout_bp_high"] < row["markout_bp_low"]
    return ["The winner's curse: what was won moves further against the desk than what was asked for."] if sure else []


def _inventory(found: Analysis) -> list[str]:
    """Where the risk of a run's maker went."""
    if found.book is None:
        return []
    rows = {str(row["statistic"]): row for row in found.book.to_dict("records")}
    hedging, risk = (plus_minus(_estimates(found.book[found.book["statistic"] == name], "value"))[0] for name in _COSTS)
    kept, life = 100 * rows["internalization"]["value"], rows["half_life_hours"]
    ends = f"half of a position is gone after {life['value']:.3g} hours [{life['value_low']:.3g}, {life['value_high']:.3g}]"
    fades = ends if math.isfinite(life["value_high"]) else "whether positions fade the replicas do not tell"
    return [
        f"Hedging cost {hedging}, risk cost {risk}. At the end {kept:.1f} % of its volume is left as a position, and {fades}."
    ]
