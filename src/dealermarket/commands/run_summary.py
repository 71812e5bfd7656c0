"""What `run`, `inspect` and `plot` say of a run: its makers' table, its numbers as JSON, its figures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.commands.in_words import in_words
from dealermarket.commands.makers_tables import HALF_LIFE, UNITS, makers_tables

if TYPE_CHECKING:
    from rich.console import Console

    from dealermarket.runs.result import SimulationResult


def print_makers(result: SimulationResult, console: Console) -> None:
    """A row a maker, how to read it, and what happened, in words."""
    for table in makers_tables(result, console.width):
        console.print(table)
    console.print(f"{UNITS}\n{HALF_LIFE}", style="dim", highlight=False)
    for sentence in in_words(result):
        console.print(sentence, highlight=False)


def print_json(result: SimulationResult, folder: Path) -> None:
    """Prints what `meta.json` says and each maker's statistics; what is not a number is null."""

    def number(value: Any) -> float | None:
        return float(value) if math.isfinite(value) else None

    makers = {
        maker: {
            name: {
                "mean": number(average.value),
                "standard_error": number(average.error),
                "low": number(average.low),
                "high": number(average.high),
            }
            for name, average in statistics.items()
        }
        for maker, statistics in result.statistics().items()
    }
    print(json.dumps({"folder": str(folder), **result.meta, "makers": makers}, indent=2))


def draw(result: SimulationResult, folder: Path, kind: str, replica: int | None, console: Console) -> None:
    """Draws the figures of a run into a folder, and says which."""
    from dealermarket.plots import save_plots

    written, left_out = save_plots(result, folder, kind, replica)
    console.print(f"drew into {folder}: {', '.join(path.name for path in written)}", highlight=False, soft_wrap=True)
    for reason in left_out:
        console.print(f"left out {reason}", highlight=False, soft_wrap=True)
