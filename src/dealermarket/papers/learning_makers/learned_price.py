"""Learning to price: how near a trained maker comes to the best that can be done against each competitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Results, Table, TrainedStudy, Verdict, above, number
from dealermarket.papers.learning_makers import learned
from dealermarket.papers.learning_makers.best_price import LEARNER, RIVALS, Rival, constant, decided_by_eps, rival_settings
from dealermarket.plots import Figure
from dealermarket.study import Array, Estimate, Study, joint, observe, ratio

BEFORE = "before training"


@dataclass(frozen=True)
class Lesson:
    """A competitor, how long the training against it takes, and what is asked of the trained maker."""

    label: str
    settings: tuple[str, ...]
    steps: int
    asked: float  # share of the best known reward
    candidates: dict[str, list[str]]  # who is to be reached: label -> settings of the learner

    @property
    def training(self) -> str:
        """The name of the study of the trained makers."""
        return f"trained, {self.label}"


def _lesson(rival: Rival, steps: int) -> Lesson:
    return Lesson(
        rival.label, tuple(rival_settings(rival)), steps, 0.95, {f"constant {number(rival.best, 2)}": constant(rival.best)}
    )


def _search() -> dict[str, list[str]]:
    """Constant prices, and prices that lean against the inventory; none is hedged, which could only cost."""
    candidates = {f"constant {number(eps, 1)}": constant(eps) for eps in np.round(np.arange(-0.8, 1.01, 0.1), 1) + 0.0}
    for eps in (-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8):
        for strength in (0.2, 0.5):
            for scale in (5.0, 20.0):
                fields = {"kind": "skew", "eps": eps, "strength": strength, "scale": scale, "hedge_fraction": 0.0}
                settings = [f"makers.0.policy.{field}={value}" for field, value in fields.items()]
                candidates[f"skew {number(eps, 1)}, {strength:g}, {scale:g}"] = settings
    return candidates


LESSONS = (
    _lesson(RIVALS[0], 600_000),
    _lesson(RIVALS[1], 600_000),
    _lesson(RIVALS[2], 1_500_000),
    Lesson("adaptive", ("makers.1.policy.kind=adaptive",), 1_000_000, 0.9, _search()),
)


class LearnedPrice(learned.LearnedExperiment):
    """One maker trained against each of four competitors."""

    name = "learned-price"
    title = "Learning to price"
    question = (
        "A maker is trained by PPO on what it sees, and sets both prices and its hedge. How near does it come to the best "
        "constant price against competitors whose prices have a known distribution, and to the best response to the adaptive "
        f"maker that a search finds? It starts from ε = {learned.START:g} on both sides and no hedging."
    )
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def needs(self, scenario: Scenario) -> str | None:
        return decided_by_eps(scenario)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        return [
            self.trained(lesson.training, learned.started(market, [LEARNER]), runs, lesson.steps, learned.INCOME)
            for lesson in LESSONS
            for market in [scenario.with_settings(*lesson.settings)]
        ]

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        return [
            Study(
                lesson.label,
                {
                    label: scenario.with_settings(*lesson.settings, *settings)
                    for label, settings in (lesson.candidates | {BEFORE: constant(learned.START)}).items()
                },
                runs,
                observe.totals,
            )
            for lesson in LESSONS
        ]

    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        return [_verdict(results, lesson) for lesson in LESSONS]

    def tables(self, scenario: Scenario, results: Results) -> Iterator[Table]:
        lessons = {lesson.training: lesson for lesson in LESSONS}
        best = {name: _best(results, lesson) for name, lesson in lessons.items()}
        reached = {name: _reached(results, lesson, 1) for name, lesson in lessons.items()}

        def best_known(study: str) -> str:
            income = float(_income(results, lessons[study], best[study]).mean() / learned.worth(scenario))
            return f"{best[study]} ({number(income, 3)})"

        def of_lesson(name: str, heading: str, value: Callable[[str], str]) -> Column:
            """What is the same for all trainings of a lesson, said once."""
            return Column(name, heading, value=lambda row: value(row[0]) if row[1] == 0 else "")

        yield Table.of(
            "reached",
            "What trained makers earn (spread revenue less hedging cost), as a share of the best known, whose own earnings, "
            "as a share of what the whole volume is worth at ε = 0, stand in brackets; and what they do on average.",
            [(study, seed) for study in lessons for seed in range(len(results[study]))],
            of_lesson("competitor", "competitor", lambda study: lessons[study].label),
            of_lesson("best", "best known", best_known),
            of_lesson(
                "before", "earned before training, %", lambda study: learned.percents([_before(results, lessons[study]).value])
            ),
            Column("training", "training", 0, lambda row: row[1] + 1),
            Column("reached", "earned, % of the best", 1, lambda row: reached[row[0]][row[1]], 100),
            *learned.decided_columns(results),
            learned.training_column("inventory", "mean |position| (units)", 1, results, "abs_position"),
        )

    def figures(self, scenario: Scenario, results: Results) -> Iterator[Figure]:
        caption = (
            "Learning curves against four competitors: spread revenue less hedging cost while training, exploration included."
        )
        yield learned.curves(results, {lesson.label: lesson.training for lesson in LESSONS}, "reward", caption)


def _verdict(results: Results, lesson: Lesson) -> Verdict:
    reached = _reached(results, lesson)
    known = number(np.max(reached.margin), 1, 100)
    whose = "best constant ε of the grid" if len(lesson.candidates) == 1 else "best response found by search"
    return Verdict(
        f"against {lesson.label}",
        f"Against {lesson.label} a trained maker earns at least {100 * lesson.asked:.0f} % of what the {whose} earns.",
        learned.unless_few_seeds(above(reached, lesson.asked, or_equal=True), results, lesson.training),
        f"{learned.percents(reached.value)} % in the {len(reached.value)} trainings, known to ±{known}, of "
        f"{_best(results, lesson)}. Spread revenue less hedging cost, in paired runs; all intervals right at once. Before "
        f"training: {learned.percents([_before(results, lesson).value])} %.",
    )


def _income(results: Results, lesson: Lesson, label: str) -> Array:
    """Spread revenue less hedging cost of a candidate in each run, (replicas,)."""
    own = results[lesson.label][label].of(LEARNER)
    return np.asarray(own["spread_revenue"] + own["hedging_cost"])


def _best(results: Results, lesson: Lesson) -> str:
    """The candidate that earns most."""
    return max(lesson.candidates, key=lambda label: float(_income(results, lesson, label).mean()))


def _reached(results: Results, lesson: Lesson, at_once: int | None = None) -> Estimate:
    """What each training earns as a share of the best candidate, (seeds,); all intervals right at once, or so many."""
    best = _income(results, lesson, _best(results, lesson))
    spread, hedging = (learned.over_seeds(results, lesson.training, name) for name in ("spread_revenue", "hedging_cost"))
    return Estimate.stacked(ratio(seed, best, joint(at_once or len(spread))) for seed in spread + hedging)


def _before(results: Results, lesson: Lesson) -> Estimate:
    """What the maker earns before it has learnt anything, as a share of the best candidate."""
    return ratio(_income(results, lesson, BEFORE), _income(results, lesson, _best(results, lesson)))
