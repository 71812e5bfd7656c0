"""The page of a report: HTML that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dealermarket.papers.outcome import Outcome
from dealermarket.papers.plan import Section
from dealermarket.papers.report import facts
from dealermarket.papers.report.choices import choices
from dealermarket.papers.report.pictures import Picture
from dealermarket.papers.table import Column, Table

_WORST_FIRST = (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS)
_WIDEST_KEY = 18  # characters of a first column, beside which a second one stays in sight


@dataclass(frozen=True)
class _Cell:
    """A cell: its text, its interval apart, the unrounded number, and the outcome that it tells."""

    text: str
    interval: str = ""
    value: str | None = None
    outcome: Outcome | None = None


def _cell(column: Column, row: Mapping[Any, Any]) -> _Cell:
    text, value = column.text(row), row[column.name]
    if column.digits is None or value is None or isinstance(value, str):
        told = text.startswith(tuple(f"{outcome.sign} " for outcome in Outcome))
        return _Cell(text, outcome=next((outcome for outcome in _WORST_FIRST if told and f"{outcome.sign} " in text), None))
    shown, space, rest = text.partition(" ")
    return _Cell(shown, rest if space else "", repr(float(value)))


def _width(cells: Iterable[_Cell]) -> float:
    """As wide as the widest interval, in digits: so wide are all of a column, that values stand below each other."""
    return max((sum(1.0 if c.isdigit() else 1.3 if c == "−" else 0.55 for c in cell.interval) for cell in cells), default=0.0)


def _cells(table: Table) -> list[list[_Cell]]:
    return [[_cell(column, row) for column in table.columns] for row in table.frame.to_dict("records")]


def _keys(table: Table) -> list[tuple[float, float]]:
    """Of the columns that stay in sight when the table moves, how far from the left they stand and how wide they are at least,
    in characters: the first column, and the second where both are texts."""
    longest = max((len(row[0]) for row in table.rows()), default=0)
    if table.columns[0].digits is not None or longest > _WIDEST_KEY:
        return [(0.0, 0.0)]
    second = len(table.columns) > 3 and table.columns[1].digits is None
    room = max(longest, len(table.columns[0].heading) if second else 0) + 1.0
    return [(0.0, room), (room, 0.0)] if second else [(0.0, room)]


def _together(text: str) -> str:
    """Text that is not broken into lines before or after these signs."""
    return re.sub(r" ([=±≤]) ", "\u00a0\\1\u00a0", text)


def render_page(sections: Sequence[Section], about: Mapping[str, str], pictures: Mapping[tuple[str, str], Picture]) -> str:
    """The page; `pictures` are by the names of experiment and figure."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dealermarket.papers.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared = (choices, facts.differences, facts.new_words, facts.set_up, facts.tables, facts.variations)
    environment.globals |= {function.__name__: function for function in shared}
    environment.filters["together"] = _together
    environment.globals |= {"cells": _cells, "width": _width, "keys": _keys}
    return environment.get_template("report.html.j2").render(
        title=facts.TITLE,
        paper=facts.PAPER,
        meanings=facts.MEANINGS,
        reading=facts.READING,
        tally=facts.tally(sections),
        sections=sections,
        about=about,
        pictures=pictures,
    )
