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
    """A line through points, both (n,); without a `style` the markers alone."""

    x: ArrayLike
    y: ArrayLike
    label: str | None = None
    colour: Any = "black"
    width: float = 1.3
    style: Style = "-"
    marker: Literal["", "filled", "hollow"] = ""
    beyond_frame: bool = False  # whether markers on the frame are drawn whole


@dataclass(frozen=True)
class Points:
    """Estimates (n,) at x (n,), with bars from each to its bounds; joined by a line if it has a style. With `across`, x is their
    place on the y-axis."""

    x: ArrayLike
    estimate: Interval
    label: str | None = None
    colour: Any = "black"
    style: Style = "-"
    across: bool = False


@dataclass(frozen=True)
class Band:
    """What lies between two lines, each (n,)."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    colour: Any
    opacity: float = 0.2
    label: str | None = None


@dataclass(frozen=True)
class Bars:
    """Bars of a height (n,), from 0 or from `base` (n,); with `across` they lie, and x is their place on the y-axis."""

    x: ArrayLike
    height: ArrayLike
    label: str | None = None
    colour: Any = "black"
    width: float = 0.8
    base: ArrayLike | None = None
    across: bool = False


@dataclass(frozen=True)
class Whiskers:
    """Black bars from estimates (n,) to their upper bounds, and as far down; with `across` on bars that lie."""

    x: ArrayLike
    estimate: Interval
    cap: float = 2.0
    across: bool = False


@dataclass(frozen=True)
class Level:
    """A reference line across the figure, at a value of y, or of x."""

    at: float
    of: Literal["x", "y"] = "y"
    colour: Any = "black"
    width: float = 0.8
    style: Style = "-"


@dataclass(frozen=True)
class Dots:
    """A cloud of points, both (n,)."""

    x: ArrayLike
    y: ArrayLike
    colour: Any


@dataclass(frozen=True)
class Heat:
    """Values (rows, columns) from 0 to `top` and more as colours, each written into its cell in the format `form`."""

    values: NDArray[Any]
    form: str = "{:.2f}"
    top: float = 1.0


@dataclass(frozen=True)
class Raster:
    """Values (rows, columns) from 0 (light) to `top` (dark) and more as colours, the first row on top; grey where they are NaN.

    Columns reach from the first to the second number of `x`, rows lie at 0, 1 and on. `label` stands at the scale of colours."""

    values: NDArray[Any]
    x: tuple[float, float]
    top: float
    label: str
    whole: bool = False  # whether the values are whole numbers


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
    """A point that lies above or below the frame: an arrow at its edge, with a text. Nothing where it lies within."""

    x: float
    y: float
    text: str
    colour: Any = "black"


Mark = Line | Points | Band | Bars | Whiskers | Level | Dots | Heat | Raster | Surface | Beyond


@dataclass(frozen=True)
class Axis:
    """What stands at an axis. `ticks` are the names of the places 0, 1 and on, "" for none; `form` the format of numbers."""

    label: str = ""
    ticks: Sequence[str] | None = None
    limits: tuple[float | None, float | None] | None = None
    form: str | None = None
    whole: bool = False  # numbers stand at whole values alone
    log: bool = False  # as far apart as their logarithms
    plain: bool = False  # numbers are written in full, never as what is to be added to one that stands apart
    room: float | None = None  # beside the data, as a share of its range
    at: Sequence[float] | None = None  # where numbers stand, or the names of `ticks`


@dataclass(frozen=True)
class Legend:
    """Where the labels of the marks stand, in which size, in how many columns, and under which title."""

    size: int = 10
    place: str = "best"
    columns: int = 1
    title: str | None = None
    beside: bool = False  # to the right of the frame
    below: bool = False  # under the frame, where it hides nothing


@dataclass(frozen=True)
class Figure:
    """A picture: its marks in the order in which they are drawn, and its axes. The caption explains lines, bands and bars."""

    name: str
    caption: str
    marks: Sequence[Mark]
    x: Axis = Axis()
    y: Axis = Axis()
    title: str = ""
    legend: Legend = Legend()  # drawn where a mark has a label
    size: tuple[float, float] = (4.8, 3.5)  # inches
    note: str = ""  # a line under the title


@dataclass(frozen=True)
class Panels:
    """Figures side by side as one picture, under one title, with one legend and the caption below.

    Axes that are shared have their labels once. `columns` are as many as look well if not given; `heights` are those of the
    rows, relative to each other."""

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
    """The size of a figure that has so many named rows, in inches."""
    return 4.8, max(3.5, 0.6 + 0.21 * rows)


def row_places(rows: int) -> NDArray[Any]:
    """Where so many named rows stand on the y-axis, (rows,), the first on top."""
    return np.arange(rows)[::-1]


def rows_axis(names: Sequence[str]) -> Axis:
    """The y-axis of named rows, the first on top."""
    return Axis(ticks=list(names)[::-1], limits=(-0.6, len(names) - 0.4))


def drawn_once(lines: Mapping[str, ArrayLike], share: float = 0.01) -> list[list[str]]:
    """The names of lines, each (n,), in groups of lines that coincide: that are nowhere further apart than a `share` of what
    all of them span, which is about the width of a line."""
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
