"""The base of every experiment: a question, a scenario, what is measured, and what is concluded from the measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.pages.table import Table
from dealermarket.papers.desks import DesksStudy
from dealermarket.papers.outcome import Verdict
from dealermarket.papers.processes import ProcessStudy
from dealermarket.papers.trained import TrainedStudy
from dealermarket.plots.figure import Figure
from dealermarket.study.labelled import Array
from dealermarket.study.study import Measured, Study
from dealermarket.values import suggestion

Results = Measured
"""Study -> variant -> measures, of one experiment."""


@dataclass(frozen=True)
class Variation:
    """Other values of a parameter that the paper leaves open, under which the verdicts are drawn again.

    Parameters
    ----------
    parameter : str
        Its name on the page.
    path : str
        Where it stands in a scenario, such as "makers.*.pricing.alpha".
    values : tuple of float or str
        The values that are tried, one at a time.
    """

    parameter: str
    path: str
    values: tuple[float | str, ...]


_LEFT_OPEN = {  # what the papers' own experiments vary: its name on the page, and where it stands in a scenario
    "v_max": ("v_max", "exchange.v_max"),
    "alpha": ("alpha", "makers.*.pricing.alpha"),
    "tier_penalty": ("tier penalty", "makers.*.pricing.tier_penalty"),
    "t_m": ("t_m", "reward_horizon"),
    "weight": ("weight of the last trade", "makers.*.tiering.weight"),
    "log_std": ("sd of log size", "investors.*.log_std"),
    "volatility": ("volatility", "market.mid_price.volatility"),
    "tiers": ("tiers", "makers.*.tiering.tiers"),
    "steps": ("steps", "steps"),
}


def left_open(**values: tuple[float, ...]) -> tuple[Variation, ...]:
    """Variations of what the paper leaves open in most of its experiments, by a short name.

    Parameters
    ----------
    **values : tuple of float
        The values that are tried, by `v_max`, `alpha`, `tier_penalty`, `t_m`, `weight`, `log_std`, `volatility`, `tiers` or
        `steps`.

    Returns
    -------
    tuple of Variation
        One for each name.

    Raises
    ------
    ParameterError
        There is no such name.

    Examples
    --------
    >>> from dealermarket.papers import left_open
    >>> left_open(v_max=(50.0, 500.0))
    (Variation(parameter='v_max', path='exchange.v_max', values=(50.0, 500.0)),)
    """
    for name in values:
        if name not in _LEFT_OPEN:
            raise ParameterError(f"{name}: has no short name, give a Variation{suggestion(name, _LEFT_OPEN)}")
    return tuple(Variation(*_LEFT_OPEN[name], tried) for name, tried in values.items())


class Experiment(ABC):
    """A question of a paper, or one of your own: the base of every experiment (docs/experiments.md).

    A class of one says its `name`, `question` and `preset`, what must be measured, and what is concluded from it. Verdicts and
    all that follows them are worked out from `results`, what was measured in `scenario`, so that no number is ever written by
    hand; both are there in what `with_results` returns.

    Attributes
    ----------
    name : str
        By which the experiment is known; required.
    title : str
        Its heading; by default the name in words.
    source : str
        Where a paper asks it: paper, section and figure.
    question : str
        What is asked; required.
    preset : str
        The preset whose scenario it is asked of; required.
    asks_scenario : bool
        Whether it is asked of a scenario at all; where not, it has a problem of its own, and the preset has no part in it.
    settings : tuple of str
        What is set on top of the preset, such as "steps=200".
    runs : int
        Replicas of each point; the paper's number where it has one.
    makers_needed : int
        How many makers a scenario needs at least.
    trains : bool
        Whether policies are trained.
    long : bool
        Whether a tenth of the runs takes minutes, too, as it does where policies are trained.
    moves : tuple of str
        Fields of the scenario that the experiment sets itself, and that nobody else may set.
    variations : tuple of Variation
        What else is tried of the parameters that the paper leaves open.
    studied : int
        The number of the maker that is looked at.
    headline : str
        The name of the figure that stands beside the verdicts; by default the first.
    words : mapping of str to str
        Words and symbols that a reader meets, and what they mean.
    scenario : Scenario
        What was asked about, in what `with_results` returns.
    results : mapping
        What was measured there: study -> variant -> measures.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    source: ClassVar[str] = ""
    question: ClassVar[str]
    preset: ClassVar[str]
    asks_scenario: ClassVar[bool] = True
    settings: ClassVar[tuple[str, ...]] = ()
    runs: ClassVar[int] = 200
    makers_needed: ClassVar[int] = 2
    trains: ClassVar[bool] = False
    long: ClassVar[bool] = False
    moves: ClassVar[tuple[str, ...]] = ()
    variations: ClassVar[tuple[Variation, ...]] = ()
    studied: ClassVar[int] = 0
    headline: ClassVar[str] = ""
    words: ClassVar[Mapping[str, str]] = {}

    scenario: Scenario
    results: Results

    def __init_subclass__(cls) -> None:
        if not cls.title and "name" in vars(cls):
            cls.title = cls.name.replace("-", " ").capitalize()

    def load_scenario(self, source: str | Path | None = None, settings: Sequence[str] = ()) -> Scenario:
        """The experiment's scenario, or another, with settings on top.

        Parameters
        ----------
        source : str or Path, optional
            A preset or a file. Where left out, the experiment's preset with its own settings.
        settings : sequence of str
            Settings such as "steps=200".

        Returns
        -------
        Scenario
            A scenario that the question can be asked of.

        Raises
        ------
        ScenarioError
            The scenario cannot be read, or a setting cannot be applied.
        ParameterError
            A setting would change what the experiment itself moves, the question cannot be asked of the scenario, or it is asked
            of none.
        """
        if not self.asks_scenario and (source is not None or settings):
            raise ParameterError(f"{self.name}: asks about a problem of its own and no scenario; leave --scenario and --set out")
        place, own = (self.preset, self.settings) if source is None else (source, ())
        scenario = Scenario.load(place, (*own, *settings))
        start = Scenario.load(place, own) if settings and self.moves else scenario
        for path in self.moves:
            if _values_at(scenario, path) != _values_at(start, path):
                raise ParameterError(f"{self.name}: sets {path} itself, in the whole range it asks about; leave that setting out")
        return self.checked(scenario)

    def checked(self, scenario: Scenario) -> Scenario:
        """The scenario, if the question can be asked of it.

        Parameters
        ----------
        scenario : Scenario
            The market.

        Returns
        -------
        Scenario
            The same.

        Raises
        ------
        ParameterError
            The question needs something that the scenario does not have.
        """
        needed = self._general_need(scenario) or self.needs(scenario)
        if needed:
            raise ParameterError(f"{self.name}: needs {needed}")
        return scenario

    def needs(self, scenario: Scenario) -> str | None:
        """What the question needs and the scenario does not have, in words; None where it can be asked."""
        return None

    def studies(self, scenario: Scenario, runs: int) -> list[Study]:
        """What must be measured for the verdicts.

        Parameters
        ----------
        scenario : Scenario
            The market that is asked about.
        runs : int
            Replicas of each point.

        Returns
        -------
        list of Study
            With names that differ; measures are found in `results` by them.
        """
        return []

    def trainings(self, scenario: Scenario, runs: int) -> list[TrainedStudy]:
        """What must be trained for the verdicts, as `studies`; needs the extra `learn`."""
        return []

    def desks(self, scenario: Scenario, runs: int) -> list[DesksStudy]:
        """Simulated desks whose logs must be calibrated for the verdicts, as `studies`."""
        return []

    def processes(self, scenario: Scenario, runs: int) -> list[ProcessStudy]:
        """Processes of dealers that must be simulated for the verdicts, as `studies`."""
        return []

    def further_studies(self, scenario: Scenario, runs: int) -> list[Study]:
        """What is measured besides, for tables and figures alone: as `studies`."""
        return []

    def with_results(self, scenario: Scenario, results: Results) -> Self:
        """The experiment beside what was measured, to ask for verdicts, tables and figures.

        Parameters
        ----------
        scenario : Scenario
            The market that was asked about.
        results : mapping
            What was measured there: study -> variant -> measures.

        Returns
        -------
        Experiment
            A copy that has both.
        """
        found = copy(self)
        found.scenario, found.results = scenario, results
        return found

    def own(self, study: str, variant: str, name: str) -> Array:
        """A measure of the maker that is looked at.

        Parameters
        ----------
        study : str
            The name of a study.
        variant : str
            The label of one of its variants.
        name : str
            The name of a measure.

        Returns
        -------
        array, (replicas, ...)
            The numbers of that maker.
        """
        return self.results[study][variant].of(self.studied)[name]

    @abstractmethod
    def verdicts(self) -> Iterable[Verdict]:
        """The claims and whether they hold; as all of these, a list, or yielded one by one."""

    def tables(self) -> Iterable[Table]:
        """The numbers."""
        return []

    def figures(self) -> Iterable[Figure]:
        """The pictures."""
        return []

    def differences(self) -> Iterable[str]:
        """Where the results are not what the paper shows, claim or not."""
        return []

    def notes(self) -> Iterable[str]:
        """What a reader should know besides, such as why a number differs from the paper's."""
        return []

    def _general_need(self, scenario: Scenario) -> str | None:
        if not any(agent.trade_probability for agent in scenario.agents):
            return f"investors who trade, in {scenario.name!r} every trade_probability is 0"
        if len(scenario.makers) < self.makers_needed:
            return f"a scenario with at least {self.makers_needed} makers, {scenario.name!r} has {len(scenario.makers)}"
        return None


def _values_at(scenario: Scenario, path: str) -> list[Any]:
    """What stands at a path; nothing where a policy has no such field."""
    try:
        return scenario.values_at(path)
    except ParameterError:
        return []
