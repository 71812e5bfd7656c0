"""Plans: experiments as they are to be run, their variations included; and the sections of a report that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dealermarket import interrupt
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.pages.table import Table
from dealermarket.pages.wording import counted
from dealermarket.papers.desks import DesksStudy
from dealermarket.papers.experiment import Experiment, Results
from dealermarket.papers.outcome import Outcome, Verdict, overall
from dealermarket.papers.parts import PartedStudy, measure_parts
from dealermarket.papers.processes import ProcessStudy
from dealermarket.papers.trained import TrainedStudy
from dealermarket.papers.variations import Varied, variations_table
from dealermarket.plots.figure import Figure
from dealermarket.runs.executors import Executor, Progress
from dealermarket.study.study import Measured, Study, measure

VARIATION_RUNS = 200
QUICK_SHARE = 10
_SEPARATOR = " / "


@dataclass(frozen=True)
class Plan:
    """One experiment as it is to be run.

    Parameters
    ----------
    experiment : Experiment
        What is asked.
    scenario : Scenario
        The market that it is asked of.
    runs : int
        Replicas of each point.
    variation_runs : int
        Replicas of each point of a variation; 0 for no variations.
    command : str
        The command that a report names as the one that repeats it.
    """

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
        """The plan of an experiment, with the numbers of runs that are usual.

        Parameters
        ----------
        experiment : Experiment
            What is asked.
        scenario : Scenario, optional
            The market that it is asked of. Where left out, the experiment's own.
        runs : int, optional
            Replicas of each point. Where left out, the experiment's own number.
        quick : bool
            Whether a tenth of that number is enough.
        command : str
            The command that a report names as the one that repeats it.

        Returns
        -------
        Plan
            With at most 200 runs of each variation.
        """
        divisor = QUICK_SHARE if quick else 1
        chosen = runs if runs is not None else max(experiment.runs // divisor, 1)
        variations = VARIATION_RUNS // divisor if runs is None else min(VARIATION_RUNS, runs)
        return cls(experiment, scenario or experiment.load_scenario(), chosen, variations, command)

    @cached_property
    def studies(self) -> list[Study]:
        """All that must be measured, with names that tell experiments and variations apart."""
        experiment = self.experiment
        chosen = [*experiment.studies(self.scenario, self.runs), *experiment.further_studies(self.scenario, self.runs)]
        named = [("", study) for study in chosen]
        for varied in self._varied:
            if varied.scenario is not None:
                named += [(varied.label, study) for study in experiment.studies(varied.scenario, self.variation_runs)]
        return [replace(study, name=self._name(label, study.name)) for label, study in named]

    @cached_property
    def trainings(self) -> list[TrainedStudy]:
        """All that must be trained, with names that tell experiments apart."""
        trainings = self.experiment.trainings(self.scenario, self.runs)
        return [replace(study, name=self._name("", study.name)) for study in trainings]

    @cached_property
    def desks(self) -> list[DesksStudy]:
        """All logs that must be calibrated, with names that tell experiments apart."""
        return [replace(study, name=self._name("", study.name)) for study in self.experiment.desks(self.scenario, self.runs)]

    @cached_property
    def processes(self) -> list[ProcessStudy]:
        """All dealers' processes that must be simulated, with names that tell experiments apart."""
        processes = self.experiment.processes(self.scenario, self.runs)
        return [replace(study, name=self._name("", study.name)) for study in processes]

    @property
    def parted(self) -> list[PartedStudy]:
        """All that is measured in processes of its own."""
        return [*self.trainings, *self.desks, *self.processes]

    @cached_property
    def market_steps(self) -> int:
        """Steps of markets in all."""
        return sum(study.market_steps for study in self.studies) + sum(study.market_steps for study in self.parted)

    def section(self, measured: Measured) -> Section:
        """What the measures say.

        Parameters
        ----------
        measured : mapping
            What `measure` found of `studies`, and what was measured of `parted`: study -> variant -> measures.

        Returns
        -------
        Section
            Verdicts, tables and figures.
        """
        found = self.experiment.with_results(self.scenario, self._results("", measured))
        verdicts, tables = list(found.verdicts()), list(found.tables())
        varied = self._with_verdicts(measured)
        if varied:
            tables.append(variations_table(self.scenario, verdicts, varied))
        return Section(
            plan=self,
            verdicts=verdicts,
            tables=tables,
            figures=list(found.figures()),
            differences=list(found.differences()),
            notes=list(found.notes()),
            varied=varied,
        )

    def _with_verdicts(self, measured: Measured) -> list[Varied]:
        """The variations with their verdicts, beside those of as many runs of the scenario as chosen."""
        if not self._varied:
            return []
        decisive = {study.name for study in self.experiment.studies(self.scenario, self.variation_runs)}
        first_runs = {
            name: {label: measures.first(self.variation_runs) for label, measures in variants.items()}
            for name, variants in self._results("", measured).items()
            if name in decisive
        }
        before = self._verdicts(self.scenario, first_runs) if self.variation_runs <= self.runs else []

        def with_verdicts(varied: Varied) -> Varied:
            if varied.scenario is None:
                return varied
            verdicts = self._verdicts(varied.scenario, self._results(varied.label, measured))
            return replace(varied, verdicts=verdicts, matters=verdicts != before)

        return [with_verdicts(varied) for varied in self._varied]

    def _verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        return list(self.experiment.with_results(scenario, results).verdicts())

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

    def _name(self, label: str, study: str) -> str:
        return _SEPARATOR.join((self.experiment.name, label, study))

    def _results(self, label: str, measured: Measured) -> Results:
        start = self._name(label, "")
        return {name.removeprefix(start): measures for name, measures in measured.items() if name.startswith(start)}


