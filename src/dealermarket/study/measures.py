"""What is measured of a chunk of replicas: functions (scenario, chunk) -> measures, the replica axis first.

Makers, where they are apart, stand on the last axis, so that `measures.of(maker)` has the shape without the M.

Steps count from 0; a maker's position after step t is what it holds into step t + 1. Sizes in units of the asset,
money in price units times units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.scenario import Scenario
from dealermarket.runs.orders import markouts_by_group, sums_by_cell
from dealermarket.runs.statistics import quotient, statistics
from dealermarket.runs.tables import Chunk
from dealermarket.study.labelled import Measures

Array = NDArray[Any]

ORDER_FIELDS = ("taker", "maker", "volume", "trade_yield")
"""What `sums_by_client` needs of every order."""


def totals(scenario: Scenario, chunk: Chunk) -> Measures:
    """Every statistic of a run (`dealermarket.runs.statistics`).

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        By the name of the statistic, (B, makers) each.
    """
    values = {statistic.name: statistic.values(scenario, chunk.record) for statistic in statistics()}
    return Measures(values, scenario.maker_names)


def cumulative_costs(scenario: Scenario, chunk: Chunk, points: int = 50) -> Measures:
    """Every statistic, and each maker's hedging and risk cost so far. Needs steps.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.
    points : int
        At how many times after the start, which are `cost_times`.

    Returns
    -------
    Measures
        As `totals`; and `hedging_cost_so_far` and `risk_cost_so_far`, both 0 or more, (B, points + 1, makers) each.
    """
    steps = chunk.record.steps
    times = cost_times(scenario, points)
    so_far = {}
    for name in ("hedging_cost", "risk_cost"):
        summed = np.concatenate([np.zeros((len(steps), 1, steps.shape[2])), -np.cumsum(steps[name], axis=1)], axis=1)
        so_far[f"{name}_so_far"] = summed[:, times]
    return Measures({**totals(scenario, chunk), **so_far}, scenario.maker_names)


def cost_times(scenario: Scenario, points: int = 50) -> Array:
    """The times at which `cumulative_costs` are given.

    Parameters
    ----------
    scenario : Scenario
        The market.
    points : int
        At how many times after the start; fewer where there are fewer steps.

    Returns
    -------
    array of int, (points + 1,)
        After how many steps, from 0 to all of them.
    """
    return np.unique(np.linspace(0, scenario.steps, points + 1).round().astype(int))


def paths(scenario: Scenario, chunk: Chunk) -> Measures:
    """The position that each maker holds into each step. Needs steps.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        `position`, (B, steps, makers), in units of the asset.
    """
    return Measures({"position": chunk.record.steps["position"].copy()}, scenario.maker_names)


def position_sizes(scenario: Scenario, chunk: Chunk) -> Measures:
    """How large makers' positions are that they hold into a step. Needs steps.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        `mean`, `median` and `largest` of the absolute position over the steps, (B, makers) each, in units of the asset.
    """
    size = np.abs(chunk.record.steps["position"])
    sizes = {"mean": size.mean(axis=1), "median": np.median(size, axis=1), "largest": size.max(axis=1)}
    return Measures(sizes, scenario.maker_names)


def internalization(scenario: Scenario, chunk: Chunk) -> Measures:
    """A maker's absolute position over what it has traded so far. Needs trades.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        `position_over_volume`, (B, steps, makers), after each step, NaN before the first trade; `client_volume`, (B, makers), in
        units of the asset.
    """
    steps, record = chunk.record.steps, chunk.record
    replicas, count, makers = steps.shape
    first, (replica, trades) = len(scenario.agents), _trades(chunk)
    hedges = trades["taker"] >= first
    traded = [
        sums_by_cell((replicas, count, makers + 1), (replica, trades["step"], trades["maker"] - first), trades["volume"]),
        sums_by_cell(
            (replicas, count, makers + 1),
            (replica[hedges], trades["step"][hedges], trades["taker"][hedges] - first),
            trades["volume"][hedges],
        ),
    ]
    volume = np.cumsum(traded[0] + traded[1], axis=1)[:, :, :makers]  # without the exchange's, which stands last
    after = np.concatenate([np.abs(steps["position"][:, 1:]), np.abs(record.position[:, None])], axis=1)
    measured = {"position_over_volume": quotient(after, volume), "client_volume": record.totals["client_volume"].copy()}
    return Measures(measured, scenario.maker_names)


def client_trades(scenario: Scenario, chunk: Chunk) -> Measures:
    """What investors traded with makers. Needs trades.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        By investor and maker, (B, investors, makers) each: `traded_volume`; and of the orders that matured `matured_volume` and
        `revenue`, the maker's by spread and position.
    """
    orders = _orders(chunk, *ORDER_FIELDS)
    return Measures(sums_by_client(scenario, len(chunk.record.totals), orders), scenario.maker_names)


def sums_by_client(scenario: Scenario, replicas: int, orders: Mapping[str, Array]) -> dict[str, Array]:
    """What `client_trades` measures, from orders.

    Parameters
    ----------
    scenario : Scenario
        The market.
    replicas : int
        How many replicas.
    orders : mapping of str to array, each (orders,)
        `replica`, from 0 to `replicas` - 1, and ORDER_FIELDS.

    Returns
    -------
    dict of str to array, each (replicas, investors, makers)
        `traded_volume`, `matured_volume` and `revenue`.
    """
    investors = len(scenario.agents)
    shape = (replicas, investors, len(scenario.makers))
    cells = (orders["replica"], orders["taker"], orders["maker"] - investors)
    matured = np.isfinite(orders["trade_yield"])
    volume = np.where(matured, orders["volume"], 0.0)
    return {
        "traded_volume": sums_by_cell(shape, cells, orders["volume"]),
        "matured_volume": sums_by_cell(shape, cells, volume),
        "revenue": sums_by_cell(shape, cells, volume * np.where(matured, orders["trade_yield"], 0.0)),
    }


def client_shares(scenario: Scenario, chunk: Chunk) -> Measures:
    """Each maker's share of each investor's volume. Needs trades.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        `share`, (B, investors, makers), from 0 to 1; NaN where the investor did not trade.
    """
    volume = client_trades(scenario, chunk)["traded_volume"]
    return Measures({"share": quotient(volume, volume.sum(axis=2, keepdims=True))}, scenario.maker_names)


def client_yields(scenario: Scenario, chunk: Chunk) -> Measures:
    """What investors traded, and in which tier they were in the end. Needs trades.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.

    Returns
    -------
    Measures
        As `client_trades` and `totals`; and `last_tier`, (B, investors, makers), the tier of an investor's last trade with a
        maker, NaN where there was none.
    """
    orders = _orders(chunk, "taker", "maker", "tier")
    investors = len(scenario.agents)
    last_tier = np.full((len(chunk.record.totals), investors, len(scenario.makers)), np.nan)
    last_tier[orders["replica"], orders["taker"], orders["maker"] - investors] = orders["tier"]  # the last one stays
    measured = {**totals(scenario, chunk), **client_trades(scenario, chunk), "last_tier": last_tier}
    return Measures(measured, scenario.maker_names)


def markouts(scenario: Scenario, chunk: Chunk, longest: int = 16) -> Measures:
    """What orders are worth to makers as time passes, all makers together. Needs trades.

    Parameters
    ----------
    scenario : Scenario
        The market.
    chunk : Chunk
        Its replicas, B of them, as they were recorded.
    longest : int
        The longest horizon, in steps.

    Returns
    -------
    Measures
        Of the orders made at least `longest` steps before the end, position revenue by horizon, `by_investor`
        (B, investors, longest + 1) and `by_tier` (B, tiers, longest + 1), and what to divide it by, `by_investor_volume` and
        `by_tier_volume` without the last axis.
    """
    orders = _orders(chunk, "taker", "step", "side", "volume", "tier")
    orders["size"] = orders.pop("volume")
    groups = {
        "investor": (len(scenario.agents), orders["taker"]),
        "tier": (max(maker.tiering.tiers for maker in scenario.makers), orders["tier"]),
    }
    measured: dict[str, Array] = {}
    for name, (count, member) in groups.items():
        revenue, volume = markouts_by_group(chunk.record.mid, orders, member, count, longest)
        measured |= {f"by_{name}_volume": volume, f"by_{name}": revenue}
    return Measures(others=measured)


def _trades(chunk: Chunk) -> tuple[Array, Array]:
    """The row of its replica in the chunk and the trade, of every trade in the order they were made; each (trades,)."""
    record = chunk.record
    trades = [record.trades[a : a + n] for a, n in zip(record.trade_start, record.trade_count, strict=True)]
    return np.repeat(np.arange(len(trades)), record.trade_count), np.concatenate(trades)


def _orders(chunk: Chunk, *fields: str) -> dict[str, Array]:
    """`replica`, its row in the chunk, and fields of the trades of investors, in the order they were made; each (orders,)."""
    from dealermarket.engine.records import ORDER

    replica, trades = _trades(chunk)
    orders = trades["kind"] == ORDER
    return {"replica": replica[orders]} | {field: trades[field][orders] for field in fields}
