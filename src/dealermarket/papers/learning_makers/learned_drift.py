"""Learning to trade the trend: which inventory a maker builds where the price drifts."""

from __future__ import annotations

from collections.abc import Iterator

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table, TrainedStudy, Verdict, above, below, bracketed, number
from dealermarket.papers.learning_makers import learned
from dealermarket.plots import Figure
from dealermarket.study import Estimate, mean

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

    def verdicts(self, scenario: Scenario, results: Results) -> Iterator[Verdict]:
        for label, (side, claim) in {"rising": ("long", above), "falling": ("short", below)}.items():
            held = learned.over_seeds(results, label, "position")
            position = learned.joint_mean(held)
            trainings = ", ".join(number(float(seed), 1) for seed in held.mean(axis=1))
            yield Verdict(
                label,
                f"Where the price is {label}, a trained maker is {side} on average.",
                learned.unless_few_seeds(claim(position), results, label),
                f"Mean position {bracketed(position, 1)} units; {trainings} in the trainings.",
            )

    def tables(self, scenario: Scenario, results: Results) -> Iterator[Table]:
        def position(row: tuple[str, int]) -> Estimate:
            return mean(learned.over_seeds(results, row[0], "position")[row[1]])

        yield Table.of(
            "positions",
            "What trained makers hold and do where the price drifts; 95 % intervals over the runs in brackets.",
            [(label, seed) for label in DRIFTS for seed in range(len(results[label]))],
            Column("price", "the price is", value=lambda row: row[0]),
            Column("training", "training", 0, lambda row: row[1] + 1),
            Column("position", "mean position (units)", 1, position),
            *learned.decided_columns(results),
        )

    def figures(self, scenario: Scenario, results: Results) -> Iterator[Figure]:
        caption = "Inventory while training where the price drifts, exploration included."
        yield learned.curves(results, {f"the price is {label}": label for label in DRIFTS}, "inventory", caption)
