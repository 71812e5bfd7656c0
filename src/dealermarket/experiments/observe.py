"""What is measured of a chunk of replicas: functions (scenario, chunk) -> arrays, the replica axis first.

Steps count from 0; a maker's position after step t is what it holds into step t + 1. Sizes in units of the asset,
money in price units times units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.engine.state import ORDER
from dealermarket.frames import REWARDS, Chunk, total_reward
from dealermarket.scenario import Scenario

Array = NDArray[Any]


def totals(scenario: Scenario, chunk: Chunk) -> dict[str, Array]:
    """The sums of the run, each (B, M): the four rewards, their total, P&L and volumes."""
    sums = chunk.record.totals
    names = (*REWARDS, "pnl", "volume", "hedge_volume", "client_volume")
    return {name: sums[name].copy() for name in names} | {"total_reward": total_reward(sums)}


def cumulative_costs(scenario: Scenario, chunk: Chunk, points: int = 50) -> dict[str, Array]:
    """`totals`, and each maker's hedging and risk cost so far (both >= 0) at `points` + 1 times, each (B, points + 1, M);
    `time` (1, points + 1) are these times. Needs steps."""
    steps = chunk.record.steps
    times = np.unique(np.linspace(0, scenario.steps, points + 1).round().astype(int))
    found = totals(scenario, chunk)
    for name in ("hedging_cost", "risk_cost"):
        summed = np.concatenate([np.zeros((len(steps), 1, steps.shape[2])), -np.cumsum(steps[name], axis=1)], axis=1)
        found[f"{name}_so_far"] = summed[:, times]
    return found


def paths(scenario: Scenario, chunk: Chunk) -> dict[str, Array]:
    """`position` (B, T, M) held into each step. Needs steps."""
    return {"position": chunk.record.steps["position"].copy()}


def internalization(scenario: Scenario, chunk: Chunk) -> dict[str, Array]:
    """|position after step t| / volume traded through t, (B, T, M), NaN before the first trade; and `totals` with
    `mean_abs_position` (B, M). Needs trades."""
    steps, record = chunk.record.steps, chunk.record
    replicas, count, makers = steps.shape
    volume = np.zeros((replicas, count, makers + 1))
    first = len(scenario.agents)
    for b, trades in enumerate(_trades(chunk)):
        np.add.at(volume[b], (trades["step"], trades["maker"] - first), trades["volume"])
        hedges = trades[trades["taker"] >= first]
        np.add.at(volume[b], (hedges["step"], hedges["taker"] - first), hedges["volume"])
    volume = np.cumsum(volume[:, :, :makers], axis=1)
    after = np.concatenate([np.abs(steps["position"][:, 1:]), np.abs(record.position[:, None])], axis=1)
    ratio = np.divide(after, volume, out=np.full(after.shape, np.nan), where=volume > 0)
    mean_abs_position = record.totals["abs_position"] / scenario.steps
    return totals(scenario, chunk) | {"position_over_volume": ratio, "mean_abs_position": mean_abs_position}


def client_shares(scenario: Scenario, chunk: Chunk) -> dict[str, Array]:
    """`share` (B, N, M): each maker's share of each investor's volume, NaN where it did not trade. Needs trades."""
    volume = _by_investor_and_maker(scenario, chunk, "volume")
    everybody = volume.sum(axis=2, keepdims=True)
    return {"share": np.divide(volume, everybody, out=np.full(volume.shape, np.nan), where=everybody > 0)}


def client_yields(scenario: Scenario, chunk: Chunk) -> dict[str, Array]:
    """Of the orders that matured, by investor and maker, each (B, N, M): `volume` and `revenue` (spread and position);
    `last_tier` (B, N, M) the tier of the last trade, NaN where there was none; and `totals`. Needs trades."""
    last_tier = np.full((len(chunk.record.totals), len(scenario.agents), len(scenario.makers)), np.nan)
    for b, trades in enumerate(_trades(chunk)):
        orders = trades[trades["kind"] == ORDER]
        last_tier[b, orders["taker"], orders["maker"] - len(scenario.agents)] = orders["tier"]  # the last one stays
    return totals(scenario, chunk) | {
        "volume": _by_investor_and_maker(scenario, chunk, "volume", matured=True),
        "revenue": _by_investor_and_maker(scenario, chunk, "trade_yield", matured=True),
        "last_tier": last_tier,
    }


def markouts(scenario: Scenario, chunk: Chunk, longest: int = 16) -> dict[str, Array]:
    """Position revenue of the makers' orders by horizon h = 0..longest: sums over the orders made at least `longest` steps
    before the end, by investor (B, N, longest + 1) and by the tier they were quoted (B, K, longest + 1), and the
    `_volume` (B, N) and (B, K) to divide them by. Needs trades."""
    horizons = np.arange(longest + 1)
    tiers = max(maker.tiering.tiers for maker in scenario.makers)
    mids, groups = chunk.prices[0], {"investor": len(scenario.agents), "tier": tiers}
    found = {f"by_{name}": np.zeros((len(mids), count, longest + 1)) for name, count in groups.items()}
    found |= {f"by_{name}_volume": np.zeros((len(mids), count)) for name, count in groups.items()}
    for b, trades in enumerate(_trades(chunk)):
        orders = trades[(trades["kind"] == ORDER) & (trades["step"] < scenario.steps - longest)]
        moves = mids[b][orders["step"][:, None] + horizons] - mids[b][orders["step"]][:, None]
        revenue = (-orders["side"] * orders["volume"])[:, None] * moves
        for name, member in (("investor", orders["taker"]), ("tier", orders["tier"])):
            np.add.at(found[f"by_{name}"][b], member, revenue)
            np.add.at(found[f"by_{name}_volume"][b], member, orders["volume"])
    return found


def _trades(chunk: Chunk) -> list[Array]:
    """The trades of each replica, in the order they were made."""
    record = chunk.record
    return [record.trades[a : a + n] for a, n in zip(record.trade_start, record.trade_count, strict=True)]


def _by_investor_and_maker(scenario: Scenario, chunk: Chunk, field: str, matured: bool = False) -> Array:
    """Sums over the orders, (B, N, M), of volume or of a field times volume; of matured orders only if asked for."""
    investors = len(scenario.agents)
    sums = np.zeros((len(chunk.record.totals), investors, len(scenario.makers)))
    for b, trades in enumerate(_trades(chunk)):
        orders = trades[trades["kind"] == ORDER]
        if matured:
            orders = orders[np.isfinite(orders["trade_yield"])]
        values = orders["volume"] if field == "volume" else orders[field] * orders["volume"]
        np.add.at(sums[b], (orders["taker"], orders["maker"] - investors), values)
    return sums
