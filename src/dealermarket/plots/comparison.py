"""Figures of a comparison: differences by maker and statistic, and a maker's clients before and after.

They are drawn from the frames of a comparison, which have the columns `a`, `b`, `difference`, `low` and `high`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.drawing import draw_panels
from dealermarket.plots.figure import Axis, Bounds, Figure, Level, Line, Mark, Panels, Points, row_places, rows_axis
from dealermarket.plots.style import COLOURS, STYLE
from dealermarket.runs.statistics import PURE, statistic_named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]

STATISTICS = ("pnl", "client_revenue", "inventory_pnl", "market_share", "hedge_ratio", "mean_abs_position")
MOST_MAKERS, MOST_CLIENTS = 20, 30


def plot_differences(frame: pd.DataFrame, sides: str) -> Picture:
    """A panel a statistic: what b has more of than a, by maker, with 95 % intervals. `frame` is that of a comparison, `sides`
    says what a and b are.

    Of more than MOST_MAKERS, those whose P&L differs most."""
    pnl = frame[frame["statistic"] == "pnl"].set_index("maker")["difference"]
    makers = _largest(pnl, MOST_MAKERS)
    figures = []
    for name in STATISTICS:
        statistic = statistic_named(name)
        unit = "percentage points" if statistic.percent else statistic.unit
        title, label = statistic.label, f"b − a ({unit})" if unit != PURE else "b − a"
        rows = frame[frame["statistic"] == name].set_index("maker").loc[makers]
        figures.append(_differences(rows, title, label, statistic.scale))
    among = f" The {len(makers)} of {len(pnl)} makers whose P&L differs most." if len(makers) < len(pnl) else ""
    caption = f"{sides}. What b has more of than a, paired; bars: 95 % intervals.{among}"
    return _drawn(
        Panels("differences", "What differs: b − a, by maker", caption, figures, 3, 2 * (_height(len(makers)),), share_x=False)
    )


def plot_clients(frame: pd.DataFrame, maker: str, sides: str) -> Picture:
    """Share and yield of one maker's clients in a (hollow) and b, and the differences with their 95 % intervals beside them.

    `frame` is that of a comparison's clients, `sides` says what a and b are. Clients stand in the order of the differences of
    share; of more than MOST_CLIENTS, those whose share differs most."""
    own = frame[frame["maker"] == maker]
    share = own[own["measure"] == "share"].set_index("client")["difference"]
    largest = _largest(share, MOST_CLIENTS)
    clients = share[largest].sort_values(ascending=False, kind="stable").index
    figures = []
    for title, unit, measure, scale in (("share", "%", "share", 100.0), ("yield", "bp", "yield_bp", 1.0)):
        rows = own[own["measure"] == measure].set_index("client").loc[clients]
        points = "percentage points" if unit == "%" else unit
        figures += [
            _sides(rows, title, f"{title} ({unit})", scale),
            _differences(rows, f"{title}, b − a", f"b − a ({points})", scale),
        ]
    among = f" The {len(clients)} of {len(share)} clients whose share differs most." if len(clients) < len(share) else ""
    caption = (
        f"{sides}. Share: of the client's volume; yield: what {maker} earns with the client, spread and position revenue, per "
        f"volume. Clients in the order of the difference of share; bars: 95 % intervals of paired differences.{among}"
    )
    return _drawn(
        Panels("clients", f"Clients of {maker}", caption, figures, 4, (_height(len(clients)),), share_x=False, width=2.9)
    )


def _largest(differences: pd.Series[float], most: int) -> list[str]:
    """Names of the largest differences, in their own order."""
    kept = set(differences.abs().nlargest(most).index)
    return [name for name in differences.index if name in kept]


def _differences(rows: pd.DataFrame, title: str, label: str, scale: float) -> Figure:
    """Differences, one below the other, with their intervals."""
    estimate = Bounds.of(rows, "difference", "low", "high", scale)
    marks: list[Mark] = [Level(0.0, "x"), Points(row_places(len(rows)), estimate, colour=COLOURS[0], style="", across=True)]
    return Figure("difference", label, marks, Axis(label), rows_axis([str(name) for name in rows.index]), title)


def _sides(rows: pd.DataFrame, title: str, label: str, scale: float) -> Figure:
    """Both sides of each client, joined."""
    places, a, b = row_places(len(rows)), scale * rows["a"].to_numpy(), scale * rows["b"].to_numpy()
    joined = np.stack([a, b, np.full(len(rows), np.nan)], axis=1).ravel()  # a stroke each
    marks: list[Mark] = [
        Line(joined, np.repeat(places, 3), None, COLOURS[4], 2.5),
        Line(a, places, "a", COLOURS[7], style="", marker="hollow"),
        Line(b, places, "b", COLOURS[0], style="", marker="filled"),
    ]
    return Figure("sides", label, marks, Axis(label), rows_axis([str(name) for name in rows.index]), title)


def _height(rows: int) -> float:
    """Of a panel with so many named rows, inches."""
    return max(1.6, 0.9 + 0.2 * rows)


def _drawn(panels: Panels) -> Picture:
    from matplotlib import rc_context

    with rc_context(STYLE):
        return draw_panels(panels)