@dataclass(frozen=True)
class Section:
    """What came of one experiment: a section of a report.

    Parameters
    ----------
    plan : Plan
        What was run.
    verdicts : list of Verdict
        The claims, and whether they hold.
    tables : list of Table
        The numbers.
    figures : list of Figure
        The pictures.
    differences : list of str
        Where the results are not what the paper shows.
    notes : list of str
        What a reader should know besides.
    varied : list of Varied
        What came of other values of the parameters that the paper leaves open.
    """

    plan: Plan
    verdicts: list[Verdict]
    tables: list[Table]
    figures: list[Figure]
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    varied: list[Varied] = field(default_factory=list)

    @property
    def experiment(self) -> Experiment:
        """What was asked."""
        return self.plan.experiment

    @property
    def outcome(self) -> Outcome:
        """Of all its claims together."""
        return overall(*(verdict.outcome for verdict in self.verdicts))

    @property
    def headline(self) -> Figure | None:
        """The figure that stands beside the verdicts."""
        chosen = [figure for figure in self.figures if figure.name == self.experiment.headline]
        return next(iter([*chosen, *self.figures]), None)

    @property
    def elsewhere(self) -> str:
        """How the claims fare at the other values tried, in a sentence; "" if none were."""
        if not self.varied:
            return ""
        outcomes = [varied.outcome for varied in self.varied]
        counts = (
            ("all claims hold at", outcomes.count(Outcome.HOLDS)),
            ("one or more fail at", outcomes.count(Outcome.FAILS)),
            ("one or more are undecided at", outcomes.count(Outcome.UNDECIDED)),
            ("nothing changes at", sum(not varied.matters for varied in self.varied)),
            ("the question cannot be asked at", sum(varied.scenario is None for varied in self.varied)),
        )
        told = ", ".join(f"{words} {count}" for words, count in counts if count)
        return f"With {counted(len(self.varied), 'other value')} of what the paper leaves open, one at a time: {told}."


def market_steps(plans: Sequence[Plan]) -> int:
    """How many steps of markets plans take.

    Parameters
    ----------
    plans : sequence of Plan
        The plans.

    Returns
    -------
    int
        Steps of all studies, desks, processes and trainings.
    """
    return sum(plan.market_steps for plan in plans)


def run_plans(
    plans: Sequence[Plan],
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
    keep: str | Path | None = None,
    executor: Executor | str | None = None,
) -> list[Section]:
    """Runs plans and draws their conclusions.

    Markets run on an executor or on threads; what takes a process of its own, such as training a maker, runs on this machine, in
    as many processes as threads are asked for. Equal calls give equal results.

    Parameters
    ----------
    plans : sequence of Plan
        What to run.
    seed : int
        The seed of all markets, 0 or more.
    threads : int
        How many threads, or processes, at a time, from 1 to 1024.
    progress : callable, optional
        Called with the number of market steps done since the last call, from any thread.
    keep : str or Path, optional
        A folder for measures, so that an interrupted run can go on.
    executor : Executor or str, optional
        Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

    Returns
    -------
    list of Section
        What came of each plan, in order.

    Raises
    ------
    RunFolderError
        The folder for measures cannot be written.
    ParameterError
        `threads` is not in 1..1024, or the text names no executor.
    ExecutorError
        The executor is not installed, or nobody answers there.
    DealerMarketError
        A process that measures was ended from outside.
    """
    studies = [study for plan in plans for study in plan.studies]
    parted = [study for plan in plans for study in plan.parted]
    markets = measure(studies, seed, threads, progress, keep, executor)
    measured = {**markets, **measure_parts(parted, seed, threads, progress, keep)}
    sections = []
    for plan in plans:
        interrupt.check()
        sections.append(plan.section(measured))
    return sections
