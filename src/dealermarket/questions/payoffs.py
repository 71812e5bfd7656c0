"""Payoffs: what an objective comes to, replica by replica, for every maker of many scenarios, each measured once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.checksums import Parts
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.questions.objective import Objective
from dealermarket.questions.points import by_tapes
from dealermarket.runs.executors import Executor, Progress
from dealermarket.study import measures as observe
from dealermarket.study.study import Study, measure

Array = NDArray[Any]


def studies_of(scenarios: Mapping[str, Scenario], replicas: range) -> list[Study]:
    """A study for each group of scenarios that share their tapes, of every statistic."""
    labels = list(scenarios)
    return [
        Study(
            f"tapes {n}", {labels[m]: scenarios[labels[m]] for m in members}, len(replicas), observe.totals, first=replicas.start
        )
        for n, members in enumerate(by_tapes(scenarios.values()))
    ]


def check_values(objective: str, values: Array) -> None:
    """Raises ParameterError where an objective has no value at some points, as what is divided by a volume that nobody traded."""
    missing = int(np.isnan(values).sum())
    if missing:
        raise ParameterError(
            f"{objective}: has no value at {missing:,} of {values.size:,} points, perhaps since the maker never traded there; "
            "take another measure, or leave these points out"
        )


class Payoffs:
    """The payoffs of scenarios. What is asked for again is not run again; `keep` is a folder for what is done."""

    def __init__(
        self,
        objective: Objective,
        seed: int,
        executor: Executor,
        progress: Progress | None = None,
        keep: str | Path | None = None,
    ) -> None:
        self._objective, self._seed, self._executor, self._keep = objective, seed, executor, None if keep is None else Parts(keep)
        self._progress = progress
        self._known: dict[tuple[Scenario, range], Array] = {}

    def of(self, scenarios: Sequence[Scenario], replicas: range) -> Array:
        """The objective (scenarios, replicas, makers), on prices and orders that scenarios share as far as they can."""
        new = {scenario: None for scenario in scenarios if (scenario, replicas) not in self._known}
        named = {str(n): scenario for n, scenario in enumerate(new)}
        studies = studies_of(named, replicas)
        measured = measure(studies, self._seed, progress=self._progress, keep=self._keep, executor=self._executor)
        for study in studies:
            for label, scenario in study.variants.items():
                self._known[scenario, replicas] = self._objective.by_replica(measured[study.name][label])
        return np.stack([self._known[scenario, replicas] for scenario in scenarios])
