"""The hot potato: what happens when both makers have the same risk aversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, bracketed, interval_column, with_interval
from dealermarket.papers.variants import at_volatility, by_gamma, cost
from dealermarket.plots.run import COLOURS, marked_line
from dealermarket.study import measures as observe
from dealermarket.study.estimates import Estimate, mean, ratio
from dealermarket.study.study import Measures, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def studies(scenario: Scenario, runs: int, gammas: tuple[str, ...], volatilities: Mapping[str, float]) -> list[Study]:
    """A study for each volatility, with every maker at the same γ."""
    return [
        Study(_name(label), by_gamma(at_volatility(scenario, volatility), gammas, "*"), runs, observe.totals)
        for label, volatility in volatilities.items()
    ]


def table(results: Results, gammas: tuple[str, ...], labels: tuple[str, ...]) -> Table:
    """Both makers at one γ, beside one maker at it; the studies of one maker go by the volatility's label."""
    rows = []
    for label in labels:
        for gamma in gammas:
            one, both = results[label][gamma], results[_name(label)][gamma]
            rows.append(
                {
                    "volatility": label,
                    "gamma": gamma,
                    **with_interval("one_passed", _passed(one)),
                    **with_interval("passed", _passed(both)),
                    **with_interval("one_cost", mean(cost(one))),
                    **with_interval("cost", mean(cost(both))),
                    **with_interval("more", mean(cost(both) - cost(one))),
                }
            )
    return Table(
        "hot-potato",
        "The hot potato: both makers at the same γ, beside the maker alone at γ while its competitor keeps its own. Volume "
        "passed on (hedged) per unit of client volume in the whole market; hedging and risk cost of the first maker (price × "
        "units).",
        pd.DataFrame(rows),
        (
            Column("volatility", "volatility"),
            Column("gamma", "γ"),
            interval_column("one_passed", "passed on, one at γ", 1),
            interval_column("passed", "passed on, both at γ", 1),
            Column("one_cost", "cost, one at γ", 1),
            Column("cost", "cost, both at γ", 1),
            interval_column("more", "more", 1),
        ),
    )


def figure(results: Results, gammas: tuple[str, ...], labels: tuple[str, ...]) -> Figure:
    """How often a unit of client volume is passed on."""

    def draw(ax: Axes) -> None:
        place = np.arange(len(gammas))
        for colour, who in zip(COLOURS, ("one maker at γ", "both makers at γ"), strict=False):
            for label, style in zip(labels, ("-", "--"), strict=True):
                found = results[label if who.startswith("one") else _name(label)]
                passed = [_passed(found[gamma]) for gamma in gammas]
                values, highs = np.array([p.value for p in passed]), np.array([p.high for p in passed])
                marked_line(ax, place, values, highs, color=colour, ls=style, label=f"{who}, {label}")
        ax.set_xticks(place, labels=gammas)
        ax.set(xlabel="risk aversion γ", ylabel="volume hedged / client volume", ylim=(0, None))
        ax.legend(fontsize=8)

    caption = "The hot potato: how often a unit of client volume is passed on between the makers. Bars: 95 % intervals."
    return Figure("hot-potato", caption, draw)


def note(results: Results, gammas: tuple[str, ...], labels: tuple[str, ...]) -> str:
    """The dearest γ of both makers, and how often it passes a unit on."""
    said = []
    for label in labels:
        both = results[_name(label)]
        dearest = max(gammas, key=lambda gamma: float(np.mean(cost(both[gamma]))))
        said.append(
            f"γ = {dearest} at {label}, where a unit of client volume is passed on {bracketed(_passed(both[dearest]), 1)} times"
        )
    return f"With both makers at one γ, the dearest is {' and '.join(said)}."


def _name(label: str) -> str:
    return f"both makers, {label}"


def _passed(measures: Measures) -> Estimate:
    """Volume hedged per unit of client volume, in the whole market."""
    return ratio(measures["hedge_volume"].sum(axis=1), measures["client_volume"].sum(axis=1))
