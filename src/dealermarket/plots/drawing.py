"""The renderer: draws a figure that is given as data into Matplotlib's axes, and several into one picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dealermarket.disk import replacing
from dealermarket.plots.figure import (
    Axis,
    Band,
    Bars,
    Beyond,
    Dots,
    Figure,
    Heat,
    Interval,
    Legend,
    Level,
    Line,
    Mark,
    Panels,
    Points,
    Raster,
    Region,
    Surface,
    Whiskers,
)
from dealermarket.plots.style import STYLE, any_letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.figure import Figure as Canvas

_LETTERS = 15  # of the smallest text, in an inch
_FEW = 6  # panels that are drawn large


def draw(figure: Figure, ax: Axes) -> Axes:
    """Draws a figure into axes, under the style that is set; its caption is not drawn.

    Parameters
    ----------
    figure : Figure
        What to draw.
    ax : matplotlib.axes.Axes
        Where to draw it.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    _draw_content(figure, ax)
    legend = figure.legend
    if ax.get_legend_handles_labels()[1]:
        heading: dict[str, Any] = {} if legend.title is None else {"title": legend.title, "title_fontsize": legend.size}
        ax.legend(fontsize=legend.size, ncols=legend.columns, **_place(legend, ax), **heading)
    canvas = ax.get_figure(root=True)
    assert canvas is not None
    _draw_scale(figure, [ax], canvas)
    return ax


def draw_panels(panels: Panels) -> Canvas:
    """A picture of its own, under the style that is set: the figures side by side, their legend and the caption below.

    Parameters
    ----------
    panels : Panels
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    from matplotlib.figure import Figure as Canvas

    count = len(panels.figures)
    columns = min(panels.columns or _columns(count), count)
    rows = math.ceil(count / columns)
    width, height = (4.2, 2.9) if count <= _FEW else (3.2, 2.2)
    width = panels.width or width
    size = (max(1.0 + width * columns, 8.0), 1.4 + (height * rows if panels.heights is None else sum(panels.heights)))
    canvas = Canvas(figsize=size, layout="constrained")
    shared: dict[str, Any] = {"sharex": panels.share_x, "sharey": panels.share_y, "height_ratios": panels.heights}
    axes = canvas.subplots(rows, columns, squeeze=False, **shared).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    for number, (figure, ax) in enumerate(zip(panels.figures, axes, strict=False)):
        _draw_content(figure, ax)
        lowest, leftmost = number + columns >= count, number % columns == 0
        if panels.share_x:
            ax.tick_params(labelbottom=lowest)
            ax.xaxis.label.set_visible(lowest)
        if panels.share_y:
            ax.tick_params(labelleft=leftmost)
            ax.yaxis.label.set_visible(leftmost)
    canvas.suptitle(_wrapped(panels.title, size[0] * 0.75), x=0.01, ha="left", fontsize=13, fontweight="bold")
    _draw_legend(panels, axes[:count], canvas, size[0])
    if len({_scale_of(figure) for figure in panels.figures}) == 1:
        _draw_scale(panels.figures[0], list(axes[:count]), canvas)
    else:
        for figure, ax in zip(panels.figures, axes, strict=False):
            _draw_scale(figure, [ax], canvas)
    return canvas


def save(picture: Canvas, path: Path) -> None:
    """Writes a picture as PNG. Raises RunFolderError where that is not possible."""
    with replacing(path) as temporary, any_letters():
        picture.savefig(temporary, dpi=150, format="png")


def drawn(figure: Figure, ax: Axes | None) -> Axes:
    """A figure in the axes, or, without any, in a picture of its own with its caption and our style."""
    if ax is not None:
        return draw(figure, ax)
    from matplotlib import rc_context

    with rc_context(STYLE):
        canvas = draw_panels(Panels(figure.name, figure.title, figure.caption, [replace(figure, title="")]))
    return canvas.axes[0]


def _place(legend: Legend, ax: Axes) -> dict[str, Any]:
    """Where a legend stands, in Matplotlib's words."""
    if legend.beside:
        return {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    if not legend.below:
        return {"loc": legend.place}
    from matplotlib.transforms import ScaledTranslation

    canvas = ax.get_figure(root=True)
    assert canvas is not None
    labels = 38 if ax.get_xlabel() else 20  # points, for the numbers and the label of the axis above it
    transform = ax.transAxes + ScaledTranslation(0.0, -labels / 72, canvas.dpi_scale_trans)
    return {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "bbox_transform": transform}


def draw_marks(marks: Sequence[Mark], ax: Axes) -> None:
    """Draws marks into axes, one after the other."""
    for mark in marks:
        _draw_mark(mark, ax)


def _draw_content(figure: Figure, ax: Axes) -> None:
    """All of a figure but what stands beside its axes."""
    draw_marks(figure.marks, ax)
    _set_axis(ax, "x", figure.x)
    _set_axis(ax, "y", figure.y)
    for mark in figure.marks:
        if isinstance(mark, Beyond):
            _draw_beyond(mark, ax)
    if figure.title:
        above = 6 + 12 * (1 + figure.note.count("\n")) if figure.note else None
        ax.set_title(figure.title, pad=above)
    if figure.note:
        ax.annotate(figure.note, (0, 1), (0, 4), "axes fraction", "offset points", va="bottom", fontsize=8, color="0.25")


def _columns(count: int) -> int:
    """How many of as many panels stand side by side."""
    return {1: 1, 2: 2, 4: 2}.get(count, 3 if count <= _FEW or count == 9 else 4 if count <= 16 and count != 10 else 5)


def _draw_legend(panels: Panels, axes: Sequence[Axes], canvas: Canvas, width: float) -> None:
    """One legend of all panels, with the caption as its heading: so room is made for both."""
    handles: dict[str, Any] = {}
    for ax in axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    columns = next((n for n in range(len(handles), 1, -1) if _breadth(list(handles), n) <= width * _LETTERS * 0.8), 1)
    heading: dict[str, Any] = {"title": _wrapped(panels.caption, width), "title_fontsize": 8.5, "alignment": "left"}
    canvas.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=columns, fontsize=9, **heading)


