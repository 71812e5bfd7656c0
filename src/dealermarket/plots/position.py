"""The figure of a maker's net position."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dealermarket.errors import ParameterError
from dealermarket.plots.drawing import drawn
from dealermarket.plots.fan import alike, fan, middle
from dealermarket.plots.figure import Axis, Beyond, Figure, Level, Line, Mark, Panels
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.style import COLOURS, minus
from dealermarket.plots.time_axis import TimeAxis
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.statistics import ASSET
from dealermarket.runs.statistics.positions import half_life

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_net_position(
    run: SimulationResult | PicturedRun, maker: str, replica: int | None = None, ax: Axes | None = None
) -> Axes:
    """The position that a maker holds into each step: median, bands of 50 % and 90 % of the replicas, and one path.

    In units of the asset. The axis shows the middle 98 % of the positions.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. Where it did not record what is drawn, its first replicas are run again.
    maker : str
        The name of the maker.
    replica : int, optional
        Whose path to draw. Where left out, that with the largest position of all.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Where left out, axes of a new picture, which has the caption below.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ParameterError
        The run has no such maker, or the replica is not among those drawn.
    RunFolderError
        What is drawn was not recorded, and the run cannot be run again.
    """
    return drawn(net_position(PicturedRun.of(run), maker, replica), ax)


def net_position(run: PicturedRun, maker: str, replica: int | None = None) -> Figure:
    """The figure of `plot_net_position`. Raises ParameterError for a replica that is not drawn."""
    held, replicas, time = run.paths.position[:, :, run.number(maker)], run.paths.replicas, run.time
    if replica is not None and replica not in replicas:
        raise ParameterError(f"replica: must be one of those drawn, {replicas.min()}..{replicas.max()}, got {replica}")
    if replica is None:
        row, label = int(np.argmax(np.abs(held).max(axis=1))), "the path with the largest position"
    else:
        row, label = int(np.flatnonzero(replicas == replica)[0]), f"replica {replica}"
    largest = int(np.argmax(np.abs(held[row])))
    marks: list[Mark] = [Level(0.0), *fan(time.at(time.shown), held[:, time.shown], COLOURS[0])]
    if len(held) > 1:
        path = held[row] if len(held[row]) <= 4 * len(time.shown) else held[row, time.shown]
        marks.append(Line(time.at(np.linspace(0, time.steps - 1, len(path))), path, label, COLOURS[5], 0.6))
    most, when = _amount(held[row, largest]), time.at(np.asarray(largest))
    marks.append(Beyond(float(when), float(held[row, largest]), most, COLOURS[5]))
    caption = (
        f"Position held into each step, {run.replicas}. The axis shows the middle 98 % of all positions: a path may leave it; an "
        "arrow is where the path shown goes furthest, and how far. Half-life: how long it takes until half of a position is gone."
    )
    kept = half_life_in_words(float(run.statistics[maker]["position_persistence"].value), time)
    note = f"{kept}\nlargest {most} (replica {replicas[row]}, after {when:.2f} {time.unit})"
    limits = middle(held)
    return Figure("net_position", caption, marks, time.axis, Axis(f"position ({ASSET})", limits=limits), title=maker, note=note)


def net_position_panels(run: PicturedRun, replica: int | None = None) -> Panels:
    """The position of every maker."""
    figures = [net_position(run, maker, replica) for maker in run.makers]
    limits = np.array([figure.y.limits for figure in figures])
    shared = alike(limits)
    if shared:
        y = replace(figures[0].y, limits=(limits[:, 0].min(), limits[:, 1].max()))
        figures = [replace(figure, y=y) for figure in figures]
    caption = figures[0].caption + run.without_panel + ("" if shared else " Each panel has a scale of its own.")
    return Panels("net_position", "Net position", caption, figures, share_y=shared)


def _amount(units: float) -> str:
    """A position in a note."""
    return minus(f"{units:,.0f}" if abs(units) >= 100 else f"{units:.3g}")


def half_life_in_words(persistence: float, time: TimeAxis) -> str:
    """The half-life of positions of which the share `persistence` is kept from step to step, in the unit of the axis."""
    steps = float(half_life(persistence))
    if math.isnan(steps):
        return "never a position"
    if steps < 1:
        return "half-life less than a step"
    if steps > time.steps:
        return "half-life longer than the run"
    return f"half-life {time.at(np.asarray(steps)):.2f} {time.unit}"
