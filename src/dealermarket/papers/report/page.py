"""The page of a report: HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dealermarket.papers.outcome import Outcome
from dealermarket.papers.plan import Section
from dealermarket.papers.report import facts
from dealermarket.papers.report.pictures import Picture
from dealermarket.papers.table import Column, Table

_OUTCOMES = {f"{outcome.sign} {outcome}": outcome for outcome in Outcome}


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
        return _Cell(text, outcome=_OUTCOMES.get(text))
    shown, bracket, rest = text.partition(" [")
    return _Cell(shown, (bracket + rest).strip(), repr(float(value)))


def _width(cells: Iterable[_Cell]) -> float:
    """As wide as the widest interval, in digits: so wide are all of a column, that values stand below each other."""
    return max((sum(1.0 if c.isdigit() else 1.3 if c == "−" else 0.55 for c in cell.interval) for cell in cells), default=0.0)


def _cells(table: Table) -> list[list[_Cell]]:
    return [[_cell(column, row) for column in table.columns] for row in table.frame.to_dict("records")]


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
    shared = (facts.choices, facts.differences, facts.robust, facts.set_up, facts.tables, facts.variations)
    environment.globals |= {function.__name__: function for function in shared} | {"cells": _cells, "width": _width}
    return environment.get_template("report.html.j2").render(
        title=facts.TITLE,
        paper=facts.PAPER,
        meanings=facts.MEANINGS,
        tally=facts.tally(sections),
        sections=sections,
        about=about,
        pictures=pictures,
    )
