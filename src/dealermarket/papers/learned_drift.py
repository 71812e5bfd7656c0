"""Learning to trade the trend: which inventory a maker builds where the price drifts."""

from __future__ import annotations

import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, bracketed, interval_column, number, with_interval
from dealermarket.papers.learned import LearnedExperiment, by_seed, joint_mean, learning_curves, over_seeds
from dealermarket.papers.trained import TrainedStudy
from dealermarket.study.estimates import mean
from dealermarket.study.study import Study

STEPS = 500_000
DRIFTS = {"rising": 1.0, "falling": -1.0}
REWARD = {"weights": "pnl", "inventory_squared": 0.2}


class LearnedDrift(LearnedExperiment):
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

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return []

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        found = []
        for label, drift in DRIFTS.items():
            held = over_seeds(results, label, "position")
            position = joint_mean(held * (1 if drift > 0 else -1))
            side = "long" if drift > 0 else "short"
            each = ", ".join(number(float(seed), 1) for seed in held.mean(axis=1))
            found.append(
                Verdict(
                    label,
                    f"Where the price is {label}, a trained maker is {side} on average.",
                    self.outcome(results, label, bool(position.low > 0), bool(position.high < 0)),
                    f"Mean position {bracketed(joint_mean(held), 1)} units; {each} in the trainings.",
                )
            )
        return found

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        rows = [
            {
                "price": label,
                "training": n + 1,
                **with_interval("position", mean(seed["position"][:, 0])),
                "eps_buy": float(seed["eps_buy"].mean()),
                "eps_sell": float(seed["eps_sell"].mean()),
                "hedge": float(seed["hedge_fraction"].mean()),
            }
            for label in DRIFTS
            for n, seed in enumerate(by_seed(results, label))
        ]
        return [
            Table(
                "positions",
                "What trained makers hold and do where the price drifts; 95 % intervals over the runs in brackets.",
                pd.DataFrame(rows),
                (
                    Column("price", "the price is"),
                    Column("training", "training", 0),
                    interval_column("position", "mean position (units)", 1),
                    Column("eps_buy", "ε, clients who buy", 3),
                    Column("eps_sell", "ε, clients who sell", 3),
                    Column("hedge", "hedged, % of position", 1, 100),
                ),
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [
            learning_curves(
                results,
                {f"the price is {label}": label for label in DRIFTS},
                "inventory",
                "mean |position| (units)",
                "curves",
                "Inventory while training where the price drifts, exploration included.",
            )
        ]
