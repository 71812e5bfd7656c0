"""Searches: the values of fields that bring a maker most, the others being as they are, and what they bring on new replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate, mean
from dealermarket.model.scenario import Scenario, check_scenario
from dealermarket.policies.named import maker_index
from dealermarket.questions.climb import climb
from dealermarket.questions.fields import Range, Setting, value_now
from dealermarket.questions.objective import Objective
from dealermarket.questions.payoffs import Payoffs
from dealermarket.questions.points import Point, check_paths, points_of, sampled, setting_at
from dealermarket.runs.executors import Executor, Progress, running
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

EVALUATIONS, REPLICAS, FRESH = 40, 60, 1000
GRID = {1: 21, 2: 9, 3: 5}
"""By the number of fields, how many values of each the grid has that the search is held against."""
SOBOL = 128
"""Points that take the place of a grid of more fields."""
START, BEST_OF_GRID, FOUND = "start", "best of the grid", "found"


@dataclass(frozen=True)
class Search:
    """Looks in ranges of fields for what makes a maker's objective largest, the other makers being as they are.

    Each of `evaluations` points is measured on the same `replicas`, so that points are compared on common prices and orders;
    what was found is judged on `fresh` replicas that the search has not seen, beside the start, which is the scenario as it is,
    and the best point of a coarse grid. Raises ParameterError for what cannot be searched."""

    scenario: Scenario
    ranges: tuple[Range, ...]
    objective: Objective
    maker: str
    evaluations: int = EVALUATIONS
    replicas: int = REPLICAS
    fresh: int = FRESH
    grid: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_scenario(self.scenario)
        least = 2 * len(self.ranges) + 1
        checked = {
            "ranges": tuple(self.ranges),
            "maker": self.scenario.maker_names[maker_index(self.scenario, self.maker)],
            "evaluations": whole_number("evaluations", self.evaluations, least, 100_000),
            "replicas": whole_number("replicas", self.replicas, 2, 1_000_000),
            "fresh": whole_number("fresh", self.fresh, 2, 1_000_000),
            "seed": whole_number("seed", self.seed, 0),
        }
        if self.grid is not None:
            whole_number("grid", self.grid, 2, 1000)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_paths(self.ranges)
        for each in self.ranges:
            now = value_now(self.scenario, each.path)
            if isinstance(now, bool) or not isinstance(now, (int, float)):
                raise ParameterError(f"{each.path}: must be a number to be searched, is {now!r}; sweep takes other values")
        _ = self.coarse  # fails here, before anything is run

    @cached_property
    def coarse(self) -> tuple[Point, ...]:
        """The points of the grid; of more than three fields, a Sobol sequence in its place."""
        count = GRID.get(len(self.ranges)) if self.grid is None else self.grid
        if count is None:
            return sampled(self.scenario, self.ranges, SOBOL, self.seed)
        places = np.linspace(0.0, 1.0, count)
        cells = np.stack(np.meshgrid(*[places] * len(self.ranges), indexing="ij"), axis=-1).reshape(-1, len(self.ranges))
        return self._points(cells)

    @property
    def market_steps(self) -> int:
        """Steps of markets in all, at most."""
        points = self.evaluations + len(self.coarse)
        return self.scenario.steps * (points * self.replicas + 3 * self.fresh)

    def run(
        self, threads: int = 1, progress: Progress | None = None, keep: Path | None = None, executor: Executor | str | None = None
    ) -> Found:
        """Searches; `keep` is a folder for what is done, so that an interrupted search can go on."""
        with running(executor, threads) as where:
            return self._found(Payoffs(self.objective, self.seed, where, progress, keep), progress)

    def _found(self, payoffs: Payoffs, progress: Progress | None) -> Found:
        maker = self.scenario.maker_names.index(self.maker)

        def values_of(points: Sequence[Point], replicas: range) -> Array:
            return payoffs.of([point.scenario for point in points], replicas)[:, :, maker]

        seen = range(self.replicas)
        on_grid = values_of(self.coarse, seen)
        tried = climb(
            lambda place: float(np.mean(values_of(self._points(place[np.newaxis]), seen))),
            self._start,
            self.evaluations,
            self.seed,
        )
        trials = [
            Trial(point, trial.value)
            for point, trial in zip(self._points(np.array([trial.place for trial in tried])), tried, strict=True)
        ]
        best = max(trials, key=lambda trial: -math.inf if math.isnan(trial.value) else trial.value)
        coarse = self.coarse[int(np.argmax(on_grid.mean(axis=1)))]
        now = tuple(Setting(each.path, value_now(self.scenario, each.path)) for each in self.ranges)
        start = Point(now, self.scenario)
        judged = values_of([start, coarse, best.point], range(self.replicas, self.replicas + self.fresh))
        if progress is not None:
            progress(self.market_steps - payoffs.steps)
        return Found(
            self,
            tuple(trials),
            start,
            best.point,
            coarse,
            mean(on_grid.T),
            best.value,
            dict(zip((START, BEST_OF_GRID, FOUND), judged, strict=True)),
        )

    @property
    def _start(self) -> Array:
        """Where in the unit cube the scenario as it is stands."""
        return np.array([each.place(float(value_now(self.scenario, each.path))) for each in self.ranges])

    def _points(self, places: Array) -> tuple[Point, ...]:
        """The points at places (n, fields) of the unit cube."""
        return points_of(
            self.scenario,
            [
                [setting_at(self.scenario, each, where) for each, where in zip(self.ranges, row, strict=True)]
                for row in places.tolist()
            ],
        )


@dataclass(frozen=True)
class Trial:
    """A point that was tried, and the objective on the replicas of the search."""

    point: Point
    value: float


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found: every point tried in order, the best of them, and what it brings on fresh replicas."""

    search: Search
    trials: tuple[Trial, ...]
    start: Point  # the scenario as it is
    best: Point
    coarse: Point  # the best of the grid, by the replicas of the search
    on_grid: Estimate  # the objective at each point of the grid, on the replicas of the search
    searched: float  # the objective of the best on the replicas of the search
    fresh: dict[str, Array]  # the objective by replica of "start", "best of the grid" and "found", on fresh replicas

    @property
    def scenario(self) -> Scenario:
        """The scenario with the best values."""
        return self.best.scenario

    def value(self, which: str = FOUND) -> Estimate:
        """The objective on fresh replicas, of START, BEST_OF_GRID or FOUND."""
        return mean(self.fresh[which])

    def gain(self, over: str = START) -> Estimate:
        """What the best has more of than the start or the best of the grid, paired, on fresh replicas."""
        return mean(self.fresh[FOUND] - self.fresh[over])

    @property
    def gap(self) -> float:
        """By how much the search saw more than fresh replicas do: the winner's curse, and chance."""
        return self.searched - float(self.value().value)

    def history(self) -> pd.DataFrame:
        """A row a trial, in order: `trial` from 1, the fields under their paths, `value`, and `best` so far."""
        import pandas as pd

        values = np.array([trial.value for trial in self.trials])
        columns: dict[str, Any] = {"trial": np.arange(1, len(values) + 1)}
        for n, each in enumerate(self.search.ranges):
            columns[each.path] = [trial.point.settings[n].value for trial in self.trials]
        return pd.DataFrame(columns | {"value": values, "best": np.maximum.accumulate(values)})
