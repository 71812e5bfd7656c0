"""Searches: the values of fields that bring a maker most, the others being as they are, and what they bring on new replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.files import Recorded
from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate, mean
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.questions.climb import climb
from dealermarket.questions.fields import Range, Setting, Varied, value_now
from dealermarket.questions.objective import Objective
from dealermarket.questions.parzen import check_installed, parzen
from dealermarket.questions.payoffs import Payoffs, check_values
from dealermarket.questions.points import Point, check_numbers, check_paths, points_of, setting_at, sobol_places
from dealermarket.runs.executors import Executor, Progress, running
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

EVALUATIONS, REPLICAS, FRESH = 40, 60, 1000
GRID = {1: 21, 2: 9, 3: 5}
"""By the number of fields, how many values of each the grid has that the search is held against."""
SOBOL, MOST_ON_GRID = 128, 10_000
"""Points that take the place of a grid of more fields."""
Method = Literal["cobyqa", "optuna"]
METHODS: tuple[str, ...] = get_args(Method)
START, BEST_OF_GRID, FOUND = "start", "best of the grid", "found"


@dataclass(frozen=True)
class Search:
    """Looks for the values of fields that make a maker's objective largest, the other makers being as they are.

    All points are measured on the same replicas, so that they are compared on common prices and orders. What was found is judged
    on fresh replicas that the search has not seen, beside the start, which is the scenario as it is, and the best point of a
    coarse grid.

    Parameters
    ----------
    scenario : Scenario
        The market.
    fields : tuple of Range or Varied
        What is searched: fields in ranges, or with values, which the method "optuna" alone takes.
    objective : Objective
        What is made as large as it can be.
    maker : str
        Whose objective: a name or a number.
    evaluations : int
        How many points are tried, from twice the number of fields plus 1 to 100,000.
    replicas : int
        On how many replicas each point is measured, from 2 to 1,000,000.
    fresh : int
        On how many further replicas what was found is judged, from 2 to 1,000,000.
    grid : int, optional
        How many values of each field the coarse grid has, from 2 to 1000. Where left out, 21, 9 or 5 for one, two or three
        fields; for more, 128 points of a Sobol sequence stand in its place.
    seed : int
        The seed of all markets, 0 or more.
    method : {"cobyqa", "optuna"}
        "cobyqa" searches ranges. "optuna" suits many fields, and needs the extra `search`.

    Raises
    ------
    ParameterError
        A number is out of its range, a path names no field, the method does not take a field, the grid has more than 10,000
        points, or the scenario cannot have one of them.

    Notes
    -----
    COBYQA: Ragonneau, Model-Based Derivative-Free Optimization Methods and Software, thesis, 2022, arXiv 2210.12018.
    """

    scenario: Scenario
    fields: tuple[Range | Varied, ...]
    objective: Objective
    maker: str
    evaluations: int = EVALUATIONS
    replicas: int = REPLICAS
    fresh: int = FRESH
    grid: int | None = None
    seed: int = 0
    method: Method = "cobyqa"

    def __post_init__(self) -> None:
        check_scenario(self.scenario)
        if self.method not in METHODS:
            raise ParameterError(f"method: must be one of {', '.join(METHODS)}, got {self.method!r}")
        checked = {
            "fields": tuple(self.fields),
            "maker": self.scenario.maker_names[maker_index(self.scenario, self.maker)],
            "evaluations": whole_number("evaluations", self.evaluations, 2 * len(self.fields) + 1, 100_000),
            "replicas": whole_number("replicas", self.replicas, 2, 1_000_000),
            "fresh": whole_number("fresh", self.fresh, 2, 1_000_000),
            "seed": whole_number("seed", self.seed, 0),
        }
        if self.grid is not None:
            whole_number("grid", self.grid, 2, 1000)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_paths(self.scenario, self.fields)
        Recorded.of(self.scenario).check_replicas(self.replicas + self.fresh)
        for each in self.fields:
            if isinstance(each, Varied) and self.method == "cobyqa":
                raise ParameterError(f"{each.path}: has values, which the method 'optuna' searches; give low:high for 'cobyqa'")
        check_numbers(self.scenario, self.fields)
        if self.method == "optuna":
            check_installed()
        _ = self.coarse  # fails here, before anything is run

    @cached_property
    def coarse(self) -> tuple[Point, ...]:
        """The points of the grid; of more than three fields, as many of a Sobol sequence in its place."""
        count = GRID.get(len(self.fields)) if self.grid is None else self.grid
        if count is None:
            places = sobol_places(len(self.fields), SOBOL, self.seed)
            several = [len(each.values) if isinstance(each, Varied) else 0 for each in self.fields]
            return self._points(np.where(several, np.floor(places * several), places))
        ends = [np.arange(len(each.values)) if isinstance(each, Varied) else np.linspace(0.0, 1.0, count) for each in self.fields]
        size = math.prod(map(len, ends))
        if size > MOST_ON_GRID:
            raise ParameterError(f"grid: {size:,} points, at most {MOST_ON_GRID:,} are run; give fewer")
        return self._points(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, len(self.fields)))

    @property
    def market_steps(self) -> int:
        """Steps of markets in all, at most."""
        points = self.evaluations + len(self.coarse)
        return self.scenario.steps * (points * self.replicas + 3 * self.fresh)

    def run(
        self,
        threads: int = 1,
        progress: Progress | None = None,
        keep: str | Path | None = None,
        executor: Executor | str | None = None,
    ) -> Found:
        """Searches, and judges what was found.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        keep : str or Path, optional
            A folder for what is done, so that an interrupted search can go on.
        executor : Executor or str, optional
            Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Found
            The best point, every point that was tried, and what the best brings on fresh replicas.

        Raises
        ------
        ParameterError
            The objective has no value at any point, `threads` is not in 1..1024, or the text names no executor.
        RunFolderError
            The folder cannot be written.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        with running(executor, threads) as where:
            return self._found(Payoffs(self.objective, self.seed, where, progress, keep))

    def _found(self, payoffs: Payoffs) -> Found:
        maker = self.scenario.maker_names.index(self.maker)

        def values_of(points: Sequence[Point], replicas: range) -> Array:
            return payoffs.of([point.scenario for point in points], replicas)[:, :, maker]

        def values_at(place: Array, replicas: range) -> Array:
            return np.asarray(values_of(self._points(place[np.newaxis]), replicas)[0])

        seen, start = range(self.replicas), self.start
        on_grid = values_of(self.coarse, seen)
        if self.method == "cobyqa":
            assert start is not None
            tried = climb(lambda place: float(np.mean(values_at(place, seen))), start, self.evaluations, self.seed)
        else:
            choices = [len(each.values) if isinstance(each, Varied) else None for each in self.fields]
            tried = parzen(values_at, choices, start, self.evaluations, self.replicas, self.seed, self.objective.is_plain)
        points = self._points(np.array([trial.place for trial in tried]))
        trials = tuple(
            Trial(point, trial.value, trial.replicas or self.replicas) for point, trial in zip(points, tried, strict=True)
        )
        whole = [trial for trial in trials if trial.replicas == self.replicas and not math.isnan(trial.value)]
        best = max(whole or trials, key=lambda trial: trial.value)
        means = np.array([*on_grid.mean(axis=1), *(trial.value for trial in whole)])
        if np.isnan(means).all():
            check_values(str(self.objective), means)
        coarse = self.coarse[int(np.argmax(np.nan_to_num(on_grid.mean(axis=1), nan=-np.inf)))]
        now = Point(tuple(Setting(each.path, value_now(self.scenario, each.path)) for each in self.fields), self.scenario)
        judged = values_of([now, coarse, best.point], range(self.replicas, self.replicas + self.fresh))
        over_start = mean((on_grid - values_of([now], seen)).T)
        fresh = dict(zip((START, BEST_OF_GRID, FOUND), judged, strict=True))
        return Found(self, trials, now, best.point, coarse, over_start, best.value, fresh)

    @property
    def start(self) -> Array | None:
        """Where the scenario as it is stands: of each field a number in 0..1 or that of a value; None where it has another."""
        places: list[float] = []
        for each in self.fields:
            now = Setting(each.path, value_now(self.scenario, each.path))
            if isinstance(each, Range):
                places.append(each.place(float(now.value)))
            elif now in each.settings:
                places.append(float(each.settings.index(now)))
            else:
                return None
        return np.array(places)

    def _points(self, places: Array) -> tuple[Point, ...]:
        """The points at places (n, fields)."""
        return points_of(
            self.scenario,
            [[self._setting(each, where) for each, where in zip(self.fields, row, strict=True)] for row in places.tolist()],
        )

    def _setting(self, field: Range | Varied, place: float) -> Setting:
        return setting_at(self.scenario, field, place) if isinstance(field, Range) else field.settings[int(place)]


