"""The figure of a search: what was tried over each field, with the grid beside, and how the best rose from trial to trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Figure, Interval, Line, Mark, Panels, Points
from dealermarket.plots.style import COLOURS, STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

GRID, TRIED, BEST = "grid", "tried", "best"


@dataclass(frozen=True)
class SearchedField:
    """A field that was searched: its path, what it is called, and the names of its values, None where it has a range."""

    path: str
    name: str
    values: Sequence[str] | None


def plot_search(
    history: pd.DataFrame,
    fields: Sequence[SearchedField],
    logs: Sequence[bool],
    grid: ArrayLike,
    on_grid: Interval,
    objective: str,
) -> Picture:
    """A panel a field: what each trial has more of than the first, which is the start, and, of a single field, the points of the
    grid (points, fields) with paired intervals; and a panel of the best so far by trial. `history` is that of a search, with the
    numbers of values in place of the values themselves; `logs` says which fields stand by their logarithms."""
    from matplotlib import rc_context

    start = float(history["value"].iloc[0])
    start = 0.0 if np.isnan(start) else start  # the scenario as it is has no value
    value = history["value"].to_numpy() - start
    best, scale = int(np.nanargmax(np.where(_is_whole(history), value, -np.inf))), Axis("more than at the start")
    figures = []
    for n, field in enumerate(fields):
        x = history[field.path].to_numpy(dtype=np.float64)
        marks: list[Mark] = []
        if len(fields) == 1:
            marks.append(Points(np.asarray(grid)[:, n], on_grid, GRID, COLOURS[7]))
        marks += [
            Line(x, value, TRIED, COLOURS[0], style="", marker="hollow"),
            Line(x[[best]], value[[best]], BEST, COLOURS[5], style="", marker="filled"),
        ]
        figures.append(Figure(field.path, field.path, marks, Axis(field.name, field.values, log=logs[n]), scale, field.name))
    trials = history["trial"].to_numpy()
    so_far: list[Mark] = [
        Line(trials, value, TRIED, COLOURS[0], style="", marker="hollow"),
        Line(trials, history["best"].to_numpy() - start, "best so far", COLOURS[5]),
    ]
    figures.append(Figure("trials", "by trial", so_far, Axis("trial", whole=True), scale, "by trial"))
    caption = "On the replicas of the search." + (" Bars: paired 95 % intervals." if len(fields) == 1 else "")
    panels = Panels("search", objective, caption, figures, share_x=False, share_y=True)
    with rc_context(STYLE):
        return draw_panels(panels)


def _is_whole(history: pd.DataFrame) -> NDArray[Any]:
    """Whether each trial was measured on all replicas."""
    return np.asarray(history["replicas"] == history["replicas"].max())
