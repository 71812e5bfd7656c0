"""The folder of a comparison: all its numbers as CSV, and its pictures."""

from __future__ import annotations

from pathlib import Path

from dealermarket.disk import replacing
from dealermarket.study import Comparison


def write_folder(comparison: Comparison, maker: str, path: Path) -> None:
    """Writes `makers.csv`, `differences.png`, and where trades were recorded `clients.csv` and of one maker `clients.png`."""
    from dealermarket.plots.comparison import plot_clients, plot_differences, save

    makers = comparison.frame()
    tables, figures = {"makers": makers}, {"differences": plot_differences(makers)}
    if comparison.has_clients:
        tables["clients"] = comparison.clients()
        figures["clients"] = plot_clients(tables["clients"], maker)
    for name, frame in tables.items():
        with replacing(path / f"{name}.csv") as temporary:
            frame.to_csv(temporary, index=False)
    for name, figure in figures.items():
        save(figure, path / f"{name}.png")
