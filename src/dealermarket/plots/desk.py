"""Figures of a desk's requests: markouts of its most toxic and its largest clients, and how often it wins by what it quotes.

They are drawn from the frames of an analysis (`dealermarket.data.analysis`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import Estimate, in_columns
from dealermarket.plots.drawing import draw_panels, drawn
from dealermarket.plots.figure import Axis, Band, Figure, Level, Line, Mark, Panels, Points
from dealermarket.plots.style import COLOURS, STYLE, named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

Array = NDArray[Any]

TOXIC = LARGEST = 4
"""So many of the most toxic clients are shown, and so many of those who ask for most besides."""
_TOXIC, _LARGE, _ALL = COLOURS[5], COLOURS[0], COLOURS[7]


def plot_client_markouts(markouts: pd.DataFrame, clients: pd.DataFrame, reward_horizon: int, step: str = "steps") -> Picture:
    """Markouts by horizon of a desk's most toxic clients and of its largest, with 95 % bands: a panel each, on one scale.

    Of all their requests, won or not, in basis points of volume.

    Parameters
    ----------
    markouts : pandas.DataFrame
        The table `markouts` of an `Analysis`.
    clients : pandas.DataFrame
        Its table `clients`.
    reward_horizon : int
        After how many steps trades are judged; a line stands there.
    step : str
        What a step is, for the axis.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    from matplotlib import rc_context

    with rc_context(STYLE):
        return draw_panels(client_markouts(markouts, clients, reward_horizon, step))


def client_markouts(markouts: pd.DataFrame, clients: pd.DataFrame, reward_horizon: int, step: str = "steps") -> Panels:
    """The panels of `plot_client_markouts`."""
    sure = clients[clients["markout_bp_high"].notna()]
    ranked = sure if len(sure) else clients
    toxic = ranked["client"].astype(str).tolist()[:TOXIC]
    others = ranked[~ranked["client"].astype(str).isin(toxic)].sort_values("volume", ascending=False, kind="stable")
    large = others["client"].astype(str).tolist()[:LARGEST]
    asked = markouts[markouts["of"] == "asked"]
    everybody, own = asked[asked["by"] == "total"], asked[asked["by"] == "client"]
    shown = own[own["name"].isin([*toxic, *large])]
    columns = ["markout_bp", "markout_bp_low", "markout_bp_high"]
    ends = np.concatenate([[0.0], *(frame[columns].to_numpy().ravel() for frame in (shown, everybody))])
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = 0.05 * (high - low) or 1.0
    y = Axis("markout (bp of volume)", limits=(low - room, high + room))
    last = int(asked["horizon"].max()) if len(asked) else reward_horizon
    x = Axis(f"after the request ({step})", at=list(range(0, last + 1, reward_horizon)))
    figures = [
        _markouts(own[own["name"] == name], everybody, name, colour, reward_horizon, x, y)
        for names, colour in ((toxic, _TOXIC), (large, _LARGE))
        for name in names
    ]
    bands = " Bands: 95 % intervals by blocks of time." if len(sure) else ""
    chosen = f" Reddish: the {len(toxic)} most toxic clients; blue: the {len(large)} largest of the others." if large else ""
    caption = (
        "What the mid's moves add to a unit that a client asks for, won or not, seen from the desk and before spread: below 0 "
        f"the mid moves against the desk.{chosen}{bands} Dashed: all clients together. The vertical line is the reward horizon, "
        f"{reward_horizon:,}."
    )
    return Panels("markouts", "Markouts by client", caption, figures, columns=min(max(len(figures), 1), 4), width=2.9)


def _markouts(
    own: pd.DataFrame, everybody: pd.DataFrame, name: str, colour: str, reward_horizon: int, x: Axis, y: Axis
) -> Figure:
    at, value, low, high = (own[column].to_numpy() for column in ("horizon", "markout_bp", "markout_bp_low", "markout_bp_high"))
    marks: list[Mark] = [
        Level(0.0),
        Level(reward_horizon, "x", style=":"),
        Band(at, low, high, colour, 0.2),
        Line(everybody["horizon"].to_numpy(), everybody["markout_bp"].to_numpy(), None, _ALL, 1.0, "--"),
        Line(at, value, None, colour, 1.7),
    ]
    return Figure("markouts", f"Markouts of {name}", marks, x, y, named(name), size=(4.0, 2.8))


def plot_hit_ratio(quotes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How often a desk wins by what it quotes, in bins, with 95 % intervals, and how many requests trade at all.

    Percent, by basis points of the mid.

    Parameters
    ----------
    quotes : pandas.DataFrame
        The table `quotes` of an `Analysis`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(hit_ratio(quotes), ax)


def hit_ratio(quotes: pd.DataFrame) -> Figure:
    """The figure of `plot_hit_ratio`."""
    at, low = quotes["quote_bp"].to_numpy(), quotes["hit_ratio_low"].to_numpy()
    won = estimates_of(quotes, "hit_ratio", 100.0)
    marks: list[Mark] = [Points(at, won, "traded with the desk", COLOURS[0], "-")]
    if quotes["not_traded"].any():
        traded = 100 * (1.0 - quotes["not_traded"].to_numpy())
        marks.append(Line(at, traded, "traded with anybody", COLOURS[7], style="--", marker="hollow"))
    bars = "; bars: 95 % intervals by blocks of time" if np.isfinite(low).any() else ""
    caption = (
        f"The share of requests that traded with the desk, by its quote over the mid: bins of as many requests each{bars}. "
        "Clients and sizes differ between bins, too."
    )
    return Figure(
        "hit_ratio",
        caption,
        marks,
        Axis("quote (bp of the mid)"),
        Axis("of requests (%)", limits=(-4.0, 104.0)),
        "Hit ratio by quote",
    )


def estimates_of(frame: pd.DataFrame, name: str, scale: float = 1.0) -> Estimate:
    """A column of a frame with its bounds, (rows,); where there are none, the value itself, so that it has no bar."""
    found = in_columns(frame, name).scaled(scale)
    low, high = (np.where(np.isnan(end), found.value, end) for end in (found.low, found.high))
    return Estimate(found.value, found.error, low, high)
