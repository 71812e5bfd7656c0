"""Figures of a run: `plot_*(data, ax=None) -> Axes`."""

from dealermarket.plots.run import (
    COLOURS,
    FORMATS,
    STYLE,
    plot_cumulative_reward,
    plot_market_share,
    plot_net_position,
    plot_price_curves,
    save_plots,
)

__all__ = [
    "COLOURS",
    "FORMATS",
    "STYLE",
    "plot_cumulative_reward",
    "plot_market_share",
    "plot_net_position",
    "plot_price_curves",
    "save_plots",
]
