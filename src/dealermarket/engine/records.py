"""The engine's records: what stands in one row of its arrays, with named fields.

Participants are numbered investors first, then makers, and the exchange comes after the last maker. Sizes are in units of
the asset, spreads and money in price units.
"""

from __future__ import annotations

import numpy as np

from dealermarket.draws.records import record

MAKERS, EXCHANGE, BEST = 0, 1, 2
VENUES = {"makers": MAKERS, "exchange": EXCHANGE, "best": BEST}
ORDER, HEDGE = 0, 1


TRADE = record(
    [
        ("step", np.int32),
        ("taker", np.int32),
        ("maker", np.int32),
        ("side", np.int32),  # +1 the taker buys
        ("tier", np.int32),
        ("kind", np.int32),
        ("volume", np.float64),  # `size` is taken: every NumPy scalar has one
        ("spread", np.float64),
        ("position_revenue", np.float64),  # of the maker; NaN until it is known
        ("trade_yield", np.float64),
    ]
)
"""One trade; `maker` and `taker` are participants, the exchange is number J."""

REQUEST = record(
    [
        ("step", np.int32),
        ("client", np.int32),
        ("maker", np.int32),  # number of the maker with the best quote
        ("asked", np.int32),  # how many makers
        ("side", np.int32),
        ("traded", np.int32),  # 1 or 0
        ("volume", np.float64),
        ("mid", np.float64),
        ("reference", np.float64),  # S_ref(volume)
        ("best", np.float64),  # spread
        ("cover", np.float64),  # the second best; NaN where one maker was asked
        ("reservation", np.float64),  # price units; infinite where every quote is taken
    ]
)
"""One request of an investor for quotes, and what became of it."""

STANDING = record(
    [
        ("psi", np.float64),  # average yield
        ("matured_volume", np.float64),
        ("matured", np.int64),  # trades
        ("place", np.int32),  # among those ranked, see `dealermarket.engine.ranking`
        ("quantile", np.int32),
    ]
)
"""One participant as one maker knows it; one record, since who trades has all of it looked up."""

PRICE = record(
    [
        ("mid", np.float64),  # P_t, with the impact
        ("permanent", np.float64),  # impact
        ("transient", np.float64),
        ("shift", np.float64),  # of the mid since the step before, by impact
    ]
)
"""The mid of a step and what makers' trades at the exchange have added to it."""

MAKER_STEP = record(
    [
        ("position", np.float64),  # held into the step
        ("client_revenue", np.float64),  # spreads that investors paid
        ("spread_revenue", np.float64),  # spreads that anybody paid, investors and other makers
        ("position_revenue", np.float64),
        ("hedging_cost", np.float64),
        ("risk_cost", np.float64),
        ("eps_buy", np.float64),  # the skew that it quotes with, for clients who buy
        ("eps_sell", np.float64),
        ("hedge_fraction", np.float64),
        ("hedge_size", np.float64),  # signed, from the maker's side
        ("step_volatility", np.float64),
    ]
)
"""What one maker did and earned in one step."""

MAKER_FLOW = record(
    [
        ("bought", np.float64),  # volume that investors bought from the maker in the last step
        ("sold", np.float64),
        ("market", np.float64),  # volume of all investors in the last step
    ]
)
"""The last step's trades as a policy sees them."""

MAKER_TOTALS = record(
    [
        ("spread_revenue", np.float64),
        ("position_revenue", np.float64),
        ("hedging_cost", np.float64),
        ("risk_cost", np.float64),
        ("pnl", np.float64),
        ("impact_pnl", np.float64),  # of it, what impact brought to positions
        ("client_revenue", np.float64),  # of the spread revenue, from investors
        ("volume", np.float64),  # as the quoting side
        ("client_volume", np.float64),  # of it, with investors
        ("hedge_volume", np.float64),  # as the hedger
        ("trades", np.int64),  # as the quoting side
        ("requests", np.int64),  # of investors, in the market
        ("asked", np.int64),  # of these, those that asked the maker
        ("won", np.int64),  # of these, those that traded with it
        ("refused", np.int64),  # of those that asked it, those that traded with nobody
        ("asked_volume", np.float64),
        ("refused_volume", np.float64),
        ("abs_position", np.float64),  # held into a step, summed over the steps
        ("position_squared", np.float64),  # the same, of its square
        ("position_product", np.float64),  # of its product with the position held into the next step
    ]
)
"""One maker's sums over a run."""
