"""The command `inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dealermarket.commands.console import open_console
from dealermarket.commands.options import Run, flag
from dealermarket.commands.run_summary import print_json, print_makers
from dealermarket.lock import in_use
from dealermarket.program import program


def inspect(run: Run, /, *, as_json: Annotated[bool, flag("Print the numbers as JSON.", "--json")] = False) -> None:
    """Show what is in the folder of a run, once its files are found to be what was written."""
    import pyarrow.parquet as pq
    from rich.table import Table

    from dealermarket.runs.result import SimulationResult

    result = SimulationResult.load(run).check()
    if as_json:
        print_json(result, run)
        return
    meta = result.meta
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_row("scenario", ": ".join(filter(None, (result.scenario.name, result.scenario.description))))
    table.add_row("state", "complete" if result.complete else _unfinished(run))
    for name in ("replicas", "steps", "seed", "record", "version", "capped_orders", "seconds"):
        table.add_row(name.replace("_", " "), str(meta.get(name, "not known yet")))
    for name, kept in sorted(meta["files"].items()):
        rows = pq.read_metadata(run / name).num_rows
        table.add_row(name, f"{rows:,} rows, {kept['bytes'] / 1e6:,.2f} MB")
    console = open_console()
    console.print(table)
    print_makers(result, console)


def _unfinished(run: Path) -> str:
    if in_use(run):
        return "under way: a process works in it"
    return f"incomplete; finish it with: {program()} run --resume {run}"
