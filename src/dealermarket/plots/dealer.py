"""Figures of the FX dealer's problem: where it hedges and how fast, what it quotes, and its efficient frontier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.control.dealer import Solution
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Figure, Legend, Level, Line, Mark, Style
from dealermarket.plots.style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SECONDS = 86_400.0
_POINTS = 801


def plot_dealer_hedging(solution: Solution, ax: Axes | None = None) -> Axes:
    """How fast a dealer hedges, by inventory; nothing within its internalization zone.

    Millions of the asset a second, by millions of it.

    Parameters
    ----------
    solution : dealermarket.control.dealer.Solution
        A dealer's problem, solved.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(dealer_hedging({"": solution}), ax)


def plot_dealer_quotes(solution: Solution, ax: Axes | None = None) -> Axes:
    """Half-spreads at which a dealer buys from clients, by inventory, tier and size.

    Basis points, by millions of the asset.

    Parameters
    ----------
    solution : dealermarket.control.dealer.Solution
        A dealer's problem, solved.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(dealer_quotes(solution), ax)


def plot_efficient_frontier(frontier: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """A dealer's mean P&L against its risk, a point for each risk aversion.

    Basis points times millions of the asset, a day and per square root of a day.

    Parameters
    ----------
    frontier : pandas.DataFrame
        The frame of `dealermarket.control.dealer.efficient_frontier`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(dealer_frontier(frontier), ax)


def dealer_hedging(solutions: Mapping[str, Solution]) -> Figure:
    """The figure of `plot_dealer_hedging`, of solutions by name."""
    marks: list[Mark] = [Level(0.0)]
    for (name, solution), colour in zip(solutions.items(), COLOURS, strict=False):
        largest, zone = solution.problem.largest_inventory, solution.controls.zone
        at = np.unique(np.concatenate([np.linspace(-largest, largest, _POINTS), [-zone, zone]]))
        label = f"{name}: {zone:.1f} M" if name else f"hedging; zone: {zone:.1f} M"
        marks += [
            Line(at, solution.controls.hedging_rate(at) / _SECONDS, label, colour),
            Line([-zone, zone], [0.0, 0.0], None, colour, style="", marker="hollow"),
        ]
    return Figure(
        "hedging",
        "How fast the dealer hedges, by its inventory: it sells where it is long. Circles: the ends of the internalization zone, "
        "within which it waits for clients; its half-width stands in the legend.",
        marks,
        Axis("inventory (M)"),
        Axis("hedging rate (M a second)"),
        legend=Legend(size=9),
        size=(5.6, 4.0),
    )


def dealer_quotes(solution: Solution) -> Figure:
    """The figure of `plot_dealer_quotes`."""
    problem, nodes = solution.problem, solution.controls.chain.inventory
    zone, largest = solution.controls.zone, problem.largest_inventory
    at = np.concatenate([-nodes[:0:-1], nodes])
    at = at[np.abs(at) <= max(4.0 * zone, 2.0 * problem.sizes[-1])]
    quotes = solution.controls.quotes(at)[:, 0]  # (inventories, tiers, sizes)
    sizes = sorted({0, len(problem.sizes) // 2, len(problem.sizes) - 1})
    styles: tuple[Style, ...] = ("-", "--", ":")
    marks: list[Mark] = [Level(0.0)]
    for tier, colour in zip(range(len(problem.tiers)), COLOURS, strict=False):
        for size, style in zip(sizes, styles, strict=False):
            label = f"{f'tier {tier + 1}, ' if len(problem.tiers) > 1 else ''}{problem.sizes[size]:g} M"
            marks.append(Line(at, quotes[:, tier, size], label, colour, style=style))
    marks += [Level(side * zone, "x", "0.6", style="--") for side in (-1.0, 1.0) if zone < largest]
    return Figure(
        "quotes",
        "How far below the mid the dealer buys from clients, by its inventory; it sells as far above at the opposite inventory. "
        "Colours: tiers; lines: sizes; upright: the internalization zone. A line ends where the trade would carry the inventory "
        "too far.",
        marks,
        Axis("inventory (M)"),
        Axis("half-spread (bp)"),
        legend=Legend(below=True, columns=max(len(problem.tiers), 1), size=9),
        size=(5.6, 4.6),
    )


def dealer_frontier(frontier: pd.DataFrame) -> Figure:
    """The figure of `plot_efficient_frontier`."""
    rows = frontier.sort_values("sd_pnl")
    sd, mean = rows["sd_pnl"].to_numpy(), rows["mean_pnl"].to_numpy()
    return Figure(
        "frontier",
        "Mean of P&L against its standard deviation, a point for each risk aversion γ, the largest on the left. Below the line "
        "a dealer could earn more at the same risk, as far as the model goes.",
        [Line(sd, mean, None, COLOURS[0], marker="filled")],
        Axis("standard deviation of P&L (bp M per √day)"),
        Axis("mean P&L (bp M a day)"),
        size=(5.6, 4.0),
    )
