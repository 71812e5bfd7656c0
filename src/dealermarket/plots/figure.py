"""A figure as data: what is to be drawn, and nothing of how; `draw` and `draw_panels` are the one place that draws it.

In Python::

    from dealermarket.plots import Axis, Figure, Level, Points, draw

    marks = [Points([0, 1, 2], estimate, "found", COLOURS[0]), Level(0.0)]
    draw(Figure("gain", "What is gained; bars: 95 % intervals.", marks, x=Axis("strength"), y=Axis("gain (bp)")), axes)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

Style = Literal["-", "--", ":", "-.", ""]
"""How a line is drawn: solid, dashed, dotted, dashes and dots, or not at all."""


class Interval(Protocol):
    """Values (n,) with bounds, such as an Estimate."""

    @property
    def value(self) -> NDArray[Any]: ...

    @property
    def low(self) -> NDArray[Any]: ...

    @property
    def high(self) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Bounds:
    """Values (n,) with bounds, as an Interval has them."""

    value: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]

    @classmethod
    def of(cls, rows: pd.DataFrame, value: str, low: str, high: str, scale: float = 1.0) -> Bounds:
        """Three columns of a frame, each times `scale`."""
        return cls(*(scale * rows[name].to_numpy() for name in (value, low, high)))


@dataclass(frozen=True)
class Line:
    """A line through points.

    Parameters
    ----------
    x, y : array_like, (n,)
        Where the points are.
    label : str, optional
        Its name in the legend.
    colour : colour
        Any that Matplotlib knows.
    width : float
        How wide it is, in points.
    style : Style
        How it is drawn; "" for the markers alone.
    marker : {"", "filled", "hollow"}
        A circle at each point, or none.
    beyond_frame : bool
        Whether markers on the frame are drawn whole.
    """

    x: ArrayLike
    y: ArrayLike
    label: str | None = None
    colour: Any = "black"
    width: float = 1.3
    style: Style = "-"
    marker: Literal["", "filled", "hollow"] = ""
    beyond_frame: bool = False


@dataclass(frozen=True)
class Points:
    """Estimates as points, with bars from each to its bounds.

    Parameters
    ----------
    x : array_like, (n,)
        Where they are on the x-axis, or with `across` on the y-axis.
    estimate : Interval
        Values (n,) with bounds, such as an `Estimate`.
    label : str, optional
        Their name in the legend.
    colour : colour
        Any that Matplotlib knows.
    style : Style
        Of the line that joins them; "" for none.
    across : bool
        Whether the bars lie.
    """

    x: ArrayLike
    estimate: Interval
    label: str | None = None
    colour: Any = "black"
    style: Style = "-"
    across: bool = False


@dataclass(frozen=True)
class Band:
    """What lies between two lines.

    Parameters
    ----------
    x : array_like, (n,)
        Where the points of both are.
    low, high : array_like, (n,)
        The lines.
    colour : colour
        Any that Matplotlib knows.
    opacity : float
        From 0, nothing, to 1.
    label : str, optional
        Its name in the legend.
    """

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    colour: Any
    opacity: float = 0.2
    label: str | None = None


@dataclass(frozen=True)
class Bars:
    """Bars that stand, or lie.

    Parameters
    ----------
    x : array_like, (n,)
        Where their middles are on the x-axis, or with `across` on the y-axis.
    height : array_like, (n,)
        How long they are.
    label : str, optional
        Their name in the legend.
    colour : colour
        Any that Matplotlib knows.
    width : float or array_like, (n,)
        How broad they are, in the unit of the axis.
    base : array_like, (n,), optional
        Where they begin; at 0 where left out.
    across : bool
        Whether they lie.
    """

    x: ArrayLike
    height: ArrayLike
    label: str | None = None
    colour: Any = "black"
    width: float = 0.8
    base: ArrayLike | None = None
    across: bool = False


@dataclass(frozen=True)
class Whiskers:
    """Black bars from estimates to their bounds, on bars that stand, or lie.

    Parameters
    ----------
    x : array_like, (n,)
        Where they are on the x-axis, or with `across` on the y-axis.
    estimate : Interval
        Values (n,) with bounds, such as an `Estimate`.
    cap : float
        Half the width of the line at each end, in points.
    across : bool
        Whether they lie.
    """

    x: ArrayLike
    estimate: Interval
    cap: float = 2.0
    across: bool = False


@dataclass(frozen=True)
class Level:
    """A reference line across the whole figure.

    Parameters
    ----------
    at : float
        The value at which it stands.
    of : {"y", "x"}
        The axis of that value.
    colour : colour
        Any that Matplotlib knows.
    width : float
        How wide it is, in points.
    style : Style
        How it is drawn.
    """

    at: float
    of: Literal["x", "y"] = "y"
    colour: Any = "black"
    width: float = 0.8
    style: Style = "-"


@dataclass(frozen=True)
class Dots:
    """A cloud of points.

    Parameters
    ----------
    x, y : array_like, (n,)
        Where they are.
    colour : colour
        Any that Matplotlib knows.
    """

    x: ArrayLike
    y: ArrayLike
    colour: Any


@dataclass(frozen=True)
class Heat:
    """Values as colours, each written into its cell.

    Parameters
    ----------
    values : array, (rows, columns)
        The values, the first row on top.
    form : str
        The format in which they are written.
    top : float
        The value of the last colour, which larger ones have, too; the first colour is that of 0.
    """

    values: NDArray[Any]
    form: str = "{:.2f}"
    top: float = 1.0


@dataclass(frozen=True)
class Raster:
    """Many values as colours, from light to dark; grey where they are NaN.

    Parameters
    ----------
    values : array, (rows, columns)
        The values. Rows lie at 0, 1 and on, the first on top.
    x : tuple of two floats
        From where to where the columns reach.
    top : float
        The value of the last colour, which larger ones have, too; the first colour is that of 0.
    label : str
        What stands at the scale of colours.
    whole : bool
        Whether the values are whole numbers.
    """

    values: NDArray[Any]
    x: tuple[float, float]
    top: float
    label: str
    whole: bool = False


@dataclass(frozen=True)
class Region:
    """Some cells of a surface (rows, columns), true where they belong, with a line around them."""

    cells: NDArray[Any]
    label: str
    colour: Any = "black"
    style: Style = "-"


@dataclass(frozen=True)
class Surface:
    """Values (rows, columns) as colours between two limits, the first row at the bottom; grey where they are NaN. Cells lie at
    0, 1 and on. `label` stands at the scale of colours. With a `form` each value is written into its cell in this format."""

    values: NDArray[Any]
    limits: tuple[float, float]
    label: str
    regions: Sequence[Region] = ()
    form: str = ""


@dataclass(frozen=True)
class Beyond:
    """A point that lies above or below the frame, shown as an arrow at its edge; nothing where it lies within.

    Parameters
    ----------
    x, y : float
        Where it is.
    text : str
        What stands at the arrow.
    colour : colour
        Any that Matplotlib knows.
    """

    x: float
    y: float
    text: str
    colour: Any = "black"


Mark = Line | Points | Band | Bars | Whiskers | Level | Dots | Heat | Raster | Surface | Beyond


@dataclass(frozen=True)
class Axis:
    """What stands at an axis, and what it shows.

    Parameters
    ----------
    label : str
        Its label, with the unit.
    ticks : sequence of str, optional
        The names of the places 0, 1 and on; "" for none.
    limits : tuple of two floats or None, optional
        From where to where it reaches; None where the data say so.
    form : str, optional
        The format of its numbers.
    whole : bool
        Whether numbers stand at whole values alone.
    log : bool
        Whether values are as far apart as their logarithms.
    plain : bool
        Whether numbers are written in full, never as what is to be added to one that stands apart.
    room : float, optional
        The room beside the data, as a share of their range.
    at : sequence of float, optional
        Where numbers stand, or the names of `ticks`.
    """

    label: str = ""
    ticks: Sequence[str] | None = None
    limits: tuple[float | None, float | None] | None = None
    form: str | None = None
    whole: bool = False
    log: bool = False
    plain: bool = False
    room: float | None = None
    at: Sequence[float] | None = None


@dataclass(frozen=True)
class Legend:
    """Where the labels of the marks stand.

    Parameters
    ----------
    size : int
        The size of the letters, in points.
    place : str
        Where in the frame, in Matplotlib's words.
    columns : int
        In how many columns.
    title : str, optional
        What stands above them.
    beside : bool
        Whether it stands to the right of the frame.
    below : bool
        Whether it stands under the frame, where it hides nothing.
    """

    size: int = 10
    place: str = "best"
    columns: int = 1
    title: str | None = None
    beside: bool = False
    below: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture as data: its marks and its axes.

    Parameters
    ----------
    name : str
        Its name, and that of its file.
    caption : str
        Explains lines, bands and bars.
    marks : sequence of Mark
        What is drawn, in this order.
    x, y : Axis
        The axes.
    title : str
        What stands above it.
    legend : Legend
        Where the labels stand, if a mark has one.
    size : tuple of two floats
        Width and height, in inches.
    note : str
        A line under the title.

    Examples
    --------
    >>> from dealermarket.plots import Axis, Figure, Level, Line
    >>> gain = Figure("gain", "What is gained.", [Line([0, 1], [0.0, 2.5]), Level(0.0)], x=Axis("strength"), y=Axis("gain (bp)"))
    >>> gain.y.label
    'gain (bp)'
    """

    name: str
    caption: str
    marks: Sequence[Mark]
    x: Axis = Axis()
    y: Axis = Axis()
    title: str = ""
    legend: Legend = Legend()
    size: tuple[float, float] = (4.8, 3.5)
    note: str = ""


