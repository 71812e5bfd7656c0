"""The figure of markouts: what a trade is worth to its maker as time passes, by client."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import ratio
from dealermarket.model.scenario import Scenario
from dealermarket.plots.drawing import drawn
from dealermarket.plots.figure import Axis, Band, Figure, Level, Line, Mark, Panels
from dealermarket.plots.pictured import PicturedRun
from dealermarket.plots.prices import BASIS_POINTS
from dealermarket.plots.style import sequence
from dealermarket.runs.orders import markouts_by_group
from dealermarket.runs.result import SimulationResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
_MOST_GROUPS = 10
_HORIZONS = 4  # reward horizons


def plot_markouts(run: SimulationResult | PicturedRun, ax: Axes | None = None) -> Axes:
    """What a unit is worth to its maker as time passes after the trade, before spread, with 95 % intervals.

    By client, or by groups of clients who are as often informed where there are many; all makers together. In basis points of the
    initial price, up to four reward horizons.

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
    return drawn(markouts(PicturedRun.of(run)), ax)


def markouts(run: PicturedRun) -> Figure:
    """The figure of `plot_markouts`."""
    scenario, orders = run.scenario, run.paths.orders
    longest = min(_HORIZONS * scenario.reward_horizon, max(scenario.steps // 2, 1))
    groups = client_groups(scenario)
    member = np.concatenate([np.full(len(clients), n) for n, clients in enumerate(groups.values())])
    of_client = member[np.argsort(np.concatenate(list(groups.values())))]
    worth, volume = markouts_by_group(run.paths.mid, orders, of_client[orders["client"]], len(groups), longest)
    markout = ratio(worth, volume[:, :, None]).scaled(BASIS_POINTS / scenario.market.initial_price)
    marks: list[Mark] = []
    horizons = np.arange(longest + 1)
    for n, (label, colour) in enumerate(zip(groups, sequence(len(groups)), strict=True)):
        marks += [
            Band(horizons, markout[n].low, markout[n].high, colour, 0.2),
            Line(horizons, markout[n].value, label, colour, 1.5),
        ]
    caption = (
        "What the mid's moves add to a unit of a trade, seen from its maker, before spread; all makers together, "
        f"{run.replicas}; bands: 95 % intervals. In the legend, how often the client knows where the mid goes; "
        f"the vertical line is how far ahead it knows it: {run.time.in_words(scenario.reward_horizon)}."
    )
    marks += [Level(0.0), Level(scenario.reward_horizon, "x", style="--")]
    x, y = Axis(f"time since the trade (steps of {run.time.in_words(1)})"), Axis("worth (bp of the initial price)")
    return Figure("markouts", caption, marks, x, y)


def markouts_panels(run: PicturedRun) -> Panels:
    """The markouts as a picture of their own."""
    figure = markouts(run)
    return Panels(figure.name, "Markouts by client", figure.caption, [figure], heights=(4.2,))


def client_groups(scenario: Scenario) -> dict[str, Array]:
    """Clients by number, label -> (clients,): each by itself, or where there are many those that ask the oracle as often."""
    asks = np.array([agent.oracle_probability for agent in scenario.agents])
    if len(asks) <= _MOST_GROUPS:
        return {
            f"{agent.name}: {100 * p:.0f} %": np.array([n])
            for n, (agent, p) in enumerate(zip(scenario.agents, asks, strict=True))
        }
    levels = np.unique(asks)
    if len(levels) > _MOST_GROUPS:  # of about as many clients each
        levels = np.unique(np.quantile(asks, np.linspace(0, 1, _MOST_GROUPS + 1)[:-1], method="lower"))
    level = np.searchsorted(levels, asks, side="right") - 1
    groups: dict[str, Array] = defaultdict(lambda: np.zeros(0, dtype=int))
    for n in range(len(levels)):
        clients = np.flatnonzero(level == n)
        low, high = 100 * asks[clients].min(), 100 * asks[clients].max()
        share = f"{low:.0f} %" if low == high else f"{low:.0f} to {high:.0f} %"
        groups[f"{len(clients)} clients: {share}"] = clients
    return dict(groups)
