"""Net positions over time: one path, and where the replicas are."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.explorer.panels.view import View, rounded
from dealermarket.runs.statistics import ASSET

_BAND = (0.05, 0.5, 0.95)
_MOST_MAKERS = 12


def position(view: View) -> dict[str, Any]:
    """Of every maker, of twelve at most, the path of one replica, the median and the band that holds 90 % of the replicas."""
    shown = view.time.shown
    held = view.now.position(view.replicas)[:, shown]
    pinned = view.pinned.position(view.replicas) if view.pinned is not None and view.same_steps else None
    rows = []
    for number, name in enumerate(view.scenario.maker_names[:_MOST_MAKERS]):
        low, median, high = np.quantile(held[:, :, number], _BAND, axis=0)
        row = {"maker": name, "path": rounded(held[view.replica, :, number])}
        row |= {"median": rounded(median), "low": rounded(low), "high": rounded(high), "pinned": None}
        before = view.pinned_maker(name)
        if pinned is not None and before is not None:
            other = pinned[:, shown, before]
            row["pinned"] = {"path": rounded(other[view.replica]), "median": rounded(np.median(other, axis=0))}
        rows.append(row)
    return {
        "at": rounded(view.time.at(shown)),
        "time": view.clock,
        "unit": ASSET,
        "replica": view.replica,
        "makers": rows,
        "left_out": max(len(view.scenario.makers) - _MOST_MAKERS, 0),
    }
