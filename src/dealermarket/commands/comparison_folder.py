"""The folder of a comparison: all its numbers as CSV, and its pictures."""

from __future__ import annotations

from pathlib import Path

from dealermarket.disk import write_frame
from dealermarket.study import Comparison

MOST_CHANGES = 3  # that a picture names


def write_folder(comparison: Comparison, maker: str, path: Path) -> None:
    """Writes `makers.csv`, `differences.png`, and where trades were recorded `clients.csv` and of one maker `clients.png`."""
    from dealermarket.plots.comparison import plot_clients, plot_differences
    from dealermarket.plots.drawing import save

    makers, sides = comparison.frame(), _sides(comparison)
    tables, figures = {"makers": makers}, {"differences": plot_differences(makers, sides)}
    if comparison.has_clients:
        tables["clients"] = comparison.clients()
        figures["clients"] = plot_clients(tables["clients"], maker, sides)
    for name, frame in tables.items():
        write_frame(frame, path / f"{name}.csv")
    for name, figure in figures.items():
        save(figure, path / f"{name}.png")


def _sides(comparison: Comparison) -> str:
    """What a and b are, for a picture."""
    a, b, changes = comparison.a.name, comparison.b.name, list(map(str, comparison.changes))
    if not changes:
        return f"a and b: {a}"
    if len(changes) > MOST_CHANGES:
        changes[MOST_CHANGES:] = [f"and {len(changes) - MOST_CHANGES} more"]
    return f"a: {a}; b: {'the same' if a == b else b} with {'; '.join(changes)}"
