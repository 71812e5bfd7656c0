"""Two makers who learn at once: what prices they reach."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, bracketed, interval_column, number, with_interval
from dealermarket.papers.learned import (
    INCOME,
    START,
    LearnedExperiment,
    by_seed,
    learning_curves,
    over_seeds,
    percents,
    started,
    worth,
)
from dealermarket.papers.trained import TrainedStudy
from dealermarket.study.estimates import mean
from dealermarket.study.study import Array, Study

STEPS = 1_000_000
STUDY = "both"
COMPETITIVE, JOINT = -1.0, 1.0  # eps: nothing is earned, and the most that may be charged


class TwoLearners(LearnedExperiment):
    """Both makers of the market learn one policy by playing against each other."""

    name = "two-learners"
    title = "Two learners at once"
    question = (
        "Clients must trade, and go to whoever is cheaper. Two makers who undercut each other end at ε = −1, where nothing is "
        "earned (the competitive level); two who hold together charge the most that the environment allows, ε = 1 (the "
        f"joint-profit level). Where do two learners end, who start from ε = {START:g}?"
    )
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def checked(self, scenario: Scenario) -> Scenario:
        scenario = super().checked(scenario)
        if len(scenario.makers) != 2:
            raise ParameterError(f"{self.name}: needs two makers, {scenario.name!r} has {len(scenario.makers)}")
        return scenario

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(STUDY, started(scenario, [0, 1]), runs, STEPS, INCOME, scenario.maker_names)]

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return []

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        earned, prices = mean(_earned(scenario, results)), mean(_prices(results))
        return [
            Verdict(
                "below joint profit",
                "Two learners earn less than they could together.",
                self.outcome(results, STUDY, bool(earned.high < 1), bool(earned.low > 1)),
                f"They earn {bracketed(earned, 1, 100)} % of the joint profit; {percents(_earned(scenario, results))} in the "
                "trainings.",
            ),
            Verdict(
                "undercutting",
                "They undercut each other: their prices end nearer to the competitive level than to the joint-profit level.",
                self.outcome(results, STUDY, bool(prices.high < 0), bool(prices.low > 0)),
                f"Mean ε {bracketed(prices, 2)}, between {number(COMPETITIVE, 0)} and {number(JOINT, 0)}.",
            ),
        ]

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        earned, prices = _earned(scenario, results), _prices(results)
        rows = [
            {
                "training": n + 1,
                "eps": float(prices[n]),
                "earned": float(earned[n]),
                "inventory": float(np.asarray(seed["abs_position"]).mean()),
                "hedge": float(np.asarray(seed["hedge_fraction"]).mean()),
            }
            for n, seed in enumerate(by_seed(results, STUDY))
        ]
        levels = [
            {"training": "competitive", "eps": COMPETITIVE, "earned": 0.0},
            {"training": "joint profit", "eps": JOINT, "earned": 1.0},
            {"training": "trained, mean", **with_interval("eps", mean(prices)), **with_interval("earned", mean(earned))},
        ]
        frame = pd.DataFrame([*levels, *rows])
        frame["training"] = [str(label) for label in frame["training"]]
        return [
            Table(
                "levels",
                "What two learners charge and earn together, beside the competitive and the joint-profit level; 95 % intervals "
                "over the trainings in brackets.",
                frame,
                (
                    Column("training", "training"),
                    interval_column("eps", "mean ε", 2),
                    interval_column("earned", "earned together, % of the joint profit", 1, 100),
                    Column("inventory", "mean |position| (units)", 1),
                    Column("hedge", "hedged, % of position", 1, 100),
                ),
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [
            learning_curves(
                results,
                {"two learners": STUDY},
                "reward",
                "reward a step of each / volume at ε = 0",
                "curves",
                "What each of two learners earns while training, exploration included; the joint-profit level is 1, the "
                "competitive 0.",
            )
        ]


def _prices(results: Results) -> Array:
    """Mean eps of both makers and both sides, (seeds,)."""
    each = [over_seeds(results, STUDY, f"eps_{side}", n).mean(axis=1) for side in ("buy", "sell") for n in (0, 1)]
    return np.asarray(np.mean(each, axis=0))


def _earned(scenario: Scenario, results: Results) -> Array:
    """Spread revenue less hedging cost of both, as a share of the joint profit, (seeds,)."""
    both = sum(over_seeds(results, STUDY, name, n).mean(axis=1) for name in ("spread_revenue", "hedging_cost") for n in (0, 1))
    return np.asarray(both / ((1.0 + JOINT) * worth(scenario)))
