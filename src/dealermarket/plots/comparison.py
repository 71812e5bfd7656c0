"""Figures of a comparison: differences by maker and statistic, and a maker's clients before and after.

They are drawn from the frames of a comparison, which have the columns `a`, `b`, `difference`, `low` and `high`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.disk import replacing
from dealermarket.plots.drawing import draw
from dealermarket.plots.figure import Axis, Figure, Legend, Level, Line, Mark, Points
from dealermarket.plots.style import COLOURS, STYLE
from dealermarket.runs.statistics import PURE, statistic_named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]

STATISTICS = ("pnl", "client_revenue", "inventory_pnl", "market_share", "hedge_ratio", "mean_abs_position")
MOST_MAKERS, MOST_CLIENTS = 20, 30


@dataclass(frozen=True)
class Interval:
    """Values (n,) with their bounds."""

    value: Array
    low: Array
    high: Array


def plot_differences(frame: pd.DataFrame) -> Picture:
    """A panel a statistic: what b has more of than a, by maker, with 95 % intervals. `frame` is that of a comparison.

    Of more than MOST_MAKERS, those whose P&L differs most."""
    names = list(dict.fromkeys(frame["maker"]))
    makers = _largest(frame[frame["statistic"] == "pnl"].set_index("maker")["difference"], MOST_MAKERS)
    figures = []
    for name in STATISTICS:
        statistic = statistic_named(name)
        unit = "percentage points" if statistic.percent else statistic.unit
        label = f"{statistic.label} ({unit})" if unit != PURE else statistic.label
        figures.append(_differences(frame[frame["statistic"] == name].set_index("maker").loc[makers], label, statistic.scale))
    picture = _drawn(figures, 3, 3 * (3.2 + 0.1 * len(makers)))
    among = f"; the {len(makers)} of {len(names)} makers whose P&L differs most" if len(makers) < len(names) else ""
    picture.suptitle(f"b − a, paired; bars: 95 % intervals{among}")
    return picture


def plot_clients(frame: pd.DataFrame, maker: str) -> Picture:
    """Share and yield of one maker's clients in a (hollow) and b, and below the differences with their 95 % intervals.

    `frame` is that of a comparison's clients. Of more than MOST_CLIENTS, those whose share differs most."""
    own = frame[frame["maker"] == maker]
    share = own[own["measure"] == "share"].set_index("client")["difference"]
    clients = _largest(share, MOST_CLIENTS)
    shown = {"share (%)": ("share", 100.0), "yield (bp)": ("yield_bp", 1.0)}
    rows = {label: own[own["measure"] == name].set_index("client").loc[clients] for label, (name, _) in shown.items()}
    figures = [_sides(rows[label], label, scale) for label, (_, scale) in shown.items()]
    figures += [_differences(rows[label], f"{label}: b − a", scale) for label, (_, scale) in shown.items()]
    picture = _drawn(figures, 2, max(9.0, 3.0 + 0.4 * len(clients)))
    among = f"; the {len(clients)} of {len(share)} whose share differs most" if len(clients) < len(share) else ""
    picture.suptitle(f"Clients of {maker}, paired; bars: 95 % intervals{among}")
    return picture


def save(picture: Picture, path: Path) -> None:
    """Writes a picture as PNG. Raises RunFolderError where that is not possible."""
    with replacing(path) as temporary:
        picture.savefig(temporary, dpi=150, format="png")


def _largest(differences: pd.Series[float], most: int) -> list[str]:
    """Names of the largest differences, in their own order."""
    kept = set(differences.abs().nlargest(most).index)
    return [name for name in differences.index if name in kept]


def _differences(rows: pd.DataFrame, label: str, scale: float) -> Figure:
    """Differences in a row, with their intervals."""
    estimate = Interval(*(scale * rows[name].to_numpy() for name in ("difference", "low", "high")))
    marks: list[Mark] = [Level(0.0), Points(np.arange(len(rows)), estimate, colour=COLOURS[0], style="")]
    return Figure("difference", label, marks, x=_places(rows), y=Axis(label))


def _sides(rows: pd.DataFrame, label: str, scale: float) -> Figure:
    """Both sides of each client."""
    places = np.arange(len(rows))
    marks: list[Mark] = [
        Line(places, scale * rows["a"].to_numpy(), "a", COLOURS[7], style="", marker="hollow"),
        Line(places, scale * rows["b"].to_numpy(), "b", COLOURS[0], style="", marker="filled"),
    ]
    return Figure("sides", label, marks, x=_places(rows), y=Axis(label), legend=Legend(columns=2))


def _places(rows: pd.DataFrame) -> Axis:
    return Axis(ticks=[str(name) for name in rows.index], limits=(-0.6, len(rows) - 0.4))


def _drawn(figures: list[Figure], columns: int, width: float) -> Picture:
    """The figures in rows, which share their x axes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Picture
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = len(figures) // columns
    with rc_context(STYLE):
        picture = Picture(figsize=(width, 1.2 + 3.0 * rows), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
        for figure, panel in zip(figures, picture.subplots(rows, columns, sharex=True).ravel(), strict=True):
            draw(figure, panel)
            characters = sum(map(len, figure.x.ticks or ()))
            panel.tick_params(axis="x", rotation=90 if characters > 60 else 30 if characters > 20 else 0)
    return picture
