"""The four rewards of the paper (section 3.4), their sum, and mark-to-market P&L."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.runs.statistics.base import BASIS_POINTS, MONEY, Statistic, Sums, quotient, sum_of

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

REWARDS = ("spread_revenue", "position_revenue", "hedging_cost", "risk_cost")


def total_reward(earned: Array) -> Array:
    """The sum of the four rewards of records, shape of the records."""
    return np.asarray(sum(earned[name] for name in REWARDS))


def interdealer_revenue(earned: Array | Mapping[str, Array]) -> Array:
    """What other makers paid for their hedges, of records or of columns: the spread revenue that no investor paid."""
    return np.asarray(earned["spread_revenue"] - earned["client_revenue"])


def _total_reward(_: Scenario, sums: Sums) -> Array:
    return total_reward(sums.totals)


def _inventory_pnl(_: Scenario, sums: Sums) -> Array:
    totals = sums.totals
    return np.asarray(totals["pnl"] - totals["spread_revenue"] - totals["hedging_cost"])


def _interdealer_revenue(_: Scenario, sums: Sums) -> Array:
    return interdealer_revenue(sums.totals)


def _pnl_bp(scenario: Scenario, sums: Sums) -> Array:
    worth = sums.totals["client_volume"] * scenario.market.initial_price
    return quotient(1e4 * sums.totals["pnl"], worth)


STATISTICS = (
    Statistic(
        name="spread_revenue",
        heading="spread\nrevenue",
        unit=MONEY,
        meaning="spreads that others paid for trades it quoted, never below 0",
        function=sum_of("spread_revenue"),
        more_is_better=True,
    ),
    Statistic(
        name="client_revenue",
        heading="client\nrevenue",
        unit=MONEY,
        meaning="of the spread revenue, what investors paid",
        function=sum_of("client_revenue"),
        more_is_better=True,
    ),
    Statistic(
        name="interdealer_revenue",
        heading="interdealer\nrevenue",
        unit=MONEY,
        meaning="of the spread revenue, what other makers paid for their hedges",
        function=_interdealer_revenue,
        more_is_better=True,
    ),
    Statistic(
        name="position_revenue",
        heading="position\nrevenue",
        unit=MONEY,
        meaning="what the mid's moves earned on its trades until they matured, its own hedges included",
        function=sum_of("position_revenue"),
        more_is_better=True,
    ),
    Statistic(
        name="hedging_cost",
        heading="hedging\ncost",
        unit=MONEY,
        meaning="spreads that it paid for its hedges, never above 0",
        function=sum_of("hedging_cost"),
        more_is_better=True,
    ),
    Statistic(
        name="risk_cost",
        heading="risk\ncost",
        unit=MONEY,
        meaning="the charge for the risk of its position, never above 0",
        function=sum_of("risk_cost"),
        more_is_better=True,
    ),
    Statistic(
        name="total_reward",
        heading="total\nreward",
        unit=MONEY,
        meaning="spread and position revenue, hedging and risk cost, added up",
        function=_total_reward,
        more_is_better=True,
    ),
    Statistic(
        name="pnl",
        heading="P&L",
        unit=MONEY,
        meaning="mark-to-market P&L: spread revenue, hedging cost and inventory P&L, added up",
        function=sum_of("pnl"),
        more_is_better=True,
    ),
    Statistic(
        name="inventory_pnl",
        heading="inventory\nP&L",
        unit=MONEY,
        meaning="what the mid's moves earned on its position",
        function=_inventory_pnl,
        more_is_better=True,
    ),
    Statistic(
        name="impact_pnl",
        heading="impact\nP&L",
        unit=MONEY,
        meaning="of the inventory P&L, what makers' trades at the exchange did to the mid; 0 without market impact",
        function=sum_of("impact_pnl"),
        more_is_better=True,
    ),
    Statistic(
        name="pnl_bp",
        heading="P&L, bp of\nclients'\nvolume",
        unit=BASIS_POINTS,
        meaning="P&L over the volume with investors, valued at the initial price; NaN without clients",
        function=_pnl_bp,
        more_is_better=True,
        weight="client_volume",
    ),
)
