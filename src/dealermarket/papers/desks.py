"""Studies of desks: markets whose numbers are known, each run by itself, and what the log of its desk gives to who calibrates it.

A part is one desk: its market is run, the log that the desk would have is calibrated, and what the calibrated market foretells of
a change of the desk's prices is held against what the change does in the true one: in the same sessions, and in the next ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.digests import digest_of
from dealermarket.model.scenario import Scenario
from dealermarket.papers.parts import PartedStudy
from dealermarket.runs.executors import Progress
from dealermarket.runs.statistics import statistic_named
from dealermarket.study.labelled import Measures
from dealermarket.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from dealermarket.data.calibration import Calibration

Array = NDArray[Any]
Change = Callable[[Scenario], Scenario]

_SEEDS = (0, 1)  # the place of the seeds of desks: no other study's


@dataclass(frozen=True)
class DesksStudy(PartedStudy):
    """`desks` markets of a scenario, in which the first maker is the desk. Its log has `sessions` replicas.

    Estimates are kept of `fields`, as calibration names them. `change` moves the desk's prices in a scenario; what it does to
    `measures`, statistics of a run, is foretold on `foretold` sessions of prices and orders."""

    name: str
    scenario: Scenario
    desks: int
    sessions: int
    foretold: int
    fields: tuple[str, ...]
    change: Change
    measures: tuple[str, ...]

    @property
    def market_steps(self) -> int:
        return self.desks * self._steps_of_a_desk

    @property
    def _steps_of_a_desk(self) -> int:
        return 2 * (self.sessions + self.foretold) * self.scenario.steps

    def key(self, seed: int) -> str:
        numbers = (seed, self.desks, self.sessions, self.foretold)
        parts = [__version__, *map(str, numbers), *self.fields, *self.measures]
        parts.append(json.dumps(self.scenario.pinned().as_table(), default=id))
        parts += map(digest_of, (self.change, Desk.measured, Desk._after, Desk._averaged))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def parts(self, seed: int) -> list[Desk]:
        drawn = np.random.SeedSequence(seed, spawn_key=_SEEDS).generate_state(2 * self.desks, np.uint64) >> np.uint64(1)
        return [Desk(self, int(log), int(later), self._steps_of_a_desk) for log, later in drawn.reshape(-1, 2)]


@dataclass(frozen=True)
class Desk:
    """One desk: the seed of the market of its log, and that of the markets after the change."""

    study: DesksStudy
    log_seed: int
    later_seed: int
    market_steps: int

    def measured(self, report: Progress) -> Measures:
        """Arrays of one row. Raises DataError where the log is too short to be calibrated.

        `known` and `unknown` (1, fields, 3) are estimates, each with the bounds of its interval, where v_max is known and where
        it is not. What the change gives (1, measures): `true` in the true market; `foretold` on the same sessions in the
        calibrated one with v_max, where `spread` is the standard deviation between sessions; and `next` in further sessions of
        the true market, as many as the log has."""
        from dealermarket.data.calibration import calibrate
        from dealermarket.data.export import export

        study, market = self.study, self.study.scenario
        files = export(market, market.maker_names[0], study.sessions, self.log_seed, report)
        found: dict[str, Array] = {}
        for name, v_max in (("unknown", None), ("known", market.exchange.v_max)):
            calibrated = calibrate(files.rfqs, files.mids, reward_horizon=market.reward_horizon, v_max=v_max)
            found[name] = _estimates(calibrated, study.fields)
        true = self._after(market, study.foretold + study.sessions, report)
        foretold = self._after(_with_the_desks_rules(calibrated.scenario, market), study.foretold, report)
        found["true"], _ = self._averaged(true, slice(study.foretold))
        found["next"], _ = self._averaged(true, slice(study.foretold, None))
        found["foretold"], found["spread"] = self._averaged(foretold, slice(None))
        return Measures(others=found)

    def _after(self, scenario: Scenario, sessions: int, report: Progress) -> pd.DataFrame:
        """The summary of the desk after the change, a row a session."""
        from dealermarket.runs.runner import SimulationRunner

        summary = SimulationRunner(self.study.change(scenario), sessions, self.later_seed).run(progress=report).summary
        return summary[summary["maker"] == scenario.maker_names[0]]

    def _averaged(self, summary: pd.DataFrame, sessions: slice) -> tuple[Array, Array]:
        """The averages of the measures over sessions, and their standard deviations between sessions, both (1, measures)."""
        statistics = [statistic_named(name) for name in self.study.measures]
        numbers = [each.by_replica({name: summary[name].to_numpy()[sessions] for name in each.columns}) for each in statistics]
        return np.array([[np.mean(each) for each in numbers]]), np.array([[np.std(each, ddof=1) for each in numbers]])


def _estimates(calibrated: Calibration, fields: tuple[str, ...]) -> Array:
    """The estimates of fields with their bounds, (1, fields, 3); NaN where the log does not tell."""
    found = {finding.field: finding.estimate for finding in calibrated.findings}
    rows = [found.get(field) for field in fields]
    return np.array([[(np.nan,) * 3 if row is None else tuple(map(float, (row.value, row.low, row.high))) for row in rows]])


def _with_the_desks_rules(calibrated: Scenario, market: Scenario) -> Scenario:
    """A calibrated market in which the desk tiers and hedges as it does: it knows its own rules, which its log does not have."""
    desk, ours = calibrated.makers[0], market.makers[0]
    known = desk.replace(tiering=ours.tiering, hedging=ours.hedging)
    return calibrated.replace(makers=(known, *calibrated.makers[1:]), steps=market.steps, choices={})
