"""What a step leaves unsaid: the quotes that were not the best, and in which tier and by which metric makers hold everybody.

For who looks at one step of one market. The functions read the market where it stands and change nothing.
"""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import entry
from dealermarket.engine.advance import market_at
from dealermarket.engine.quotes import (
    cost_of_hedge,
    cost_with,
    exchange_quote,
    prices_of,
    quoted_tier,
    quotes_of_all,
    request_of,
)
from dealermarket.engine.ranking import metric_of_key
from dealermarket.laws import LARGEST_TRADE
from dealermarket.model.makers.hedging import Situation


@entry
def read_standings(rules, state, tiers, metrics):
    """Writes (M, J): the tier in which each maker quotes to each participant, and the metric by which it ranks it, NaN where
    it ranks nobody; of the maker itself, 0 and NaN."""
    market = market_at(state, 0)
    for i in range(len(rules.tiering)):
        for j in range(tiers.shape[1]):
            tiers[i, j], metrics[i, j] = 0, np.nan
            if j == rules.investors + i:
                continue
            tiers[i, j] = quoted_tier(market, i, j)
            if rules.tiering[i].ranks:
                metrics[i, j] = metric_of_key(market.key[i, market.standing[i, j].place])


@entry
def read_quotes(rules, state, orders, mid, s0, quotes):
    """Writes the spreads of all makers and the exchange for a step's requests, (requests, M + 1): NaN of who is not asked.

    Returns S_ref(0), price units."""
    market, prices = market_at(state, 0), prices_of(rules, mid, s0)
    exchange = len(rules.pricing)
    for n in range(len(orders.investor)):
        request = request_of(rules, orders, n)
        quotes_of_all(rules, market, request, prices, quotes[n])
        quotes[n, exchange] = exchange_quote(request, prices)
    return prices.half_spread


@entry
def read_hedge_quotes(rules, state, hedger, side, sizes, mid, s0, quotes, costs):
    """Writes what rivals and the exchange charge maker `hedger` for hedges of `sizes` (n,) on a side, cost per unit: `quotes`
    (n, M + 1), NaN of its own; and `costs` (n,), the best of its venue."""
    market, prices = market_at(state, 0), prices_of(rules, mid, s0)
    position, largest = market.position[hedger], LARGEST_TRADE * rules.v_max
    volatility = rules.hedging[hedger].volatility
    situation = Situation(
        position, abs(position), side, mid, prices.half_spread, prices.unit, volatility, largest, hedger, rules, market
    )
    for n in range(len(sizes)):
        for rival in range(quotes.shape[1]):
            quotes[n, rival] = cost_with(situation, rival, sizes[n]) if rival != hedger else np.nan
        costs[n] = cost_of_hedge(situation, sizes[n])
