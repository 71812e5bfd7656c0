"""Learning to trade the trend: which inventory a maker builds where the price drifts."""

from __future__ import annotations

from collections.abc import Iterator

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, below, bracketed
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
        "The mid-price rises, or falls, by a hundred per cent a year, which nobody says in so many words. Does a maker rewarded "
        "for P&L, with a mild penalty for inventory, learn to hold inventory of the drift's sign?"
    )
    moves = ("market.mid_price.drift", "makers.0.policy")

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [
            self.trained(label, scenario.with_settings(f"market.mid_price.drift={drift}"), runs, STEPS, REWARD)
            for label, drift in DRIFTS.items()
        ]

    def verdicts(self) -> Iterator[Verdict]:
        for label, (side, claim) in {"rising": ("long", above), "falling": ("short", below)}.items():
            held = self.means(label, "position")
            yield Verdict(
                label,
                f"Where the price is {label}, a trained maker is {side} on average.",
                self.unless_few_seeds(claim(mean(held)), label),
                f"Mean position {bracketed(mean(held), 1)} units; {learned.listed(held)} in the trainings.",
            )

    def tables(self) -> Iterator[Table]:
        yield Table.of(
            "positions",
            "What trained makers hold and do where the price drifts; 95 % intervals over the runs in brackets.",
            self.every_training(DRIFTS),
            Column("price", "the price is", value=lambda row: row[0]),
            learned.TRAINING,
            Column("position", "mean position (units)", 1, lambda row: mean(self.over_seeds(row[0], "position")[row[1]])),
            *self.decided_columns(),
        )

    def figures(self) -> Iterator[Figure]:
        caption = "Inventory while training where the price drifts, exploration included."
        yield self.curves({f"the price is {label}": label for label in DRIFTS}, "inventory", caption)
