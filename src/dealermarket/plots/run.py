"""Figures of a run: `plot_*(result, ..., ax=None) -> Axes`, one look, colours that colour-blind readers tell apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.model.scenario import Scenario
from dealermarket.plots.drawing import draw_marks
from dealermarket.plots.figure import Line
from dealermarket.plots.style import COLOURS, STYLE, shade
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.statistics import ASSET, MONEY, REWARDS, statistic_named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
Array = NDArray[Any]
_MOST_PANELS = 6


def plot_net_position(result: SimulationResult, maker: str, replica: int = 0, ax: Axes | None = None) -> Axes:
    """A maker's position over time: one replica as a line, 90 % of all replicas as a band. Needs steps."""
    steps = _of_maker(result, maker)
    path = steps[steps["replica"] == replica]
    if path.empty:
        raise ParameterError(f"replica: must be one of the run's, 0..{int(steps['replica'].max())}, got {replica}")
    ax = ax or _axes()
    replicas = steps["replica"].nunique()
    if replicas > 1:
        by_step = steps.groupby("step")["position"]
        low, high = by_step.quantile(0.05), by_step.quantile(0.95)
        ax.fill_between(low.index, low, high, color=COLOURS[4], alpha=0.45, lw=0, label=f"5 to 95 % of {replicas} replicas")
    ax.plot(path["step"], path["position"], color=COLOURS[0], lw=0.9, label=f"replica {replica}")
    ax.set(title=maker, xlabel="step", ylabel=f"position ({ASSET})")
    return ax


def plot_cumulative_reward(result: SimulationResult, maker: str, ax: Axes | None = None) -> Axes:
    """A maker's rewards added up over time, mean over the replicas, by component. Needs steps."""
    mean = _of_maker(result, maker).groupby("step")[[*REWARDS, "total_reward"]].mean().cumsum()
    ax = ax or _axes()
    for name, colour in zip(REWARDS, COLOURS, strict=False):
        ax.plot(mean.index, mean[name], color=colour, lw=1.4, label=statistic_named(name).label)
    ax.plot(mean.index, mean["total_reward"], color="black", lw=1.8, label=statistic_named("total_reward").label)
    ax.set(title=maker, xlabel="step", ylabel=f"cumulative reward ({MONEY})")
    return ax


def plot_market_share(result: SimulationResult, ax: Axes | None = None) -> Axes:
    """Each maker's share of the investors' volume: mean and 90 % of the replicas; over time if trades were recorded."""
    ax = ax or _axes()
    makers = result.scenario.maker_names
    colours = _cycle(len(makers))
    if result.record == "trades":
        orders = result.trades[result.trades["kind"] == "order"]
        volume = orders.pivot_table(index="step", columns="maker", values="size", aggfunc="sum", observed=True)
        volume = volume.reindex(index=range(result.scenario.steps), columns=list(makers)).fillna(0.0).cumsum()
        total = volume.sum(axis=1)
        for maker, colour in zip(makers, colours, strict=True):
            ax.plot(volume.index, 100 * volume[maker] / total.where(total > 0), color=colour, lw=1.4, label=maker)
        title = f"Market share (of the volume so far, {result.meta['replicas']} replicas together)"
        ax.set(title=title, xlabel="step", ylabel="share of investors' volume (%)", ylim=(0, 100))
        _legend(ax, len(makers))
        return ax
    scale = statistic_named("market_share").scale
    share = result.summary.groupby("maker")["market_share"]
    middle, low, high = scale * share.mean(), scale * share.quantile(0.05), scale * share.quantile(0.95)
    for row, (maker, colour) in enumerate(zip(makers, colours, strict=True)):
        ax.barh(row, middle[maker], color=colour, alpha=0.8)
        ax.plot([low[maker], high[maker]], [row, row], color="black", lw=1.2)
    ax.set(title="Market share (bar: mean, line: 5 to 95 % of replicas)", xlabel="share of investors' volume (%)", xlim=(0, 100))
    ax.set_yticks(range(len(makers)), labels=list(makers))
    ax.invert_yaxis()
    return ax


def plot_price_curves(scenario: Scenario, maker: str, ax: Axes | None = None) -> Axes:
    """What a maker quotes by size and tier at the mean reference spread, without skew, over the reference curve.

    The sizes drawn are those that are traded; spreads in basis points."""
    ax = ax or _axes()
    draw_marks(price_curves(scenario, maker), ax)
    of = "" if scenario.market.spreads_scale_with_price else " of the initial price"
    ax.set(title=maker, xlabel="size (units)", ylabel=f"spread (bp{of})")
    return ax


