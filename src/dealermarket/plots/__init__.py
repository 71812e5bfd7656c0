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

from dealermarket.plots.dealer import plot_dealer_hedging, plot_dealer_quotes, plot_efficient_frontier
from dealermarket.plots.desk import plot_client_markouts, plot_hit_ratio
from dealermarket.plots.drawing import draw, draw_panels
from dealermarket.plots.figure import (
    Axis,
    Band,
    Bars,
    Beyond,
    Dots,
    Figure,
    Heat,
    Legend,
    Level,
    Line,
    Mark,
    Panels,
    Points,
    Raster,
    Style,
    Whiskers,
    drawn_once,
    tall,
)
from dealermarket.plots.hedging import plot_hedge_fractions, plot_hedging_costs
from dealermarket.plots.markouts import plot_markouts
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.pnl import plot_cumulative_reward, plot_pnl, plot_pnl_at_end, plot_pnl_parts
from dealermarket.plots.position import plot_net_position
from dealermarket.plots.prices import plot_client_sizes, plot_price_curves, price_curves
from dealermarket.plots.saved import FORMATS, save_plots
from dealermarket.plots.shares import plot_client_tiers, plot_market_share, plot_share_by_client, plot_share_by_tier
from dealermarket.plots.style import COLOURS, STYLE, looks, sequence, shade

__all__ = [
    "COLOURS",
    "FORMATS",
    "STYLE",
    "Axis",
    "Band",
    "Bars",
    "Beyond",
    "Dots",
    "Figure",
    "Heat",
    "Legend",
    "Level",
    "Line",
    "Mark",
    "Panels",
    "PicturedRun",
    "Points",
    "Raster",
    "Style",
    "Whiskers",
    "draw",
    "draw_panels",
    "drawn_once",
    "looks",
    "plot_client_markouts",
    "plot_client_sizes",
    "plot_client_tiers",
    "plot_cumulative_reward",
    "plot_dealer_hedging",
    "plot_dealer_quotes",
    "plot_efficient_frontier",
    "plot_hedge_fractions",
    "plot_hedging_costs",
    "plot_hit_ratio",
    "plot_market_share",
    "plot_markouts",
    "plot_net_position",
    "plot_pnl",
    "plot_pnl_at_end",
    "plot_pnl_parts",
    "plot_price_curves",
    "plot_share_by_client",
    "plot_share_by_tier",
    "price_curves",
    "save_plots",
    "sequence",
    "shade",
    "tall",
]


def __dir__() -> list[str]:
    return sorted(__all__)
