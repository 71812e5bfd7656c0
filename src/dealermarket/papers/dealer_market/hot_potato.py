"""The hot potato: what happens when both makers have the same risk aversion."""

from __future__ import annotations

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table, bracketed
from dealermarket.papers.dealer_market.hedging_cost import GAMMAS, VOLATILITIES, cost
from dealermarket.plots import COLOURS, Axis, Figure, Legend, Points, Style
from dealermarket.study import Estimate, Measures, Study, at_volatility, by_risk_aversion, mean, observe, ratio


def studies(scenario: Scenario, runs: int) -> list[Study]:
    """A study for each volatility, with every maker at the same γ."""
    return [
        Study(_both(label), by_risk_aversion(at_volatility(scenario, volatility), GAMMAS, "*"), runs, observe.totals)
        for label, volatility in VOLATILITIES.items()
    ]


def table(results: Results) -> Table:
    """Both makers at one γ, beside one maker at it; the studies of one maker go by the volatility's label."""
    rows = [
        {"volatility": label, "gamma": gamma, "one": results[label][gamma], "both": results[_both(label)][gamma]}
        for label in VOLATILITIES
        for gamma in GAMMAS
    ]
    return Table.of(
        "hot-potato",
        "The hot potato: both makers at the same γ, beside the maker alone at γ while its competitor keeps its own. Volume "
        "passed on (hedged) per unit of client volume in the whole market; hedging and risk cost of the first maker (price × "
        "units).",
        rows,
        Column("volatility", "volatility"),
        Column("gamma", "γ"),
        Column("one_passed", "passed on, one at γ", 1, lambda row: _passed(row["one"])),
        Column("passed", "passed on, both at γ", 1, lambda row: _passed(row["both"])),
        Column("one_cost", "cost, one at γ", 1, lambda row: mean(cost(row["one"])), interval=False),
        Column("cost", "cost, both at γ", 1, lambda row: mean(cost(row["both"])), interval=False),
        Column("more", "more", 1, lambda row: mean(cost(row["both"]) - cost(row["one"]))),
    )


def figure(results: Results) -> Figure:
    """How often a unit of client volume is passed on."""
    styles: tuple[Style, Style] = ("-", "--")
    marks = []
    for who, colour, study in (("one maker at γ", COLOURS[0], str), ("both makers at γ", COLOURS[1], _both)):
        for label, style in zip(VOLATILITIES, styles, strict=True):
            passed = Estimate.stacked(_passed(results[study(label)][gamma]) for gamma in GAMMAS)
            marks.append(Points(range(len(GAMMAS)), passed, f"{who}, {label}", colour, style))
    return Figure(
        "hot-potato",
        "The hot potato: how often a unit of client volume is passed on between the makers. Bars: 95 % intervals.",
        marks,
        x=Axis("risk aversion γ", ticks=GAMMAS),
        y=Axis("volume hedged / client volume", limits=(0, None)),
        legend=Legend(8),
    )


def note(results: Results) -> str:
    """The dearest γ of both makers, and how often it passes a unit on."""
    said = []
    for label in VOLATILITIES:
        gamma, dearest = max(results[_both(label)].items(), key=lambda own: float(np.mean(cost(own[1]))))
        said.append(f"γ = {gamma} at {label}, where a unit of client volume is passed on {bracketed(_passed(dearest), 1)} times")
    return f"With both makers at one γ, the dearest is {' and '.join(said)}."


def _both(label: str) -> str:
    return f"both makers, {label}"


def _passed(measures: Measures) -> Estimate:
    """Volume hedged per unit of client volume, in the whole market."""
    return ratio(measures.total("hedge_volume"), measures.total("client_volume"))
