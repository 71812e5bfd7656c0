"""What the experiments with trained makers share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Outcome, TrainedStudy, number
from dealermarket.papers.learning_makers.best_price import FOLLOW_UP, LEARNER
from dealermarket.plots import COLOURS, Axis, Band, Figure, Legend, Line, Mark
from dealermarket.study import Array, Measures, mean

if TYPE_CHECKING:
    from dealermarket.learning.training import Hyperparameters

SEEDS, FEWEST_SEEDS = 5, 2
INCOME = {"weights": {"spread_revenue": 1.0, "hedging_cost": 1.0}}  # P&L but for what the mid adds by chance
START = 0.5  # eps before training, where it is asked which prices are learned: none of the answers
TRAINING = Column("training", "training", 0, lambda row: row[1] + 1)  # of a row of `every_training`
FIELDS = ("steps", "reward", "share", "inventory", "noise")  # of a learning curve


def _lessons() -> Hyperparameters:
    """How makers are trained: with less noise at first and more, smaller batches than is usual, for a price just below a
    competitor's is found by small steps."""
    from dealermarket.learning.training import Hyperparameters

    return Hyperparameters(learning_rate=0.002, slowest=1.0, batch=1024, discount=0.97, gae=0.95, entropy=0.0, noise=0.3)


def _rate(chosen: Hyperparameters) -> str:
    """The learning rate in words."""
    return f"{chosen.learning_rate:g}" + (f" and falls to {chosen.slowest:g} of that" if chosen.slowest < 1 else "")


def _unlike(first: Hyperparameters, chosen: Hyperparameters) -> str:
    """How a study is trained otherwise than the first."""
    if chosen == first:
        return ""
    return (
        f" Its learning rate is {_rate(chosen)}, its batches are of about {chosen.batch:,}, the discount is {chosen.discount:g} "
        f"(GAE {chosen.gae:g}), and exploration begins at {chosen.noise:g}."
    )


