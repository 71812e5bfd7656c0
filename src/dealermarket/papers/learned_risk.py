"""Learning to manage risk: what penalties for inventory do to prices, inventory and P&L."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, bracketed, interval_column, number, with_interval
from dealermarket.papers.learned import LearnedExperiment, by_seed, joint_mean, learning_curves, over_seeds, worth
from dealermarket.papers.trained import TrainedStudy
from dealermarket.plots.run import COLOURS
from dealermarket.study.estimates import mean
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = 700_000
BINS = 12  # of positions, as many points in each
NEUTRAL = "no penalty"
PENALTIES = {
    NEUTRAL: {},
    "inventory P&L squared": {"inventory_pnl_squared": 0.02},
    "inventory squared": {"inventory_squared": 2.0},
    "inventory losses": {"inventory_loss": 0.3},
}
PENALISED = [label for label in PENALTIES if label != NEUTRAL]


class LearnedRisk(LearnedExperiment):
    """The same maker trained on P&L alone, and with each of three risk penalties."""

    name = "learned-risk"
    title = "Learning to manage inventory"
    question = (
        "What does a maker learn when its reward is P&L less a penalty for risk: does it skew its prices against its inventory, "
        "and do penalties cut inventory and the spread of P&L?"
    )

    moves = ("makers.0.policy",)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(label, scenario, runs, STEPS, {"weights": "pnl", **penalty}) for label, penalty in PENALTIES.items()]

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return []

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        return [
            *(self._skew(results, label) for label in PENALISED),
            *(self._calmer(scenario, results, label) for label in PENALISED),
        ]

    def _skew(self, results: Results, label: str) -> Verdict:
        slopes = over_seeds(results, label, "lean").mean(axis=1)
        found = joint_mean(over_seeds(results, label, "lean"))
        return Verdict(
            f"skew: {label}",
            f"Penalised for {label}, it skews against its inventory: ε_sell − ε_buy rises with the position.",
            self.outcome(results, label, bool(found.low > 0), bool(found.high < 0)),
            f"Slope {bracketed(found, 4)} a unit; {', '.join(number(float(each), 4) for each in slopes)} in the trainings.",
        )

    def _calmer(self, scenario: Scenario, results: Results, label: str) -> Verdict:
        inventory = mean(_inventory(results, NEUTRAL) - _inventory(results, label))
        spread = mean((_spread(results, NEUTRAL) - _spread(results, label)) / worth(scenario))
        return Verdict(
            f"calmer: {label}",
            f"Penalising {label} cuts the mean inventory and the spread of P&L.",
            self.outcome(
                results,
                label,
                bool(inventory.low > 0 and spread.low > 0),
                bool(inventory.high < 0 or spread.high < 0),
            ),
            f"Mean |position| is {bracketed(inventory, 1)} units smaller, the standard deviation of a run's P&L smaller by "
            f"{bracketed(spread, 0, 100)} % of the volume's worth.",
        )

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        rows = []
        unit = worth(scenario)
        for label, penalty in PENALTIES.items():
            income = over_seeds(results, label, "spread_revenue") / unit
            hedging = over_seeds(results, label, "hedging_cost") / unit
            rows.append(
                {
                    "penalty": label,
                    "weight": ", ".join(number(weight, 2) for weight in penalty.values()),
                    **with_interval("lean", joint_mean(over_seeds(results, label, "lean"))),
                    **with_interval("inventory", mean(_inventory(results, label))),
                    **with_interval("spread", mean(_spread(results, label) / unit)),
                    **with_interval("income", joint_mean(income)),
                    **with_interval("hedging", joint_mean(hedging)),
                    **with_interval("hedge", joint_mean(over_seeds(results, label, "hedge_fraction"))),
                }
            )
        return [
            Table(
                "penalties",
                "What a maker learns with and without a risk penalty. Money as a share of what the whole volume of a run is "
                "worth at ε = 0; 95 % intervals over the trainings in brackets.",
                pd.DataFrame(rows),
                (
                    Column("penalty", "penalty for"),
                    Column("weight", "weight"),
                    interval_column("lean", "slope of ε_sell − ε_buy, a unit", 4),
                    interval_column("inventory", "mean |position| (units)", 1),
                    interval_column("spread", "sd of P&L, %", 1, 100),
                    interval_column("income", "spread revenue, %", 1, 100),
                    interval_column("hedging", "hedging cost, %", 1, 100),
                    interval_column("hedge", "hedged, % of position", 1, 100),
                ),
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        def draw(ax: Axes) -> None:
            for label, colour in zip(PENALTIES, COLOURS, strict=False):
                points = np.concatenate([np.asarray(seed["points"]) for seed in by_seed(results, label)])
                position, lean = points[:, 0], points[:, 2] - points[:, 1]
                ax.scatter(position, lean, s=3, color=colour, alpha=0.15, lw=0)
                bins = np.array_split(np.argsort(position), BINS)
                ax.plot(
                    [position[own].mean() for own in bins], [lean[own].mean() for own in bins], color=colour, lw=2, label=label
                )
            ax.axhline(0, color="#888888", lw=0.6)
            widest = max(float(np.abs(np.asarray(seed["points"])[:, 0]).max()) for seed in by_seed(results, PENALISED[0]))
            ax.set(xlabel="position (units)", ylabel="ε_sell − ε_buy", xlim=(-1.5 * widest - 1, 1.5 * widest + 1))
            ax.legend(fontsize=8, title="penalty for", title_fontsize=8)

        skew = Figure(
            "skew",
            "The skew that trained makers choose, by their position: above 0, clients who sell to the maker pay more than "
            f"clients who buy. Dots: a sample of steps of all trainings; lines: means of {BINS} groups of them, by position. "
            "Positions beyond the frame are left out.",
            draw,
        )
        curves = learning_curves(
            results,
            {label: label for label in PENALTIES},
            "inventory",
            "mean |position| (units)",
            "curves",
            "Inventory while training, with and without a risk penalty, exploration included.",
        )
        return [skew, curves]


def _inventory(results: Results, label: str) -> Array:
    """Mean |position| of every training, (seeds,)."""
    return np.asarray(over_seeds(results, label, "abs_position").mean(axis=1))


def _spread(results: Results, label: str) -> Array:
    """Standard deviation over the runs of a run's P&L, of every training, (seeds,)."""
    return np.asarray(over_seeds(results, label, "pnl").std(axis=1, ddof=1))
