"""How a maker's P&L ends: a histogram over the replicas."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.estimates import tail
from dealermarket.explorer.panels.view import View, exactly, rounded
from dealermarket.plots.fan import middle
from dealermarket.plots.pnl import bins_of
from dealermarket.runs.statistics import MONEY


def pnl(view: View) -> dict[str, Any]:
    """Of one maker; the outermost bars hold what lies beyond the middle 98 % of the replicas of both markets."""
    own = view.now.totals(view.replicas)["pnl"][:, view.maker]
    before = view.pinned_maker(view.maker_name)
    other = None if view.pinned is None or before is None else view.pinned.totals(view.replicas)["pnl"][:, before]
    low, high = middle(own if other is None else np.concatenate([own, other]))
    edges = np.linspace(low, high, bins_of(len(own)) + 1)
    return {
        "maker": view.maker_name,
        "unit": MONEY,
        "edges": rounded(edges),
        "counts": np.histogram(np.clip(own, low, high), edges)[0].tolist(),
        "pinned": None if other is None else np.histogram(np.clip(other, low, high), edges)[0].tolist(),
        "mean": exactly(own.mean()),
        "tail": exactly(tail(own)),
        "pinned_mean": None if other is None else exactly(other.mean()),
    }
