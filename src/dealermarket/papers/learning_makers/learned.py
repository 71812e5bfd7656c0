"""What the experiments with trained makers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.papers import Column, Experiment, Outcome, Results, TrainedStudy, number
from dealermarket.papers.learning_makers.best_price import FOLLOW_UP, LEARNER
from dealermarket.plots import COLOURS, Axis, Band, Figure, Legend, Line, Mark
from dealermarket.study import Array, Estimate, Measures, mean

SEEDS, FEWEST_SEEDS = 5, 2
INCOME = {"weights": {"spread_revenue": 1.0, "hedging_cost": 1.0}}  # P&L but for what the mid adds by chance
START = 0.5  # eps before training, where it is asked which prices are learned: none of the answers
FIELDS = ("steps", "reward", "share", "inventory", "noise")  # of a learning curve


class LearnedExperiment(Experiment):
    """Makers trained from several seeds. `runs` are the markets in which each plays after it; fewer shorten the training, too."""

    source = FOLLOW_UP
    preset = "learning"
    runs = 1000
    trains = True

    def trained(
        self, name: str, scenario: Scenario, runs: int, steps: int, reward: Mapping[str, Any], makers: Sequence[str] = ()
    ) -> TrainedStudy:
        """A training of `steps` market steps in the full experiment; of the first maker, if none is named."""
        from dealermarket.learning.training import Training
        from dealermarket.policies.rewards import Reward

        training = Training(
            scenario=scenario,
            makers=tuple(makers) or scenario.maker_names[LEARNER : LEARNER + 1],
            steps=max(int(steps * self.effort(runs)), 1),
            reward=Reward(**reward),
        )
        return TrainedStudy(name, training, SEEDS if self.effort(runs) == 1 else FEWEST_SEEDS, runs)

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        """How the makers were trained."""
        studies = self.trainings(scenario, self.runs)
        chosen, markets = studies[0].training.hyperparameters, studies[0].training.markets
        notes = [
            f"PPO of Stable-Baselines3 in {markets} markets: {chosen.rollout} steps a rollout, {chosen.epochs} epochs of batches "
            f"of about {chosen.batch:,}, learning rate {chosen.learning_rate:g}, discount {chosen.discount:g} a step, GAE "
            f"{chosen.gae:g}, two hidden layers of {chosen.width}, exploration from a standard deviation of {chosen.noise:g}."
        ]
        for study in studies:
            reward = study.training.reward
            earned = " + ".join(_in_words(name) for name, weight in reward.component_weights.items() if weight)
            weights = {name: getattr(reward, name) for name in ("inventory_pnl_squared", "inventory_squared", "inventory_loss")}
            penalties = [f"{weight:g} times {_in_words(name)}" for name, weight in weights.items() if weight]
            seeds = by_seed(results, study.name)
            notes.append(
                f"{study.name}: {int(seeds[0]['curve'][-1, 0]):,} market steps from each of {len(seeds)} seeds, rewarded for "
                f"{earned}" + (f", less {' and '.join(penalties)}" if penalties else "") + "."
            )
        return notes

    def effort(self, runs: int) -> float:
        """The share of the full training."""
        return min(runs / self.runs, 1.0)


def unless_few_seeds(outcome: Outcome, results: Results, study: str) -> Outcome:
    """The outcome of a claim on trained makers: too little training proves nothing against it."""
    few = len(results[study]) < SEEDS
    return Outcome.UNDECIDED if few and outcome is Outcome.FAILS else outcome


def started(scenario: Scenario, makers: Sequence[int]) -> Scenario:
    """The scenario in which these makers quote START, from which their training starts."""
    return scenario.with_settings(*(f"makers.{n}.pricing.eps_{side}={START}" for n in makers for side in ("buy", "sell")))


def by_seed(results: Results, study: str) -> list[Measures]:
    """The measures of every seed of a study."""
    return list(results[study].values())


def over_seeds(results: Results, study: str, name: str, learner: int = 0) -> Array:
    """A measure of every seed, (seeds, replicas)."""
    return np.stack([seed.of(learner)[name] for seed in by_seed(results, study)])


def joint_mean(values: Array) -> Estimate:
    """The mean over seeds and replicas (seeds, replicas), with the interval of the seeds' means: another training would do as
    these did."""
    return mean(values.mean(axis=1))


def percents(shares: Iterable[Any]) -> str:
    """Shares as percents, for sentences."""
    return ", ".join(number(float(share), 1, 100) for share in shares)


def worth(scenario: Scenario) -> float:
    """What all investors' volume of a run earns at half the mean reference spread, eps 0; price units times units."""
    from dealermarket.policies.features import scales_of
    from dealermarket.policies.rewards import Reward

    return scales_of(scenario, Reward()).money * scenario.steps


def training_column(name: str, heading: str, digits: int, results: Results, measure: str, scale: float = 1.0) -> Column:
    """The mean of a measure of every training; a row is a study and the number of a seed."""

    def value(row: tuple[str, int]) -> float:
        study, seed = row
        return float(by_seed(results, study)[seed][measure].mean())

    return Column(name, heading, digits, value, scale)


def decided_columns(results: Results) -> list[Column]:
    """What makers decide on average: prices and hedges; rows as in `training_column`."""
    return [
        training_column("eps_buy", "ε, clients who buy", 3, results, "eps_buy"),
        training_column("eps_sell", "ε, clients who sell", 3, results, "eps_sell"),
        training_column("hedge", "hedged, % of position", 1, results, "hedge_fraction", 100),
    ]


def curves(results: Results, studies: Mapping[str, str], field: str, caption: str) -> Figure:
    """A field of the learning curves, a line for every study, label -> study: the mean over the seeds, smoothed, and a band from
    the lowest to the highest."""
    marks: list[Mark] = []
    for (label, study), colour in zip(studies.items(), COLOURS, strict=False):
        own = [seed["curve"] for seed in by_seed(results, study)]
        shortest = min(len(curve) for curve in own)
        steps = own[0][:shortest, 0] / 1e6
        values = np.stack([_smoothed(curve[:shortest, FIELDS.index(field)]) for curve in own])
        marks += [
            Band(steps, values.min(axis=0), values.max(axis=0), colour),
            Line(steps, values.mean(axis=0), label, colour, 1.2),
        ]
    seeds = max(len(results[study]) for study in studies.values())
    whose = " of each" if any(len(by_seed(results, study)[0].makers) > 1 for study in studies.values()) else ""
    return Figure(
        "curves",
        f"{caption} Lines: means of {seeds} trainings; bands: from the lowest to the highest of them.",
        marks,
        x=Axis("market steps of training (millions)"),
        y=Axis("mean |position| (units)" if field == "inventory" else f"reward a step{whose} / volume at ε = 0"),
        legend=Legend(8),
    )


def _in_words(name: str) -> str:
    return name.replace("_", " ").replace("pnl", "P&L")


def _smoothed(values: Array, width: int = 25) -> Array:
    """A running mean over about `width` rollouts, shorter at the ends."""
    kernel = np.ones(min(width, len(values)))
    return np.asarray(np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same"))
