"""A maker's last day in one figure: the mid and its clients' trades, its position, what it quoted, its P&L."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.plots.style import COLOURS, STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

LONG, SHORT = COLOURS[0], COLOURS[1]
BOUGHT, SOLD = COLOURS[2], COLOURS[5]
SIZE = (10.0, 7.2)  # inches
DPI = 100
_QUIET = "#555555"


@dataclass(frozen=True, eq=False)
class Day:
    """n steps of a maker, the last of them the one before step `now`.

    Before the first step and after each, (n + 1,): `mid` (NaN after the run's last step), `position`, `pnl` and what of it was
    earned on spreads, less hedging cost, both since the run began. Of each step, (n,): the volume that clients `bought` and
    `sold`, the `hedge` (signed, from the maker's side), what a client of its best tier paid for `size` units when it bought
    (`ask`) and when it sold (`bid`), and half the `reference` spread, all three in basis points of the mid. Sizes in units of
    the asset, money in price units times units."""

    scenario: Scenario
    maker: str
    now: int
    mid: Array
    position: Array
    pnl: Array
    earned: Array
    bought: Array
    sold: Array
    hedge: Array
    ask: Array
    bid: Array
    reference: Array
    size: float

    @property
    def first(self) -> int:
        """The first of its steps."""
        return self.now - len(self.bought)


def shown_steps(scenario: Scenario) -> int:
    """How many steps are shown: a day, at least 24 steps where they are long, and no more than the run has."""
    return min(max(scenario.market.steps_per_day, 24), scenario.steps)


def draw_days(days: Sequence[Day], figure: Figure) -> None:
    """Draws the day of each maker, side by side, into an empty figure."""
    from matplotlib import rc_context

    with rc_context(STYLE | {"axes.titlesize": 12, "font.size": 9}):
        panels = figure.subplots(4, len(days), sharex="col", squeeze=False, gridspec_kw={"height_ratios": [2.0, 1.3, 1.3, 1.5]})
        for column, day in zip(panels.T, days, strict=True):
            _draw_day(day, column)
        figure.align_ylabels(panels[:, 0])
        figure.subplots_adjust(left=0.085, right=0.985, top=0.87, bottom=0.065, hspace=0.16, wspace=0.2)


def _draw_day(day: Day, panels: Array) -> None:
    market, shown = day.scenario.market, shown_steps(day.scenario)
    hours, begin = market.hours_per_step, max(day.now - shown, 0)
    at = hours * np.arange(day.first, day.now + 1)  # before the first step and after each
    price, position, quotes, money = panels
    _draw_price(day, at, price)
    _draw_position(day, at, hours, position)
    _draw_quotes(day, at, quotes)
    _draw_money(day, at, money)
    _set_clock(day, price, money, hours, begin, begin + shown)
    for panel in panels:
        panel.legend(loc="upper left", ncols=4, fontsize=8, borderaxespad=0.1, handlelength=1.4, columnspacing=1.2)


def _set_clock(day: Day, top: Axes, bottom: Axes, hours: float, first: int, last: int) -> None:
    """Hours below the panels, steps above them, and what the clock says."""
    from matplotlib.ticker import MaxNLocator

    bottom.set(xlim=(hours * first, hours * last), xlabel="hours since the run began")
    bottom.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 3, 4, 6, 10]))
    steps = top.secondary_xaxis("top", functions=(lambda hour: np.divide(hour, hours), lambda step: np.multiply(step, hours)))
    steps.tick_params(labelsize=8, colors=_QUIET, pad=1)
    steps.spines["top"].set_visible(False)
    top.text(-0.01, 1.03, "step", ha="right", fontsize=8, color=_QUIET, transform=top.transAxes)
    per_day = day.scenario.market.steps_per_day
    clock = f"day {day.now // per_day + 1}, {_clock(day.now % per_day * hours)}"
    top.set_title(
        f"{day.maker} ({day.scenario.name}), {clock}: step {day.now:,} of {day.scenario.steps:,}\n"
        f"position {_signed(day.position[-1])}, P&L {_signed(day.pnl[-1])} since the run began",
        pad=18,
    )


def _draw_price(day: Day, at: Array, ax: Axes) -> None:
    known = day.mid[np.isfinite(day.mid)]
    ax.plot(at[: len(known)], known, color="black", lw=1.1, drawstyle="steps-post", label="mid")
    ax.plot(at[len(known) - 1], known[-1], "o", color="black", ms=4, clip_on=False)
    largest = max(day.bought.max(initial=0.0), day.sold.max(initial=0.0))
    for volume, colour, marker, label in (
        (day.bought, BOUGHT, "^", "clients bought"),
        (day.sold, SOLD, "v", "clients sold"),
    ):
        there = volume > 0
        ax.scatter([], [], 40, color=colour, marker=marker, label=label, lw=0)
        area = 12 + 60 * volume[there] / (largest or 1.0)
        ax.scatter(at[:-1][there], day.mid[:-1][there], area, color=colour, marker=marker, zorder=3, lw=0)
    for held, colour in ((day.position > 0, LONG), (day.position < 0, SHORT)):  # behind the price: where it was long or short
        across = ax.get_xaxis_transform()
        ax.fill_between(at, 0.0, 1.0, where=held.tolist(), step="post", color=colour, alpha=0.08, lw=0, transform=across)
    _make_room(ax, known, 1e-4 * float(known[0]))
    ax.set(ylabel="mid-price")
    ax.ticklabel_format(axis="y", useOffset=False)


def _draw_position(day: Day, at: Array, hours: float, ax: Axes) -> None:
    for side, colour, label in ((1, LONG, "long"), (-1, SHORT, "short")):
        part = np.maximum(side * day.position, 0.0) * side
        ax.fill_between(at, part, step="post", color=colour, alpha=0.55, lw=0, label=label)
    ax.plot(at, day.position, color="black", lw=0.8, drawstyle="steps-post")
    ax.plot(at[-1], day.position[-1], "o", color="black", ms=4, clip_on=False)
    ax.plot([], [], color=_QUIET, lw=3, label="hedge of the step")
    traded = day.hedge != 0
    ax.vlines(at[:-1][traded] + hours / 2, 0.0, day.hedge[traded], color=_QUIET, lw=3)
    ax.axhline(0.0, color="black", lw=0.6)
    _make_room(ax, np.concatenate([day.position, day.hedge, [0.0]]), 1.0)
    ax.set(ylabel="position (units)")


def _draw_quotes(day: Day, at: Array, ax: Axes) -> None:
    ask, bid, reference = (np.append(quotes, quotes[-1:]) for quotes in (day.ask, day.bid, day.reference))
    at = at[: len(ask)]  # nothing before the first step
    units = "unit" if day.size == 1 else "units"
    ax.fill_between(at, -bid, ask, step="post", color=COLOURS[4], alpha=0.25, lw=0)
    ax.plot(at, ask, color=BOUGHT, lw=1.3, drawstyle="steps-post", label=f"clients pay to buy {day.size:.3g} {units}")
    ax.plot(at, -bid, color=SOLD, lw=1.3, drawstyle="steps-post", label="to sell")
    for side, label in ((1, "half the reference spread"), (-1, None)):
        ax.plot(at, side * reference, color=_QUIET, lw=0.8, ls=":", drawstyle="steps-post", label=label)
    ax.axhline(0.0, color="black", lw=0.6)
    _make_room(ax, np.concatenate([ask, -bid, reference, -reference, [0.0]]), 0.5)
    ax.set(ylabel="bp from the mid")


def _draw_money(day: Day, at: Array, ax: Axes) -> None:
    parts = [
        (day.earned, COLOURS[2], 1.2, "spreads less hedging cost"),
        (day.pnl - day.earned, COLOURS[3], 1.2, "mid's moves on the position"),
        (day.pnl, "black", 1.8, "P&L, of the hours shown"),
    ]
    for values, colour, width, label in parts:
        ax.plot(at, values - values[0], color=colour, lw=width, label=label)
    ax.plot(at[-1], day.pnl[-1] - day.pnl[0], "o", color="black", ms=4, clip_on=False)
    ax.axhline(0.0, color="black", lw=0.6)
    _make_room(ax, np.concatenate([values - values[0] for values, *_ in parts]), 1e-12)
    ax.set(ylabel="P&L (price × units)")


def _make_room(ax: Axes, values: Array, least: float) -> None:
    """Limits with room for the legend above what is drawn; `least` is the smallest range."""
    low, high = float(values.min()), float(values.max())
    extent, middle = max(high - low, least), 0.5 * (low + high)
    ax.set_ylim(middle - 0.58 * extent, middle + 0.85 * extent)


def _clock(hours: float) -> str:
    minutes = round(60 * hours)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _signed(value: float) -> str:
    return f"{value + 0.0:+,.3g}" if abs(value) < 1000 else f"{value:+,.0f}"
