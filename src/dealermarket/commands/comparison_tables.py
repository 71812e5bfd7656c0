"""A comparison as tables on a terminal: what changed for every maker, and for one maker and its clients in detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.commands.makers_tables import PAPERS, PNL, REQUESTS, REQUESTS_TITLE, TRADED
from dealermarket.commands.tables import Column, Together, split_tables
from dealermarket.runs.statistics import in_one_line, registered_statistics, statistic_named
from dealermarket.study.comparison import DIFFERENCE, Comparison, Paired, texts_of

if TYPE_CHECKING:
    from rich.table import Table

SCREEN = ("pnl", "market_share", "hedge_ratio", "mean_abs_position")
"""What is shown of every maker."""
MOST_ROWS = 6
CLIENT_COLUMNS = {"share": ("share, %", 100.0), "yield_bp": ("yield, bp", 1.0), "volume": ("volume", 1.0)}


def makers_tables(comparison: Comparison, width: int) -> list[Table]:
    """A row a maker for whom anything differs: P&L, share, hedging and position."""
    affected = [n for n, maker in enumerate(comparison.makers) if maker in comparison.affected_makers]
    groups = []
    for name in SCREEN:
        statistic = statistic_named(name)
        a, b, difference = _columns(statistic.column_heading, comparison.by_statistic[name][affected], statistic.scale)
        groups.append(Together([a, b, difference] if name == SCREEN[0] else [a, difference]))
    return split_tables("Makers", [Column("maker", list(comparison.affected_makers), "left")], groups, width)


def detail_of(comparison: Comparison, maker: str, width: int) -> list[Table]:
    """What changed most for the maker that was changed, and for its clients."""
    numbers = comparison.of(maker)
    hidden = SCREEN if comparison.a.selective else (*SCREEN, *REQUESTS)  # where all ask all, they say once more what shares do
    others = [name for name in _names(numbers) if name not in hidden and float(numbers[name].certainty) > 0]
    others.sort(key=lambda name: -float(numbers[name].certainty))
    tables = _statistics_tables(f"{maker}: what else changed, the clearest first", numbers, others[:MOST_ROWS], width)
    return [*tables, *_clients_tables(comparison, maker, MOST_ROWS, width)]


def all_of(comparison: Comparison, maker: str, width: int) -> list[Table]:
    """Every statistic of one maker, in the groups in which a run shows them, and every client of it."""
    numbers = comparison.of(maker)
    of_ones_own = [statistic.name for statistic in registered_statistics()]
    groups = {f"{maker}: P&L": PNL, "Trading and inventory": (*TRADED, *of_ones_own)}
    groups |= {REQUESTS_TITLE: REQUESTS} if comparison.a.selective else {}
    groups |= {"The paper's four rewards": PAPERS}
    shown = {title: [name for name in names if name in numbers] for title, names in groups.items()}
    tables = [table for title, names in shown.items() for table in _statistics_tables(title, numbers, names, width)]
    return [*tables, *_clients_tables(comparison, maker, len(comparison.a.agents), width)]


def _names(numbers: Mapping[str, Paired]) -> list[str]:
    """The statistics in the order of a run's tables, then the rest."""
    return list(dict.fromkeys(name for name in (*PNL, *TRADED, *REQUESTS, *PAPERS, *numbers) if name in numbers))


def _statistics_tables(title: str, numbers: Mapping[str, Paired], names: Sequence[str], width: int) -> list[Table]:
    """A row a statistic, each in its own unit."""
    statistics = [statistic_named(name) for name in names]
    rows = [texts_of(numbers[each.name][np.newaxis], each.scale) for each in statistics]
    headings = [in_one_line(each.column_heading) for each in statistics]
    columns = [Column(heading, [row[n][0] for row in rows]) for n, heading in enumerate(("a", "b", DIFFERENCE))]
    return split_tables(title, [Column("", headings, "left")], columns, width) if rows else []


def _clients_tables(comparison: Comparison, maker: str, most: int, width: int) -> list[Table]:
    """A maker's clients: those that the change names first, then those whose share or yield changed most surely; and all of
    them together."""
    if not comparison.has_clients:
        return []
    number = comparison.makers.index(maker)
    numbers = {name: comparison.by_client[name][:, number] for name in CLIENT_COLUMNS}
    surest = np.maximum(numbers["share"].certainty, numbers["yield_bp"].certainty)
    clients = [agent.name for agent in comparison.a.agents]
    named = [clients.index(name) for name in comparison.named_clients if name in clients]
    order = list(dict.fromkeys([*named, *np.argsort(-surest, kind="stable").tolist()]))
    order = [n for n in order[:most] if n in named or surest[n] > 0]
    if not order:
        return []
    together = {name: comparison.of_all_clients[name][[number]] for name in CLIENT_COLUMNS}
    groups = []
    for name, (heading, scale) in CLIENT_COLUMNS.items():
        parts = zip(_columns(heading, numbers[name][order], scale), _columns(heading, together[name], scale), strict=True)
        groups.append(Together([Column(own.heading, [*own.texts, *whole.texts]) for own, whole in parts]))
    title = f"Clients of {maker}" + (f", the clearest changes of {len(clients):,}" if len(order) < len(clients) else "")
    return split_tables(title, [Column("client", [*(clients[n] for n in order), "all clients"], "left")], groups, width)


def _columns(heading: str, paired: Paired, scale: float) -> list[Column]:
    """The columns a, b and b - a of one number."""
    return [
        Column(f"{heading}\n{side}", texts) for side, texts in zip(("a", "b", DIFFERENCE), texts_of(paired, scale), strict=True)
    ]
