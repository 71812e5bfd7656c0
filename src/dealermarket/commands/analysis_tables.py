"""An analysis of a desk on a terminal: its requests by side, tier and client."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dealermarket.commands.tables import Column, Together, split_tables
from dealermarket.data.first_look import earned, groups, later
from dealermarket.estimates import in_columns, plus_minus

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from dealermarket.data.analysis import Analysis

MOST_CLIENTS = 10


def analysis_tables(found: Analysis, of: str, width: int) -> list[Table]:
    """All requests, by side and by tier; the clients that cost most; of a run, what its maker earned."""
    rows = groups(found)
    title = f"{of}: what was asked and won, and what it is worth {later(found)} later, bp of volume"
    tables = split_tables(title, [Column("", rows["group"].tolist(), "left")], _columns(rows), width)
    clients = found.clients.head(MOST_CLIENTS)
    more = f"the {len(clients)} most toxic of {len(found.clients):,} clients" if len(clients) < len(found.clients) else "clients"
    title = f"{more[0].upper()}{more[1:]}: the first is the one whose interval lies furthest below 0"
    tables += split_tables(title, [Column("client", [str(name) for name in clients["client"]], "left")], _columns(clients), width)
    return [*tables, *([] if found.book is None else split_tables(*_book(found.book), width))]


def _columns(rows: pd.DataFrame) -> list[Column | Together]:
    def points(name: str, heading: str) -> Column:
        return Column(heading, plus_minus(in_columns(rows, name).rows()))

    def share(name: str, heading: str) -> Column:
        return Column(heading, [_number(100 * value, ".1f") for value in rows[name]])

    return [
        Column("requests", [f"{count:,}" for count in rows["requests"]]),
        points("markout_bp", "markout\nof all"),
        points("yield_bp", "yield\nof won"),
        Column("spread", [_number(value, ".2f") for value in rows["spread_bp"]]),
        points("won_markout_bp", "+ markout\nof won"),
        Column("hit ratio,\n%", plus_minus(in_columns(rows, "hit_ratio").rows(), 100.0)),
        share("hit_ratio_volume", "by\nvolume"),
        share("traded_away", "traded\naway, %"),
        share("not_traded", "not\ntraded"),
        Column("won\nvolume", [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in rows["won_volume"]]),
        share("share", "of all\nwon, %"),
    ]


def _book(rows: pd.DataFrame) -> tuple[str, list[Column], list[Column | Together]]:
    """P&L and its parts, in money and in bp of the clients' volume: a row each."""
    money = earned(rows)
    labels = money["label"].tolist()
    columns = {"money": "value", "bp of clients' volume": "bp"}
    parts = [Column(heading, plus_minus(in_columns(money, name).rows())) for heading, name in columns.items()]
    return "What the maker earned: the mean of the replicas", [Column("", labels, "left")], list(parts)


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "-"
