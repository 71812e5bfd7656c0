"""The best risk aversion as a function of volatility: what Figs 8 and 9 ask at two volatilities, asked at many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, interval_column, with_interval
from dealermarket.papers.variants import INFINITE, at_volatility, by_gamma, costs
from dealermarket.plots.run import COLOURS, heat_map
from dealermarket.study import measures as observe
from dealermarket.study.estimates import interval_of, mean, resampled
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAMMAS = ("0", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2", INFINITE)
VOLATILITIES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
SHARE = 0.4  # of the experiment's runs: there are many points


def studies(scenario: Scenario, runs: int) -> list[Study]:
    """A study for each volatility."""
    return [
        Study(_name(volatility), by_gamma(at_volatility(scenario, volatility), GAMMAS), max(int(SHARE * runs), 2), observe.totals)
        for volatility in VOLATILITIES
    ]


def table(results: Results) -> Table:
    """The best γ by volatility, and what it saves."""
    rows = []
    for volatility in VOLATILITIES:
        found = costs(results[_name(volatility)])
        best, low, high = _best(found)
        rows.append(
            {
                "volatility": volatility,
                "best": GAMMAS[best],
                "from": GAMMAS[low],
                "to": GAMMAS[high],
                "cost": float(found[:, best].mean()),
                **with_interval("saved_0", mean(found[:, 0] - found[:, best])),
                **with_interval("saved_all", mean(found[:, -1] - found[:, best])),
            }
        )
    runs = len(costs(results[_name(VOLATILITIES[0])]))
    return Table(
        "best-gamma",
        f"The best γ by volatility ({runs:,} runs a point), with the range in which it falls in 95 % of bootstrap samples of "
        "the runs; what it costs (price × units), and what it saves against γ = 0 and against hedging everything at once (γ = "
        "∞).",
        pd.DataFrame(rows),
        (
            Column("volatility", "volatility (%)", 0, 100.0),
            Column("best", "best γ"),
            Column("from", "from"),
            Column("to", "to"),
            Column("cost", "cost", 1),
            interval_column("saved_0", "saved against γ = 0", 1),
            interval_column("saved_all", "saved against γ = ∞", 1),
        ),
    )


def figures(results: Results) -> list[Figure]:
    """The curve, and all that was tried."""
    found = np.array([_best(costs(results[_name(volatility)])) for volatility in VOLATILITIES])
    level = np.array([costs(results[_name(volatility)]).mean(axis=0) for volatility in VOLATILITIES]).T
    cheapest = level.min(axis=0)
    above = 100 * np.divide(level - cheapest, cheapest, out=np.zeros_like(level), where=cheapest > 0)

    def curve(ax: Axes) -> None:
        percent = 100 * np.array(VOLATILITIES)
        ax.fill_between(percent, found[:, 1], found[:, 2], color=COLOURS[4], alpha=0.4, lw=0, label="95 % of bootstrap samples")
        ax.plot(percent, found[:, 0], color=COLOURS[0], marker="o", lw=1.3, label="best γ")
        ax.set_yticks(range(len(GAMMAS)), labels=GAMMAS)
        ax.set(xlabel="volatility (% a year)", ylabel="risk aversion γ (of those tried)", ylim=(-0.4, len(GAMMAS) + 0.6))
        ax.legend(fontsize=9, loc="upper left", ncols=2)

    def tried(ax: Axes) -> None:
        heat_map(ax, above, "{:.0f}", top=60.0)
        ax.set_yticks(range(len(GAMMAS)), labels=GAMMAS)
        ax.set_xticks(range(len(VOLATILITIES)), labels=[f"{100 * volatility:g}" for volatility in VOLATILITIES])
        ax.set(xlabel="volatility (% a year)", ylabel="risk aversion γ")

    return [
        Figure(
            "best-gamma",
            "The γ with the smallest sum of hedging and risk cost, by volatility; only the γ on the axis were tried.",
            curve,
        ),
        Figure("cost-map", "Cost in percent above that of the cheapest γ at the same volatility (0: the cheapest).", tried),
    ]


def _name(volatility: float) -> str:
    return f"volatility {volatility:g}"


def _best(found: Array) -> tuple[int, int, int]:
    """The cheapest γ by number, and the range of it in 95 % of bootstrap samples."""
    low, high = interval_of(np.argmin(resampled(found), axis=1))
    return int(np.argmin(found.mean(axis=0))), int(low), int(high)