@dataclass(frozen=True)
class Panels:
    """Figures side by side as one picture, under one title, with one legend and the caption below.

    Parameters
    ----------
    name : str
        Its name, and that of its file.
    title : str
        What stands above it.
    caption : str
        Explains lines, bands and bars.
    figures : sequence of Figure
        The panels, row by row.
    columns : int, optional
        How many stand side by side. Where left out, as many as look well.
    heights : sequence of float, optional
        The height of each row, in inches.
    share_x, share_y : bool
        Whether panels share this axis, which then has its labels once.
    width : float, optional
        The width of a panel, in inches.
    """

    name: str
    title: str
    caption: str
    figures: Sequence[Figure]
    columns: int | None = None
    heights: Sequence[float] | None = None
    share_x: bool = True
    share_y: bool = True
    width: float | None = None


def tall(rows: int) -> tuple[float, float]:
    """The size of a figure that has so many named rows.

    Parameters
    ----------
    rows : int
        How many rows.

    Returns
    -------
    tuple of two floats
        Width and height, in inches.
    """
    return 4.8, max(3.5, 0.6 + 0.21 * rows)


def row_places(rows: int) -> NDArray[Any]:
    """Where so many named rows stand on the y-axis, (rows,), the first on top."""
    return np.arange(rows)[::-1]


