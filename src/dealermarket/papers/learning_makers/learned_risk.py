"""Learning to manage risk: what penalties for inventory do to prices, inventory and P&L."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, bracketed, number, overall
from dealermarket.papers.learning_makers import learned
from dealermarket.plots import COLOURS, Axis, Dots, Figure, Legend, Level, Line, Mark
from dealermarket.study import Array, mean

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


class LearnedRisk(learned.LearnedExperiment):
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

    def verdicts(self) -> Iterator[Verdict]:
        for label in PENALISED:
            slopes = self.means(label, "lean")
            yield Verdict(
                f"skew: {label}",
                f"Penalised for {label}, it skews against its inventory: ε_sell − ε_buy rises with the position.",
                self.unless_few_seeds(above(mean(slopes)), label),
                f"Slope {bracketed(mean(slopes), 4)} a unit; {learned.listed(slopes, 4)} in the trainings.",
            )
        for label in PENALISED:
            inventory = mean(self.means(NEUTRAL, "abs_position") - self.means(label, "abs_position"))
            spread = mean((self._spread(NEUTRAL) - self._spread(label)) / learned.worth(self.scenario))
            yield Verdict(
                f"calmer: {label}",
                f"Penalising {label} cuts the mean inventory and the spread of P&L.",
                self.unless_few_seeds(overall(above(inventory), above(spread)), label),
                f"Mean |position| is {bracketed(inventory, 1)} units smaller, the standard deviation of a run's P&L smaller by "
                f"{bracketed(spread, 0, 100)} % of the volume's worth.",
            )

    def tables(self) -> Iterator[Table]:
        unit = learned.worth(self.scenario)

        def column(name: str, heading: str, digits: int, measure: str, unit: float = 1.0, scale: float = 1.0) -> Column:
            return Column(name, heading, digits, lambda label: mean(self.means(label, measure, unit=unit)), scale)

        yield Table.of(
            "penalties",
            "What a maker learns with and without a risk penalty. Money as a share of what the whole volume of a run is "
            "worth at ε = 0; 95 % intervals over the trainings in brackets.",
            PENALTIES,
            Column("penalty", "penalty for", value=str),
            Column("weight", "weight", value=lambda label: ", ".join(number(w, 2) for w in PENALTIES[label].values())),
            column("lean", "slope of ε_sell − ε_buy, a unit", 4, "lean"),
            column("inventory", "mean |position| (units)", 1, "abs_position"),
            Column("spread", "sd of P&L, %", 1, lambda label: mean(self._spread(label) / unit), 100),
            column("income", "spread revenue, %", 1, "spread_revenue", unit, 100),
            column("hedging", "hedging cost, %", 1, "hedging_cost", unit, 100),
            column("hedge", "hedged, % of position", 1, "hedge_fraction", scale=100),
        )

    def figures(self) -> Iterator[Figure]:
        marks: list[Mark] = []
        for label, colour in zip(PENALTIES, COLOURS, strict=False):
            points = self._points(label)
            position, lean = points[:, 0], points[:, 2] - points[:, 1]
            bins = np.array_split(np.argsort(position), BINS)
            middle = [position[own].mean() for own in bins], [lean[own].mean() for own in bins]
            marks += [Dots(position, lean, colour), Line(*middle, label, colour, 2)]
        widest = float(np.abs(self._points(PENALISED[0])[:, 0]).max())
        yield Figure(
            "skew",
            "The skew that trained makers choose, by their position: above 0, clients who sell to the maker pay more than "
            f"clients who buy. Dots: a sample of steps of all trainings; lines: means of {BINS} groups of them, by position. "
            "Positions beyond the frame are left out.",
            [*marks, Level(0, colour="#888888", width=0.6)],
            x=Axis("position (units)", limits=(-1.5 * widest - 1, 1.5 * widest + 1)),
            y=Axis("ε_sell − ε_buy"),
            legend=Legend(8, title="penalty for"),
        )
        caption = "Inventory while training, with and without a risk penalty, exploration included."
        yield self.curves({label: label for label in PENALTIES}, "inventory", caption)

    def _points(self, label: str) -> Array:
        """Position, eps_buy and eps_sell at a sample of steps of all trainings, (points, 3)."""
        return np.concatenate([seed["points"] for seed in self.seeds(label)])

    def _spread(self, label: str) -> Array:
        """Standard deviation over the runs of a run's P&L, of every training, (seeds,)."""
        return np.asarray(self.over_seeds(label, "pnl").std(axis=1, ddof=1))
