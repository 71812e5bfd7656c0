"""What a desk looks at first: which clients and tiers cost money, what it wins, and what its trades are worth as time passes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.data.desk_log import horizon_of, read_desk
from dealermarket.data.desk_tables import DeskTables, bounds
from dealermarket.data.export import export
from dealermarket.data.log import Mapped
from dealermarket.data.moves import DEFAULT_HORIZON, longest_horizon
from dealermarket.disk import replacing
from dealermarket.errors import DataError
from dealermarket.estimates import Estimate, ratio
from dealermarket.runs.executors.base import Progress
from dealermarket.runs.statistics.positions import half_life

if TYPE_CHECKING:
    import pandas as pd

    from dealermarket.runs.result import SimulationResult

BOOK = ("client_revenue", "interdealer_revenue", "hedging_cost", "inventory_pnl", "pnl", "risk_cost")
"""Of a run's summary, in money."""
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a cell that begins so for a formula


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tables of a desk; each of the first five has a row a group, with the columns of `DeskTables.table` (docs/own-data.md).

    `blocks` of `block_steps` steps each are what intervals come from; `seconds` is how long a step is, None where times count
    steps."""

    total: pd.DataFrame  # one row
    clients: pd.DataFrame  # the most toxic first
    tiers: pd.DataFrame  # no row where the log has no tiers
    sides: pd.DataFrame
    quotes: pd.DataFrame  # bins of quotes
    markouts: pd.DataFrame  # by, name, of (asked or won), horizon in steps, requests, markout_bp, markout_bp_low, markout_bp_high
    book: pd.DataFrame | None  # of a run: statistic, value and bp with their bounds
    reward_horizon: int
    seconds: float | None
    blocks: int
    block_steps: int
    notes: tuple[str, ...]  # what was read, and what was left out and why

    def tables(self) -> dict[str, pd.DataFrame]:
        """All of them, by name."""
        import pandas as pd

        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in named.items() if isinstance(table, pd.DataFrame)}

    def write(self, folder: Path) -> list[Path]:
        """Writes every table into a folder, as CSV and as Parquet. Raises RunFolderError where that cannot be.

        In the CSV files, names that a spreadsheet would take for formulas begin with an apostrophe."""
        written = []
        for name, table in self.tables().items():
            for kind in ("csv", "parquet"):
                path = folder / f"{name}.{kind}"
                with replacing(path) as unfinished:
                    if kind == "csv":
                        table.map(_as_text).to_csv(unfinished, index=False)
                    else:
                        table.to_parquet(unfinished, index=False)
                written.append(path)
        return written


def _as_text(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell


def analyse(
    rfqs: str | Path | pd.DataFrame,
    mids: str | Path | pd.DataFrame | None = None,
    *,
    mapped: Mapped | None = None,
    instrument: str | None = None,
    step_seconds: float | None = None,
    reward_horizon: int | None = None,
) -> Analysis:
    """What a log of requests and a file of mids tell of a desk; files, or frames with the same columns. Without
    `mids`, those in the log.

    A step takes `step_seconds`, the usual time between two mids where left out. Trades are judged `reward_horizon` steps later,
    where left out when markouts flatten. Raises DataError for what cannot be read, ParameterError for steps and horizons that
    cannot be."""
    read = read_desk(rfqs, mids, mapped, instrument, step_seconds)
    horizon = horizon_of(read, reward_horizon) or min(DEFAULT_HORIZON, longest_horizon(read.recording))
    log, seconds = read.log, read.seconds
    desk = DeskTables(log, read.recording, read.place, horizon)
    return Analysis(
        total=desk.table(desk.as_one),
        clients=desk.clients(),
        tiers=desk.table(desk.by_tier),
        sides=desk.table(desk.by_side),
        quotes=desk.quotes(),
        markouts=desk.markouts(),
        book=None,
        reward_horizon=horizon,
        seconds=seconds if log.time.is_clock else None,
        blocks=len(desk.blocks),
        block_steps=desk.blocks.steps,
        notes=(*read.recording.notes, *log.notes, *desk.notes),
    )


def analyse_run(
    run: SimulationResult, maker: str, *, reward_horizon: int | None = None, progress: Progress | None = None
) -> Analysis:
    """The same of one maker of a run, from the log that it would have (its replicas are run again), and what only a run knows:
    P&L and its parts, hedging and risk cost, internalization, the half-life of the inventory.

    Raises ParameterError for a maker that there is none of, RunFolderError for a run that cannot be run again."""
    files = export(run, maker, progress=progress)
    if files.rfqs.empty:
        raise DataError(f"{maker}: nobody asked it for a quote, so there is nothing to analyse; choose another maker")
    horizon = run.scenario.reward_horizon if reward_horizon is None else reward_horizon
    seconds = run.scenario.market.hours_per_step * 3600.0
    found = analyse(files.rfqs, files.mids, step_seconds=seconds, reward_horizon=horizon)
    return replace(found, book=book(run, maker))


def book(run: SimulationResult, maker: str) -> pd.DataFrame:
    """What only a run knows of a maker: money as the mean of the replicas, and in bp of its clients' volume valued at the initial
    price; then internalization, and the half-life of its position in hours."""
    import pandas as pd

    own = run.summary[run.summary["maker"] == maker]
    worth = own["client_volume"].to_numpy() * run.scenario.market.initial_price
    statistics = run.statistics()[maker]
    rows = []
    for name in BOOK:
        points = ratio(1e4 * own[name].to_numpy(), worth)
        rows.append({"statistic": name, **bounds("value", statistics[name]), **bounds("bp", points)})
    kept = statistics["position_persistence"]
    hours = Estimate(
        *(run.scenario.market.hours_per_step * half_life(part) for part in (kept.value, kept.error, kept.low, kept.high))
    )
    rows.append({"statistic": "internalization", **bounds("value", statistics["internalization"])})
    rows.append({"statistic": "half_life_hours", **bounds("value", hours)})
    return pd.DataFrame(rows)
