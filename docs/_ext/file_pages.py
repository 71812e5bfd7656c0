"""The reference of files: every column of every file that the commands write."""

from __future__ import annotations

from collections.abc import Iterable

from pages import code, heading, plain, table

from dealermarket.data import columns as data
from dealermarket.learning import columns as learning
from dealermarket.questions import columns as questions
from dealermarket.runs.columns import META_ENTRIES, Column, columns_by_table
from dealermarket.study import columns as study

INTRODUCTION = """\
Columns of files
================

Parquet files are read by ``pandas.read_parquet``, and by most other programs for data. Money is a price times units of the
asset. A spread is what the taker of a trade pays over the mid, for a unit of the asset. :doc:`/model` has the signs of all
numbers.
"""
RUN = """\
The folder of a run holds the files below, and ``scenario.toml``, the scenario as it was run; :doc:`/folders` says how a folder
is kept whole. ``--record`` says which tables there are: each level includes the former.
"""
ROWS = {
    "summary": "A row per replica and maker. The columns are the statistics of a run; one that is registered comes behind them.",
    "steps": "A row per replica, step and maker.",
    "trades": "A row per trade, in the order in which trades were done: in each step the orders, then the hedges.",
    "requests": "A row per request of an investor, in the order in which they were made.",
}
Described = tuple[str, str, tuple[Column, ...]]

OTHERS: dict[str, tuple[Described, ...]] = {
    "compare": (
        ("makers.csv", "A row per maker and statistic.", study.MAKERS),
        ("clients.csv", "A row per maker, client and measure, where trades were recorded.", study.CLIENTS),
    ),
    "evaluate": (("--out FILE", "A row per policy and statistic. All differences hold at once at 95 %.", study.STANDINGS),),
    "regret": (
        ("regret.csv", "A row per policy, the least regret first.", study.REGRETS),
        ("actions.csv", "A row per policy and bin of positions: what it did there.", study.ACTIONS),
    ),
    "sweep": (("sweep.csv, sweep.parquet", "A row per point, maker and statistic.", questions.SWEEP),),
    "optimise": (("history.csv", "A row per trial, in order.", questions.TRIALS),),
    "equilibrium": (
        ("history.csv", "A row per turn, in order.", questions.TURNS),
        ("game.csv", "Of a game, a row per profile and maker.", questions.GAME),
    ),
    "sensitivity": (("sensitivity.csv", "A row per field.", questions.INDICES),),
    "train": (("progress.csv", "A row per rollout: means over its steps, markets and learners.", learning.PROGRESS),),
    "export": (
        ("rfqs.csv, rfqs.parquet", "What one maker of a run was asked: a row per request.", data.RFQS),
        ("mids.csv, mids.parquet", "A row per step.", data.MIDS),
    ),
    "analyse": (
        ("total, clients, tiers, sides", "A row per group of requests; .csv and .parquet.", data.GROUP),
        ("quotes", "A row per bin of quotes, of as many requests each.", data.QUOTES),
        ("markouts", "A row per group and horizon.", data.MARKOUTS),
        ("book", "Of a run, a row per statistic.", data.BOOK),
    ),
}
"""The files of other commands: name, rows and columns."""


def page() -> str:
    """The page."""
    lines = [INTRODUCTION, *heading("Run", "-"), RUN]
    for name, columns in columns_by_table().items():
        lines += _file(f"{name}.parquet", ROWS[name], columns)
    lines += _file("meta.json", "What was run, with which versions, and how far it came.", META_ENTRIES, "Entry")
    for command, files in OTHERS.items():
        lines += heading(command.capitalize(), "-")
        lines += [f"Written by :doc:`dealermarket {command} <commands/{command}>`.", ""]
        for file in files:
            lines += _file(*file)
    return "\n".join(lines) + "\n"


def _file(name: str, rows: str, columns: Iterable[Column], first: str = "Column") -> list[str]:
    cells = [(code(each.name), plain(each.meaning), "" if each.unit == "1" else plain(each.unit)) for each in columns]
    return [*heading(name, "~"), rows, "", *table((first, "Meaning", "Unit"), cells, (26, 56, 18), "fields")]
