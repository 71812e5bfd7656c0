"""Every statistic of every maker, with its interval, and the paired difference to the pinned market."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.estimates import Estimate, mean
from dealermarket.explorer.panels.view import View, estimates
from dealermarket.runs.statistics import Statistic, statistics
from dealermarket.study.comparison import Paired


def makers(view: View) -> dict[str, Any]:
    """The statistics, and a row a maker with its estimates in their order; differences are those of the same replicas."""
    known = statistics()
    now = view.now.totals(view.replicas)
    pinned = None if view.pinned is None else view.pinned.totals(view.replicas)
    rows = []
    for number, name in enumerate(view.scenario.maker_names):
        own = {column: values[:, number] for column, values in now.items()}
        row: dict[str, Any] = {"maker": name, "now": _estimates(own, known), "pinned": None, "difference": None}
        before = view.pinned_maker(name)
        if pinned is not None and before is not None:
            other = {column: values[:, before] for column, values in pinned.items()}
            row["pinned"] = _estimates(other, known)
            row["difference"] = [_difference(other, own, statistic) for statistic in known]
        rows.append(row)
    heads = [
        {
            "name": each.name,
            "heading": each.label,
            "unit": "%" if each.percent else each.unit,
            "scale": each.scale,
            "meaning": each.meaning,
            "more_is_better": each.more_is_better,
        }
        for each in known
    ]
    return {"statistics": heads, "rows": rows}


def _estimates(columns: dict[str, Any], known: tuple[Statistic, ...]) -> list[dict[str, Any]]:
    return estimates(Estimate.stacked(mean(each.by_replica(columns)) for each in known))


def _difference(pinned: dict[str, Any], now: dict[str, Any], statistic: Statistic) -> dict[str, Any]:
    paired = Paired.of(statistic.by_replica(pinned), statistic.by_replica(now))
    (told,) = estimates(Estimate.stacked([paired.difference]))
    return told | {"sure": bool(np.all(paired.leaves_out_zero))}
