"""Two makers who learn at once: what prices they reach."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table, TrainedStudy, Verdict, below, bracketed, number
from dealermarket.papers.learning_makers import learned
from dealermarket.papers.learning_makers.best_price import two_makers
from dealermarket.plots import Figure
from dealermarket.study import Array, mean

STEPS = 1_000_000
STUDY = "both"
COMPETITIVE, JOINT = -1.0, 1.0  # eps: nothing is earned, and the most that may be charged


class TwoLearners(learned.LearnedExperiment):
    """Both makers of the market learn one policy by playing against each other."""

    name = "two-learners"
    title = "Two learners at once"
    question = (
        "Clients must trade, and go to whoever is cheaper. Two makers who undercut each other end at ε = −1, where nothing is "
        "earned (the competitive level); two who hold together charge the most that the environment allows, ε = 1 (the "
        f"joint-profit level). Where do two learners end, who start from ε = {learned.START:g}?"
    )
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def needs(self, scenario: Scenario) -> str | None:
        return two_makers(scenario)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(STUDY, learned.started(scenario, [0, 1]), runs, STEPS, learned.INCOME, scenario.maker_names)]

    def verdicts(self, scenario: Scenario, results: Results) -> Iterator[Verdict]:
        earned, prices = mean(_earned(scenario, results)), mean(_prices(results))
        yield Verdict(
            "below joint profit",
            "Two learners earn less than they could together.",
            learned.unless_few_seeds(below(earned, 1), results, STUDY),
            f"They earn {bracketed(earned, 1, 100)} % of the joint profit; {learned.percents(_earned(scenario, results))} in the "
            "trainings.",
        )
        yield Verdict(
            "undercutting",
            "They undercut each other: their prices end nearer to the competitive level than to the joint-profit level.",
            learned.unless_few_seeds(below(prices), results, STUDY),
            f"Mean ε {bracketed(prices, 2)}, between {number(COMPETITIVE, 0)} and {number(JOINT, 0)}.",
        )

    def tables(self, scenario: Scenario, results: Results) -> Iterator[Table]:
        earned, prices = _earned(scenario, results), _prices(results)
        nothing = {"inventory": math.nan, "hedge": math.nan}
        rows = [
            {"training": "competitive", "eps": COMPETITIVE, "earned": 0.0, **nothing},
            {"training": "joint profit", "eps": JOINT, "earned": 1.0, **nothing},
            {"training": "trained, mean", "eps": mean(prices), "earned": mean(earned), **nothing},
        ]
        rows += [
            {
                "training": str(n + 1),
                "eps": float(prices[n]),
                "earned": float(earned[n]),
                "inventory": float(seed["abs_position"].mean()),
                "hedge": float(seed["hedge_fraction"].mean()),
            }
            for n, seed in enumerate(learned.by_seed(results, STUDY))
        ]
        yield Table.of(
            "levels",
            "What two learners charge and earn together, beside the competitive and the joint-profit level; 95 % intervals "
            "over the trainings in brackets.",
            rows,
            Column("training", "training"),
            Column("eps", "mean ε", 2),
            Column("earned", "earned together, % of the joint profit", 1, scale=100),
            Column("inventory", "mean |position| (units)", 1),
            Column("hedge", "hedged, % of position", 1, scale=100),
        )

    def figures(self, scenario: Scenario, results: Results) -> Iterator[Figure]:
        caption = (
            "What each of two learners earns while training, exploration included; the joint-profit level is 1, the "
            "competitive 0."
        )
        yield learned.curves(results, {"two learners": STUDY}, "reward", caption)


def _prices(results: Results) -> Array:
    """Mean eps of both makers and both sides, (seeds,)."""
    prices = [learned.over_seeds(results, STUDY, f"eps_{side}", n).mean(axis=1) for side in ("buy", "sell") for n in (0, 1)]
    return np.asarray(np.mean(prices, axis=0))


def _earned(scenario: Scenario, results: Results) -> Array:
    """Spread revenue less hedging cost of both, as a share of the joint profit, (seeds,)."""
    both = sum(
        learned.over_seeds(results, STUDY, name, n).mean(axis=1) for name in ("spread_revenue", "hedging_cost") for n in (0, 1)
    )
    return np.asarray(both / ((1.0 + JOINT) * learned.worth(scenario)))
