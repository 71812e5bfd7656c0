"""How much a maker traded, and its share of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dealermarket.runs.statistics.base import ASSET, PURE, Statistic, Sums, quotient, sum_of

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]


def _market_share(_: Scenario, sums: Sums) -> Array:
    clients = sums.totals["client_volume"]
    return quotient(clients, clients.sum(axis=1, keepdims=True))


def _hedge_ratio(_: Scenario, sums: Sums) -> Array:
    return quotient(sums.totals["hedge_volume"], sums.totals["client_volume"])


STATISTICS = (
    Statistic(
        name="volume",
        heading="quoted\nvolume",
        unit=ASSET,
        meaning="size of the trades that it quoted for, investors' orders and others' hedges",
        function=sum_of("volume"),
        more_is_better=True,
    ),
    Statistic(
        name="client_volume",
        heading="clients'\nvolume",
        unit=ASSET,
        meaning="size of its trades with investors",
        function=sum_of("client_volume"),
        more_is_better=True,
    ),
    Statistic(
        name="hedge_volume",
        heading="hedged\nvolume",
        unit=ASSET,
        meaning="size of its own hedges",
        function=sum_of("hedge_volume"),
        more_is_better=False,
    ),
    Statistic(
        name="trades",
        heading="trades",
        unit=PURE,
        meaning="number of the trades that it quoted for",
        function=sum_of("trades"),
        more_is_better=True,
    ),
    Statistic(
        name="market_share",
        heading="market\nshare",
        unit=PURE,
        meaning="its volume with investors over all makers' volume with investors; NaN where there is none",
        function=_market_share,
        more_is_better=True,
        percent=True,
    ),
    Statistic(
        name="hedge_ratio",
        heading="hedged per\nclients'\nvolume",
        unit=PURE,
        meaning="size of its own hedges over that of its trades with investors; NaN without clients",
        function=_hedge_ratio,
        weight="client_volume",
    ),
)
