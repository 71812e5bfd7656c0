"""A page as data: parts with a title each, of sentences, facts, notes, pictures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dealermarket.estimates import decimals_of, in_columns
from dealermarket.pages.pictures import Picture, drawn
from dealermarket.pages.table import Column, Table
from dealermarket.pages.templating import templates
from dealermarket.plots.figure import Figure, Panels
from dealermarket.version import __version__

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 300
"""A table on a page is cut after so many rows, and says so."""


@dataclass(frozen=True)
class Captioned(Picture):
    """A picture with what is said below it."""

    caption: str = ""


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side: small ones, such as panels of one scale, have their caption together."""

    pictures: Sequence[Captioned]
    caption: str = ""
    small: bool = False

    @classmethod
    def of(cls, title: str, *figures: Figure) -> Pictures:
        """Figures of a part of this title, each with its own caption."""
        made = [(drawn(figure, title), figure.caption) for figure in figures]
        return cls([Captioned(picture.svg, picture.alt, caption) for picture, caption in made])

    @classmethod
    def of_panels(cls, panels: Panels) -> Pictures:
        """The figures of panels, which share their scales, so that a narrow screen has them below each other."""
        made = [drawn(figure, f"{panels.title}, {figure.title}") for figure in panels.figures]
        return cls([Captioned(picture.svg, picture.alt) for picture in made], panels.caption, small=True)


@dataclass(frozen=True)
class Part:
    """A section of a page; `warns` where it is to be seen first."""

    name: str
    title: str
    text: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    commands: Sequence[str] = ()
    figures: Sequence[Pictures] = ()
    tables: Sequence[Table] = ()
    warns: bool = False


def render(title: str, lead: str, parts: Sequence[Part]) -> str:
    """The page: one file that asks for nothing else. All text in it is escaped."""
    about = {"made by": f"dealermarket {__version__}"}
    return templates().get_template("desk.html.j2").render(title=title, lead=lead, sections=parts, about=about)


def estimate_column(frame: pd.DataFrame, name: str, heading: str, scale: float = 1.0) -> Column:
    """A column of a frame with its bounds, with as many decimals as its intervals tell."""
    decimals = decimals_of(in_columns(frame, name).rows(), scale)
    return Column(name, heading, 2 if decimals is None else decimals, scale=scale)


def shown_rows(name: str, caption: str, frame: pd.DataFrame, columns: Sequence[Column], rest: str) -> Table:
    """A table of the first MOST_ROWS rows, which says of how many and where the rest is."""
    cut = f" The first {MOST_ROWS:,} of {len(frame):,}; the rest: {rest}." if len(frame) > MOST_ROWS else ""
    return Table(name, caption + cut, frame.head(MOST_ROWS), columns)
