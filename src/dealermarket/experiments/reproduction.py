"""Runs experiments, their variations included, and puts what they found into sections of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dealermarket.chunks import Progress
from dealermarket.errors import ParameterError
from dealermarket.experiments.experiment import Experiment, Results, Variation
from dealermarket.experiments.findings import Column, Figure, Outcome, Table, Verdict, overall
from dealermarket.experiments.study import Measured, Study, measure
from dealermarket.scenario import Scenario

VARIATION_RUNS = 200
QUICK_SHARE = 10
VARIATIONS = "variations"  # the name of the table of variations
_SEPARATOR = " / "


@dataclass(frozen=True)
class _Varied:
    """A value that was tried instead of the chosen one, and the scenario with it, if it can have it."""

    variation: Variation
    value: float
    scenario: Scenario | None

    @property
    def label(self) -> str:
        return f"{self.variation.parameter} = {self.value:g}"


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

    def section(self, measured: Measured) -> Section:
        """What the measures say."""
        experiment, scenario = self.experiment, self.scenario
        results = self._results("", measured)
        verdicts = experiment.verdicts(scenario, results)
        tables = experiment.tables(scenario, results)
        rows = [
            (varied, experiment.verdicts(varied.scenario, self._results(varied.label, measured)) if varied.scenario else [])
            for varied in self._varied
        ]
        if rows:
            tables.append(_variations_table(scenario, verdicts, rows, self.runs, self.variation_runs))
        return Section(
            plan=self,
            verdicts=verdicts,
            tables=tables,
            figures=experiment.figures(scenario, results),
            notes=experiment.notes(scenario, results),
            robust=(sum(overall(found) is Outcome.HOLDS for _, found in rows if found), sum(bool(found) for _, found in rows)),
        )

    @cached_property
    def _varied(self) -> list[_Varied]:
        return [
            _Varied(variation, value, self._with(setting))
            for variation in self.experiment.variations
            for value, setting in variation.settings().items()
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
    notes: list[str] = field(default_factory=list)
    robust: tuple[int, int] = (0, 0)  # variations in which all claims hold, of how many

    @property
    def experiment(self) -> Experiment:
        return self.plan.experiment

    @property
    def outcome(self) -> Outcome:
        """Of all its claims together."""
        return overall(self.verdicts)


def market_steps(plans: Sequence[Plan]) -> int:
    """Steps of markets that plans take in all."""
    return sum(study.market_steps for plan in plans for study in plan.studies)


def run_plans(
    plans: Sequence[Plan], seed: int = 0, threads: int = 1, progress: Progress | None = None, keep: Path | None = None
) -> list[Section]:
    """Runs plans and draws their conclusions; `keep` is a folder for measures, so that an interrupted run can go on."""
    studies = [study for plan in plans for study in plan.studies]
    measured = measure(studies, seed, threads, progress, keep)
    return [plan.section(measured) for plan in plans]


def experiments() -> Mapping[str, Experiment]:
    """Every experiment by name, in the order of the report."""
    from dealermarket.experiments.curves import Curves
    from dealermarket.experiments.hedging_paths import HedgingPaths
    from dealermarket.experiments.internalization import Internalization
    from dealermarket.experiments.markouts import Markouts
    from dealermarket.experiments.price_sensitivity import PriceSensitivity
    from dealermarket.experiments.sophistication import Sophistication
    from dealermarket.experiments.volatility import Volatility

    every = (
        Curves(),
        PriceSensitivity(),
        Internalization(),
        HedgingPaths(),
        Volatility(),
        Sophistication(),
        Markouts(),
    )
    return {experiment.name: experiment for experiment in every}


def experiment_named(name: str) -> Experiment:
    """The experiment of a name. Raises ParameterError."""
    from dealermarket.values import suggestion

    found = experiments().get(name)
    if found is None:
        raise ParameterError(f"experiment: there is no {name!r}{suggestion(name, experiments())}")
    return found


def _variations_table(
    scenario: Scenario, verdicts: list[Verdict], rows: list[tuple[_Varied, list[Verdict]]], runs: int, variation_runs: int
) -> Table:
    """Whether each claim holds, as chosen and under each variation."""
    import pandas as pd

    asked = {verdict.name for _, found in rows for verdict in found}
    claims = [verdict.name for verdict in verdicts if verdict.name in asked]

    def outcomes(found: list[Verdict], otherwise: str = "–") -> dict[str, str]:
        by_name = {verdict.name: f"{verdict.outcome.sign} {verdict.outcome}" for verdict in found}
        return {claim: by_name.get(claim, otherwise) for claim in claims}

    records = [{"parameter": "as chosen", "value": "", "chosen": "", **outcomes(verdicts)}]
    for varied, found in rows:
        shown = {
            "parameter": varied.variation.parameter,
            "value": f"{varied.value:g}",
            "chosen": _chosen(scenario, varied.variation),
        }
        records.append(shown | outcomes(found, "not possible" if varied.scenario is None else "–"))
    return Table(
        VARIATIONS,
        "How far the verdict holds when a value that the paper leaves open moves, one at a time, the others as chosen: "
        f"{variation_runs:,} runs a point (the first row: {runs:,}).",
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
    numbers = [number for value in values for number in (value if isinstance(value, list) else [value])]
    return ", ".join(dict.fromkeys(f"{number:g}" for number in numbers))
