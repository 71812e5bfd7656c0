"""Figures of a desk's requests: markouts of its most and least toxic clients, and how often it wins by what it quotes.

They are drawn from the frames of an analysis (`dealermarket.data.analysis`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import Estimate
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Band, Figure, Level, Line, Mark, Points
from dealermarket.plots.style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Array = NDArray[Any]

AT_EACH_END = 3
_TOXIC, _HARMLESS = (COLOURS[5], COLOURS[1], COLOURS[3]), (COLOURS[4], COLOURS[2], COLOURS[0])


def plot_client_markouts(
    markouts: pd.DataFrame, clients: pd.DataFrame, reward_horizon: int, step: str = "steps", ax: Axes | None = None
) -> Axes:
    """Markouts by horizon of the three most and the three least toxic clients of a desk, all their requests, with 95 % bands.

    `markouts` and `clients` are the frames of an analysis; `step` says what a step is, for the axis."""
    return drawn(client_markouts(markouts, clients, reward_horizon, step), ax)


def client_markouts(markouts: pd.DataFrame, clients: pd.DataFrame, reward_horizon: int, step: str = "steps") -> Figure:
    """The figure of `plot_client_markouts`."""
    sure = clients[clients["markout_bp_high"].notna()]
    ranked = (sure if len(sure) else clients)["client"].astype(str).tolist()
    harmless = ranked[AT_EACH_END:][-AT_EACH_END:]
    colours = {**dict(zip(ranked, _TOXIC, strict=False)), **dict(zip(harmless, _HARMLESS[-len(harmless) :], strict=False))}
    asked = markouts[(markouts["by"] == "client") & (markouts["of"] == "asked")]
    marks: list[Mark] = [Level(0.0), Level(reward_horizon, "x", style="--")]
    for name, colour in colours.items():
        own = asked[asked["name"] == name]
        at, value, low, high = (
            own[column].to_numpy() for column in ("horizon", "markout_bp", "markout_bp_low", "markout_bp_high")
        )
        marks += [Band(at, low, high, colour, 0.2), Line(at, value, name, colour, 1.5)]
    bands = " Bands: 95 % intervals by blocks of time." if len(sure) else ""
    chosen = " The most toxic clients (reddish) and the least." if harmless else ""
    caption = (
        "What the mid's moves add to a unit that a client asks for, won or not, seen from the desk and before spread: below 0 "
        f"the mid moves against the desk.{chosen}{bands} The vertical line is the reward horizon, {reward_horizon:,}."
    )
    x, y = Axis(f"time since the request ({step})", whole=True), Axis("markout (bp of volume)")
    return Figure("markouts", caption, marks, x, y, "Markouts by client")


def plot_hit_ratio(quotes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How often a desk wins by what it quotes, in bins, with 95 % intervals, and how many requests trade at all.

    `quotes` is the frame of an analysis."""
    return drawn(hit_ratio(quotes), ax)


def hit_ratio(quotes: pd.DataFrame) -> Figure:
    """The figure of `plot_hit_ratio`."""
    at, value, low, high = (quotes[name].to_numpy() for name in ("quote_bp", "hit_ratio", "hit_ratio_low", "hit_ratio_high"))
    won = Estimate(100 * value, np.full(len(at), np.nan), *(100 * np.where(np.isnan(end), value, end) for end in (low, high)))
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
