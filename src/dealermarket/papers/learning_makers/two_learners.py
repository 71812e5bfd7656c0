"""Two makers who learn at once: what prices they reach."""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, below, estimated, number
from dealermarket.papers.glossary import words
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
        "Clients must trade, and go to the cheaper maker. Two makers who undercut each other end at ε = −1, where nothing is "
        "earned (the competitive level). Two who hold together can both charge ε = 1, the highest allowed (the joint-profit "
        f"level). Where do two makers end who learn at the same time, from ε = {learned.START:g}?"
    )
    words = words("ε", "training", "reward")
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def needs(self, scenario: Scenario) -> str | None:
        return two_makers(scenario)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [self.trained(STUDY, learned.started(scenario, [0, 1]), runs, STEPS, learned.INCOME, scenario.maker_names)]

    def verdicts(self) -> Iterator[Verdict]:
        earned, prices = mean(self._earned), mean(self._prices)
        yield Verdict(
            "below joint profit",
            "Two makers who learn earn less than they could together.",
            self.unless_few_seeds(below(earned, 1), STUDY),
            f"They earn {estimated(earned, 1, 100)} % of the joint profit, over the trainings; in each: "
            f"{learned.listed(self._earned, 1, 100)}.",
        )
        yield Verdict(
            "undercutting",
            "They undercut each other: their prices end nearer to the competitive level than to the joint-profit level.",
            self.unless_few_seeds(below(prices), STUDY),
            f"The mean ε is {estimated(prices, 3)}; half-way between {number(COMPETITIVE, 0)} and {number(JOINT, 0)} is 0.",
        )

    def tables(self) -> Iterator[Table]:
        rows: list[tuple[Any, ...]] = [
            ("competitive", COMPETITIVE, 0.0, math.nan, math.nan),
            ("joint profit", JOINT, 1.0, math.nan, math.nan),
            *self.level_rows(STUDY, self._earned),
        ]
        yield Table.of(
            "levels",
            "What two makers who learn charge and earn together, beside the competitive and the joint-profit level. Intervals "
            "are over the trainings.",
            rows,
            Column("training", "training", value=itemgetter(0)),
            *learned.level_columns("joint profit"),
        )

    def figures(self) -> Iterator[Figure]:
        caption = (
            "Reward of each of the two makers in the course of the training, with what they try at random. At the joint-profit "
            "level it is 1, at the competitive level 0."
        )
        yield self.curves({"two learners": STUDY}, "reward", caption)

    @property
    def _prices(self) -> Array:
        """Mean eps of both makers and both sides, (seeds,)."""
        return self.charged(STUDY)

    @property
    def _earned(self) -> Array:
        """Spread revenue less hedging cost of both, as a share of the joint profit, (seeds,)."""
        return np.asarray(self.incomes(STUDY).mean(axis=1) / ((1.0 + JOINT) * learned.worth(self.scenario)))
