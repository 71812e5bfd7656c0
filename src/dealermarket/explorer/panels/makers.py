"""Every statistic of every maker, with its interval, and the paired difference to the pinned market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dealermarket.estimates import Estimate, mean
from dealermarket.explorer.panels.view import View, estimates
from dealermarket.runs.statistics import Statistic, statistics
from dealermarket.study.comparison import Paired
from dealermarket.study.labelled import Measures


def makers(view: View) -> dict[str, Any]:
    """The statistics, and a row a maker with its estimates in their order; differences are those of the same replicas."""
    known, names = statistics(), view.scenario.maker_names
    now = view.now.totals(view.replicas)
    rows: list[dict[str, Any]] = [{"maker": name, "pinned": None, "difference": None} for name in names]
    _fill(rows, "now", [mean(each.by_replica(now)) for each in known])
    if view.pinned is not None:
        _compare(view, view.pinned.totals(view.replicas), now, known, rows)
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


def _compare(view: View, before: Measures, now: Measures, known: Sequence[Statistic], rows: Sequence[dict[str, Any]]) -> None:
    """Adds to the rows of makers that both markets have what they were, and the differences."""
    both = [(number, view.pinned_maker(row["maker"])) for number, row in enumerate(rows)]
    here, there = [n for n, other in both if other is not None], [other for _, other in both if other is not None]
    if not here:
        return
    common = [rows[number] for number in here]
    differences = []
    for each in known:
        paired = Paired.of(each.by_replica(before)[:, there], each.by_replica(now)[:, here])
        differences.append((paired.difference, paired.leaves_out_zero.tolist()))
    _fill(common, "pinned", [mean(each.by_replica(before)[:, there]) for each in known])
    _fill(common, "difference", [difference for difference, _ in differences])
    for number, row in enumerate(common):
        for told, (_, sure) in zip(row["difference"], differences, strict=True):
            told["sure"] = sure[number]


def _fill(rows: Sequence[dict[str, Any]], part: str, told: Sequence[Estimate]) -> None:
    """Sets a part of every row to its estimates, one a statistic."""
    columns = [estimates(each) for each in told]
    for number, row in enumerate(rows):
        row[part] = [column[number] for column in columns]
