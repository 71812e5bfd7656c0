"""The axis of time: minutes, hours or days, with the steps besides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.scenario import Scenario
from dealermarket.plots.figure import Axis

Array = NDArray[Any]
_MOST_POINTS = 400  # of a line
_FROM = 3  # of a unit on, time is counted in it


class TimeAxis:
    """Steps as time, in the unit that suits the length of the run."""

    def __init__(self, scenario: Scenario) -> None:
        self.steps, self._hours = scenario.steps, scenario.market.hours_per_step
        hour = 1 / self._hours
        units = {"days": 24 * hour, "hours": hour, "minutes": hour / 60}
        self.unit = next((name for name, steps in units.items() if self.steps >= _FROM * steps), "minutes")
        self.steps_per_unit = units[self.unit]
        self.window = max(min(scenario.market.steps_per_day, self.steps // 10), 1)

    def at(self, steps: Array) -> Array:
        """The time at which as many steps are over, in the unit."""
        return np.asarray(steps / self.steps_per_unit)

    @property
    def shown(self) -> Array:
        """The steps at which lines are drawn: all, or as many as can be told apart, with the first and the last."""
        return np.unique(np.linspace(0, self.steps - 1, min(self.steps, _MOST_POINTS)).round().astype(int))

    @property
    def axis(self) -> Axis:
        """The axis of lines over time."""
        return Axis(f"time ({self.unit}; {self._scale})", limits=(0.0, float(self.at(np.asarray(self.steps)))))

    @property
    def end(self) -> float:
        """The time at which the run ends."""
        return float(self.at(np.asarray(self.steps)))

    def in_words(self, steps: float) -> str:
        """A time of so many steps, in the unit that suits it."""
        number, unit = 60 * self._hours * steps, "minutes"
        for larger, size in (("hours", 60), ("days", 24)):
            if number >= size * (2 if larger == "days" else 1):
                number, unit = number / size, larger
        return f"{number:.3g} {unit if number != 1 else unit[:-1]}"

    def rolling(self, volume: Array) -> Array:
        """Sums of volume (T, ...) over the last `window` steps, at the steps that are shown; (shown, ...)."""
        summed = np.concatenate([np.zeros((1, *volume.shape[1:])), np.cumsum(volume, axis=0)])
        after = self.shown + 1
        return np.asarray(summed[after] - summed[np.maximum(after - self.window, 0)])

    @property
    def _scale(self) -> str:
        number, unit = self.steps_per_unit, self.unit[:-1]
        return (
            f"{number:.4g} steps {'an' if unit == 'hour' else 'a'} {unit}"
            if number >= 1
            else f"a step is {1 / number:.4g} {self.unit}"
        )