@dataclass(frozen=True)
class Trial:
    """A point that was tried.

    Parameters
    ----------
    point : Point
        The point.
    value : float
        The mean of the objective there.
    replicas : int
        On how many replicas it was measured: all of the search, or the first, where the point was left early.
    """

    point: Point
    value: float
    replicas: int


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found, and what that brings on replicas that the search has not seen.

    Parameters
    ----------
    search : Search
        What was asked.
    trials : tuple of Trial
        Every point that was tried, in order.
    start : Point
        The scenario as it is.
    best : Point
        The best point.
    coarse : Point
        The best point of the grid, by the replicas of the search.
    on_grid : Estimate
        What each point of the grid has more of than the start, (points,), paired, on the replicas of the search.
    searched : float
        The objective of the best point on the replicas of the search.
    fresh : dict of str to array, each (replicas,)
        The objective on fresh replicas, of "start", "best of the grid" and "found".
    """

    search: Search
    trials: tuple[Trial, ...]
    start: Point
    best: Point
    coarse: Point
    on_grid: Estimate
    searched: float
    fresh: dict[str, Array]

    @property
    def scenario(self) -> Scenario:
        """The scenario with the best values."""
        return self.best.scenario

    def value(self, which: str = FOUND) -> Estimate:
        """The objective on fresh replicas.

        Parameters
        ----------
        which : {"found", "start", "best of the grid"}
            Of which point.

        Returns
        -------
        Estimate
            A single number, in units of the objective.
        """
        return mean(self.fresh[which])

    def gain(self, over: str = START) -> Estimate:
        """What the best point has more of than another, on fresh replicas.

        Parameters
        ----------
        over : {"start", "best of the grid"}
            The other point.

        Returns
        -------
        Estimate
            A single number, paired, in units of the objective.
        """
        return mean(self.fresh[FOUND] - self.fresh[over])

    @property
    def gap(self) -> float:
        """By how much the search saw more than fresh replicas do: the winner's curse, and chance."""
        return self.searched - float(self.value().value)

    def history(self) -> pd.DataFrame:
        """A row a trial, in order: `trial` from 1, the fields under their paths, `value`, `replicas` that it was measured on, and
        `best`, the highest value so far of those measured on all."""
        import pandas as pd

        values = np.array([trial.value for trial in self.trials])
        columns: dict[str, Any] = {"trial": np.arange(1, len(values) + 1)}
        for n, each in enumerate(self.search.fields):
            columns[each.path] = [trial.point.settings[n].value for trial in self.trials]
        replicas = np.array([trial.replicas for trial in self.trials])
        whole = np.where((replicas == self.search.replicas) & ~np.isnan(values), values, -np.inf)
        return pd.DataFrame(columns | {"value": values, "replicas": replicas, "best": np.maximum.accumulate(whole)})
