"""The tables of a run as columns: what stands in summary.parquet, steps.parquet, trades.parquet and requests.parquet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.scenario import RESERVED_NAME, Scenario
from dealermarket.runs.statistics import REWARDS, statistics, total_reward

if TYPE_CHECKING:
    import pyarrow as pa

    from dealermarket.engine.recorder import Record

Array = NDArray[Any]
RecordLevel = Literal["summary", "steps", "trades", "requests"]
RECORD_LEVELS: tuple[RecordLevel, ...] = ("summary", "steps", "trades", "requests")
KINDS = ("order", "hedge")
OUTCOMES = ("not traded", "traded")


@dataclass(frozen=True)
class Names:
    """A column of names, stored as numbers."""

    codes: Array
    names: tuple[str, ...]


Columns = dict[str, Array | Names]


@dataclass(frozen=True)
class Chunk:
    """What the engine recorded of the replicas `first` and on."""

    first: int
    capped: Array  # (B,) orders whose size was capped
    reference_spread: Array  # (B, T); (B, 0) if no steps are recorded
    record: Record
    asked: Array  # (orders, M) bool: the makers that each request asked; (0, M) where all do, or no requests are recorded


def tables_of(level: RecordLevel) -> tuple[RecordLevel, ...]:
    """The tables that are recorded at a level: each level includes the former."""
    return RECORD_LEVELS[: RECORD_LEVELS.index(level) + 1]


def columns_of(table: RecordLevel, scenario: Scenario, chunk: Chunk) -> Columns:
    """One table of a chunk."""
    columns = {"summary": summary_columns, "steps": step_columns, "trades": trade_columns, "requests": request_columns}
    return columns[table](scenario, chunk)


def summary_columns(scenario: Scenario, chunk: Chunk) -> Columns:
    """A row per replica and maker, a column per statistic. Raises ParameterError where one is not what it must be."""
    columns = _replica_and_maker(scenario, chunk.first, chunk.record.position.shape)
    return columns | {statistic.name: statistic.values(scenario, chunk.record).ravel() for statistic in statistics()}


def step_columns(scenario: Scenario, chunk: Chunk) -> Columns:
    """A row per replica, step and maker."""
    record, steps = chunk.record, chunk.record.steps
    replicas, count, makers = steps.shape
    columns = _replica_and_maker(scenario, chunk.first, (replicas * count, makers))
    columns["replica"] = np.repeat(np.arange(replicas, dtype=np.int32) + chunk.first, count * makers)
    step = np.tile(np.repeat(np.arange(count, dtype=np.int32), makers), replicas)
    shared = {"mid": record.mid, "impact": record.impact, "reference_spread": chunk.reference_spread}
    return (
        {"replica": columns["replica"], "step": step, "maker": columns["maker"]}
        | {name: np.repeat(values.ravel(), makers) for name, values in shared.items()}
        | {name: steps[name].ravel() for name in ("position", "client_revenue", *REWARDS)}
        | {"total_reward": total_reward(steps).ravel()}
        | {name: steps[name].ravel() for name in ("eps_buy", "eps_sell", "hedge_fraction", "hedge_size", "step_volatility")}
    )


def trade_columns(scenario: Scenario, chunk: Chunk) -> Columns:
    """A row per trade, in the order they were made."""
    record = chunk.record
    starts, counts = record.trade_start, record.trade_count
    trades = np.concatenate([record.trades[a : a + n] for a, n in zip(starts, counts, strict=True)])
    names = (*scenario.participants, RESERVED_NAME)
    return {
        "replica": np.repeat(np.arange(len(counts), dtype=np.int32) + chunk.first, counts),
        "step": trades["step"],
        "taker": Names(trades["taker"], names),
        "maker": Names(trades["maker"], names),
        "side": trades["side"].astype(np.int8),
        "size": trades["volume"],
        "spread": trades["spread"],
        "tier": trades["tier"].astype(np.int16),
        "kind": Names(trades["kind"], KINDS),
        "position_revenue": trades["position_revenue"],
        "yield": trades["trade_yield"],
    }


def request_columns(scenario: Scenario, chunk: Chunk) -> Columns:
    """A row per request of an investor, in the order they were made."""
    requests, starts = chunk.record.requests, chunk.record.request_start
    codes, panels = _panels(scenario, chunk.asked, len(requests))
    return {
        "replica": np.repeat(np.arange(len(starts) - 1, dtype=np.int32) + chunk.first, np.diff(starts)),
        "step": requests["step"],
        "client": Names(requests["client"], scenario.participants),
        "side": requests["side"].astype(np.int8),
        "size": requests["volume"],
        "mid": requests["mid"],
        "reference": requests["reference"],
        "makers_asked": requests["asked"].astype(np.int16),
        "asked": Names(codes, panels),
        "best_maker": Names(requests["maker"], scenario.maker_names),
        "best_spread": requests["best"],
        "cover_spread": requests["cover"],
        "reservation": requests["reservation"],
        "outcome": Names(requests["traded"], OUTCOMES),
    }


def _panels(scenario: Scenario, asked: Array, count: int) -> tuple[Array, tuple[str, ...]]:
    """Which makers each of `count` requests asked: numbers of panels, and their members' names as one text."""
    if not len(asked):
        return np.zeros(count, np.int32), (", ".join(scenario.maker_names),)
    members, codes = np.unique(asked, axis=0, return_inverse=True)
    panels = (", ".join(name for name, is_asked in zip(scenario.maker_names, row, strict=True) if is_asked) for row in members)
    return codes.reshape(-1).astype(np.int32), tuple(panels)


def arrow_table(columns: Columns) -> pa.Table:
    """Columns as an Arrow table; names become texts."""
    import pyarrow as pa

    def array(values: Array | Names) -> pa.Array:
        if isinstance(values, Names):
            return pa.DictionaryArray.from_arrays(pa.array(values.codes), pa.array(values.names)).dictionary_decode()
        return pa.array(np.ascontiguousarray(values))

    return pa.table({name: array(values) for name, values in columns.items()})


def _replica_and_maker(scenario: Scenario, first: int, shape: tuple[int, ...]) -> Columns:
    replicas, makers = shape
    return {
        "replica": np.repeat(np.arange(replicas, dtype=np.int32) + first, makers),
        "maker": Names(np.tile(np.arange(makers, dtype=np.int32), replicas), scenario.maker_names),
    }
