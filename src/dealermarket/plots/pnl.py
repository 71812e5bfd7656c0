"""Figures of P&L: a fan over time, the parts that it is made of, and what the replicas end with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import decimals_of, deviation, fixed, mean, tail
from dealermarket.plots.drawing import drawn
from dealermarket.plots.fan import alike, fan, middle
from dealermarket.plots.figure import Axis, Bars, Figure, Level, Line, Mark, Panels
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.style import COLOURS, STYLES, minus
from dealermarket.runs.paths import PNL_PARTS, largest_drawdown
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.statistics import MONEY, REWARDS, statistic_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
_BINS = (8, 40)  # fewest and most
_FEW = 20  # replicas, below which each is shown, and none is the one in 20


def plot_pnl(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """A maker's mark-to-market P&L over time: median, and bands of 50 % and 90 % of the replicas.

    In price units times units of the asset.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    maker : str
        The name of the maker.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ParameterError
        The run has no such maker.
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(pnl(PicturedRun.of(run), maker), ax)


def plot_pnl_parts(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """What a maker's P&L is made of over time, means over the replicas.

    Client and interdealer revenue, hedging cost and inventory P&L, in price units times units of the asset. They add up to P&L,
    the black line.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    maker : str
        The name of the maker.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ParameterError
        The run has no such maker.
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(pnl_parts(PicturedRun.of(run), maker), ax)


def plot_pnl_at_end(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """How a maker's P&L ends, in all replicas of the run: a histogram with its mean and its 5 % tail; of few replicas, each.

    In price units times units of the asset.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    maker : str
        The name of the maker.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ParameterError
        The run has no such maker.
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(pnl_at_end(PicturedRun.of(run), maker), ax)


def plot_cumulative_reward(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """The four rewards of a maker added up over time, means over the replicas, and their sum.

    In price units times units of the asset.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    maker : str
        The name of the maker.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ParameterError
        The run has no such maker.
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.

    Notes
    -----
    The rewards are those of Ganesh et al., Multi-Agent Simulation for Pricing and Hedging in a Dealer Market (2019), section 3.4.
    """
    return drawn(cumulative_reward(PicturedRun.of(run), maker), ax)


def pnl(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_pnl`."""
    values = _from_the_start(run.paths.pnl[:, run.time.shown, run.number(maker)])
    caption = f"Mark-to-market P&L after each step, {run.replicas}."
    marks: list[Mark] = [Level(0.0), *fan(_times(run), values, COLOURS[0])]
    return Figure("pnl", caption, marks, run.time.axis, Axis(f"P&L ({MONEY})"), title=maker)


def pnl_panels(run: PicturedRun) -> Panels:
    """The P&L of every maker."""
    figures = [pnl(run, maker) for maker in run.makers]
    return _panels(run, "pnl", "P&L over time", figures)


def pnl_parts(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_pnl_parts`."""
    parts = {name: _mean_path(run, run.paths.earned(name), maker) for name in PNL_PARTS}
    return _added_up(run, "pnl_parts", parts, "pnl", maker)


def pnl_parts_panels(run: PicturedRun) -> Panels:
    """The parts of P&L of every maker."""
    return _panels(run, "pnl_parts", "What P&L is made of", [pnl_parts(run, maker) for maker in run.makers])


def cumulative_reward(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_cumulative_reward`."""
    parts = {name: _mean_path(run, run.paths.earned(name), maker) for name in REWARDS}
    return _added_up(run, "cumulative_reward", parts, "total_reward", maker)


def cumulative_reward_panels(run: PicturedRun) -> Panels:
    """The four rewards of every maker."""
    figures = [cumulative_reward(run, maker) for maker in run.makers]
    return _panels(run, "cumulative_reward", "The paper's four rewards, added up over time", figures)


def pnl_at_end(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_pnl_at_end`."""
    values = run.of_replicas("pnl", maker)
    marks, how = _each(values) if len(values) < _FEW else _counted(values)
    caption = (
        f"P&L at the end of {len(values):,} {'replica' if len(values) == 1 else 'replicas'}{how}. Drawdown: the mean over "
        f"{run.replicas} of the largest fall of P&L from what it had reached."
    )
    numbers = {"sd": deviation(values)} if len(values) > 1 else {}
    if len(values) >= _FEW:
        numbers["5 % tail"] = tail(values)
    numbers["drawdown"] = float(largest_drawdown(run.paths.pnl[:, :, run.number(maker)]).mean())
    decimals = decimals_of([mean(values)])
    texts = [f"{name} {value:.3g}" if decimals is None else f"{name} {fixed(value, decimals)}" for name, value in numbers.items()]
    note = minus(f"mean {mean(values)}, {texts[0]}\n{', '.join(texts[1:])}".strip())
    y = Axis("replica", limits=(-0.5, len(values) - 0.5), whole=True) if len(values) < _FEW else Axis("replicas", whole=True)
    return Figure("pnl_at_end", caption, marks, Axis(f"P&L ({MONEY})"), y, title=maker, note=note)


def _each(values: Array) -> tuple[list[Mark], str]:
    """Few replicas, each a point at its number, and what a caption says of them."""
    points = Line(values, np.arange(len(values)), None, COLOURS[0], style="", marker="filled")
    marks: list[Mark] = [Level(float(values.mean()), "x", COLOURS[0], 1.8), Level(0.0, "x"), points]
    return marks, ": a point each, and the blue line is their mean"


def _counted(values: Array) -> tuple[list[Mark], str]:
    """Many replicas as a histogram, and what a caption says of it."""
    low, high = middle(values)
    heights, edges = np.histogram(np.clip(values, low, high), bins_of(len(values)), (low, high))
    marks: list[Mark] = [
        Bars((edges[:-1] + edges[1:]) / 2, heights, colour=COLOURS[4], width=edges[1] - edges[0]),
        Line([values.mean()] * 2, [0, heights.max()], "mean", COLOURS[0], 1.8),
        Line([tail(values)] * 2, [0, heights.max()], "5 % tail: one replica in 20 ends below it", COLOURS[5], 1.8, "--"),
        Level(0.0, "x"),
    ]
    return marks, ". The axis shows the middle 98 %: the outermost bars hold what lies beyond"


def bins_of(count: int) -> int:
    """How many bars a histogram of so many replicas has."""
    return int(np.clip(2 * np.sqrt(count), *_BINS))


def pnl_at_end_panels(run: PicturedRun) -> Panels:
    """How the P&L of every maker ends."""
    figures = [pnl_at_end(run, maker) for maker in run.makers]
    return Panels("pnl_at_end", "P&L at the end", figures[0].caption + run.without_panel, figures, share_x=False, share_y=False)


def _panels(run: PicturedRun, name: str, title: str, figures: list[Figure]) -> Panels:
    """Makers side by side, on one scale if that shows them all."""
    shared = alike(np.array([_range(figure) for figure in figures]))
    caption = figures[0].caption + run.without_panel + ("" if shared else " Each panel has a scale of its own.")
    return Panels(name, title, caption, figures, share_y=shared)


def _range(figure: Figure) -> tuple[float, float]:
    """What the lines and bands of a figure reach from and to, 0 with them."""
    ends = [np.asarray(getattr(mark, side)) for mark in figure.marks for side in ("y", "low", "high") if hasattr(mark, side)]
    return min(0.0, *(float(values.min()) for values in ends)), max(0.0, *(float(values.max()) for values in ends))


def _added_up(run: PicturedRun, name: str, parts: dict[str, Array], whole: str, maker: str) -> Figure:
    """Parts over time, (times,) each, and their sum."""
    lines = [
        Line(_times(run), values, statistic_named(part).label, colour, 1.4, style)
        for (part, values), colour, style in zip(parts.items(), COLOURS, STYLES, strict=False)
    ]
    total = Line(_times(run), sum(parts.values()), statistic_named(whole).label, "black", 1.8)
    caption = f"Means over {run.replicas}; the black line is the sum of the others."
    return Figure(name, caption, [Level(0.0), *lines, total], run.time.axis, Axis(f"so far ({MONEY})"), title=maker)


def _mean_path(run: PicturedRun, values: Array, maker: str) -> Array:
    """The mean over the replicas of values (B, T, M) at the times that are drawn, 0 at the start."""
    return np.asarray(_from_the_start(values[:, run.time.shown, run.number(maker)]).mean(axis=0))


def _times(run: PicturedRun) -> Array:
    """The times at which steps are over, the start before them."""
    return run.time.at(np.concatenate([[0], run.time.shown + 1]))


def _from_the_start(values: Array) -> Array:
    """Values (B, shown) after steps, with 0 before the first; (B, 1 + shown)."""
    return np.concatenate([np.zeros((len(values), 1)), values], axis=1)
