"""The page of what a desk looks at first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dealermarket.data.analysis import Analysis
from dealermarket.data.first_look import earned, groups, in_steps, later, what_to_look_at
from dealermarket.disk import write_text
from dealermarket.estimates import LEVEL
from dealermarket.pages.parts import Part, Pictures, estimate_column, render, shown_rows
from dealermarket.pages.table import Column, Table
from dealermarket.plots.desk import client_markouts, hit_ratio

if TYPE_CHECKING:
    import pandas as pd

NAME = "analysis.html"


def write_analysis_page(found: Analysis, path: Path, of: str) -> None:
    """Writes `analysis_page` into a file, over what was there. Raises RunFolderError where that cannot be."""
    write_text(path, analysis_page(found, of))


def analysis_page(found: Analysis, of: str) -> str:
    """An analysis as HTML that needs nothing but itself; `of` says what was analysed."""
    total = found.total.iloc[0]
    lead = (
        f"{total['requests']:,} requests of {len(found.clients):,} clients from {of}: what was asked and won, and what it is "
        f"worth {later(found)} later. Money is in basis points of the volume at the mid; intervals are at {100 * LEVEL:.0f} %."
    )
    markouts = client_markouts(found.markouts, found.clients, found.reward_horizon, in_steps(found.seconds))
    ends = zip(found.quotes["lowest_bp"], found.quotes["highest_bp"], strict=True)
    quotes = found.quotes.assign(bin=[f"{low:.3g} to {high:.3g}" for low, high in ends])
    clients = "The most toxic stand on top: those whose interval of the markout lies furthest below 0."
    parts = [
        Part("first", "What to look at first", text=what_to_look_at(found)),
        Part(
            "clients",
            "Clients",
            figures=[Pictures.of_panels(markouts)],
            tables=[shown_rows("clients", clients, found.clients, _columns(found.clients, "client"), "clients.csv")],
        ),
        Part(
            "groups", "All requests, sides and tiers", tables=[_table("groups", "In the same columns.", groups(found), "group")]
        ),
        Part(
            "quotes",
            "Quotes",
            figures=[Pictures.of("Quotes", hit_ratio(found.quotes))],
            tables=[_table("quotes", "By what was quoted, in bp of the mid: bins of as many requests each.", quotes, "bin")],
        ),
        *([] if found.book is None else [_book(found.book)]),
        Part("read", "What was read, and what was left out", notes=found.notes),
    ]
    return render("What a desk looks at first", lead, parts)


def _table(name: str, caption: str, rows: pd.DataFrame, by: str) -> Table:
    return Table(name, caption, rows, _columns(rows, by))


def _columns(rows: pd.DataFrame, by: str) -> list[Column]:
    return [
        Column(by, by),
        Column("requests", "requests", 0),
        estimate_column(rows, "markout_bp", "markout of all (bp)"),
        estimate_column(rows, "yield_bp", "yield of won (bp)"),
        Column("spread_bp", "spread of won (bp)", 2),
        estimate_column(rows, "won_markout_bp", "markout of won (bp)"),
        estimate_column(rows, "hit_ratio", "hit ratio (%)", 100.0),
        Column("hit_ratio_volume", "by volume (%)", 1, scale=100.0, interval=False),
        Column("traded_away", "traded away (%)", 1, scale=100.0),
        Column("not_traded", "not traded (%)", 1, scale=100.0),
        Column("volume", "volume asked (units)", 0),
        Column("won_volume", "volume won (units)", 0),
        Column("share", "of all won (%)", 1, scale=100.0),
        Column("spread_revenue", "spread revenue (money)", 2),
        Column("markout_revenue", "markout revenue (money)", 2),
    ]


def _book(book: pd.DataFrame) -> Part:
    money = earned(book)
    columns = [
        Column("label", "what"),
        estimate_column(money, "value", "money"),
        estimate_column(money, "bp", "bp of the clients' volume"),
    ]
    caption = "What the maker earned and risked: the mean of the replicas. No log tells this; a run does."
    return Part("book", "The book", tables=[Table("book", caption, money, columns)])
