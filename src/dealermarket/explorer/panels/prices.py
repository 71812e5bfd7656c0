"""What makers quote by size and tier, beside the exchange: their formulas, without a simulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.explorer.panels.view import Array, View, rounded
from dealermarket.model.scenario import Scenario
from dealermarket.plots.prices import BASIS_POINTS, per_price, traded_sizes
from dealermarket.runs.statistics import ASSET

_SIZES = 101
_MOST_MAKERS, _MOST_TIERS = 12, 10


def prices(view: View) -> dict[str, Any]:
    """Spreads by size at the mean reference spread, without skew, of each maker's tiers, ten at most, and of the exchange."""
    scenario = view.scenario
    sizes = traded_sizes(scenario, _SIZES)
    pinned = None if view.pinned is None else view.pinned.scenario
    rows = []
    for number, maker in enumerate(scenario.makers[:_MOST_MAKERS]):
        before = view.pinned_maker(maker.name)
        count = maker.tiering.tiers
        tiers = []
        for tier in sorted({*np.linspace(0, count - 1, min(count, _MOST_TIERS)).astype(int).tolist()}):
            told = {"tier": tier, "spread": rounded(_spread(scenario, number, sizes, tier)), "pinned": None}
            if pinned is not None and before is not None:
                deepest = pinned.makers[before].tiering.tiers - 1
                within = np.minimum(sizes, pinned.exchange.largest_trade)
                told["pinned"] = rounded(_spread(pinned, before, within, min(tier, deepest)))
            tiers.append(told)
        rows.append({"maker": maker.name, "tiers": tiers})
    reference = per_price(scenario, BASIS_POINTS) * scenario.exchange.reference_spread(sizes, scenario.market.mean_spread)
    return {
        "sizes": rounded(sizes),
        "size_unit": ASSET,
        "unit": "bp" if scenario.market.spreads_scale_with_price else "bp of the initial price",
        "exchange": rounded(reference),
        "makers": rows,
        "left_out": max(len(scenario.makers) - _MOST_MAKERS, 0),
    }


def _spread(scenario: Scenario, maker: int, sizes: Array, tier: int) -> Array:
    """What a maker charges per unit, in basis points."""
    pricing = scenario.makers[maker].pricing
    spread = pricing.spread(sizes, tier, scenario.market.mean_spread, scenario.exchange)
    return np.asarray(per_price(scenario, BASIS_POINTS) * spread)