def _breadth(labels: Sequence[str], columns: int) -> int:
    """How many letters wide a legend is in so many columns, each as wide as its longest label."""
    rows, longer = divmod(len(labels), columns)  # the first columns have one label more
    sizes = [rows + 1] * longer + [rows] * (columns - longer)
    return sum(max(map(len, labels[end - size : end])) + 8 for size, end in zip(sizes, accumulate(sizes), strict=True))


def _wrapped(text: str, width: float) -> str:
    """A text in lines of `width` inches at most."""
    return "\n".join(textwrap.fill(line, int(width * _LETTERS)) for line in text.splitlines())


def _draw_scale(figure: Figure, axes: list[Axes], canvas: Canvas) -> None:
    """The scale of colours beside the panels, where they have one."""
    coloured = next((mark for mark in figure.marks if isinstance(mark, (Raster, Surface))), None)
    if coloured is not None:
        scale = canvas.colorbar(axes[0].images[0], ax=axes, label=coloured.label, shrink=0.8, pad=0.02)
        if isinstance(coloured, Raster) and coloured.whole:
            _whole(scale.ax.yaxis)


def _scale_of(figure: Figure) -> tuple[Any, ...]:
    """What tells the scale of colours of a figure from another's."""
    coloured = next((mark for mark in figure.marks if isinstance(mark, (Raster, Surface))), None)
    if isinstance(coloured, Surface):
        return coloured.label, coloured.limits
    return () if coloured is None else (coloured.label, coloured.top)


def _both_sides(estimate: Interval) -> NDArray[np.float64]:
    """How far an interval goes below and above its value, (2, ...)."""
    return np.stack([estimate.value - estimate.low, estimate.high - estimate.value]).clip(min=0.0)


def _draw_mark(mark: Mark, ax: Axes) -> None:
    match mark:
        case Line():
            _draw_line(mark, ax)
        case Points():
            look: Any = {"color": mark.colour, "ls": mark.style, "label": mark.label}
            value, sides = mark.estimate.value, _both_sides(mark.estimate)
            at: Any = {"x": value, "y": mark.x, "xerr": sides} if mark.across else {"x": mark.x, "y": value, "yerr": sides}
            ax.errorbar(marker="o", ms=4, lw=1.3, capsize=2, **at, **look)
        case Band():
            ax.fill_between(mark.x, mark.low, mark.high, color=mark.colour, alpha=mark.opacity, lw=0, label=mark.label)
        case Bars(across=True):
            ax.barh(mark.x, mark.height, mark.width, left=mark.base, color=mark.colour, label=mark.label)
        case Bars():
            ax.bar(mark.x, mark.height, mark.width, bottom=mark.base, color=mark.colour, label=mark.label)
        case Whiskers():
            middle, sides = mark.estimate.value, _both_sides(mark.estimate)
            where: Any = {"x": middle, "y": mark.x, "xerr": sides}
            if not mark.across:
                where = {"x": mark.x, "y": middle, "yerr": sides}
            ax.errorbar(fmt="none", color="black", lw=1, capsize=mark.cap, **where)
        case Level():
            across = ax.axhline if mark.of == "y" else ax.axvline
            across(mark.at, color=mark.colour, lw=mark.width, ls=mark.style)
        case Dots():
            ax.scatter(mark.x, mark.y, s=3, color=mark.colour, alpha=0.15, lw=0)
        case Heat():
            _draw_heat(mark, ax)
        case Raster():
            _draw_raster(mark, ax)
        case Surface():
            _draw_surface(mark, ax)
        case Beyond():
            pass  # drawn when the frame is known


def _draw_line(mark: Line, ax: Axes) -> None:
    look: dict[str, Any] = {"color": mark.colour, "lw": mark.width, "ls": mark.style, "label": mark.label}
    if mark.marker:
        look["marker"] = "o"
    if mark.marker == "hollow":
        look |= {"mfc": "white", "ms": 5}
    if mark.beyond_frame:
        look |= {"clip_on": False, "zorder": 3}
    ax.plot(mark.x, mark.y, **look)


def _draw_heat(mark: Heat, ax: Axes) -> None:
    ax.imshow(mark.values, vmin=0.0, vmax=mark.top, cmap="cividis", aspect="auto")
    _write_cells(mark.values, mark.form, ax, light_below=0.55 * mark.top)
    ax.grid(visible=False)


def _write_cells(values: NDArray[Any], form: str, ax: Axes, light_below: float = -math.inf) -> None:
    """Each value (rows, columns) in its cell: white below a value, where the cell is dark, else black."""
    for row, cells in enumerate(values):
        for column, value in enumerate(cells):
            colour = "white" if value < light_below else "black"
            text = form.format(value).replace("-", "−")  # as at the axes
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def _draw_raster(mark: Raster, ax: Axes) -> None:
    extent = (*mark.x, len(mark.values) - 0.5, -0.5)
    ax.imshow(mark.values, vmin=0.0, vmax=mark.top, cmap="Blues", aspect="auto", extent=extent, interpolation="nearest")
    ax.set_facecolor("0.75")
    ax.grid(visible=False)


def _draw_surface(mark: Surface, ax: Axes) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    light = ListedColormap(colormaps["Blues"](np.linspace(0.05, 0.7, 256)))  # on which dark lines are seen
    low, high = mark.limits
    ax.imshow(mark.values, vmin=low, vmax=high, cmap=light, aspect="auto", origin="lower", interpolation="nearest")
    ax.set_facecolor("0.75")
    ax.grid(visible=False)
    if mark.form:
        _write_cells(mark.values, mark.form, ax)
    for region in mark.regions:
        _draw_outline(region, ax)


def _draw_outline(region: Region, ax: Axes) -> None:
    """A line along the edges where the cells of a region meet others."""
    from matplotlib.collections import LineCollection

    cells = np.pad(np.asarray(region.cells, dtype=bool), 1)
    edges = []
    for row, column in np.argwhere(cells).tolist():
        x, y = column - 1.0, row - 1.0
        sides = (
            (cells[row - 1, column], ((x - 0.5, y - 0.5), (x + 0.5, y - 0.5))),
            (cells[row + 1, column], ((x - 0.5, y + 0.5), (x + 0.5, y + 0.5))),
            (cells[row, column - 1], ((x - 0.5, y - 0.5), (x - 0.5, y + 0.5))),
            (cells[row, column + 1], ((x + 0.5, y - 0.5), (x + 0.5, y + 0.5))),
        )
        edges += [edge for inside, edge in sides if not inside]
    outline = LineCollection(edges, colors=[region.colour], linewidths=2.2, linestyles=region.style, label=region.label, zorder=3)
    ax.add_collection(outline, autolim=False)


def _draw_beyond(mark: Beyond, ax: Axes) -> None:
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    if bottom <= mark.y <= top:
        return
    at, above = (mark.x - left) / (right - left), mark.y > top
    arrow: Any = {"arrowstyle": "-|>", "color": mark.colour, "lw": 1.0, "shrinkA": 0, "shrinkB": 0}
    edge, inside = (1.0, -14) if above else (0.0, 14)
    ax.annotate("", (at, edge), (0, inside), "axes fraction", "offset points", arrowprops=arrow)
    side = "right" if at > 0.5 else "left"  # of the arrow, where there is room
    away = {"right": -4, "left": 4}[side]
    box = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.9}
    where: Any = {"ha": side, "va": "top" if above else "bottom", "fontsize": 7.5, "color": mark.colour, "bbox": box}
    ax.annotate(mark.text, (at, edge), (away, inside / 7), "axes fraction", "offset points", **where)


def _set_axis(ax: Axes, name: Literal["x", "y"], axis: Axis) -> None:
    if axis.ticks is not None:
        places = range(len(axis.ticks)) if axis.at is None else axis.at
        shown = [(place, tick) for place, tick in zip(places, axis.ticks, strict=True) if tick]
        ax.set(**{f"{name}ticks": [place for place, _ in shown], f"{name}ticklabels": [tick for _, tick in shown]})
    elif axis.at is not None:
        ax.set(**{f"{name}ticks": axis.at})
    ax.set(**{f"{name}label": axis.label})
    if axis.log:
        ax.set(**{f"{name}scale": "log"})
    if axis.limits is not None:
        ax.set(**{f"{name}lim": axis.limits})
    if axis.form is not None:
        getattr(ax, f"{name}axis").set_major_formatter(axis.form)
    if axis.plain:
        ax.ticklabel_format(axis=name, useOffset=False)
    if axis.whole:
        _whole(getattr(ax, f"{name}axis"))
    if axis.room is not None:
        ax.margins(x=axis.room) if name == "x" else ax.margins(y=axis.room)


def _whole(axis: XAxis | YAxis) -> None:
    """Numbers at whole values alone."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))
