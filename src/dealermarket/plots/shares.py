"""Figures of who gets which clients: shares of the market over time, by maker, client and tier, and the clients' tiers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.plots.drawing import drawn
from dealermarket.plots.fan import alike
from dealermarket.plots.figure import Axis, Band, Figure, Line, Mark, Panels, Raster
from dealermarket.plots.pictured import PicturedRun, together
from dealermarket.plots.style import looks, sequence
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.statistics import quotient

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
_NAMES = 10  # of clients at its side
_VISIBLE = 0.005  # of an axis
_NAMED = 6  # panels that have room for names of their own
_SCALE = "The scale of colours ends at the 99th percentile of the values above 0."


def plot_market_share(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """Each maker's share of the clients' volume over time, all replicas together.

    Percent, rolling over a day, or over a tenth of a run that is shorter than ten days.

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
    return drawn(market_share(PicturedRun.of(run)), ax)


def plot_share_by_client(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """A maker's share of each client's volume over time, all replicas together, as a raster of clients and times.

    Percent; grey where the client did not trade.

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
    return drawn(share_by_client(PicturedRun.of(run), maker), ax)


def plot_share_by_tier(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """How much of a maker's volume with clients was quoted in which tier but the best over time, all replicas together.

    Percent, rolling over a day, or over a tenth of a run that is shorter than ten days.

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
    return drawn(share_by_tier(PicturedRun.of(run), maker), ax)


def plot_client_tiers(run: SimulationResult | PicturedRun, maker: str, ax: Axes | None = None) -> Axes:
    """In which tier a maker holds each client over time, in one replica, as a raster with the best placed on top.

    Parameters
    ----------
    run : SimulationResult or PicturedRun
        A run. No record has tiers, so that its first replicas are run again.
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
        The maker does not sort clients into more than one tier, there is no such maker, or the run cannot be run again.
    """
    return drawn(client_tiers(PicturedRun.of(run), maker), ax)


def market_share(run: PicturedRun) -> Figure:
    """The figure of `plot_market_share`."""
    names, time, volume = run.scenario.maker_names, run.time, run.volume_by_tier.sum(axis=2)
    lately, in_all = time.rolling(volume), volume.sum(axis=0)
    share = 100 * quotient(lately, lately.sum(axis=1, keepdims=True))
    of_all = 100 * quotient(in_all, in_all.sum(keepdims=True))
    marks = [
        Line(time.at(time.shown + 1), share[:, n], f"{name}: {of_all[n]:.0f} %", colour, 1.5, style)
        for n, (name, (colour, style)) in enumerate(zip(names, looks(len(names)), strict=True))
    ]
    top = max(float(np.nanpercentile(share, 99, axis=0).max()), 1.0) if np.isfinite(share).any() else 100.0
    limits = (0.0, min(1.1 * top, 101.0))
    caption = f"{_rolling(run)} The legend has the shares over the whole run.{_cut(share.max(axis=1), limits[1])}"
    return Figure("market_share", caption, marks, time.axis, Axis("share of clients' volume (%)", limits=limits))


def market_share_panels(run: PicturedRun) -> Panels:
    """The market shares as a picture of its own."""
    figure = market_share(run)
    return Panels(figure.name, "Market share", figure.caption, [figure], heights=(4.2,))


def share_by_client(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_share_by_client`."""
    volume = run.volume_by_client
    share = 100 * quotient(volume[:, :, run.number(maker)], volume.sum(axis=2))
    raster = Raster(share, (0.0, run.time.end), _top(share), "share of the client's volume (%)")
    caption = f"Each maker's share of each client's volume, {run.replicas} together. {_SCALE} Grey: the client did not trade."
    return _of_clients(run, "share_by_client", caption, raster, maker)


def share_by_client_panels(run: PicturedRun) -> Panels:
    """The shares of every maker by client."""
    figures = [share_by_client(run, maker) for maker in run.makers]
    return Panels("share_by_client", "Share by client", figures[0].caption + run.without_panel, _on_one_scale(figures))


def share_by_tier(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_share_by_tier`."""
    time, number = run.time, run.number(maker)
    tiers = run.scenario.makers[number].tiering.tiers
    lately = time.rolling(run.volume_by_tier[:, number, :tiers])
    share = 100 * quotient(lately, lately.sum(axis=1, keepdims=True))
    beyond = np.concatenate([np.zeros((len(share), 1)), np.cumsum(share[:, 1:], axis=1)], axis=1)
    top = max(float(np.nanpercentile(beyond[:, -1], 99)), 1.0) if np.isfinite(beyond).any() else 100.0
    limits = (0.0, min(1.1 * top, 100.0))
    colours = sequence(max(maker.tiering.tiers for maker in run.scenario.makers))
    marks: list[Mark] = [
        Band(time.at(time.shown + 1), beyond[:, tier - 1], beyond[:, tier], colours[tier], 1.0, f"tier {tier}")
        for tier in range(1, tiers)
        if np.nanmax(share[:, tier], initial=0.0) > _VISIBLE * limits[1]
    ]
    caption = (
        "The volume of each maker's clients that it quoted in another tier than the best, by tier; all the rest is in tier 0. "
        f"{_rolling(run)}"
    )
    note = f"{100 * quotient(run.volume_by_tier[:, number, 0].sum(), run.volume_by_tier[:, number].sum()):.3g} % in tier 0"
    y = Axis("clients' volume (%)", limits=limits)
    return Figure("share_by_tier", caption, marks, time.axis, y, title=maker, note=note)


def share_by_tier_panels(run: PicturedRun) -> Panels:
    """The tiers' shares in the volume of every maker that traded in more than one."""
    figures = [share_by_tier(run, maker) for maker in tiering_makers(run)]
    tops = np.array([figure.y.limits for figure in figures], dtype=float)
    shared = alike(tops)
    if shared:
        figures = [replace(figure, y=replace(figure.y, limits=(0.0, tops[:, 1].max()))) for figure in figures]
    scale = "" if shared else " Each panel has a scale of its own."
    caption = f"{figures[0].caption} An axis may leave out the highest hundredth of the steps.{scale}"
    return Panels(
        "share_by_tier", "Volume outside the best tier", caption + run.without_panel + _untiered(run), figures, share_y=shared
    )


def client_tiers(run: PicturedRun, maker: str) -> Figure:
    """The figure of `plot_client_tiers`. Raises ParameterError for a maker whose clients are all in one tier, or of which it
    cannot be seen."""
    if maker not in run.held:
        raise ParameterError(f"maker: must be one that sorts clients: {', '.join(run.held) or 'there is none'}, got {maker!r}")
    held, clients = run.held[maker], [agent.name for agent in run.scenario.agents]
    order = np.argsort(held.path.mean(axis=1), kind="stable")
    deepest = run.scenario.makers[run.number(maker)].tiering.tiers - 1
    raster = Raster(held.path[order].astype(float), (0.0, run.time.end), deepest, "tier, 0 is the best", whole=True)
    replicas = "1 replica" if held.replicas == 1 else f"{held.replicas} replicas"
    caption = (
        "The tier in which each maker holds each client in replica 0, traded with or not; the clients in the order of their mean "
        f"tier there, which is each maker's own. Above each panel, the clients with the best and the worst mean tier over "
        f"{replicas}: the more replicas, the more of the chance averages out."
    )
    best, worst = int(np.argmin(held.mean)), int(np.argmax(held.mean))
    note = f"best {clients[best]} ({held.mean[best]:.1f})\nworst {clients[worst]} ({held.mean[worst]:.1f})"
    return _of_clients(run, "client_tiers", caption, raster, maker, [clients[row] for row in order], note)


def client_tiers_panels(run: PicturedRun) -> Panels:
    """The clients' tiers with every maker that has more than one."""
    figures = [client_tiers(run, maker) for maker in run.held]
    if len(figures) > _NAMED:
        figures = [replace(figure, y=Axis("clients", ticks=())) for figure in figures]
    without = [name for name in run.makers if name not in run.held]
    untiered = f" Without a panel, since they have one tier: {together(without)}." if without else ""
    caption = figures[0].caption + run.without_panel + untiered
    return Panels("client_tiers", "Tiers of clients", caption, _on_one_scale(figures), share_y=False)


def tiering_makers(run: PicturedRun) -> list[str]:
    """The makers, of those that have a panel, that traded with clients in more than one tier."""
    tiers = np.count_nonzero(run.volume_by_tier.sum(axis=0), axis=1)
    return [name for name in run.makers if tiers[run.number(name)] > 1]


def _untiered(run: PicturedRun) -> str:
    """Which makers are not shown."""
    without = [name for name in run.makers if name not in tiering_makers(run)]
    return f" Without a panel, since they traded in one tier alone: {together(without)}." if without else ""


def _cut(highest: Array, top: float) -> str:
    """A sentence on what an axis that ends at `top` leaves out of lines that reach as high at each time."""
    beyond = highest[highest > top]
    if not len(beyond):
        return ""
    return f" At {len(beyond)} of {len(highest)} points in time a line goes beyond the axis, up to {beyond.max():.0f} %."


def _rolling(run: PicturedRun) -> str:
    window = run.time.window
    return f"Over the last {window} steps ({run.time.in_words(window)}), {run.replicas} together."


def _top(values: Array) -> float:
    """Where a scale of colours ends."""
    there = values[np.isfinite(values) & (values > 0)]
    return float(np.percentile(there, 99)) if len(there) else 1.0


def _on_one_scale(figures: list[Figure]) -> list[Figure]:
    """Rasters with the widest of their scales."""
    rasters = [mark for figure in figures for mark in figure.marks if isinstance(mark, Raster)]
    top = max(raster.top for raster in rasters)
    return [replace(figure, marks=[replace(raster, top=top)]) for figure, raster in zip(figures, rasters, strict=True)]


def _of_clients(
    run: PicturedRun, name: str, caption: str, raster: Raster, maker: str, clients: Sequence[str] = (), note: str = ""
) -> Figure:
    """A figure with a row a client, by number if not given, of which some are named."""
    clients = clients or [agent.name for agent in run.scenario.agents]
    every = math.ceil(len(clients) / _NAMES)
    ticks = [client if row % every == 0 else "" for row, client in enumerate(clients)]
    return Figure(name, caption, [raster], run.time.axis, Axis(ticks=ticks), title=maker, note=note)