class LearnedExperiment(Experiment):
    """Makers trained from several seeds. `runs` are the markets in which each plays after it; fewer shorten the training, too."""

    source = FOLLOW_UP
    preset = "learning"
    runs = 1000
    trains = True

    def trained(
        self,
        name: str,
        scenario: Scenario,
        runs: int,
        steps: int,
        reward: Mapping[str, Any],
        makers: Sequence[str] = (),
        careful: bool = True,
    ) -> TrainedStudy:
        """A training of `steps` market steps in the full experiment; of the first maker, if none is named. It learns by small
        steps, or as trainings do that nobody chose hyperparameters for."""
        from dealermarket.learning.training import Hyperparameters, Training
        from dealermarket.model.makers.reward import Reward

        training = Training(
            scenario=scenario,
            makers=tuple(makers) or scenario.maker_names[LEARNER : LEARNER + 1],
            steps=max(int(steps * self.effort(runs)), 1),
            reward=Reward(**reward),
            hyperparameters=_lessons() if careful else Hyperparameters(),
        )
        return TrainedStudy(name, training, SEEDS if self.effort(runs) == 1 else FEWEST_SEEDS, runs)

    def notes(self) -> Iterator[str]:
        """How the makers were trained."""
        studies = self.trainings(self.scenario, self.runs)
        chosen, markets = studies[0].training.hyperparameters, studies[0].training.markets
        yield (
            f"Makers are trained by PPO of Stable-Baselines3, in {markets} markets side by side: {chosen.rollout} steps of each "
            f"make a rollout, which is learned from in {chosen.epochs} passes, in batches of about {chosen.batch:,}. The "
            f"learning rate is {_rate(chosen)}, the discount of future rewards "
            f"{chosen.discount:g} a step (GAE {chosen.gae:g}), and the network has two hidden layers of {chosen.width}. While it "
            "learns, a maker tries prices and hedges at random around its own; this exploration begins with a standard deviation "
            f"of {chosen.noise:g}."
        )
        for study in studies:
            reward = study.training.reward
            earned = " + ".join(_in_words(name) for name, weight in reward.component_weights.items() if weight)
            weights = {name: getattr(reward, name) for name in ("inventory_pnl_squared", "inventory_squared", "inventory_loss")}
            penalties = [f"{weight:g} times {_in_words(name)}" for name, weight in weights.items() if weight]
            seeds = self.seeds(study.name)
            yield (
                f"“{study.name}” is trained {len(seeds)} times, {int(seeds[0]['curve'][-1, 0]):,} market steps each. The reward "
                "is "
                f"{earned}"
                + (f", less {' and '.join(penalties)}" if penalties else "")
                + "."
                + _unlike(chosen, study.training.hyperparameters)
            )

    def effort(self, runs: int) -> float:
        """The share of the full training."""
        return min(runs / self.runs, 1.0)

    def unless_few_seeds(self, outcome: Outcome, study: str) -> Outcome:
        """The outcome of a claim on trained makers: too little training proves nothing against it."""
        few = len(self.results[study]) < SEEDS
        return Outcome.UNDECIDED if few and outcome is Outcome.FAILS else outcome

    def seeds(self, study: str) -> list[Measures]:
        """The measures of every seed of a study."""
        return list(self.results[study].values())

    def over_seeds(self, study: str, name: str, learner: int = 0) -> Array:
        """A measure of every seed, (seeds, replicas)."""
        return np.stack([seed.of(learner)[name] for seed in self.seeds(study)])

    def means(self, study: str, name: str, learner: int = 0, unit: float = 1.0) -> Array:
        """The mean of a measure over the replicas, in a unit, of every seed, (seeds,). Intervals are those of the seeds' means:
        another training would do as these did."""
        return np.asarray((self.over_seeds(study, name, learner) / unit).mean(axis=1))

    def charged(self, study: str) -> Array:
        """Mean eps of both makers of a market and both sides, of every seed, (seeds,)."""
        return np.asarray(np.mean([self.means(study, f"eps_{side}", n) for side in ("buy", "sell") for n in (0, 1)], axis=0))

    def incomes(self, study: str) -> Array:
        """Spread revenue less hedging cost of both makers together, of every seed in each run, (seeds, replicas)."""
        return np.asarray(sum(self.over_seeds(study, name, n) for name in INCOME["weights"] for n in (0, 1)))

    def level_rows(self, study: str, earned: Array, prefix: str = "") -> list[tuple[Any, ...]]:
        """Rows of `level_columns`: what two makers charge and earned (seeds,) together, on average and in every training."""
        prices = self.charged(study)
        rows: list[tuple[Any, ...]] = [(f"{prefix}trained, mean", mean(prices), mean(earned), math.nan, math.nan)]
        for n, seed in enumerate(self.seeds(study)):
            did = (float(seed[name].mean()) for name in ("abs_position", "hedge_fraction"))
            rows.append((f"{prefix}{n + 1}", float(prices[n]), float(earned[n]), *did))
        return rows

    def every_training(self, studies: Iterable[str]) -> list[tuple[str, int]]:
        """Rows of a table: a study and the number of a seed."""
        return [(study, seed) for study in studies for seed in range(len(self.results[study]))]

    def mean_column(self, name: str, heading: str, digits: int, measure: str, scale: float = 1.0) -> Column:
        """The mean of a measure of every training."""
        return Column(name, heading, digits, lambda row: float(self.seeds(row[0])[row[1]][measure].mean()), scale)

    def decided_columns(self) -> list[Column]:
        """What makers decide on average in every training: prices and hedges."""
        return [
            self.mean_column("eps_buy", "ε, clients who buy", 3, "eps_buy"),
            self.mean_column("eps_sell", "ε, clients who sell", 3, "eps_sell"),
            self.mean_column("hedge", "hedged, % of position", 1, "hedge_fraction", 100),
        ]

    def curves(self, studies: Mapping[str, str], field: str, caption: str) -> Figure:
        """A field of the learning curves, a line for every study, label -> study: the mean over the seeds, smoothed, and a band
        from the lowest to the highest."""
        marks: list[Mark] = []
        for (label, study), colour in zip(studies.items(), COLOURS, strict=False):
            own = [seed["curve"] for seed in self.seeds(study)]
            shortest = min(len(curve) for curve in own)
            steps = own[0][:shortest, 0] / 1e6
            values = np.stack([_smoothed(curve[:shortest, FIELDS.index(field)]) for curve in own])
            marks += [
                Band(steps, values.min(axis=0), values.max(axis=0), colour),
                Line(steps, values.mean(axis=0), label, colour, 1.2),
            ]
        seeds = [self.seeds(study) for study in studies.values()]
        whose = " of each" if any(len(own[0].makers) > 1 for own in seeds) else ""
        return Figure(
            "curves",
            f"{caption} Lines: means of {max(map(len, seeds))} trainings. Bands: from the lowest to the highest of them.",
            marks,
            x=Axis("market steps of training (millions)"),
            y=Axis("mean |z| (units)" if field == "inventory" else f"reward of a step{whose}"),
            legend=Legend(below=True, columns=2),
        )


def level_columns(whole: str) -> list[Column]:
    """Of rows of what two makers charge, earn together as a share of the `whole`, hold and hedge, behind their name."""
    return [
        Column("eps", "mean ε", 2, itemgetter(1)),
        Column("earned", f"earned together, % of the {whole}", 1, itemgetter(2), 100),
        Column("inventory", "mean |z| (units)", 1, itemgetter(3)),
        Column("hedge", "hedged, % of position", 1, itemgetter(4), 100),
    ]


def started(scenario: Scenario, makers: Sequence[int]) -> Scenario:
    """The scenario in which these makers quote START, from which their training starts."""
    return scenario.with_settings(*(f"makers.{n}.pricing.eps_{side}={START}" for n in makers for side in ("buy", "sell")))


def listed(values: Iterable[Any], digits: int = 1, scale: float = 1.0) -> str:
    """The numbers of all trainings, for sentences."""
    return ", ".join(number(float(value), digits, scale) for value in values)


def worth(scenario: Scenario) -> float:
    """What all investors' volume of a run earns at half the mean reference spread, eps 0; price units times units."""
    from dealermarket.engine.scales import scales_of
    from dealermarket.model.makers.reward import Reward

    return scales_of(scenario, Reward()).money * scenario.steps


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace("pnl", "P&L")


def _smoothed(values: Array, width: int = 25) -> Array:
    """A running mean over about `width` rollouts, shorter at the ends."""
    kernel = np.ones(min(width, len(values)))
    return np.asarray(np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same"))
