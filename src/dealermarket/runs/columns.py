"""What each column of the tables of a run is and what it is measured in, and what `meta.json` says: declared once, for readers.

The summary's columns are the statistics, which say the same of themselves; `tables.py` fills them all. What other commands
write is declared in a file of this name beside what makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dealermarket.runs.statistics import ASSET, MONEY, PURE, statistics

PRICE = "price"
"""The unit of spreads and yields, too: what a unit of the asset costs more or less."""


class Column(NamedTuple):
    """One column of a file, or one entry: its name, its meaning and its unit, empty for names and the like."""

    name: str
    meaning: str
    unit: str = ""


def with_bounds(name: str, meaning: str, unit: str = "") -> tuple[Column, ...]:
    """A number and the ends of its 95 % interval, as `name`, `name_low` and `name_high`."""
    ends = (
        Column(f"{name}_{end}", f"{said} end of its 95 % interval", unit) for end, said in (("low", "lower"), ("high", "upper"))
    )
    return (Column(name, meaning, unit), *ends)


UNIT_OF_STATISTIC = "of the statistic"
"""Where each row has a statistic of its own."""
FIELDS = "FIELD"
"""Stands for a column per field that was varied, under the path of the field."""
_REPLICA = Column("replica", "number of the replica, from 0")
_STEP = Column("step", "number of the step, from 0")
_MAKER = Column("maker", "name of the maker")

STEP_COLUMNS = (
    _REPLICA,
    _STEP,
    _MAKER,
    Column("mid", "mid-price of the step, with what hedges have added to it", PRICE),
    Column("impact", "of the mid, what makers' hedges have added to it so far; 0 without market impact", PRICE),
    Column("reference_spread", "bid-ask spread of the smallest trade, as drawn", PRICE),
    Column("position", "position held into the step, positive when long", ASSET),
    Column("client_revenue", "of the spread revenue, what investors paid in this step", MONEY),
    Column("spread_revenue", "spreads that others paid in this step for trades the maker quoted, never below 0", MONEY),
    Column("position_revenue", "what the mid's moves earned on trades whose revenue became known in this step", MONEY),
    Column("hedging_cost", "spreads that the maker paid for its hedge in this step, never above 0", MONEY),
    Column("risk_cost", "charge for the risk of the position in this step, never above 0", MONEY),
    Column("total_reward", "spread and position revenue, hedging and risk cost of this step, added up", MONEY),
    Column("eps_buy", "skew of the maker's prices for clients who buy", PURE),
    Column("eps_sell", "skew of the maker's prices for clients who sell", PURE),
    Column("hedge_fraction", "share of the position that was traded away, after the cap; 0 without a hedge", PURE),
    Column("hedge_size", "size of the hedge, negative where the maker sold; 0 without a hedge", ASSET),
    Column("step_volatility", "what the maker takes for the standard deviation of the mid over a step; 0 without hedging", PRICE),
)

TRADE_COLUMNS = (
    _REPLICA,
    _STEP,
    Column("taker", "name of the investor, or of the maker who hedges"),
    Column("maker", "name of the maker who quoted, or exchange"),
    Column("side", "+1 where the taker bought, -1 where it sold"),
    Column("size", "size of the trade, above 0", ASSET),
    Column("spread", "what the taker paid over the mid, a unit of the asset", PRICE),
    Column("tier", "tier that the taker was quoted in, 0 being the best; 0 at the exchange"),
    Column("kind", "order of an investor, or hedge of a maker"),
    Column(
        "position_revenue",
        "what the mid's move until the reward horizon earned the quoting maker; NaN if the run ended first, or at the exchange",
        MONEY,
    ),
    Column("yield", "spread and position revenue of the trade by its size, the quoting maker's; NaN likewise", PRICE),
)

REQUEST_COLUMNS = (
    _REPLICA,
    _STEP,
    Column("client", "name of the investor"),
    Column("side", "+1 where the client wants to buy, -1 where it wants to sell"),
    Column("size", "size of the request, above 0", ASSET),
    Column("mid", "mid-price of the step", PRICE),
    Column("reference", "what the exchange's book costs over the mid for this size, a unit of the asset", PRICE),
    Column("makers_asked", "number of the makers that were asked", PURE),
    Column("asked", "names of the makers that were asked, in the scenario's order, joined by commas"),
    Column("best_maker", "name of the cheapest of the makers that were asked"),
    Column("best_spread", "its quote over the mid", PRICE),
    Column("cover_spread", "second best quote over the mid; NaN where one maker was asked", PRICE),
    Column("reservation", "dearest quote over the mid that the client takes; infinite where it takes every quote", PRICE),
    Column("outcome", "traded, with the best maker, or not traded"),
)

META_ENTRIES = (
    Column("version", "version of dealermarket that made the folder"),
    Column("complete", "whether the run is finished"),
    Column("registered", "kinds from outside the package that were registered, each with a digest"),
    Column("files", "size and SHA-256 of every finished file, by its name", "bytes"),
    Column("name", "name of the scenario"),
    Column("seed", "seed of all random numbers"),
    Column("replicas", "number of replicas", PURE),
    Column("steps", "number of steps of each replica", PURE),
    Column("record", "how much was recorded: summary, steps, trades or requests"),
    Column("policies", "names of the makers whose policies were given in Python"),
    Column("scenario_sha256", "SHA-256 of scenario.toml"),
    Column("parts", "mark of this run in the names of its parts, until it is finished"),
    Column("capped_orders", "number of orders whose size was cut to 0.99 of the book's depth", PURE),
    Column("libraries", "versions of the libraries that results may depend on, by name"),
    Column("seconds", "how long the run took, once the engine was loaded", "s"),
    Column("digest", "SHA-256 of all other entries, as JSON with sorted keys"),
)


def summary_columns() -> tuple[Column, ...]:
    """The columns of the summary: whose row it is, and every statistic, registered ones last."""
    return (_REPLICA, _MAKER, *(Column(each.name, each.meaning, each.unit) for each in statistics()))


def columns_by_table() -> Mapping[str, tuple[Column, ...]]:
    """The columns of each table of a run, in the order of the file."""
    return {"summary": summary_columns(), "steps": STEP_COLUMNS, "trades": TRADE_COLUMNS, "requests": REQUEST_COLUMNS}
