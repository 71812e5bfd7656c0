"""The command `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dealermarket.commands.console import announce_compiling, open_console, progress
from dealermarket.commands.options import Run, flag, place


def export(
    run: Run,
    /,
    *,
    maker: Annotated[str, Parameter(help="Whose files.")],
    out: Annotated[Path, place("The folder that they go into.")],
    parquet: Annotated[bool, flag("Write Parquet instead of CSV.")] = False,
) -> None:
    """Write what one maker of a run would have in its files: the requests that it was asked for, with its quotes, and mids.

    The replicas of the run are run again; they follow each other, with a day of rest in between."""
    from dealermarket.data.export import export as exported
    from dealermarket.runs.result import SimulationResult

    result, quiet = SimulationResult.load(run), open_console(stderr=True)
    announce_compiling(quiet, result.scenario)
    with progress(quiet, result.meta["replicas"] * result.scenario.steps) as report:
        files = exported(result, maker, progress=report)
    written = files.write(out, parquet)
    for path, frame in zip(written, (files.rfqs, files.mids), strict=True):
        open_console().print(f"{path}: {len(frame):,} rows", highlight=False, soft_wrap=True)
