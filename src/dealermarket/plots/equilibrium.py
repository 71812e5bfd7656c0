"""Figures of equilibria: the path of best responses with the curves at its end, and the payoffs of a game of two makers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Band, Figure, Interval, Level, Line, Mark, Panels, Region, Style, Surface
from dealermarket.plots.style import COLOURS, STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]


class ResponseCurve(Protocol):
    """What is gained at values of a field, each (n,)."""

    @property
    def at(self) -> Array: ...

    @property
    def value(self) -> Interval: ...


def plot_equilibrium(
    history: pd.DataFrame, names: Mapping[str, str], curves: Mapping[str, ResponseCurve], objective: str
) -> Picture:
    """Panels: by round the values of every maker and its best responses, a panel a field; and what each maker gains by moving
    alone at the end over its field, with 95 % bands, where each has a single one. `history` is that of an equilibrium, `names`
    what the columns of fields are called."""
    from matplotlib import rc_context

    figures = []
    by_field: dict[str, list[str]] = {}
    path_of: dict[str, str] = {}  # by maker, of its only field where it has a curve
    for path, name in names.items():
        by_field.setdefault(name, []).append(path)
    for name, paths in by_field.items():
        marks: list[Mark] = []
        for colour, path in zip(COLOURS, paths, strict=False):
            rows = history[history[path].notna()]
            rounds, maker = rows["round"].to_numpy(), rows["maker"].iloc[0]
            path_of[maker] = path
            marks += [
                Line(rounds, rows[path].to_numpy(), maker, colour, marker="filled"),
                Line(rounds, rows[f"best {path}"].to_numpy(), f"{maker}: best response", colour, style="", marker="hollow"),
            ]
        figures.append(Figure(name, name, marks, Axis("round", whole=True), Axis(name), f"{name} by round"))
    if curves:
        at_end: list[Mark] = []
        for colour, (maker, curve) in zip(COLOURS, curves.items(), strict=False):
            at_end += [
                Band(curve.at, curve.value.low, curve.value.high, colour),
                Line(curve.at, curve.value.value, maker, colour),
                Level(float(history[path_of[maker]].dropna().iloc[-1]), "x", colour, style=":"),
            ]
        field = next(iter(by_field))
        title = "gain by moving alone, at the end"
        figures.append(Figure("curves", title, [Level(0.0), *at_end], Axis(field), Axis(objective), title))
    caption = "Bands: 95 % intervals. Dotted: where each maker ends." if curves else "Hollow: best responses."
    panels = Panels("equilibrium", f"Best responses: {objective}", caption, figures, share_x=False, share_y=False)
    with rc_context(STYLE):
        return draw_panels(panels)


def plot_game(
    payoffs: Array,
    makers: Sequence[str],
    labels: Sequence[Sequence[str]],
    marked: Mapping[str, Sequence[tuple[int, ...]]],
    objective: str,
) -> Picture:
    """A map for each of two makers of what it gets, (strategies of the first, of the second, maker), with lines around some
    profiles."""
    from matplotlib import rc_context

    limits = float(payoffs.min()), float(payoffs.max())
    looks: list[tuple[str, Style]] = [(COLOURS[5], "-"), ("black", "--"), (COLOURS[2], ":")]
    regions = []
    for (name, profiles), (colour, style) in zip(marked.items(), looks, strict=False):
        cells = np.zeros(payoffs.shape[:2], dtype=bool)
        for profile in profiles:
            cells[profile] = True
        regions.append(Region(cells, name, colour, style))
    # in lines, so that neighbours have room
    folded = [[label.replace(" ", "\n").replace("=", "\n= ") for label in own] for own in labels]
    y, x = (Axis(maker, own) for maker, own in zip(makers, folded, strict=True))
    figures = [
        Figure(maker, objective, [Surface(payoffs[..., n], limits, objective, regions)], x, y, f"what {maker} gets")
        for n, maker in enumerate(makers)
    ]
    panels = Panels(
        "game", f"The game: {objective}", "A cell for each pair of strategies.", figures, share_x=False, share_y=False, width=5.6
    )
    with rc_context(STYLE):
        return draw_panels(panels)
