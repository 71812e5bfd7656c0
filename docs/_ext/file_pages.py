"""The reference of files: every column of every file that a run leaves, and of those that a maker's desk would have."""

from __future__ import annotations

from collections.abc import Iterable

from pages import code, heading, plain, table

from dealermarket.data.export import MID_COLUMNS, RFQ_COLUMNS
from dealermarket.runs.columns import META_ENTRIES, Column, columns_by_table

INTRODUCTION = """\
Columns of files
================

The folder of a run holds the files below, and ``scenario.toml``, the scenario as it was run; :doc:`/folders` says how a folder
is kept whole. ``--record`` says which tables there are: each level includes the former. Parquet is read by
``pandas.read_parquet``, and by most other programs for data.

Money is a price times units of the asset. A spread is what the taker of a trade pays over the mid, for a unit of the asset.
:doc:`/model` has the signs of all numbers.
"""
ROWS = {
    "summary": "A row per replica and maker. The columns are the statistics of a run; one that is registered comes behind them.",
    "steps": "A row per replica, step and maker.",
    "trades": "A row per trade, in the order in which trades were done: in each step the orders, then the hedges.",
    "requests": "A row per request of an investor, in the order in which they were made.",
}


def page() -> str:
    """The page."""
    lines = [INTRODUCTION]
    for name, columns in columns_by_table().items():
        lines += [*heading(f"{name}.parquet", "-"), ROWS[name], "", *_table(columns)]
    lines += [*heading("meta.json", "-"), "What was run, with which versions, and how far it came.", ""]
    lines += _table(META_ENTRIES, "Entry")
    written = "Written by ``dealermarket export``: what one maker of a run would have in its files."
    lines += [*heading("rfqs.csv", "-"), f"{written} A row per request that it was asked for.", "", *_table(RFQ_COLUMNS)]
    lines += [*heading("mids.csv", "-"), f"{written} A row per step.", "", *_table(MID_COLUMNS)]
    return "\n".join(lines) + "\n"


def _table(columns: Iterable[Column], first: str = "Column") -> Iterable[str]:
    rows = [(code(each.name), "" if each.unit == "1" else plain(each.unit), plain(each.meaning)) for each in columns]
    return table((first, "Unit", "Meaning"), rows, (22, 14, 64), "fields")
