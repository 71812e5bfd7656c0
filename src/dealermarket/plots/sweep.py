"""Figures of a sweep: lines over one field, maps over two, small maps over three, clouds over points that were drawn.

They are drawn from the frame of a sweep (`dealermarket.questions.Swept.frame`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Bounds, Figure, Level, Line, Mark, Panels, Points, Region, Surface
from dealermarket.plots.style import COLOURS, STYLE
from dealermarket.runs.statistics import PURE, Statistic, statistic_named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]

MOST_MAKERS, MOST_PANELS, MOST_TICKS = 6, 16, 12
_MOST_BESIDE = 4
_LEVEL, _DIFFERENCE = ("mean", "low", "high"), ("difference", "difference_low", "difference_high")
BEST, BETTER, WORSE = "as good as the best", "better", "worse"


@dataclass(frozen=True)
class SweptField:
    """A field of a sweep: its path, which is its column in the frame, what it is called, and its values as texts, in order."""

    path: str
    name: str
    values: Sequence[str]


def plot_sweep(
    frame: pd.DataFrame,
    fields: Sequence[SweptField],
    statistics: Sequence[str],
    maker: str,
    *,
    best: Array | None = None,
    against: str = "as it is",
    drawn_points: bool = False,
) -> Picture | None:
    """The figure that suits the number of fields: a panel a statistic with a line for each maker, or a map; of three fields, the
    first statistic, a map for each value of the last. None of more than three, or of more than MOST_PANELS maps.

    `best` (points,) marks those that are as good as the best by the first statistic; `against` is the point that differences
    are to; `drawn_points`: the points are no grid, a panel shows the first statistic over each field."""
    from matplotlib import rc_context

    points = frame[frame["point"] != "as it is"]
    if drawn_points:
        panels = _clouds(points, fields, statistics[0], maker, best)
    elif len(fields) == 1:
        panels = _lines(frame, points, fields[0], statistics, maker, against)
    elif len(fields) == 2:
        panels = _maps(points, fields, statistics, maker, best, against)
    elif len(fields) == 3 and len(fields[2].values) <= MOST_PANELS:
        panels = _small_maps(points, fields, statistics[0], maker, best, against)
    else:
        return None
    with rc_context(STYLE):
        return draw_panels(panels)


def axis_label(statistic: Statistic) -> str:
    """What a statistic is and its unit."""
    unit = "%" if statistic.percent else statistic.unit
    return statistic.label if unit == PURE else f"{statistic.label} ({unit})"


# --- one field


def _lines(
    frame: pd.DataFrame, points: pd.DataFrame, field: SweptField, statistics: Sequence[str], maker: str, against: str
) -> Panels:
    makers = _makers(points, maker)
    places, axis = _scale(points, field)
    levels, differences = [], []
    for name in statistics:
        statistic, marks = statistic_named(name), list[Mark]()
        for colour, each in zip(COLOURS, makers, strict=False):
            marks.append(Points(places, Bounds.of(_rows(points, each, name), *_LEVEL, statistic.scale), each, colour))
        now = _rows(frame[frame["point"] == "as it is"], maker, name)
        marks.insert(0, Level(statistic.scale * float(now["mean"].iloc[0]), colour=COLOURS[0], style=":"))
        levels.append(Figure(name, statistic.meaning, marks, axis, Axis(axis_label(statistic)), statistic.label))
        gained = Points(places, Bounds.of(_rows(points, maker, name), *_DIFFERENCE, statistic.scale), None, COLOURS[0])
        title = f"{maker}: difference to the scenario {against}" if against == "as it is" else f"{maker}: difference to {against}"
        differences.append(Figure(f"{name} difference", title, [Level(0.0), gained], axis, Axis(axis_label(statistic)), title))
    caption = f"Bars: 95 % intervals, below of the paired differences. Dotted: {maker} in the scenario as it is."
    figures, columns = [*levels, *differences], len(statistics)
    heights = (2.7, 2.3) if columns <= _MOST_BESIDE else None
    columns = columns if heights else _MOST_BESIDE
    return Panels("sweep", f"What follows from {field.name}", caption, figures, columns, heights, share_x=False, share_y=False)


def _scale(points: pd.DataFrame, field: SweptField) -> tuple[Array, Axis]:
    """Where the values of a field stand: at themselves where they are numbers, else one beside the other."""
    values = points.drop_duplicates("point")[field.path]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return values.to_numpy(dtype=np.float64), Axis(field.name)
    return np.arange(len(values), dtype=np.float64), Axis(field.name, list(field.values), (-0.5, len(values) - 0.5))


def _makers(points: pd.DataFrame, maker: str) -> list[str]:
    """The makers that get a line, the one that is looked at first."""
    others = [name for name in points["maker"].unique().tolist() if name != maker]
    return [maker, *others[: MOST_MAKERS - 1]]


# --- two and three


def _maps(
    points: pd.DataFrame, fields: Sequence[SweptField], statistics: Sequence[str], maker: str, best: Array | None, against: str
) -> Panels:
    y, x = fields
    figures = []
    for number, name in enumerate(statistics):
        rows = _rows(points, maker, name)
        statistic = statistic_named(name)
        shape = len(y.values), len(x.values)
        marked = best if number == 0 else None
        surface = _surface(rows, statistic, marked, shape, _limits(rows, statistic))
        figures.append(Figure(name, statistic.meaning, [surface], _ticks(x), _ticks(y), statistic.label))
    caption = _regions_said(best is not None, against, statistic_named(statistics[0]))
    columns = min(len(figures), 3)
    width = max(4.6, 1.6 + 0.3 * min(len(x.values), 20))
    return Panels(
        "sweep", f"{maker}: {y.name} and {x.name}", caption, figures, columns, share_x=False, share_y=False, width=width
    )


def _small_maps(
    points: pd.DataFrame, fields: Sequence[SweptField], name: str, maker: str, best: Array | None, against: str
) -> Panels:
    y, x, last = fields
    statistic, rows = statistic_named(name), _rows(points, maker, name)
    limits, shape = _limits(rows, statistic), (len(y.values), len(x.values))
    figures = []
    for number, value in enumerate(last.values):
        chosen = slice(number, None, len(last.values))
        surface = _surface(rows.iloc[chosen], statistic, None if best is None else best[chosen], shape, limits)
        figures.append(Figure(f"{name} {value}", statistic.meaning, [surface], _ticks(x), _ticks(y), f"{last.name} = {value}"))
    caption = _regions_said(best is not None, against, statistic)
    title = f"{maker}, {statistic.label}: {y.name}, {x.name} and {last.name}"
    return Panels("sweep", title, caption, figures)


def _surface(
    rows: pd.DataFrame, statistic: Statistic, best: Array | None, shape: tuple[int, int], limits: tuple[float, float]
) -> Surface:
    """A map of a statistic, and lines around the cells that are better and worse than the point that differences are to."""
    values = statistic.scale * rows["mean"].to_numpy().reshape(shape)
    above = (rows["difference_low"] > 0).to_numpy().reshape(shape)
    below = (rows["difference_high"] < 0).to_numpy().reshape(shape)
    regions = []
    if statistic.more_is_better is not None:
        better, worse = (above, below) if statistic.more_is_better else (below, above)
        regions += [Region(better, BETTER, "black", "--"), Region(worse, WORSE, COLOURS[5], ":")]
    if best is not None:
        regions.append(Region(best.reshape(shape), BEST, COLOURS[3]))
    return Surface(values, limits, axis_label(statistic), regions)


def _limits(rows: pd.DataFrame, statistic: Statistic) -> tuple[float, float]:
    values = statistic.scale * rows["mean"].to_numpy()
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _rows(points: pd.DataFrame, maker: str, name: str) -> pd.DataFrame:
    return points[(points["maker"] == maker) & (points["statistic"] == name)]


def _ticks(field: SweptField) -> Axis:
    """Names of the values, every so many of them where they are many."""
    step = math.ceil(len(field.values) / MOST_TICKS)
    return Axis(field.name, [text if n % step == 0 else "" for n, text in enumerate(field.values)])


def _regions_said(best: bool, against: str, statistic: Statistic) -> str:
    said = f"Lines around cells by paired 95 % intervals of the difference to the scenario {against}."
    if against != "as it is":
        said = f"Lines around cells by paired 95 % intervals of the difference to {against}."
    marked = f" As good as the best: {statistic.label}, all intervals together at 95 %." if best else ""
    return said + marked


# --- points that were drawn


def _clouds(points: pd.DataFrame, fields: Sequence[SweptField], name: str, maker: str, best: Array | None) -> Panels:
    statistic, rows = statistic_named(name), _rows(points, maker, name)
    estimate = Bounds.of(rows, *_LEVEL, statistic.scale)
    figures = []
    for field in fields:
        x = rows[field.path].to_numpy(dtype=np.float64)
        marks: list[Mark] = [Points(x, estimate, None, COLOURS[0], style="")]
        if best is not None:
            marks.append(Line(x[best], estimate.value[best], BEST, COLOURS[1], style="", marker="filled"))
        figures.append(Figure(field.name, statistic.meaning, marks, Axis(field.name), Axis(axis_label(statistic)), field.name))
    title = f"{maker}, {statistic.label}: {len(rows):,} points"
    return Panels("sweep", title, "Each point at all its values; bars: 95 % intervals.", figures, share_x=False, share_y=True)
