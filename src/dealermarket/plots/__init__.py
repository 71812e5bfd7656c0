"""Figures: of a run, and of data.

Each `plot_*` draws a run into Matplotlib axes, given or new, and returns them; `save_plots` draws all that the record is
enough for into files::

    from pathlib import Path

    from dealermarket import Scenario, SimulationRunner
    from dealermarket.plots import plot_market_share, save_plots

    result = SimulationRunner(Scenario.load("paper", ["steps=50"]), replicas=20, record="trades").run()
    plot_market_share(result).set_title("Who gets the volume")
    written, left_out = save_plots(result, Path("figures"), "svg")

A figure of anything else is a value, a `Figure` of marks, which `draw(figure, axes)` draws. Nothing is shown and no
backend is chosen: both are the caller's.
"""

from dealermarket.plots.drawing import draw
from dealermarket.plots.figure import (
    Axis,
    Band,
    Bars,
    Dots,
    Figure,
    Heat,
    Legend,
    Level,
    Line,
    Mark,
    Points,
    Style,
    Whiskers,
    drawn_once,
    tall,
)
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
    "drawn_once",
    "plot_cumulative_reward",
    "plot_market_share",
    "plot_net_position",
    "plot_price_curves",
    "price_curves",
    "save_plots",
    "sequence",
    "shade",
    "tall",
]


def __dir__() -> list[str]:
    return sorted(__all__)
