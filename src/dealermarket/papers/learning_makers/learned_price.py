"""Learning to price: how near a trained maker comes to the best that can be done against each competitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import comparisons
from dealermarket.papers import Column, Table, TrainedStudy, Verdict, above, estimated, number
from dealermarket.papers.glossary import words
from dealermarket.papers.learning_makers import learned
from dealermarket.papers.learning_makers.best_price import LEARNER, RIVALS, Rival, constant, decided_by_eps, playing
from dealermarket.plots import Axis, Figure, Legend
from dealermarket.study import Array, Estimate, Study, joint, observe, ratio

BEFORE = "before training"


@dataclass(frozen=True)
class Lesson:
    """A competitor, how long the training against it takes, and what is asked of the trained maker."""

    label: str
    words: str  # the competitor in a sentence
    short: str  # the words without the competitor
    policy: str  # of the competitor
    steps: int
    asked: float  # share of the best known reward
    candidates: dict[str, str]  # who is to be reached: label -> policy of the learner

    @property
    def training(self) -> str:
        """The name of the study of the trained makers."""
        return f"trained, {self.label}"


def _lesson(rival: Rival, steps: int) -> Lesson:
    candidates = {f"constant {number(rival.best, 2)}": constant(rival.best)}
    return Lesson(rival.label, rival.words, rival.short, rival.policy, steps, 0.95, candidates)


def _search() -> dict[str, str]:
    """Constant prices, and prices that lean against the inventory; none is hedged, which could only cost."""
    candidates = {f"constant {number(eps, 1)}": constant(eps) for eps in np.round(np.arange(-0.8, 1.01, 0.1), 1) + 0.0}
    for eps, strength, scale in product((-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8), (0.2, 0.5), (5.0, 20.0)):
        skew = f"skew eps={eps} strength={strength} scale={scale} hedge_fraction=0.0"
        candidates[f"skew {number(eps, 1)}, {strength:g}, {scale:g}"] = skew
    return candidates


LESSONS = (
    *map(_lesson, RIVALS, (600_000, 600_000, 1_500_000)),
    Lesson("adaptive", "the adaptive maker", "that adapts its ε", "adaptive", 1_000_000, 0.9, _search()),
)


class LearnedPrice(learned.LearnedExperiment):
    """One maker trained against each of four competitors."""

    name = "learned-price"
    title = "Learning to price"
    question = (
        "A maker is trained (by PPO, a method of reinforcement learning) to set its prices for buyers and sellers and its hedge. "
        "How near does it come to the best constant price, where theory knows it, and to the best answer to the adaptive maker "
        f"of the follow-up paper that a search finds? It begins with ε = {learned.START:g} on both sides and without hedging."
    )
    words = words("ε", "worth of the volume", "training", "reward")
    moves = ("makers.*.policy", "makers.*.pricing.eps_buy", "makers.*.pricing.eps_sell")

    def needs(self, scenario: Scenario) -> str | None:
        return decided_by_eps(scenario)

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        start = learned.started(scenario, [LEARNER])
        return [
            self.trained(
                lesson.training,
                playing(start, lesson.policy),
                runs,
                lesson.steps,
                learned.INCOME,
                careful=not lesson.policy.startswith("random"),  # the best price is just below a cliff
            )
            for lesson in LESSONS
        ]

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        def variants(lesson: Lesson) -> dict[str, Scenario]:
            learners = {**lesson.candidates, BEFORE: constant(learned.START)}
            return {label: playing(scenario, lesson.policy, learner) for label, learner in learners.items()}

        return [Study(lesson.label, variants(lesson), runs, observe.totals) for lesson in LESSONS]

    def verdicts(self) -> Iterator[Verdict]:
        for lesson in LESSONS:
            reached = self._reached(lesson)
            each = ", ".join(estimated(reached[n], 1, 100) for n in range(len(reached.value)))
            whose = "best constant ε" if len(lesson.candidates) == 1 else "best answer found by search"
            yield Verdict(
                f"against {lesson.label}",
                f"Against {lesson.words} every trained maker earns at least {100 * lesson.asked:.0f} % of what the {whose} "
                "earns.",
                self.unless_few_seeds(above(reached, lesson.asked, or_equal=True), lesson.training),
                f"The trained makers earn {each} % of what “{self._best(lesson)}” earns (spread revenue less hedging cost; "
                f"paired, {comparisons(len(reached.value))}). Before training it is {self._before(lesson)} %.",
            )

    def tables(self) -> Iterator[Table]:
        lessons = {lesson.training: lesson for lesson in LESSONS}
        reached = {name: self._reached(lesson, 1) for name, lesson in lessons.items()}

        def best_known(lesson: Lesson) -> str:
            best = self._best(lesson)
            return f"{best} ({number(float(self._income(lesson, best).mean() / learned.worth(self.scenario)), 3)})"

        def of_lesson(name: str, heading: str, value: Callable[[Lesson], str]) -> Column:
            """What is the same for all trainings of a lesson, said once."""
            return Column(name, heading, value=lambda row: value(lessons[row[0]]) if row[1] == 0 else "")

        yield Table.of(
            "reached",
            "What trained makers earn (spread revenue less hedging cost), in percent of the best that is known, and what they do "
            "on average. In brackets behind the best: what it earns, as a share of the worth of the volume.",
            self.every_training(lessons),
            of_lesson("competitor", "competitor", lambda lesson: lesson.label),
            of_lesson("best", "best known", best_known),
            of_lesson("before", "earned before training, %", self._before),
            learned.TRAINING,
            Column("reached", "earned, % of the best", 1, lambda row: reached[row[0]][row[1]], 100),
            *self.decided_columns(),
            self.mean_column("inventory", "mean |z| (units)", 1, "abs_position"),
        )

    def figures(self) -> Iterator[Figure]:
        caption = "Reward in the course of the training, against four competitors, with what the maker tries at random."
        curves = self.curves({lesson.short: lesson.training for lesson in LESSONS}, "reward", caption)
        yield replace(
            curves,
            y=Axis("reward of a step\n(1: all its volume, at ε = 0)"),
            legend=Legend(title="trained against a competitor", below=True, columns=1),
            size=(4.8, 4.3),
        )

    def _income(self, lesson: Lesson, label: str) -> Array:
        """Spread revenue less hedging cost of a candidate in each run, (replicas,)."""
        spread, hedging = (self.own(lesson.label, label, name) for name in ("spread_revenue", "hedging_cost"))
        return np.asarray(spread + hedging)

    def _best(self, lesson: Lesson) -> str:
        """The candidate that earns most."""
        return max(lesson.candidates, key=lambda label: float(self._income(lesson, label).mean()))

    def _reached(self, lesson: Lesson, at_once: int | None = None) -> Estimate:
        """What each training earns as a share of the best candidate, (seeds,); all intervals right at once, or so many."""
        best = self._income(lesson, self._best(lesson))
        spread, hedging = (self.over_seeds(lesson.training, name) for name in ("spread_revenue", "hedging_cost"))
        return Estimate.stacked(ratio(seed, best, joint(at_once or len(spread))) for seed in spread + hedging)

    def _before(self, lesson: Lesson) -> str:
        """What the maker earns before it has learnt anything, in percent of the best candidate."""
        earned = ratio(self._income(lesson, BEFORE), self._income(lesson, self._best(lesson)))
        return number(float(earned.value), 1, 100)
