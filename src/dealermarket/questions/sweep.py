"""Sweeps: a market at many points, every statistic of every maker at each, and paired differences to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import LEVEL, Estimate, joint, mean
from dealermarket.memory import machine_memory
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.questions.fields import Range, Setting, Varied, common_value, makers_varied, values_from
from dealermarket.questions.objective import sign_of
from dealermarket.questions.payoffs import studies_of
from dealermarket.questions.points import Point, grid, sampled
from dealermarket.runs.executors import Executor, Progress
from dealermarket.runs.statistics import statistic_named, statistics
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Study, measure
from dealermarket.values import suggestion, whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

REPLICAS, MOST_REPLICAS = 1000, 1_000_000
AS_IT_IS = "as it is"
"""The label of the scenario without a change."""


@dataclass(frozen=True)
class Sweep:
    """A scenario, and points in which some of its fields differ, to be run.

    Points that share prices and orders, as those do that change makers alone, run on common tapes; others on tapes of the same
    seed. The scenario as it is runs, too. `Sweep.of` makes one from fields and values.

    Parameters
    ----------
    scenario : Scenario
        The market.
    fields : tuple of Varied or Range
        What differs.
    points : tuple of Point
        The points.
    replicas : int
        On how many replicas each is run, from 1 to 1,000,000.
    seed : int
        The seed of all markets, 0 or more.

    Raises
    ------
    ParameterError
        A number is out of its range, makers have other names at some point, or the measures would not fit into half of this
        machine's memory.
    """

    scenario: Scenario
    fields: tuple[Varied | Range, ...]
    points: tuple[Point, ...]
    replicas: int = REPLICAS
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "replicas", whole_number("replicas", self.replicas, 1, MOST_REPLICAS))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        names = self.scenario.maker_names
        if any(point.scenario.maker_names != names for point in self.points):
            raise ParameterError("--vary: makers must keep their names, by which they are compared")
        kept, most = 8 * (len(self.points) + 1) * self.replicas * len(names) * len(statistics()), machine_memory()
        if most is not None and kept > most / 2:
            needed = f"{len(self.points):,} points of {self.replicas:,} replicas need about {kept / 1e9:,.0f} GB"
            raise ParameterError(f"memory: {needed}, and this machine has {most / 1e9:,.0f}; take fewer points or replicas")

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        vary: Mapping[str, Iterable[Any] | Range] | Sequence[Varied | Range],
        *,
        sample: int | None = None,
        replicas: int = REPLICAS,
        seed: int = 0,
    ) -> Sweep:
        """The sweep of a grid of values, or of points that are drawn in ranges.

        Parameters
        ----------
        scenario : Scenario
            The market.
        vary : mapping of str to values or Range, or sequence of Varied or Range
            The fields, with the values of each; their combinations are the points. Or, with `sample`, with a range of each.
        sample : int, optional
            How many points to draw in the ranges, from 2 to 100,000.
        replicas : int
            On how many replicas each point is run, from 1 to 1,000,000.
        seed : int
            The seed of all markets and of the points that are drawn, 0 or more.

        Returns
        -------
        Sweep
            To be run.

        Raises
        ------
        ParameterError
            A path names no field, a field has a range without `sample` or values with it, there are more than 100,000 points, or
            the scenario cannot have one of them: all those that cannot be are listed.
        """
        check_scenario(scenario)
        fields = tuple(_field(path, given) for path, given in vary.items()) if isinstance(vary, Mapping) else tuple(vary)
        values = [field for field in fields if isinstance(field, Varied)]
        ranges = [field for field in fields if isinstance(field, Range)]
        if sample is None and ranges:
            path, low, high = ranges[0].path, ranges[0].low, ranges[0].high
            raise ParameterError(f"{path}: is a range; give {low:g}:{high:g}:COUNT for a grid, or --sample N for points in it")
        if sample is not None and values:
            raise ParameterError(f"{values[0].path}: has values; --sample takes ranges, low:high")
        points = grid(scenario, values) if sample is None else sampled(scenario, ranges, sample, seed)
        return cls(scenario, fields, points, replicas, seed)

    @cached_property
    def scenarios(self) -> Mapping[str, Scenario]:
        """By label: the scenario as it is, then every point; with numbers where labels are the same."""
        labels = [point.label for point in self.points]
        twice = {label for label in labels if labels.count(label) > 1} if len({*labels}) < len(labels) else set()
        named = (f"{label} ({n})" if label in twice else label for n, label in enumerate(labels))
        return {AS_IT_IS: self.scenario, **{label: point.scenario for label, point in zip(named, self.points, strict=True)}}

    @cached_property
    def studies(self) -> list[Study]:
        """A study for each group of points that share their tapes."""
        return studies_of(self.scenarios, range(self.replicas))

    @property
    def market_steps(self) -> int:
        """Steps of markets in all; points that are the same run once."""
        return sum(study.market_steps for study in self.studies)

    @property
    def maker(self) -> str:
        """The maker to look at first: of those that vary the first, or else the first of all."""
        return next(iter(makers_varied(self.scenario, (field.path for field in self.fields))), self.scenario.maker_names[0])

    def label_of(self, text: str) -> str:
        """The label of the point that a text names.

        Parameters
        ----------
        text : str
            Its label, or its values with commas between them, in the order of the fields.

        Returns
        -------
        str
            The label.

        Raises
        ------
        ParameterError
            There is no such point.
        """
        labels = list(self.scenarios)
        if text in labels:
            return text
        typed, wanted = [part.strip() for part in text.split(",")], values_from(self.fields, text)
        for label, point in zip(labels[1:], self.points, strict=True):
            if [setting.value for setting in point.settings] == wanted or [setting.label for setting in point.settings] == typed:
                return label
        raise ParameterError(f"--against: there is no point {text!r}; give its values, such as {_values_of(self.points[0])}")

    def run(
        self,
        threads: int = 1,
        progress: Progress | None = None,
        keep: str | Path | None = None,
        executor: Executor | str | None = None,
    ) -> Swept:
        """Runs all points.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        keep : str or Path, optional
            A folder for what is done, so that an interrupted sweep can go on.
        executor : Executor or str, optional
            Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Swept
            Every statistic of every maker at every point.

        Raises
        ------
        ParameterError
            `threads` is not in 1..1024, or the text names no executor.
        RunFolderError
            The folder cannot be written.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        found = measure(self.studies, self.seed, threads, progress, keep, executor)
        measured = {label: found[study.name][label] for study in self.studies for label in study.variants}
        return Swept(self, {label: measured[label] for label in self.scenarios})


