"""Curves: the reference price curve and a maker's prices by size and tier (Figs 2 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket import plots
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, basis_points, judged
from dealermarket.study.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The paper's curves at its parameters, spreads in percent of the price.
REFERENCE = {0: 0.0075, 50: 0.008186, 100: 0.009022, 150: 0.010066, 200: 0.011411, 250: 0.013217, 300: 0.015788}
PENALISED = (300, 0.017008)
TIERS = (0.0075, 0.0085, 0.0095, 0.0105, 0.0115)
HALF_DIGIT = 0.5e-6


class Curves(Experiment):
    """The curves themselves: no simulation, only formulas against the paper's values."""

    name = "curves"
    title = "Price curves"
    source = "Figs 2 and 3"
    question = "Are the reference curve, the volume penalty and the tier penalty those that the paper draws?"
    preset = "paper"
    settings = ("exchange.v_max=500.0", "makers.0.pricing.alpha=1.1")
    makers_needed = 1

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        if scenario.exchange.v_max <= PENALISED[0]:
            raise ParameterError(
                f"{self.name}: needs an exchange.v_max above {PENALISED[0]}, the largest size compared; {scenario.name!r} has "
                f"{scenario.exchange.v_max:g}"
            )
        return scenario

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return []

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        frame = _frame(scenario)
        away = (frame["here"] - frame["paper"]).abs()
        return [
            Verdict(
                "points",
                "Every point of the curves is the paper's, to its last digit.",
                judged(bool((away <= HALF_DIGIT).all()), bool((away > HALF_DIGIT).any())),
                f"{int((away <= HALF_DIGIT).sum())} of {len(frame)} points agree; the largest difference is {away.max():.1e} %.",
            )
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        columns = (
            Column("curve", "curve"),
            Column("size", "size (units)", 0),
            Column("paper", "paper (% of price)", 6),
            Column("here", "here (% of price)", 6),
        )
        return [
            Table(
                "points",
                f"Spread per unit at s0 = {basis_points(scenario) / 100 * _s0(scenario):g} % of the price.",
                _frame(scenario),
                columns,
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        exchange, maker, s0 = scenario.exchange, scenario.makers[0], _s0(scenario)
        percent = basis_points(scenario) / 100
        size = np.linspace(0.0, 0.7 * exchange.v_max, 200)

        def reference(ax: Axes) -> None:
            ax.plot(size, percent * exchange.reference_spread(size, s0), color="black", lw=1.2, ls="--", label="reference curve")
            penalised = percent * maker.pricing.spread(size, 0, s0, exchange)
            ax.plot(
                size,
                penalised,
                color=plots.COLOURS[0],
                lw=1.5,
                label=f"maker, α = {maker.pricing.power_of_reference:g}, best tier",
            )
            ax.plot(list(REFERENCE), list(REFERENCE.values()), "o", mfc="white", color="black", ms=5, label="paper")
            ax.plot(*PENALISED, "o", mfc="white", color=plots.COLOURS[0], ms=5)
            ax.set(xlabel="size (units)", ylabel="spread per unit (% of price)")
            ax.legend(fontsize=9)

        def tiers(ax: Axes) -> None:
            plots.plot_price_curves(scenario, maker.name, ax, size, percent=True)
            ax.plot(np.zeros(len(TIERS)), TIERS, "o", mfc="white", color="black", ms=5, label="paper", clip_on=False, zorder=3)
            ax.set_title("")
            ax.legend(fontsize=9)

        return [
            Figure(
                "figure-2",
                "Fig. 2. The reference curve, and a maker's curve with a volume penalty; circles: the paper's values.",
                reference,
            ),
            Figure("figure-3", "Fig. 3. A maker's prices by tier; circles: where the paper's curves start.", tiers),
        ]


def _frame(scenario: Scenario) -> pd.DataFrame:
    exchange, pricing, s0 = scenario.exchange, scenario.makers[0].pricing, _s0(scenario)
    percent = basis_points(scenario) / 100
    sizes = np.array(list(REFERENCE), dtype=np.float64)
    rows = [
        {"curve": "reference", "size": size, "paper": paper, "here": here}
        for size, paper, here in zip(sizes, REFERENCE.values(), percent * exchange.reference_spread(sizes, s0), strict=True)
    ]
    size, paper = PENALISED
    rows.append(
        {
            "curve": f"α = {pricing.power_of_reference:g}, tier 0",
            "size": size,
            "paper": paper,
            "here": percent * pricing.spread(size, 0, s0, exchange),
        }
    )
    for tier, paper in enumerate(TIERS):
        here = percent * pricing.spread(0.0, tier, s0, exchange)
        rows.append({"curve": f"tier {tier}", "size": 0.0, "paper": paper, "here": here})
    return pd.DataFrame(rows).astype({"here": float})


def _s0(scenario: Scenario) -> float:
    """The reference spread at which the curves are drawn: its mean, 0.015 % in the paper."""
    return scenario.market.reference_spread.mean
