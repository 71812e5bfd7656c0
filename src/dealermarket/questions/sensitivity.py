"""Sensitivity: which fields a measure hangs on, by first- and total-order Sobol indices over ranges of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import LEVEL, Estimate
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.questions.fields import Range
from dealermarket.questions.objective import Objective
from dealermarket.questions.payoffs import Payoffs, check_values
from dealermarket.questions.points import Point, check_numbers, check_paths, points_of, setting_at, sobol_places
from dealermarket.runs.executors import Executor, Progress, running
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

POINTS, REPLICAS = 256, 20
_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Indices:
    """Sobol indices of fields, with 95 % intervals.

    Parameters
    ----------
    first : Estimate
        The share of the variance that would go if this field alone were known, (fields,).
    total : Estimate
        The share of the variance that would stay if all other fields were known, (fields,).
    """

    first: Estimate
    total: Estimate


@dataclass(frozen=True)
class Sensitivity:
    """Which fields a maker's objective hangs on, by Sobol indices over ranges of them.

    Each field is spread evenly over its range, or by its logarithm. Indices are of the mean of the replicas.

    Parameters
    ----------
    scenario : Scenario
        The market.
    ranges : tuple of Range
        The fields.
    objective : Objective
        What is looked at.
    maker : str
        Whose objective: a name or a number.
    points : int
        The size of the design, a power of 2 from 8 to 65,536: points times (fields + 2) scenarios are run.
    replicas : int
        On how many replicas each scenario is run, from 1 to 1,000,000.
    seed : int
        The seed of all markets and of the design, 0 or more.

    Raises
    ------
    ParameterError
        A number is out of its range, a path names no field or a field that is not a number, or the scenario cannot have one of
        the points.

    Notes
    -----
    Design and estimators: Saltelli et al., Computer Physics Communications 181 (2010), table 2, (b) and (f). Intervals are
    percentiles of 1,000 bootstrap resamples of the design's rows.
    """

    scenario: Scenario
    ranges: tuple[Range, ...]
    objective: Objective
    maker: str
    points: int = POINTS
    replicas: int = REPLICAS
    seed: int = 0

    def __post_init__(self) -> None:
        check_scenario(self.scenario)
        checked = {
            "ranges": tuple(self.ranges),
            "maker": self.scenario.maker_names[maker_index(self.scenario, self.maker)],
            "points": whole_number("points", self.points, 8, 65_536),
            "replicas": whole_number("replicas", self.replicas, 1, 1_000_000),
            "seed": whole_number("seed", self.seed, 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_paths(self.scenario, self.ranges)
        check_numbers(self.scenario, self.ranges)
        if self.points & (self.points - 1):
            raise ParameterError(f"points: must be a power of 2, as the sequence is balanced at these alone, got {self.points}")
        _ = self.design  # fails here, before anything is run

    @cached_property
    def design(self) -> tuple[Point, ...]:
        """The scenarios, in the order of `saltelli`."""
        places = saltelli(len(self.ranges), self.points, self.seed)
        return points_of(
            self.scenario,
            [
                [setting_at(self.scenario, each, where) for each, where in zip(self.ranges, row, strict=True)]
                for row in places.tolist()
            ],
        )

    @property
    def market_steps(self) -> int:
        """Steps of markets in all."""
        return self.scenario.steps * self.replicas * len(self.design)

    def run(
        self,
        threads: int = 1,
        progress: Progress | None = None,
        keep: str | Path | None = None,
        executor: Executor | str | None = None,
    ) -> Sensitive:
        """Runs all scenarios, and estimates the indices.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        keep : str or Path, optional
            A folder for what is done, so that an interrupted run can go on.
        executor : Executor or str, optional
            Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Sensitive
            The objective at every scenario, and the indices.

        Raises
        ------
        ParameterError
            The objective has no value at some scenario, `threads` is not in 1..1024, or the text names no executor.
        RunFolderError
            The folder cannot be written.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        with running(executor, threads) as where:
            payoffs = Payoffs(self.objective, self.seed, where, progress, keep)
            found = payoffs.of([point.scenario for point in self.design], range(self.replicas))
        values = found[:, :, self.scenario.maker_names.index(self.maker)].mean(axis=1)
        check_values(str(self.objective), values)
        return Sensitive(self, values, indices(values, len(self.ranges), self.seed))


@dataclass(frozen=True, eq=False)
class Sensitive:
    """The objective over ranges of fields, and which fields it hangs on.

    Parameters
    ----------
    asked : Sensitivity
        What was asked.
    values : array, (scenarios,)
        The mean of the objective at every scenario of the design.
    indices : Indices
        Those of the fields, in order; NaN where the objective does not vary.
    """

    asked: Sensitivity
    values: Array
    indices: Indices

    def frame(self) -> pd.DataFrame:
        """A row a field: its path as `field`, `low` and `high` of its range, the indices `first` and `total` with bounds."""
        import pandas as pd

        first, total = self.indices.first, self.indices.total
        columns: dict[str, Any] = {
            "field": [each.path for each in self.asked.ranges],
            "low": [each.low for each in self.asked.ranges],
            "high": [each.high for each in self.asked.ranges],
        }
        for name, found in (("first", first), ("total", total)):
            columns |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        return pd.DataFrame(columns)


def saltelli(fields: int, points: int, seed: int = 0) -> Array:
    """The design of Saltelli et al. (Computer Physics Communications 181, 2010), (points (fields + 2), fields) in the unit cube:
    matrices A and B, and of each field A with the column of B."""
    both = sobol_places(2 * fields, points, seed)
    a, b = both[:, :fields], both[:, fields:]
    mixed = [np.where(np.arange(fields) == n, b, a) for n in range(fields)]
    return np.concatenate([a, b, *mixed])


def indices(values: Array, fields: int, seed: int = 0) -> Indices:
    """Indices from values at a Saltelli design, with percentile intervals of 1,000 bootstrap resamples of its rows. NaN where the
    values do not vary."""
    rows = values.reshape(fields + 2, -1)
    first, total = _estimated(rows)
    draws = np.random.default_rng(seed).integers(rows.shape[1], size=(_RESAMPLES, rows.shape[1]))
    resampled = np.array([_estimated(rows[:, drawn]) for drawn in draws])  # (resamples, 2, fields)
    ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    low, high = np.quantile(resampled, ends, axis=0)
    error = resampled.std(axis=0, ddof=1)
    return Indices(Estimate(first, error[0], low[0], high[0]), Estimate(total, error[1], low[1], high[1]))


def _estimated(rows: Array) -> tuple[Array, Array]:
    """First and total indices (fields,) of the rows A, B and A with columns of B (fields + 2, points): the estimators of Saltelli
    et al. 2010, table 2, (b) and (f), of values less their mean. NaN where A and B do not vary."""
    a, b, *mixed = rows - rows[:2].mean()
    variance = float(np.var(np.concatenate([a, b])))
    if variance == 0:
        nothing = np.full(len(mixed), np.nan)
        return nothing, nothing
    first = np.array([np.mean(b * (each - a)) for each in mixed]) / variance
    total = np.array([0.5 * np.mean((a - each) ** 2) for each in mixed]) / variance
    return first, total
