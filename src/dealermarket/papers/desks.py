"""Studies of desks: markets whose numbers are known, each run by itself, and what the log of its desk gives to who calibrates it.

A part is one desk: its market is run, the log that the desk would have is calibrated, and what the calibrated market foretells of
a change of the desk's prices is held against what the change does in the true one.
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
from dealermarket.runs.chunks import Progress
from dealermarket.study.labelled import Measures
from dealermarket.version import __version__

if TYPE_CHECKING:
    from dealermarket.data.calibration import Calibration

Array = NDArray[Any]
Change = Callable[[Scenario], Scenario]

_SEEDS = (0, 1)  # the place of the seeds of desks: no other study's


@dataclass(frozen=True)
class DesksStudy(PartedStudy):
    """`desks` markets of a scenario, in which the first maker is the desk. Its log has `sessions` replicas.

    Estimates are kept of `fields`, as calibration names them. `change` moves the desk's prices in a scenario; what it does to
    `measures`, statistics of `sessions_foretold` replicas, is foretold."""

    name: str
    scenario: Scenario
    desks: int
    sessions: int
    sessions_foretold: int
    fields: tuple[str, ...]
    change: Change
    measures: tuple[str, ...]

    @property
    def market_steps(self) -> int:
        return self.desks * self._steps_of_a_desk

    @property
    def _steps_of_a_desk(self) -> int:
        return (self.sessions + 2 * self.sessions_foretold) * self.scenario.steps

    def key(self, seed: int) -> str:
        numbers = (seed, self.desks, self.sessions, self.sessions_foretold)
        parts = [__version__, *map(str, numbers), *self.fields, *self.measures]
        parts += [json.dumps(self.scenario.pinned().as_table(), default=id), digest_of(self.change), digest_of(Desk.measured)]
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
        it is not. What the change gives (1, measures): `true` in the true market, `foretold` in the calibrated one with v_max,
        and `spread` the standard deviation of its replicas there."""
        from dealermarket.data.calibration import calibrate
        from dealermarket.data.export import export

        study, market = self.study, self.study.scenario
        files = export(market, market.maker_names[0], study.sessions, self.log_seed, report)
        found: dict[str, Array] = {}
        for name, v_max in (("unknown", None), ("known", market.exchange.v_max)):
            calibrated = calibrate(files.rfqs, files.mids, reward_horizon=market.reward_horizon, v_max=v_max)
            found[name] = _estimates(calibrated, study.fields)
        found["true"], _ = self._after(market, report)
        found["foretold"], found["spread"] = self._after(_with_the_desks_rules(calibrated.scenario, market), report)
        return Measures(others=found)

    def _after(self, scenario: Scenario, report: Progress) -> tuple[Array, Array]:
        """The measures of the desk after the change, and the standard deviation of a replica's, both (1, measures)."""
        from dealermarket.runs.runner import SimulationRunner

        changed, count = self.study.change(scenario), self.study.sessions_foretold
        of_the_desk = SimulationRunner(changed, count, self.later_seed).run(progress=report).statistics()[changed.maker_names[0]]
        estimates = [of_the_desk[name] for name in self.study.measures]
        value, error = (np.array([[float(getattr(each, part)) for each in estimates]]) for part in ("value", "error"))
        return value, error * np.sqrt(count)


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
