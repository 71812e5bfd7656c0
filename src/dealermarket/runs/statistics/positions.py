"""The position that a maker held, and how much of its volume it kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.runs.statistics.base import ASSET, PURE, Statistic, Sums, quotient

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


def half_life(persistence: Array | float) -> Array:
    """Steps until half of a position is gone, where the share `persistence` of it is kept from each step to the next.

    0 where nothing is kept or the position changes sign, infinite where none of it goes. What is kept from one step to the
    next is all that counts: what is passed on and comes back later does not show."""
    kept = np.clip(np.asarray(persistence, dtype=np.float64), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / np.abs(np.log2(kept)))


def _mean_abs_position(scenario: Scenario, sums: Sums) -> Array:
    return np.asarray(sums.totals["abs_position"] / scenario.steps)


def _mean_squared_position(scenario: Scenario, sums: Sums) -> Array:
    return np.asarray(sums.totals["position_squared"] / scenario.steps)


def _persistence(_: Scenario, sums: Sums) -> Array:
    return quotient(sums.totals["position_product"], sums.totals["position_squared"])


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
        name="mean_squared_position",
        heading="mean\nz squared",
        unit="units²",
        meaning="mean square of the position held into a step",
        function=_mean_squared_position,
    ),
    Statistic(
        name="position_persistence",
        heading="kept from\nstep\nto step",
        unit=PURE,
        meaning="share of its position that it still holds a step later (autocorrelation about 0); NaN without a position",
        function=_persistence,
        weight="mean_squared_position",
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
