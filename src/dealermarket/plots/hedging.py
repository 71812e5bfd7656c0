"""Figures of hedging: what it costs each maker to trade risk away and to hold it, and how much of it it trades away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import Estimate, mean
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Bars, Figure, Mark, Panels, Whiskers
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.style import COLOURS
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.statistics import MONEY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]


def plot_hedging_costs(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """Hedging cost and risk cost of each maker, means over the replicas, and their sum with its 95 % interval.

    In price units times units of the asset, 0 or more.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    return drawn(hedging_costs(PicturedRun.of(run)), ax)


def plot_hedge_fractions(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """How much of its position each maker trades away in a step, of those steps in which it has one.

    Percent: means with 95 % intervals over the replicas.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(hedge_fractions(PicturedRun.of(run)), ax)


def hedging_costs(run: PicturedRun) -> Figure:
    """The figure of `plot_hedging_costs`."""
    hedging, risk = (
        np.stack([-run.of_replicas(f"{name}_cost", maker) for maker in run.makers], axis=1) for name in ("hedging", "risk")
    )
    rows = _rows(run)
    marks: list[Mark] = [
        Bars(rows, hedging.mean(axis=0), "hedging cost", COLOURS[0], 0.7, across=True),
        Bars(rows, risk.mean(axis=0), "risk cost", COLOURS[1], 0.7, hedging.mean(axis=0), across=True),
        Whiskers(rows, mean(hedging + risk), across=True),
    ]
    caption = (
        f"What a run costs each maker, means over {len(risk):,} replicas: spreads paid for hedges, and the losing moves of the "
        "position; the whisker is the 95 % interval of their sum."
    )
    return Figure("hedging_costs", caption, marks, Axis(f"cost ({MONEY})"), _names(run))


def hedge_fractions(run: PicturedRun) -> Figure:
    """The figure of `plot_hedge_fractions`."""
    fraction, held = run.paths.steps["hedge_fraction"], run.paths.position != 0
    with np.errstate(invalid="ignore", divide="ignore"):
        by_replica = 100 * np.where(held, fraction, 0.0).sum(axis=1) / held.sum(axis=1)
    shown: Estimate = mean(by_replica[:, [run.number(maker) for maker in run.makers]])
    rows = _rows(run)
    marks: list[Mark] = [Bars(rows, shown.value, None, COLOURS[2], 0.7, across=True), Whiskers(rows, shown, across=True)]
    caption = f"Hedged in a step: means over the steps with a position, {run.replicas}, with 95 % intervals."
    return Figure(
        "hedge_fractions", caption, marks, Axis("hedged in a step (% of the position)", limits=(0.0, None)), _names(run)
    )


def hedging_panels(run: PicturedRun) -> Panels:
    """Costs and hedges of all makers."""
    costs, fractions = hedging_costs(run), hedge_fractions(run)
    height = 1.0 + 0.35 * len(run.makers)
    by_gamma = any(hasattr(run.scenario.makers[run.number(maker)].hedging, "risk_aversion") for maker in run.makers)
    more = " One γ each: what a maker pays by its γ is drawn by dealermarket experiment volatility." if by_gamma else ""
    caption = f"{costs.caption} {fractions.caption}{more}{run.without_panel}"
    return Panels("hedging", "Hedging", caption, [costs, fractions], 2, (height,), share_x=False)


def _rows(run: PicturedRun) -> Array:
    """Where the makers stand, the first on top."""
    return np.arange(len(run.makers))[::-1]


def _names(run: PicturedRun) -> Axis:
    """The axis of the makers, with their risk aversion where they have one."""
    gammas = [getattr(run.scenario.makers[run.number(maker)].hedging, "risk_aversion", None) for maker in run.makers]
    names = [maker if gamma is None else f"{maker} (γ = {gamma:g})" for maker, gamma in zip(run.makers, gammas, strict=True)]
    return Axis(ticks=names[::-1])
