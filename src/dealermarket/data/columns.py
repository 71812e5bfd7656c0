"""The columns of the files that `analyse` and `export` write."""

from __future__ import annotations

from dealermarket.runs.columns import PRICE, Column, with_bounds
from dealermarket.runs.statistics import ASSET, BASIS_POINTS, MONEY, PURE

RFQS = (
    Column("time", "when the request was made, UTC"),
    Column("client", "name of the investor"),
    Column("side", "buy or sell, the client's"),
    Column("size", "size of the request", ASSET),
    Column("quote", "price that the maker quoted", PRICE),
    Column("mid", "mid-price when it was asked", PRICE),
    Column("outcome", "won by the maker, traded_away to another, or not_traded"),
    Column("dealers_asked", "number of the makers that were asked", PURE),
    Column("cover", "second best price of those asked, which the winner is told; empty where the maker did not win", PRICE),
    Column("tier", "tier that the maker quoted the client in, 0 being the best"),
)
"""`rfqs` of `export`: a row per request."""
MIDS = (
    Column("time", "when the step begins, UTC"),
    Column("mid", "mid-price", PRICE),
    Column("bid", "mid-price less half the reference spread", PRICE),
    Column("ask", "mid-price and half the reference spread", PRICE),
)
"""`mids` of `export`: a row per step."""
GROUP = (
    Column("GROUP", "what the row is of, in a column named total, client, tier or side"),
    Column("requests", "number of its requests", PURE),
    Column("judged", "number of its requests whose markout is known", PURE),
    Column("volume", "size of its requests", ASSET),
    Column("won_volume", "size of its requests that were won", ASSET),
    Column("share", "its share of all that was won, valued at the mid", PURE),
    *with_bounds("hit_ratio", "share of its requests that were won, by number", PURE),
    *with_bounds("hit_ratio_volume", "share of its requests that were won, by size", PURE),
    Column("traded_away", "share of its requests that traded with another dealer", PURE),
    Column("not_traded", "share of its requests that traded with nobody", PURE),
    *with_bounds("markout_bp", "what the mid's move brings the desk on all its requests, won or not", BASIS_POINTS),
    *with_bounds("won_markout_bp", "the same of those that were won", BASIS_POINTS),
    Column("spread_bp", "spread earned on those that were won", BASIS_POINTS),
    *with_bounds("yield_bp", "spread and markout of those that were won, added up", BASIS_POINTS),
    Column("spread_revenue", "spread earned", MONEY),
    Column("markout_revenue", "what the mid's moves brought on those that were won", MONEY),
)
"""`total`, `clients`, `tiers` and `sides` of `analyse`: a row per group."""
QUOTES = (
    Column("quote_bp", "mean quote of the bin over the mid", BASIS_POINTS),
    Column("lowest_bp", "lowest quote of the bin", BASIS_POINTS),
    Column("highest_bp", "highest quote of the bin", BASIS_POINTS),
    *GROUP[1:],
)
"""`quotes` of `analyse`: a row per bin of quotes, of as many requests each."""
MARKOUTS = (
    Column("by", "total, client, tier or side"),
    Column("name", "name of the group"),
    Column("of", "asked, of all requests, or won, of those that were won"),
    Column("horizon", "how long after the request the mid is taken", "steps"),
    Column("requests", "number of requests whose markout is known", PURE),
    *with_bounds("markout_bp", "what the mid's move brings the desk", BASIS_POINTS),
)
"""`markouts` of `analyse`: a row per group and horizon."""
BOOK = (
    Column("statistic", "name of the statistic"),
    *with_bounds("value", "mean over the replicas", "of the statistic"),
    *with_bounds("bp", "money over the clients' volume at the initial price", BASIS_POINTS),
)
"""`book` of `analyse` of a run: a row per statistic."""
