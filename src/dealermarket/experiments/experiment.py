"""The base of every experiment: a question, a scenario, what is measured, and what is concluded from the measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dealermarket.errors import ParameterError
from dealermarket.experiments.findings import Figure, Table, Verdict
from dealermarket.experiments.study import Measures, Study
from dealermarket.scenario import Scenario

Results = Mapping[str, Mapping[str, Measures]]
"""Study -> variant -> measures, of one experiment."""


@dataclass(frozen=True)
class Variation:
    """Other values of a parameter that the paper leaves open, under which the verdicts are drawn again."""

    parameter: str
    path: str
    values: tuple[float, ...]

    def settings(self) -> dict[float, str]:
        """Value -> the setting that gives it to a scenario."""
        return {value: f"{self.path}={value}" for value in self.values}


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
    variations: ClassVar[tuple[Variation, ...]] = ()

    def scenario(self, source: str | Path | None = None, settings: Iterable[str] = ()) -> Scenario:
        """The experiment's scenario, or another from a preset or file, with settings on top. Raises ScenarioError."""
        own = () if source is not None else self.settings
        return self.checked(Scenario.load(self.preset if source is None else source, (*own, *settings)))

    def checked(self, scenario: Scenario) -> Scenario:
        """The scenario, if the question can be asked of it. Raises ParameterError."""
        if len(scenario.makers) < self.makers_needed:
            raise ParameterError(
                f"{self.name}: needs a scenario with at least {self.makers_needed} makers, "
                f"{scenario.name!r} has {len(scenario.makers)}"
            )
        return scenario

    @abstractmethod
    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        """What must be measured for the verdicts."""

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

    def notes(self, scenario: Scenario, results: Results) -> list[str]:
        """What a reader should know besides, such as why a number differs from the paper's."""
        return []


INFINITE = "∞"


def with_risk_aversion(scenario: Scenario, maker: int | str, gamma: str) -> Scenario:
    """The scenario with a maker's (or "*": every maker's) risk aversion γ: a number, or INFINITE for hedging everything.

    Makers that weigh cost against risk keep their schedule, optimal or linear; others get the optimal one.
    """
    hedging = f"makers.{maker}.hedging"
    if gamma == INFINITE:
        return scenario.with_settings(f"{hedging}.kind=full")
    weighs = all("risk_aversion" in value for value in scenario.values_at(hedging))
    kind = [] if weighs else [f"{hedging}.kind=optimal"]
    return scenario.with_settings(*kind, f"{hedging}.risk_aversion={float(gamma)}")
