"""Runs experiments, their variations included, and puts what they found into sections of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dealermarket import interrupt
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Experiment, Results, Variation
from dealermarket.papers.findings import Column, Figure, Outcome, Table, Verdict, overall
from dealermarket.papers.trained import TrainedStudy, measure_trained
from dealermarket.runs.chunks import Progress
from dealermarket.study.study import Measured, Study, measure

VARIATION_RUNS = 200
QUICK_SHARE = 10
VARIATIONS = "variations"  # the name of the table of variations
_SEPARATOR = " / "


@dataclass(frozen=True)
class Varied:
    """A value that was tried instead of the chosen one."""

    variation: Variation
    value: float | str
    scenario: Scenario | None  # None where the scenario cannot have it
    verdicts: list[Verdict] = field(default_factory=list)
    matters: bool = True  # whether anything that the verdicts are drawn from changed at all

    @property
    def label(self) -> str:
        return f"{self.variation.parameter} = {_text(self.value)}"

    @property
    def outcome(self) -> Outcome | None:
        """Of all the claims asked; None where nothing was asked, or nothing changed."""
        return overall(self.verdicts) if self.verdicts and self.matters else None


@dataclass(frozen=True)
class Plan:
    """One experiment as it is to be run: its scenario, the replicas of each point, and those of each variation's."""

    experiment: Experiment
    scenario: Scenario
    runs: int
    variation_runs: int = VARIATION_RUNS
    command: str = ""

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        scenario: Scenario | None = None,
        runs: int | None = None,
        quick: bool = False,
        command: str = "",
    ) -> Plan:
        """The plan at the experiment's own number of runs, a tenth of them if `quick`, or at `runs`."""
        divisor = QUICK_SHARE if quick else 1
        chosen = runs if runs is not None else max(experiment.runs // divisor, 1)
        variations = VARIATION_RUNS // divisor if runs is None else min(VARIATION_RUNS, runs)
        return cls(experiment, scenario or experiment.scenario(), chosen, variations, command)

    @cached_property
    def studies(self) -> list[Study]:
        """All that must be measured, with names that tell experiments and variations apart."""
        experiment, found = self.experiment, []
        for label, scenario, runs in self._markets():
            studies = experiment.studies(scenario, runs)
            if not label:
                studies = [*studies, *experiment.further_studies(scenario, runs)]
            found += [replace(study, name=self._name(label, study.name)) for study in studies]
        return found

    @cached_property
    def trainings(self) -> list[TrainedStudy]:
        """All that must be trained, with names that tell experiments apart."""
        trainings = self.experiment.trainings(self.scenario, self.runs)
        return [replace(study, name=self._name("", study.name)) for study in trainings]

    def section(self, measured: Measured) -> Section:
        """What the measures say."""
        experiment, scenario = self.experiment, self.scenario
        results = self._results("", measured)
        verdicts, tables = experiment.verdicts(scenario, results), experiment.tables(scenario, results)
        varied = self._judged(measured)
        if varied:
            tables.append(_variations_table(self, verdicts, varied))
        return Section(
            plan=self,
            verdicts=verdicts,
            tables=tables,
            figures=experiment.figures(scenario, results),
            differences=experiment.differences(scenario, results),
            notes=experiment.notes(scenario, results),
            varied=varied,
        )

    def _judged(self, measured: Measured) -> list[Varied]:
        """The variations with their verdicts, beside those of as many runs of the scenario as chosen."""
        if not self._varied:
            return []
        decisive = {study.name for study in self.experiment.studies(self.scenario, self.variation_runs)}
        chosen = {name: study for name, study in self._results("", measured).items() if name in decisive}
        first_runs = {
            name: {label: {key: array[: self.variation_runs] for key, array in found.items()} for label, found in study.items()}
            for name, study in chosen.items()
        }
        before = self.experiment.verdicts(self.scenario, first_runs) if self.variation_runs <= self.runs else []
        found = []
        for varied in self._varied:
            if varied.scenario is None:
                found.append(varied)
                continue
            verdicts = self.experiment.verdicts(varied.scenario, self._results(varied.label, measured))
            found.append(replace(varied, verdicts=verdicts, matters=verdicts != before))
        return found

    @cached_property
    def _varied(self) -> list[Varied]:
        return [
            Varied(variation, value, self._with(f"{variation.path}={value}"))
            for variation in self.experiment.variations
            for value in variation.values
            if self.variation_runs
        ]

    def _with(self, setting: str) -> Scenario | None:
        """The scenario with a setting; None where it cannot have it, as tiers by a fixed table have no EWMA weight."""
        try:
            return self.experiment.checked(self.scenario.with_settings(setting))
        except ParameterError:
            return None

    def _markets(self) -> list[tuple[str, Scenario, int]]:
        varied = [(each.label, each.scenario, self.variation_runs) for each in self._varied if each.scenario is not None]
        return [("", self.scenario, self.runs), *varied]

    def _name(self, label: str, study: str) -> str:
        return _SEPARATOR.join((self.experiment.name, label, study))

    def _results(self, label: str, measured: Measured) -> Results:
        start = self._name(label, "")
        return {name.removeprefix(start): measures for name, measures in measured.items() if name.startswith(start)}


@dataclass(frozen=True)
class Section:
    """What one experiment found."""

    plan: Plan
    verdicts: list[Verdict]
    tables: list[Table]
    figures: list[Figure]
    differences: list[str] = field(default_factory=list)  # where it is not what the paper shows
    notes: list[str] = field(default_factory=list)
    varied: list[Varied] = field(default_factory=list)

    @property
    def experiment(self) -> Experiment:
        return self.plan.experiment

    @property
    def outcome(self) -> Outcome:
        """Of all its claims together."""
        return overall(self.verdicts)

    @property
    def elsewhere(self) -> str:
        """How the claims fare under the other values tried, such as "12 hold, 1 fails; 5 change nothing"; "" if none were."""
        outcomes = [varied.outcome for varied in self.varied]
        words = {
            Outcome.HOLDS: ("holds", "hold"),
            Outcome.FAILS: ("fails", "fail"),
            Outcome.UNDECIDED: ("is undecided", "are undecided"),
        }
        counts = {outcome: outcomes.count(outcome) for outcome in words}
        found = [", ".join(f"{count} {words[outcome][count != 1]}" for outcome, count in counts.items() if count)]
        idle = sum(not varied.matters for varied in self.varied)
        found += [f"{idle} {'changes' if idle == 1 else 'change'} nothing"] if idle else []
        return "; ".join(filter(None, found))


def market_steps(plans: Sequence[Plan]) -> int:
    """Steps of markets that plans take in all."""
    measured = sum(study.market_steps for plan in plans for study in plan.studies)
    return measured + sum(study.market_steps for plan in plans for study in plan.trainings)


def run_plans(
    plans: Sequence[Plan], seed: int = 0, threads: int = 1, progress: Progress | None = None, keep: Path | None = None
) -> list[Section]:
    """Runs plans and draws their conclusions; `keep` is a folder for measures, so that an interrupted run can go on."""
    studies = [study for plan in plans for study in plan.studies]
    trainings = [study for plan in plans for study in plan.trainings]
    measured = {**measure(studies, seed, threads, progress, keep), **measure_trained(trainings, seed, threads, progress, keep)}
    sections = []
    for plan in plans:
        interrupt.check()
        sections.append(plan.section(measured))
    return sections


def experiments() -> Mapping[str, Experiment]:
    """Every experiment by name, in the order of the report."""
    from dealermarket.papers.best_price import BestPrice
    from dealermarket.papers.curves import Curves
    from dealermarket.papers.hedging_paths import HedgingPaths
    from dealermarket.papers.internalization import Internalization
    from dealermarket.papers.learned_drift import LearnedDrift
    from dealermarket.papers.learned_price import LearnedPrice
    from dealermarket.papers.learned_risk import LearnedRisk
    from dealermarket.papers.markouts import Markouts
    from dealermarket.papers.price_sensitivity import PriceSensitivity
    from dealermarket.papers.sophistication import Sophistication
    from dealermarket.papers.two_learners import TwoLearners
    from dealermarket.papers.volatility import Volatility

    every = (
        Curves(),
        PriceSensitivity(),
        Internalization(),
        HedgingPaths(),
        Volatility(),
        Sophistication(),
        Markouts(),
        BestPrice(),
        LearnedPrice(),
        LearnedRisk(),
        LearnedDrift(),
        TwoLearners(),
    )
    return {experiment.name: experiment for experiment in every}


def experiment_named(name: str) -> Experiment:
    """The experiment of a name. Raises ParameterError."""
    from dealermarket.values import suggestion

    found = experiments().get(name)
    if found is None:
        raise ParameterError(f"experiment: there is no {name!r}{suggestion(name, experiments())}")
    return found


def _variations_table(plan: Plan, verdicts: list[Verdict], rows: list[Varied]) -> Table:
    """Whether each claim holds, as chosen and under each variation."""
    import pandas as pd

    asked = {verdict.name for varied in rows for verdict in varied.verdicts}
    claims = [verdict.name for verdict in verdicts if verdict.name in asked]
    unasked = [verdict.name for verdict in verdicts if verdict.name not in asked]

    def outcomes(found: list[Verdict], otherwise: str = "–") -> dict[str, str]:
        by_name = {verdict.name: f"{verdict.outcome.sign} {verdict.outcome}" for verdict in found}
        return {claim: by_name.get(claim, otherwise) for claim in claims}

    records = [{"parameter": "as chosen", "value": "", "chosen": "", **outcomes(verdicts)}]
    for varied in rows:
        own = {
            "parameter": varied.variation.parameter,
            "value": _text(varied.value),
            "chosen": _chosen(plan.scenario, varied.variation),
        }
        idle = "not possible" if varied.scenario is None else "no effect" if not varied.matters else "–"
        records.append(own | outcomes(varied.verdicts if varied.matters else [], idle))
    also = f" Not asked again: {', '.join(unasked)}." if unasked else ""
    return Table(
        VARIATIONS,
        "How far the verdict holds when a value that the paper leaves open moves, one at a time, the others as chosen: "
        f"{plan.variation_runs:,} runs a point (the first row: {plan.runs:,}). No effect: not a number of the verdicts "
        f"changed.{also}",
        pd.DataFrame(records),
        (
            Column("parameter", "parameter"),
            Column("value", "value"),
            Column("chosen", "chosen"),
            *(Column(claim, claim) for claim in claims),
        ),
    )


def _chosen(scenario: Scenario, variation: Variation) -> str:
    """The value that a variation moves, or values."""
    try:
        values = scenario.values_at(variation.path)
    except ParameterError:
        return "–"
    return ", ".join(dict.fromkeys(_text(entry) for value in values for entry in (value if isinstance(value, list) else [value])))


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
