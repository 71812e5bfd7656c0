"""Learning to manage risk: what penalties for inventory do to prices, inventory and P&L."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, estimated, number, overall
from dealermarket.papers.glossary import words
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
        "The reward of a training is P&L less a penalty for risk. Does the maker learn to skew its prices against its position, "
        "so that clients take it off? And do penalties make the position and the fluctuation of P&L smaller?"
    )
    words = words("ε", "position z", "P&L", "training", "reward", "worth of the volume")
    moves = ("makers.0.policy",)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(label, scenario, runs, STEPS, {"weights": "pnl", **penalty}) for label, penalty in PENALTIES.items()]

    def verdicts(self) -> Iterator[Verdict]:
        for label in PENALISED:
            slopes = self.means(label, "lean")
            yield Verdict(
                f"skew: {label}",
                f"Penalised for {label}, makers skew against their position: ε_sell − ε_buy rises with it.",
                self.unless_few_seeds(above(mean(slopes)), label),
                f"It rises by {estimated(mean(slopes), 4)} a unit of position, over the trainings; in each: "
                f"{learned.listed(slopes, 4)}.",
            )
        for label in PENALISED:
            inventory = mean(self.means(NEUTRAL, "abs_position") - self.means(label, "abs_position"))
            spread = mean((self._spread(NEUTRAL) - self._spread(label)) / learned.worth(self.scenario))
            yield Verdict(
                f"calmer: {label}",
                f"A penalty for {label} makes the position and the fluctuation of P&L smaller.",
                self.unless_few_seeds(overall(above(inventory), above(spread)), label),
                f"The mean |z| is {estimated(inventory, 1)} units smaller. The standard deviation of a run's P&L is smaller by "
                f"{estimated(spread, 0, 100)} % of the worth of the volume.",
            )

    def tables(self) -> Iterator[Table]:
        unit = learned.worth(self.scenario)

        def column(name: str, heading: str, digits: int, measure: str, unit: float = 1.0, scale: float = 1.0) -> Column:
            return Column(name, heading, digits, lambda label: mean(self.means(label, measure, unit=unit)), scale)

        yield Table.of(
            "penalties",
            "What makers learn with and without a penalty for risk. Money is in percent of the worth of the volume. Intervals "
            "are over the trainings.",
            PENALTIES,
            Column("penalty", "penalty for", value=str),
            Column("weight", "weight", value=lambda label: ", ".join(number(w, 2) for w in PENALTIES[label].values())),
            column("lean", "rise of ε_sell − ε_buy a unit of position", 4, "lean"),
            column("inventory", "mean |z| (units)", 1, "abs_position"),
            Column("spread", "standard deviation of P&L, %", 1, lambda label: mean(self._spread(label) / unit), 100),
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
            "The skew that trained makers choose, by their position. Above 0, clients who sell to the maker pay more than "
            f"clients who buy. Dots: a sample of the steps of all trainings. Lines: means of {BINS} groups of them, by position. "
            "Some positions lie beyond the frame.",
            [*marks, Level(0, colour="#888888", width=0.6)],
            x=Axis("position (units)", limits=(-1.5 * widest - 1, 1.5 * widest + 1)),
            y=Axis("ε_sell − ε_buy"),
            legend=Legend(title="penalty for", below=True, columns=2),
            size=(4.8, 4.1),
        )
        caption = "Position in the course of the training, with what the maker tries at random."
        yield self.curves({label: label for label in PENALTIES}, "inventory", caption)

    def _points(self, label: str) -> Array:
        """Position, eps_buy and eps_sell at a sample of steps of all trainings, (points, 3)."""
        return np.concatenate([seed["points"] for seed in self.seeds(label)])

    def _spread(self, label: str) -> Array:
        """Standard deviation over the runs of a run's P&L, of every training, (seeds,)."""
        return np.asarray(self.over_seeds(label, "pnl").std(axis=1, ddof=1))
