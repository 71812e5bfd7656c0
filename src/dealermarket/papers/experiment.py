"""The base of every experiment: a question, a scenario, what is measured, and what is concluded from the measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.findings import Figure, Table, Verdict
from dealermarket.papers.trained import TrainedStudy
from dealermarket.study.study import Measured, Study

Results = Measured
"""Study -> variant -> measures, of one experiment."""


@dataclass(frozen=True)
class Variation:
    """Other values of a parameter that the paper leaves open, under which the verdicts are drawn again."""

    parameter: str
    path: str
    values: tuple[float | str, ...]


class Experiment(ABC):
    """A question of the paper, or one that it leaves open.

    `studies` are what the verdicts need, `further_studies` what only tables and figures show. Everything else is a
    function of the scenario and the measures, so that no number is ever written by hand.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]  # where the paper asks it
    question: ClassVar[str]
    preset: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()  # on top of the preset
    runs: ClassVar[int] = 0  # replicas a point; the paper's number where it has one
    makers_needed: ClassVar[int] = 2
    trains: ClassVar[bool] = False  # whether policies are trained
    moves: ClassVar[tuple[str, ...]] = ()  # fields of the scenario that the experiment sets itself
    variations: ClassVar[tuple[Variation, ...]] = ()

    def scenario(self, source: str | Path | None = None, settings: Sequence[str] = ()) -> Scenario:
        """The experiment's scenario, or another from a preset or file, with settings on top.

        Raises ScenarioError, and ParameterError where a setting would change what the experiment itself moves."""
        place, own = (self.preset, self.settings) if source is None else (source, ())
        scenario = Scenario.load(place, (*own, *settings))
        start = Scenario.load(place, own) if settings and self.moves else scenario
        for path in self.moves:
            if _held(scenario, path) != _held(start, path):
                raise ParameterError(f"{self.name}: sets {path} itself, in the whole range it asks about; leave that setting out")
        return self.checked(scenario)

    def checked(self, scenario: Scenario) -> Scenario:
        """The scenario, if the question can be asked of it. Raises ParameterError."""
        if not any(agent.trade_probability for agent in scenario.agents):
            raise ParameterError(f"{self.name}: needs investors who trade, in {scenario.name!r} every trade_probability is 0")
        if len(scenario.makers) < self.makers_needed:
            raise ParameterError(
                f"{self.name}: needs a scenario with at least {self.makers_needed} makers, "
                f"{scenario.name!r} has {len(scenario.makers)}"
            )
        return scenario

    @abstractmethod
    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        """What must be measured for the verdicts."""

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        """What must be trained for the verdicts; needs the extra `learn`."""
        return []

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        """What is measured besides."""
        return []

    @abstractmethod
    def verdicts(self, scenario: Scenario, results: Results) -> list[Verdict]:
        """The claims and whether they hold."""

    @abstractmethod
    def tables(self, scenario: Scenario, results: Results) -> list[Table]:
        """The numbers."""

    @abstractmethod
    def figures(self, scenario: Scenario, results: Results) -> list[Figure]:
        """The pictures."""

    def differences(self, scenario: Scenario, results: Results) -> list[str]:
        """Where what was found is not what the paper shows, claim or not."""
        return []

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        """What a reader should know besides, such as why a number differs from the paper's."""
        return []


def _held(scenario: Scenario, path: str) -> list[Any]:
    """What stands at a path; nothing where a policy has no such field."""
    try:
        return scenario.values_at(path)
    except ParameterError:
        return []
