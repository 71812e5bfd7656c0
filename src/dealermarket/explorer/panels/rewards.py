"""The paper's four rewards, added up over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.explorer.panels.view import Array, View, rounded
from dealermarket.explorer.simulation import Simulation
from dealermarket.runs.statistics import MONEY, statistic_named


def rewards(view: View) -> dict[str, Any]:
    """Of one maker, means over the replicas: each of the four rewards (section 3.4) so far, and their sum."""
    shown, name = view.time.shown, view.maker_name
    replicas, own = _so_far(view, view.now, view.maker)
    parts = [
        {"name": part, "label": statistic_named(part).label, "values": rounded(values[shown])} for part, values in own.items()
    ]
    row: dict[str, Any] = {"maker": name, "parts": parts, "total": rounded(_total(own)[shown]), "pinned_total": None}
    before = view.pinned_maker(name)
    if view.pinned is not None and before is not None and view.same_steps:
        row["pinned_total"] = rounded(_total(_so_far(view, view.pinned, before)[1])[shown])
    return {"at": rounded(view.time.at(shown + 1)), "time": view.clock, "unit": MONEY, "replicas": replicas, "makers": [row]}


def _so_far(view: View, simulation: Simulation, maker: int) -> tuple[int, dict[str, Array]]:
    """Of how many replicas, and each reward added up."""
    replicas, means = simulation.mean_rewards(view.replicas)
    return replicas, {name: np.cumsum(values[:, maker]) for name, values in means.items()}


def _total(parts: dict[str, Array]) -> Array:
    return np.asarray(sum(parts.values()))
