"""The command `plot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from dealermarket.commands.console import open_console
from dealermarket.commands.options import Run, place, whole
from dealermarket.commands.run_summary import draw
from dealermarket.errors import RunFolderError


def plot(
    run: Run,
    /,
    *,
    out: Annotated[Path | None, place("Where to; the folder plots in the run's folder if not given.")] = None,
    kind: Annotated[Literal["png", "svg"], Parameter(name="--format", help="The files' format.")] = "png",
    replica: Annotated[
        int | None, whole("Whose path the net position shows; that with the largest position if not given.")
    ] = None,
) -> None:
    """Draw a run: P&L, positions, hedging, shares and tiers of clients, prices, markouts.

    Where the run did not record its trades, its first replicas are run again for the figures."""
    from dealermarket.runs.result import SimulationResult

    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunFolderError(f"{out}: exists and is not an empty folder; choose another --out")
    draw(SimulationResult.load(run).check(), out if out is not None else run / "plots", kind, replica, open_console())