def rows_axis(names: Sequence[str]) -> Axis:
    """The y-axis of named rows, the first on top."""
    return Axis(ticks=list(names)[::-1], limits=(-0.6, len(names) - 0.4))


def drawn_once(lines: Mapping[str, ArrayLike], share: float = 0.01) -> list[list[str]]:
    """Lines in groups that coincide, so that each group can be drawn once.

    Parameters
    ----------
    lines : mapping of str to array_like, (n,)
        The lines, by name.
    share : float
        Lines coincide that are nowhere further apart than this share of what all lines and 0 span, about the width of a line.

    Returns
    -------
    list of list of str
        The names in each group.

    Examples
    --------
    >>> from dealermarket.plots import drawn_once
    >>> drawn_once({"a": [0.0, 1.0], "b": [0.0, 1.001], "c": [1.0, 0.0]})
    [['a', 'b'], ['c']]
    """
    values = {name: np.asarray(line, dtype=np.float64) for name, line in lines.items()}
    every = np.concatenate([[0.0], *(line[np.isfinite(line)] for line in values.values())])
    apart = share * float(np.ptp(every))
    groups: list[list[str]] = []
    for name, line in values.items():
        for group in groups:
            if np.allclose(line, values[group[0]], rtol=0.0, atol=apart, equal_nan=True):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups
