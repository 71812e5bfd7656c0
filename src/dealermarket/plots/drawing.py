"""The renderer: draws a figure that is given as data into Matplotlib's axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dealermarket.plots.figure import Axis, Band, Bars, Dots, Figure, Heat, Legend, Level, Line, Mark, Points, Whiskers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(figure: Figure, ax: Axes) -> Axes:
    """Draws a figure into axes, under the style that is set; its caption is not drawn."""
    draw_marks(figure.marks, ax)
    _set_axis(ax, "x", figure.x)
    _set_axis(ax, "y", figure.y)
    if figure.title:
        ax.set(title=figure.title)
    legend = figure.legend
    if ax.get_legend_handles_labels()[1]:
        heading: dict[str, Any] = {} if legend.title is None else {"title": legend.title, "title_fontsize": legend.size}
        ax.legend(fontsize=legend.size, ncols=legend.columns, **_place(legend, ax), **heading)
    return ax


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


def _draw_mark(mark: Mark, ax: Axes) -> None:
    match mark:
        case Line():
            _draw_line(mark, ax)
        case Points():
            middle, high = mark.estimate.value, mark.estimate.high
            look: Any = {"color": mark.colour, "ls": mark.style, "label": mark.label}
            ax.errorbar(mark.x, middle, high - middle, marker="o", ms=4, lw=1.3, capsize=2, **look)
        case Band():
            ax.fill_between(mark.x, mark.low, mark.high, color=mark.colour, alpha=mark.opacity, lw=0, label=mark.label)
        case Bars():
            ax.bar(mark.x, mark.height, mark.width, bottom=mark.base, color=mark.colour, label=mark.label)
        case Whiskers():
            middle, high = mark.estimate.value, mark.estimate.high
            ax.errorbar(mark.x, middle, high - middle, fmt="none", color="black", lw=1, capsize=mark.cap)
        case Level():
            across = ax.axhline if mark.of == "y" else ax.axvline
            across(mark.at, color=mark.colour, lw=mark.width, ls=mark.style)
        case Dots():
            ax.scatter(mark.x, mark.y, s=3, color=mark.colour, alpha=0.15, lw=0)
        case Heat():
            _draw_heat(mark, ax)


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
    for row, cells in enumerate(mark.values):
        for column, value in enumerate(cells):
            colour = "white" if value < 0.55 * mark.top else "black"
            ax.text(column, row, mark.form.format(value), ha="center", va="center", fontsize=8, color=colour)
    ax.grid(visible=False)


def _set_axis(ax: Axes, name: str, axis: Axis) -> None:
    if axis.ticks is not None:
        ax.set(**{f"{name}ticks": range(len(axis.ticks)), f"{name}ticklabels": list(axis.ticks)})
    ax.set(**{f"{name}label": axis.label})
    if axis.limits is not None:
        ax.set(**{f"{name}lim": axis.limits})
    if axis.form is not None:
        getattr(ax, f"{name}axis").set_major_formatter(axis.form)
    if axis.room is not None:
        ax.margins(x=axis.room) if name == "x" else ax.margins(y=axis.room)
