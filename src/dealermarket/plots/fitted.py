"""Figures of a calibration: what a log holds, beside what the scenario fitted to it says.

They are drawn from the frames of `dealermarket.data.beside.Beside`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.desk import estimates_of
from dealermarket.plots.figure import Axis, Band, Bars, Figure, Level, Line, Mark, Points, row_places, rows_axis, tall
from dealermarket.plots.style import COLOURS, named

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

MOST_CLIENTS = 25
"""Of more clients, those with most requests are shown."""
_OUTCOMES = {"won": ("won", COLOURS[0]), "traded_away": ("traded away", COLOURS[5]), "not_traded": ("not traded", COLOURS[7])}
_OBSERVED, _FITTED = COLOURS[4], COLOURS[5]
_BARS = "bars: 95 % intervals by blocks of time"
_PERCENT = 100.0


def fill_curve(outcomes: pd.DataFrame) -> Figure:
    """Shares of the requests with each outcome by what the desk quoted, and as fitted."""
    rows = outcomes[outcomes["by"] == "quote"]
    marks: list[Mark] = []
    for name, (label, colour) in _OUTCOMES.items():
        own = rows[rows["outcome"] == name]
        if not own["observed"].any():
            continue
        marks.append(Points(own["at"].to_numpy(), estimates_of(own, "observed", _PERCENT), label, colour, ""))
        if own["predicted"].notna().all():
            marks.append(Line(own["at"].to_numpy(), _PERCENT * own["predicted"].to_numpy(), None, colour, 1.5))
    fitted = "lines: as fitted, at the same quotes" if rows["predicted"].notna().all() else "nothing was fitted"
    caption = (
        f"Points: what became of the requests, in bins of as many each, by the desk's quote; {_BARS}; {fitted}. Quotes are in "
        "units of the reference curve at the size of the request: 1 is half the reference spread, dearer for larger sizes."
    )
    x = Axis("quote (reference curve = 1)")
    return Figure("fill_curve", caption, marks, x, Axis("of requests (%)", limits=(-4.0, 104.0)), size=(5.6, 3.8))


def residuals(outcomes: pd.DataFrame, by: str) -> Figure:
    """Observed less fitted shares of requests won and traded away: by quote, size, hour or client."""
    rows = outcomes[outcomes["by"] == by]
    if by == "client":
        return _residuals_of_clients(rows)
    marks: list[Mark] = [Level(0.0)]
    at = "name" if by == "hour" else "at"
    for name in ("won", "traded_away"):
        label, colour = _OUTCOMES[name]
        own = rows[rows["outcome"] == name]
        x = own[at].to_numpy(dtype=np.float64)
        marks.append(Points(x, estimates_of(own, "residual", _PERCENT), label, colour, ""))
    label = {"quote": "quote (reference curve = 1)", "size": "size (units; mean of the bin)", "hour": "hour of the day (UTC)"}[by]
    caption = f"By {by}: observed less fitted, in percentage points of the requests; {_BARS}. Above 0: more than fitted."
    return Figure(f"residuals_{by}", caption, marks, Axis(label), Axis("observed − fitted (points)"), f"By {by}", size=(4.2, 3.1))


def _residuals_of_clients(rows: pd.DataFrame) -> Figure:
    won = rows[rows["outcome"] == "won"].nlargest(MOST_CLIENTS, "requests")
    points = Points(row_places(len(won)), estimates_of(won, "residual", _PERCENT), None, COLOURS[0], "", across=True)
    caption = f"By client: observed less fitted share won, in percentage points; {_BARS}.{_among(won, rows['name'].nunique())}"
    x = Axis("won: observed − fitted (points)")
    return Figure(
        "residuals_client", caption, [Level(0.0, "x"), points], x, _named(won["name"]), "By client", size=tall(len(won))
    )


def arrivals(clients: pd.DataFrame) -> Figure:
    """Requests a day of each client: in the log, and as fitted."""
    shown = clients.head(MOST_CLIENTS)
    marks: list[Mark] = [
        Points(row_places(len(shown)), estimates_of(shown, "arrival"), "fitted", _FITTED, "", across=True),
        Line(
            shown["observed"].to_numpy(),
            row_places(len(shown)),
            "observed",
            COLOURS[0],
            style="",
            marker="hollow",
            beyond_frame=True,
        ),
    ]
    caption = (
        "Requests a day of each client, and the fitted rate with its 95 % interval. A client asks at most once a step in the "
        f"scenario: who asks more often lies to the right of its rate.{_among(shown, len(clients))}"
    )
    return Figure("arrivals", caption, marks, Axis("requests a day"), _named(shown["client"]), size=tall(len(shown)))


def hours(by_hour: pd.DataFrame) -> Figure:
    """Requests an hour by hour of the day: in the log, and as fitted."""
    at = by_hour["hour"].to_numpy()
    marks: list[Mark] = [
        Points(at, estimates_of(by_hour, "observed"), "observed", COLOURS[0], ""),
        Line(at, by_hour["fitted"].to_numpy(), "fitted", _FITTED, 1.5),
    ]
    top = float(np.nanmax(by_hour[["observed", "observed_high", "fitted"]].to_numpy()))
    caption = f"Requests an hour of all clients, by hour of the day, over the hours with mids; {_BARS}."
    y = Axis("requests an hour", limits=(0.0, 1.08 * top))
    return Figure("hours", caption, marks, Axis("hour of the day (UTC)", whole=True), y)


def sizes(shares: pd.DataFrame) -> Figure:
    """Shares of the requests by size: in the log, and as fitted."""
    if "size" in shares:
        at = np.arange(len(shares))
        shown = {place for place in at if place % -(-len(at) // 12) == 0}
        ticks = [f"{size:g}" if place in shown else "" for place, size in enumerate(shares["size"])]
        marks: list[Mark] = [
            Bars(at, _PERCENT * shares["observed"].to_numpy(), "observed", _OBSERVED),
            Line(at, _PERCENT * shares["fitted"].to_numpy(), "fitted", _FITTED, style="", marker="hollow"),
        ]
        caption = "Shares of the requests at each size; circles: the fitted ladders of sizes, each client's as often as it asked."
        return Figure("sizes", caption, marks, Axis("size (units)", ticks=ticks), Axis("of requests (%)"))
    edges = np.log10(np.append(shares["low"].to_numpy(), shares["high"].to_numpy()[-1:]))
    caption = (
        "Shares of the requests by size, on a logarithmic axis; line: the fitted log-normal laws, each client's as often as it "
        "asked. The axis leaves out the outermost 0.2 %."
    )
    whole = np.arange(np.ceil(2 * edges[0]) / 2, edges[-1] + 1e-9, 0.5).tolist()
    x = Axis("size (units)", at=whole, ticks=[f"{10**place:,.3g}" for place in whole])
    return Figure("sizes", caption, _histogram(shares, edges), x, Axis("of requests (%)"))


def spreads(shares: pd.DataFrame) -> Figure:
    """Shares of the steps by reference spread: in the file, and as fitted."""
    edges = np.append(shares["low"].to_numpy(), shares["high"].to_numpy()[-1:])
    caption = (
        "Shares of the steps by the spread between bid and ask; line: the fitted law. The axis leaves out the outermost 0.2 %."
    )
    x = Axis("reference spread (bp of the mid)")
    return Figure("spreads", caption, _histogram(shares, edges), x, Axis("of steps (%)"))


def volatility(windows: pd.DataFrame, since: str) -> Figure:
    """The annual volatility over time, and the fitted one; `since` says of what the axis counts."""
    at = windows["day"].to_numpy()
    low, high = (_PERCENT * windows[f"volatility_{end}"].to_numpy() for end in ("low", "high"))
    marks: list[Mark] = [
        Band(at, low, high, COLOURS[0], 0.2),
        Line(at, _PERCENT * windows["volatility"].to_numpy(), "realised", COLOURS[0], 1.5, marker="filled"),
        Line(at, _PERCENT * windows["fitted"].to_numpy(), "fitted", _FITTED, 1.5, "--"),
    ]
    caption = (
        "Realised annual volatility of the mids at the step, in windows of as many steps each, with 95 % bands; dashed: the one "
        "volatility of the scenario. Where windows leave it for long, no single one describes the time."
    )
    return Figure("volatility", caption, marks, Axis(since), Axis("annual volatility (%)", limits=(0.0, None)))


def _histogram(shares: pd.DataFrame, edges: Array) -> list[Mark]:
    middle, width = 0.5 * (edges[1:] + edges[:-1]), float(edges[1] - edges[0])
    return [
        Bars(middle, _PERCENT * shares["observed"].to_numpy(), "observed", _OBSERVED, 0.95 * width),
        Line(middle, _PERCENT * shares["fitted"].to_numpy(), "fitted", _FITTED, 1.7),
    ]


def _named(names: pd.Series[str]) -> Axis:
    return rows_axis([named(str(name), 20) for name in names])


def _among(shown: pd.DataFrame, count: int) -> str:
    return f" The {len(shown)} of {count:,} clients with most requests." if len(shown) < count else ""