def price_curves(scenario: Scenario, maker: str, size: Array | None = None, scale: float = 1e4) -> list[Line]:
    """The lines of `plot_price_curves`: one for a tier, five tiers at most, and the reference curve.

    `size` (n,) are the sizes drawn, those that are traded if not given; spreads in 1 / `scale` of the price, by default basis
    points. Raises ParameterError for a maker that is not there."""
    agent = next((agent for agent in scenario.makers if agent.name == maker), None)
    if agent is None:
        raise ParameterError(f"maker: must be one of {', '.join(scenario.maker_names)}, got {maker!r}")
    exchange, s0 = scenario.exchange, scenario.market.reference_spread.mean
    if size is None:
        typical = max(investor.order_size.typical_largest for investor in scenario.agents)
        size = np.linspace(0.0, min(1.5 * typical, 0.9 * exchange.v_max), 200)
    scale /= 1.0 if scenario.market.spreads_scale_with_price else scenario.market.mid_price.initial
    tiers = agent.tiering.tiers
    deepest = max(maker.tiering.tiers for maker in scenario.makers) - 1
    lines = []
    for tier in sorted({*np.linspace(0, tiers - 1, min(tiers, 5)).astype(int).tolist()}):
        colour = shade(0.25 + 0.7 * tier / max(deepest, 1))
        lines.append(Line(size, scale * agent.pricing.spread(size, tier, s0, exchange), f"tier {tier}", colour, 1.5))
    return [*lines, Line(size, scale * exchange.reference_spread(size, s0), "reference", width=1.2, style="--")]


def save_plots(result: SimulationResult, folder: Path, kind: str = "png", replica: int = 0) -> tuple[list[Path], list[str]]:
    """Draws all figures that the run has data for; returns the files and, for those left out, why.

    Raises RunFolderError where a file cannot be written."""
    if kind not in FORMATS:
        raise ParameterError(f"format: must be one of {', '.join(FORMATS)}, got {kind!r}")
    from matplotlib import rc_context

    figures: dict[str, Callable[[], Figure]] = {
        "net_position": lambda: _grid(
            result.scenario, "Net position held into each step", lambda maker, ax: plot_net_position(result, maker, replica, ax)
        ),
        "cumulative_reward": lambda: _grid(
            result.scenario, "Cumulative reward, mean over replicas", lambda maker, ax: plot_cumulative_reward(result, maker, ax)
        ),
        "market_share": lambda: _single(lambda ax: plot_market_share(result, ax)),
        "price_curves": lambda: _grid(
            result.scenario, "Price curves by tier", lambda maker, ax: plot_price_curves(result.scenario, maker, ax)
        ),
    }
    needs_steps = ("net_position", "cumulative_reward")
    written, left_out = [], []
    with rc_context(STYLE):
        for name, draw in figures.items():
            if name in needs_steps and result.record == "summary":
                left_out.append(f"{name}: needs steps, which this run did not record (run with --record steps)")
                continue
            path = folder / f"{name}.{kind}"
            try:
                figure = draw()
                folder.mkdir(parents=True, exist_ok=True)
                metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
                figure.savefig(path, dpi=150, metadata=metadata)
            except OSError as error:
                raise RunFolderError(f"{path}: cannot be written: {error.strerror}; choose another --out") from None
            written.append(path)
    return written, left_out


def _of_maker(result: SimulationResult, maker: str) -> pd.DataFrame:
    """The steps of one maker."""
    if maker not in result.scenario.maker_names:
        raise ParameterError(f"maker: must be one of {', '.join(result.scenario.maker_names)}, got {maker!r}")
    steps = result.steps
    return steps[steps["maker"] == maker]


def _axes() -> Axes:
    from matplotlib.figure import Figure

    return Figure(figsize=(8, 4.5), layout="constrained").add_subplot()


def _single(draw: Callable[[Axes], Axes]) -> Figure:
    figure = draw(_axes()).get_figure(root=True)
    assert figure is not None
    return figure


def _grid(scenario: Scenario, title: str, draw: Callable[[str, Axes], Axes]) -> Figure:
    """A panel a maker, the first six, with one legend."""
    from matplotlib.figure import Figure

    makers = scenario.maker_names[:_MOST_PANELS]
    columns = min(len(makers), 2 if len(makers) in (2, 4) else 3)
    rows = math.ceil(len(makers) / columns)
    figure = Figure(figsize=(1.2 + 4.2 * columns, 1.4 + 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for panel in panels[len(makers) :]:
        panel.set_visible(False)
    for number, (maker, panel) in enumerate(zip(makers, panels, strict=False)):
        draw(maker, panel)
        lowest, leftmost = number + columns >= len(makers), number % columns == 0
        panel.tick_params(labelbottom=lowest, labelleft=leftmost)
        panel.xaxis.label.set_visible(lowest)
        panel.yaxis.label.set_visible(leftmost)
    left_out = len(scenario.maker_names) - len(makers)
    figure.suptitle(title + (f" (the first {len(makers)} of {len(scenario.maker_names)} makers)" if left_out else ""))
    handles: dict[str, Any] = {}
    for panel in panels[: len(makers)]:
        handles |= {label: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    labels = sorted(handles, key=lambda label: int(label[5:]) if label.startswith("tier ") else -1)
    figure.legend([handles[label] for label in labels], labels, loc="outside lower center", ncols=min(len(handles), 6))
    return figure


def _cycle(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _legend(ax: Axes, entries: int) -> None:
    if entries <= len(COLOURS):
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=9)