def _values_of(point: Point) -> str:
    return ",".join(setting.label for setting in point.settings)


def _field(path: str, given: Iterable[Any] | Range) -> Varied | Range:
    if isinstance(given, Range):
        return given
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise ParameterError(f"{path}: must be a list of values, got {given!r}")
    return Varied(path, tuple(given))


@dataclass(frozen=True, eq=False)
class Swept:
    """What was measured at every point of a sweep.

    A maker that is not named is the first one that varies, or else the first of all.

    Parameters
    ----------
    sweep : Sweep
        What was asked.
    measures : mapping of str to Measures
        By the label of a point, every statistic, (replicas, makers) each; the first, "as it is", is the scenario without a
        change.
    """

    sweep: Sweep
    measures: Mapping[str, Measures]

    @property
    def labels(self) -> tuple[str, ...]:
        """The points' labels, in order."""
        return tuple(self.measures)[1:]

    def by_replica(self, label: str, statistic: str) -> Array:
        """Numbers whose mean over the replicas is a statistic at a point.

        Parameters
        ----------
        label : str
            The label of the point; "as it is" for the scenario without a change.
        statistic : str
            The name of the statistic.

        Returns
        -------
        array, (replicas, makers)
            In the unit of the statistic.

        Raises
        ------
        ParameterError
            There is no such point or no such statistic.
        """
        return statistic_named(statistic).by_replica(self.measures[self._label(label)])

    def estimates(self, statistic: str, maker: str | None = None) -> Estimate:
        """A statistic of a maker at every point.

        Parameters
        ----------
        statistic : str
            The name of the statistic.
        maker : str, optional
            The name or the number of the maker.

        Returns
        -------
        Estimate
            Of shape (points,), with 95 % intervals, in the unit of the statistic.

        Raises
        ------
        ParameterError
            There is no such statistic or no such maker.
        """
        return mean(self._of_points(statistic)[..., self._maker(maker)])

    def estimate_as_it_is(self, statistic: str, maker: str | None = None) -> Estimate:
        """A statistic of a maker of the scenario without a change: as `estimates`, a single number."""
        return mean(self.by_replica(AS_IT_IS, statistic)[:, self._maker(maker)])

    def differences(self, statistic: str, maker: str | None = None, against: str = AS_IT_IS, level: float = LEVEL) -> Estimate:
        """What every point has more of than one of them.

        Parameters
        ----------
        statistic : str
            The name of the statistic.
        maker : str, optional
            The name or the number of the maker.
        against : str
            The label of the one; "as it is" for the scenario without a change.
        level : float
            The level of the intervals, from 0 to 1.

        Returns
        -------
        Estimate
            Of shape (points,), paired, in the unit of the statistic.

        Raises
        ------
        ParameterError
            There is no such statistic, maker or point.
        """
        m, base = self._maker(maker), self.by_replica(against, statistic)
        return mean((self._of_points(statistic) - base[:, np.newaxis])[..., m], level)

    def best(self, statistic: str, maker: str | None = None) -> str:
        """The point with the best mean: the highest, or the lowest of a statistic of which less is better.

        Parameters
        ----------
        statistic : str
            The name of the statistic.
        maker : str, optional
            The name or the number of the maker.

        Returns
        -------
        str
            The label of the point.

        Raises
        ------
        ParameterError
            There is no such statistic or maker, neither more nor less of it is better, or it has no value at any point.
        """
        value = self._sign(statistic) * self.estimates(statistic, maker).value
        if np.isnan(value).all():
            raise ParameterError(f"{statistic}: has no value at any point")
        return self.labels[int(np.nanargmax(value))]

    def as_good_as_the_best(self, statistic: str, maker: str | None = None) -> Array:
        """Whether each point is as good as the best as far as replicas tell: the paired interval of its difference to the best
        holds 0.

        Parameters
        ----------
        statistic : str
            The name of the statistic.
        maker : str, optional
            The name or the number of the maker.

        Returns
        -------
        array of bool, (points,)
            All intervals hold at once at 95 % (Bonferroni), since the best is chosen among all.

        Raises
        ------
        ParameterError
            As `best`.
        """
        best, count = self.best(statistic, maker), len(self.labels)
        behind = self.differences(statistic, maker, best, joint(count - 1))
        sign = self._sign(statistic)
        ends = sign * behind.low, sign * behind.high
        return np.asarray(~(np.maximum(*ends) < 0) | (np.array(self.labels) == best))  # without intervals all are

    def frame(self, against: str = AS_IT_IS) -> pd.DataFrame:
        """Every statistic of every maker at every point, the scenario as it is first.

        Parameters
        ----------
        against : str
            The label of the point that the others are compared with.

        Returns
        -------
        pandas.DataFrame
            A row for each point, maker and statistic: `point`, the value of each field under its path (of the scenario as it is,
            what it has; nothing where entries differ), `maker`, `statistic`, `mean`, `low`, `high`, and the paired `difference`
            to the point `against` with `difference_low` and `difference_high`.

        Raises
        ------
        ParameterError
            There is no such point.
        """
        import pandas as pd

        against, makers = self._label(against), self.sweep.scenario.maker_names
        known = [each for each in statistics() if each.columns <= {*self.measures[AS_IT_IS]}]
        paths = [field.path for field in self.sweep.fields]
        shown = {AS_IT_IS: [Setting(path, common_value(self.sweep.scenario, path)) for path in paths]}
        shown |= {label: list(point.settings) for label, point in zip(self.labels, self.sweep.points, strict=True)}
        count, rows = len(makers), len(shown) * len(makers)
        columns: dict[str, Any] = {"point": np.repeat(list(shown), count)}
        cells = {path: _cells([row[n] for row in shown.values()]) for n, path in enumerate(paths)}
        columns |= {path: [cell for cell in own for _ in makers] for path, own in cells.items()}
        columns |= {"maker": np.tile(makers, len(shown))}
        parts = []
        for each in known:
            every = np.stack([self.by_replica(label, each.name) for label in shown], axis=1)
            found, difference = mean(every), mean(every - self.by_replica(against, each.name)[:, np.newaxis])
            numbers = {"mean": found.value, "low": found.low, "high": found.high, "difference": difference.value}
            numbers |= {"difference_low": difference.low, "difference_high": difference.high}
            flat = {name: values.reshape(rows) for name, values in numbers.items()}
            parts.append(pd.DataFrame(columns | {"statistic": each.name} | flat))
        together = pd.concat(parts)
        return together.sort_index(kind="stable").reset_index(drop=True)

    def _of_points(self, statistic: str) -> Array:
        """Numbers (replicas, points, M) whose means are the statistic at every point."""
        return np.stack([self.by_replica(label, statistic) for label in self.labels], axis=1)

    def _label(self, label: str) -> str:
        if label not in self.measures:
            raise ParameterError(f"against: there is no point {label!r}{suggestion(label, self.measures)}")
        return label

    def _maker(self, maker: str | None) -> int:
        return maker_index(self.sweep.scenario, self.sweep.maker if maker is None else maker)

    def _sign(self, statistic: str) -> float:
        return sign_of(statistic_named(statistic))


def _cells(settings: Sequence[Setting]) -> list[Any]:
    """Values of a field as the cells of a column: numbers, or where any of them is none, all as texts."""
    values = [setting.value for setting in settings]
    numbers = all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values)
    return values if numbers else [None if setting.value is None else setting.label for setting in settings]
