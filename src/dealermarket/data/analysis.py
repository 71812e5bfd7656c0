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
    """The tables of a desk, and what they were made with.

    The first five tables have a row for each group of requests, with the columns that docs/own-data.md lists under "What a desk
    looks at first". Money is in price units times units of size; columns that end in `_bp` are basis points of volume at the mid;
    `_low` and `_high` are the bounds of a 95 % interval.

    Parameters
    ----------
    total : pandas.DataFrame
        One row: all requests.
    clients : pandas.DataFrame
        A row for each client, the most toxic first.
    tiers : pandas.DataFrame
        A row for each tier of the desk, best first; none where the log has no tiers.
    sides : pandas.DataFrame
        A row for each side of the client, `buy` and `sell`.
    quotes : pandas.DataFrame
        A row for each bin of what the desk quoted, in basis points of the mid.
    markouts : pandas.DataFrame
        A row for each group, horizon and kind of request: `by`, `name`, `of` (asked or won), `horizon` in steps, `requests`,
        `markout_bp` with its bounds.
    book : pandas.DataFrame or None
        Of a run, what no log tells: `statistic`, `value` and `bp` with their bounds. None for a log.
    reward_horizon : int
        After how many steps a trade is judged.
    seconds : float or None
        How long a step is; None where times count steps.
    blocks : int
        How many blocks of time the intervals come from.
    block_steps : int
        How many steps each block has.
    notes : tuple of str
        What was read, and what was left out and why.
    """

    total: pd.DataFrame
    clients: pd.DataFrame
    tiers: pd.DataFrame
    sides: pd.DataFrame
    quotes: pd.DataFrame
    markouts: pd.DataFrame
    book: pd.DataFrame | None
    reward_horizon: int
    seconds: float | None
    blocks: int
    block_steps: int
    notes: tuple[str, ...]

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables that there are, by the name of their field."""
        import pandas as pd

        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: table for name, table in named.items() if isinstance(table, pd.DataFrame)}

    def write(self, folder: str | Path) -> list[Path]:
        """Writes every table into a folder, as CSV and as Parquet.

        In the CSV files, names that a spreadsheet would take for formulas begin with an apostrophe.

        Parameters
        ----------
        folder : str or Path
            A folder that exists. Files of these names in it are replaced.

        Returns
        -------
        list of Path
            The files, two for each table.

        Raises
        ------
        RunFolderError
            A file cannot be written.
        """
        written = []
        for name, table in self.tables().items():
            for kind in ("csv", "parquet"):
                path = Path(folder) / f"{name}.{kind}"
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
    """What a log of requests and a file of mids tell of a desk: its clients, tiers, sides, quotes and markouts.

    Parameters
    ----------
    rfqs : str, Path or pandas.DataFrame
        The log of requests: a CSV or Parquet file, or a frame with the same columns.
    mids : str, Path or pandas.DataFrame, optional
        The mids of the same time. Where left out, those in the log.
    mapped : Mapped, optional
        What the files call their columns, values and times, where that is not clear.
    instrument : str, optional
        Which instrument to choose; needed where the log holds several.
    step_seconds : float, optional
        The length of a step in seconds, above 0. Where left out, the usual time between two mids.
    reward_horizon : int, optional
        After how many steps trades are judged, 1 or more. Where left out, when markouts flatten.

    Returns
    -------
    Analysis
        The tables of the desk, without a book.

    Raises
    ------
    DataError
        A file cannot be read or does not hold what it must, or no session of the mids has two steps.
    ParameterError
        `step_seconds` is not above 0, no session is as long as `reward_horizon`, or what is given is neither a file nor a frame.

    See Also
    --------
    calibrate : the scenario that the same files describe.
    """
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
    """What the log of one maker of a run tells of it, and what only a run knows.

    The run's replicas are run again for the log that the maker would have. The book adds P&L and its parts, hedging and risk
    cost, internalization, and the half-life of the inventory.

    Parameters
    ----------
    run : SimulationResult
        A run that can be run again: neither its tape nor policies were handed in.
    maker : str
        The name of the maker.
    reward_horizon : int, optional
        After how many steps trades are judged, 1 or more. Where left out, the scenario's.
    progress : callable, optional
        Called with the number of market steps done since the last call, from any thread.

    Returns
    -------
    Analysis
        The tables of the maker, with its book.

    Raises
    ------
    ParameterError
        The run has no such maker, or no replica is as long as `reward_horizon`.
    RunFolderError
        The run cannot be run again.
    DataError
        Nobody asked the maker for a quote.
    """
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
