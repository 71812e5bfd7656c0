"""Figures: `plot_*(data, ax=None) -> Axes` of a run, and `draw(figure, axes)` of a figure that is given as data."""

from dealermarket.plots.drawing import draw
from dealermarket.plots.figure import Axis, Band, Bars, Dots, Figure, Heat, Legend, Level, Line, Mark, Points, Style, Whiskers
from dealermarket.plots.run import (
    FORMATS,
    plot_cumulative_reward,
    plot_market_share,
    plot_net_position,
    plot_price_curves,
    price_curves,
    save_plots,
)
from dealermarket.plots.style import COLOURS, STYLE, sequence, shade

__all__ = [
    "COLOURS",
    "FORMATS",
    "STYLE",
    "Axis",
    "Band",
    "Bars",
    "Dots",
    "Figure",
    "Heat",
    "Legend",
    "Level",
    "Line",
    "Mark",
    "Points",
    "Style",
    "Whiskers",
    "draw",
    "plot_cumulative_reward",
    "plot_market_share",
    "plot_net_position",
    "plot_price_curves",
    "price_curves",
    "save_plots",
    "sequence",
    "shade",
]
