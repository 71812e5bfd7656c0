"""The position that a maker held, and how much of its volume it kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.runs.statistics.base import ASSET, PURE, Statistic, Sums, quotient

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


def _mean_abs_position(scenario: Scenario, sums: Sums) -> Array:
    return np.asarray(sums.totals["abs_position"] / scenario.steps)


def _last_abs_position(_: Scenario, sums: Sums) -> Array:
    return np.abs(sums.position)


def _internalization(_: Scenario, sums: Sums) -> Array:
    return quotient(np.abs(sums.position), sums.totals["volume"] + sums.totals["hedge_volume"])


STATISTICS = (
    Statistic(
        name="mean_abs_position",
        heading="mean\n|z|",
        unit=ASSET,
        meaning="mean size of the position held into a step",
        function=_mean_abs_position,
        more_is_better=False,
    ),
    Statistic(
        name="last_abs_position",
        heading="|z| at\nthe end",
        unit=ASSET,
        meaning="size of the position after the last step",
        function=_last_abs_position,
        more_is_better=False,
    ),
    Statistic(
        name="internalization",
        heading="|z|/volume\nat the end",
        unit=PURE,
        meaning="size of the position after the last step over quoted and hedged volume; NaN without volume",
        function=_internalization,
        more_is_better=False,
    ),
)
