"""What became of investors' requests for quotes: how many a maker was asked for, won, lost to others, and lost to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dealermarket.runs.statistics.base import ASSET, PURE, Statistic, Sums, quotient, sum_of

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


def _of_asked(count: Callable[[Array], Array]) -> Callable[[Scenario, Sums], Array]:
    """The function of a statistic that is a share of the requests that asked the maker."""
    return lambda _, sums: quotient(count(sums.totals), sums.totals["asked"])


def _hit_ratio_by_volume(_: Scenario, sums: Sums) -> Array:
    return quotient(sums.totals["client_volume"], sums.totals["asked_volume"])


STATISTICS = (
    Statistic(
        name="requests",
        heading="requests",
        unit=PURE,
        meaning="number of investors' requests for quotes in the market, of all makers",
        function=sum_of("requests"),
    ),
    Statistic(
        name="asked",
        heading="asked",
        unit=PURE,
        meaning="number of the requests in which the maker was asked",
        function=sum_of("asked"),
    ),
    Statistic(
        name="asked_volume",
        heading="asked\nvolume",
        unit=ASSET,
        meaning="size of the requests in which the maker was asked",
        function=sum_of("asked_volume"),
    ),
    Statistic(
        name="hit_ratio",
        heading="hit\nratio",
        unit=PURE,
        meaning="share of the requests in which it was asked that traded with it; NaN where it was never asked",
        function=_of_asked(lambda totals: totals["won"]),
        weight="asked",
        percent=True,
    ),
    Statistic(
        name="hit_ratio_volume",
        heading="hit ratio\nby volume",
        unit=PURE,
        meaning="volume with investors over the size of the requests in which it was asked; NaN where it was never asked",
        function=_hit_ratio_by_volume,
        weight="asked_volume",
        percent=True,
    ),
    Statistic(
        name="traded_away",
        heading="traded\naway",
        unit=PURE,
        meaning="share of the requests in which it was asked that traded with another maker; NaN where it was never asked",
        function=_of_asked(lambda totals: totals["asked"] - totals["won"] - totals["refused"]),
        weight="asked",
        percent=True,
    ),
    Statistic(
        name="not_traded",
        heading="not\ntraded",
        unit=PURE,
        meaning="share of the requests in which it was asked that traded with nobody; NaN where it was never asked",
        function=_of_asked(lambda totals: totals["refused"]),
        weight="asked",
        percent=True,
    ),
)
