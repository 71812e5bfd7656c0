"""Learning to trade the trend: which inventory a maker builds where the price drifts."""

from __future__ import annotations

from collections.abc import Iterator

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, below, estimated
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers import learned
from dealermarket.plots import Figure
from dealermarket.study import mean

STEPS = 500_000
DRIFTS = {"rising": 1.0, "falling": -1.0}
REWARD = {"weights": "pnl", "inventory_squared": 0.2}


class LearnedDrift(learned.LearnedExperiment):
    """One maker trained where the price rises, and one where it falls."""

    name = "learned-drift"
    title = "Learning where the price drifts"
    question = (
        "The price rises, or falls, by a hundred percent a year, and nothing tells the maker so. Does it learn to hold a "
        "positive position where the price rises and a negative one where it falls? Its reward is P&L less a small penalty for "
        "inventory."
    )
    words = words("training", "P&L", "ε", "reward")
    moves = ("market.mid_price.drift", "makers.0.policy")

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [
            self.trained(label, scenario.with_settings(f"market.mid_price.drift={drift}"), runs, STEPS, REWARD)
            for label, drift in DRIFTS.items()
        ]

    def verdicts(self) -> Iterator[Verdict]:
        sides = {"rising": ("long", "positive", above), "falling": ("short", "negative", below)}
        for label, (side, sign, claim) in sides.items():
            held = self.means(label, "position")
            yield Verdict(
                label,
                f"Where the price is {label}, trained makers are {side} on average: they hold {sign} positions.",
                self.unless_few_seeds(claim(mean(held)), label),
                f"The mean position is {estimated(mean(held), 1)} units, over the trainings; in each: {learned.listed(held)}.",
            )

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "positions",
            "What trained makers hold and do where the price drifts. Intervals are over the runs.",
            self.every_training(DRIFTS),
            Column("price", "the price is", value=lambda row: row[0]),
            learned.TRAINING,
            Column("position", "mean position (units)", 1, lambda row: mean(self.over_seeds(row[0], "position")[row[1]])),
            *self.decided_columns(),
        )

    def figures(self) -> Iterator[Figure]:
        caption = "Inventory in the course of the training, with what the maker tries at random."
        yield self.curves({f"the price is {label}": label for label in DRIFTS}, "inventory", caption)
