"""Learning to price: how near a trained maker comes to the best that can be done against each competitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dealermarket.model.scenario import Scenario
from dealermarket.papers.best_price import LEARNER, RIVALS, Rival, constant, decided_by_eps, rival_settings
from dealermarket.papers.experiment import Results
from dealermarket.papers.findings import Column, Figure, Table, Verdict, interval_column, number, with_interval
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
from dealermarket.study import measures as observe
from dealermarket.study.estimates import Estimate, joint, ratio
from dealermarket.study.study import Array, Study

if TYPE_CHECKING:
    pass

BEFORE = "before training"


@dataclass(frozen=True)
class Lesson:
    """A competitor, how long the training against it takes, and what is asked of the trained maker."""

    label: str
    settings: tuple[str, ...]
    steps: int
    asked: float  # share of the best known reward
    candidates: dict[str, list[str]]  # who is to be reached: label -> settings of the learner


def _lesson(rival: Rival, steps: int) -> Lesson:
    return Lesson(
        rival.label, tuple(rival_settings(rival)), steps, 0.95, {f"constant {number(rival.best, 2)}": constant(rival.best)}
    )


def _search() -> dict[str, list[str]]:
    """Constant prices, and prices that lean against the inventory; none is hedged, which could only cost."""
    found = {f"constant {number(eps, 1)}": constant(eps) for eps in np.round(np.arange(-0.8, 1.01, 0.1), 1) + 0.0}
    for eps in (-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8):
        for strength in (0.2, 0.5):
            for scale in (5.0, 20.0):
                found[f"skew {number(eps, 1)}, {strength:g}, {scale:g}"] = [
                    "makers.0.policy.kind=skew",
                    f"makers.0.policy.eps={eps}",
                    f"makers.0.policy.strength={strength}",
                    f"makers.0.policy.scale={scale}",
                    "makers.0.policy.hedge_fraction=0.0",
                ]
    return found


LESSONS = (
    _lesson(RIVALS[0], 600_000),
    _lesson(RIVALS[1], 600_000),
    _lesson(RIVALS[2], 1_500_000),
    Lesson("adaptive", ("makers.1.policy.kind=adaptive",), 1_000_000, 0.9, _search()),
)


class LearnedPrice(LearnedExperiment):
    """One maker trained against each of four competitors."""

    name = "learned-price"
    title = "Learning to price"
    question = (
        "A maker is trained by PPO on what it sees, and sets both prices and its hedge. How near does it come to the best "
        "constant price against competitors whose prices have a known distribution, and to the best response to the adaptive "
        f"maker that a search finds? It starts from ε = {START:g} on both sides and no hedging."
    )
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def checked(self, scenario: Scenario) -> Scenario:
        return decided_by_eps(self.name, super().checked(scenario))

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [
            self.trained(
                _trained(lesson), started(scenario.with_settings(*lesson.settings), [LEARNER]), runs, lesson.steps, INCOME
            )
            for lesson in LESSONS
        ]

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study(
                lesson.label,
                {
                    label: scenario.with_settings(*lesson.settings, *settings)
                    for label, settings in (lesson.candidates | {BEFORE: constant(START)}).items()
                },
                runs,
                observe.totals,
            )
            for lesson in LESSONS
        ]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        found = []
        for lesson in LESSONS:
            reached = _reached(results, lesson)
            best = _best(results, lesson)
            whose = "best constant ε of the grid" if len(lesson.candidates) == 1 else "best response found by search"
            found.append(
                Verdict(
                    f"against {lesson.label}",
                    f"Against {lesson.label} a trained maker earns at least {100 * lesson.asked:.0f} % of what the {whose} "
                    "earns.",
                    self.outcome(
                        results,
                        _trained(lesson),
                        all(bool(each.low >= lesson.asked) for each in reached),
                        any(bool(each.high < lesson.asked) for each in reached),
                    ),
                    f"{percents(each.value for each in reached)} % in the {len(reached)} trainings, known to ±"
                    f"{number(max(float(each.high - each.value) for each in reached), 1, 100)}, of {best}. "
                    f"Spread revenue less hedging cost, in paired runs; all intervals right at once. Before training: "
                    f"{number(float(_before(results, lesson).value), 1, 100)} %.",
                )
            )
        return found

    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        rows = []
        for lesson in LESSONS:
            best, training = _best(results, lesson), _trained(lesson)
            share = number(float(_income(results, lesson, best).mean() / worth(scenario)), 3)
            for n, (reached, seed) in enumerate(zip(_reached(results, lesson, 1), by_seed(results, training), strict=True)):
                rows.append(
                    {
                        "competitor": lesson.label if n == 0 else "",
                        "best": f"{best} ({share})" if n == 0 else "",
                        "before": number(float(_before(results, lesson).value), 1, 100) if n == 0 else "",
                        "training": n + 1,
                        **with_interval("reached", reached),
                        "eps_buy": float(seed["eps_buy"].mean()),
                        "eps_sell": float(seed["eps_sell"].mean()),
                        "hedge": float(seed["hedge_fraction"].mean()),
                        "inventory": float(seed["abs_position"].mean()),
                    }
                )
        return [
            Table(
                "reached",
                "What trained makers earn (spread revenue less hedging cost), as a share of the best known, whose own earnings, "
                "as a share of what the whole volume is worth at ε = 0, stand in brackets; and what they do on average.",
                pd.DataFrame(rows),
                (
                    Column("competitor", "competitor"),
                    Column("best", "best known"),
                    Column("before", "earned before training, %"),
                    Column("training", "training", 0),
                    interval_column("reached", "earned, % of the best", 1, 100),
                    Column("eps_buy", "ε, clients who buy", 3),
                    Column("eps_sell", "ε, clients who sell", 3),
                    Column("hedge", "hedged, % of position", 1, 100),
                    Column("inventory", "mean |position| (units)", 1),
                ),
            )
        ]

    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        return [
            learning_curves(
                results,
                {lesson.label: _trained(lesson) for lesson in LESSONS},
                "reward",
                "reward a step / volume at ε = 0",
                "curves",
                "Learning curves against four competitors: spread revenue less hedging cost while training, exploration "
                "included.",
            )
        ]


def _trained(lesson: Lesson) -> str:
    return f"trained, {lesson.label}"


def _income(results: Results, lesson: Lesson, label: str) -> Array:
    """Spread revenue less hedging cost of a candidate in each run, (replicas,)."""
    found = results[lesson.label][label]
    return np.asarray((found["spread_revenue"] + found["hedging_cost"])[:, LEARNER])


def _best(results: Results, lesson: Lesson) -> str:
    """The candidate that earns most."""
    return max(lesson.candidates, key=lambda label: float(_income(results, lesson, label).mean()))


def _reached(results: Results, lesson: Lesson, joined: int | None = None) -> list[Estimate]:
    """What each training earns as a share of the best candidate."""
    study, best = _trained(lesson), _income(results, lesson, _best(results, lesson))
    earned = over_seeds(results, study, "spread_revenue") + over_seeds(results, study, "hedging_cost")
    return [ratio(each, best, joint(joined or len(earned))) for each in earned]


def _before(results: Results, lesson: Lesson) -> Estimate:
    """What the maker earns before it has learnt anything, as a share of the best candidate."""
    return ratio(_income(results, lesson, BEFORE), _income(results, lesson, _best(results, lesson)))
