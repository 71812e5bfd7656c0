"""What all panels look at: a market's replicas so far, and those of the market that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.estimates import Estimate
from dealermarket.explorer.asked import State
from dealermarket.explorer.simulation import Simulation
from dealermarket.model.scenario import Scenario
from dealermarket.plots.time_axis import TimeAxis

Array = NDArray[Any]
_DIGITS = 6  # of what is drawn, not read


@dataclass(frozen=True)
class View:
    """The first `replicas` of a market, and the same of the pinned one where there is one."""

    state: State
    now: Simulation
    pinned: Simulation | None
    replicas: int

    @property
    def scenario(self) -> Scenario:
        """The market that is shown."""
        return self.now.scenario

    @property
    def time(self) -> TimeAxis:
        """How time is counted."""
        return TimeAxis(self.scenario)

    @property
    def clock(self) -> dict[str, Any]:
        """The unit of times, and how long a step is in it."""
        return {"unit": self.time.unit, "per_step": 1.0 / self.time.steps_per_unit}

    @property
    def replica(self) -> int:
        """Whose path is shown: the one asked for, or the last that there is."""
        return min(self.state.replica, self.replicas - 1)

    @property
    def maker(self) -> int:
        """Whose numbers are shown where one maker's are: the one asked for, or the first."""
        names = self.scenario.maker_names
        return names.index(self.state.maker) if self.state.maker in names else 0

    @property
    def maker_name(self) -> str:
        """Its name."""
        return self.scenario.maker_names[self.maker]

    def pinned_maker(self, name: str) -> int | None:
        """The number of a maker in the pinned market; None where it is not there."""
        there = () if self.pinned is None else self.pinned.scenario.maker_names
        return there.index(name) if name in there else None

    @property
    def same_steps(self) -> bool:
        """Whether both markets have as many steps, so that their paths can stand in one picture."""
        return self.pinned is not None and self.pinned.scenario.steps == self.scenario.steps


def exactly(values: ArrayLike) -> Any:
    """Numbers as JSON has them, with every digit; None for what is none."""
    array = np.asarray(values, dtype=np.float64)
    listed = array.tolist()
    return listed if np.isfinite(array).all() else _without_nan(listed)


def rounded(values: ArrayLike) -> Any:
    """Numbers to be drawn, with as many digits as an eye needs; None for what is none."""
    array = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.where(array != 0, np.abs(array), 1.0)))
        scale = 10.0 ** np.clip(_DIGITS - 1 - size, -300, 300)
        return exactly(np.round(array * scale) / scale)


def estimates(values: Estimate) -> list[dict[str, Any]]:
    """Estimates (n,) as a page has them."""
    columns = zip(exactly(values.value), exactly(values.low), exactly(values.high), strict=True)
    return [{"value": value, "low": low, "high": high} for value, low, high in columns]


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return value if np.isfinite(value) else None
