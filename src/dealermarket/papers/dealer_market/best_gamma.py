"""The best risk aversion as a function of volatility: what Figs 8 and 9 ask at two volatilities, asked at many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dealermarket.estimates import interval_of, mean, resampled
from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table
from dealermarket.plots import COLOURS, Axis, Band, Figure, Heat, Legend, Line
from dealermarket.study import INFINITE, Array, Measures, Study, at_volatility, by_risk_aversion, observe

STUDIED = 0  # the maker whose risk aversion is moved
GAMMAS = ("0", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2", INFINITE)
VOLATILITIES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
SHARE = 0.4  # of the experiment's runs: there are many points


def costs(variants: Mapping[str, Measures]) -> Array:
    """Hedging and risk cost of the studied maker for every γ, (replicas, γ), above 0."""
    every = [measures.of(STUDIED) for measures in variants.values()]
    return np.stack([-(own["hedging_cost"] + own["risk_cost"]) for own in every], axis=1)


def studies(scenario: Scenario, runs: int) -> list[Study]:
    """A study for each volatility."""
    few = max(int(SHARE * runs), 2)
    return [
        Study(_name(volatility), by_risk_aversion(at_volatility(scenario, volatility), GAMMAS), few, observe.totals)
        for volatility in VOLATILITIES
    ]


def table(results: Results) -> Table:
    """The best γ by volatility, and what it saves."""
    by_volatility = {volatility: costs(results[_name(volatility)]) for volatility in VOLATILITIES}
    best = {volatility: _best(costs) for volatility, costs in by_volatility.items()}
    least = {volatility: costs[:, [best[volatility][0]]] for volatility, costs in by_volatility.items()}
    more = {volatility: costs - least[volatility] for volatility, costs in by_volatility.items()}
    return Table.of(
        "best-gamma",
        f"The best γ by volatility ({len(least[VOLATILITIES[0]]):,} runs a point), with the range in which it falls in 95 % of "
        "bootstrap samples of the runs; what it costs (price × units), and what it saves against γ = 0 and against hedging "
        "everything at once (γ = ∞).",
        VOLATILITIES,
        Column("volatility", "volatility (%)", 0, float, scale=100.0),
        Column("best", "best γ", value=lambda volatility: GAMMAS[best[volatility][0]]),
        Column("from", "from", value=lambda volatility: GAMMAS[best[volatility][1]]),
        Column("to", "to", value=lambda volatility: GAMMAS[best[volatility][2]]),
        Column("cost", "cost", 1, lambda volatility: float(least[volatility].mean())),
        Column("saved_0", "saved against γ = 0", 1, lambda volatility: mean(more[volatility][:, 0])),
        Column("saved_all", "saved against γ = ∞", 1, lambda volatility: mean(more[volatility][:, -1])),
    )


def figures(results: Results) -> list[Figure]:
    """The curve, and all that was tried."""
    by_volatility = [costs(results[_name(volatility)]) for volatility in VOLATILITIES]
    best, low, high = np.array([_best(costs) for costs in by_volatility]).T
    level = np.array([costs.mean(axis=0) for costs in by_volatility]).T
    cheapest = level.min(axis=0)
    above = 100 * np.divide(level - cheapest, cheapest, out=np.zeros_like(level), where=cheapest > 0)
    percent = 100 * np.array(VOLATILITIES)
    return [
        Figure(
            "best-gamma",
            "The γ with the smallest sum of hedging and risk cost, by volatility; only the γ on the axis were tried.",
            [
                Band(percent, low, high, COLOURS[4], 0.4, "95 % of bootstrap samples"),
                Line(percent, best, "best γ", COLOURS[0], marker="filled"),
            ],
            x=Axis("volatility (% a year)"),
            y=Axis("risk aversion γ (of those tried)", ticks=GAMMAS, limits=(-0.4, len(GAMMAS) + 0.6)),
            legend=Legend(9, "upper left", columns=2),
        ),
        Figure(
            "cost-map",
            "Cost in percent above that of the cheapest γ at the same volatility (0: the cheapest).",
            [Heat(above, "{:.0f}", top=60.0)],
            x=Axis("volatility (% a year)", ticks=[f"{100 * volatility:g}" for volatility in VOLATILITIES]),
            y=Axis("risk aversion γ", ticks=GAMMAS),
        ),
    ]


def _name(volatility: float) -> str:
    return f"volatility {volatility:g}"


def _best(costs: Array) -> tuple[int, int, int]:
    """The cheapest γ by number, and the range of it in 95 % of bootstrap samples."""
    low, high = interval_of(np.argmin(resampled(costs), axis=1))
    return int(np.argmin(costs.mean(axis=0))), int(low), int(high)
