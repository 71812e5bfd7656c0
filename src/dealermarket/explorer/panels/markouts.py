"""What a trade is worth to its maker as time passes, by client."""

from __future__ import annotations

from typing import Any

import numpy as np

from dealermarket.estimates import ratio
from dealermarket.explorer.panels.view import View, rounded
from dealermarket.explorer.simulation import longest_markout
from dealermarket.plots.markouts import client_groups
from dealermarket.plots.prices import BASIS_POINTS


def markouts(view: View) -> dict[str, Any]:
    """Worth of a unit h steps after the trade, before spread, all makers together, with 95 % intervals: by client, or by how
    often clients are informed where there are many; of the first replicas."""
    scenario, measured = view.scenario, view.now.markouts()
    groups = client_groups(scenario)
    volume = np.stack([measured["by_investor_volume"][:, clients].sum(axis=1) for clients in groups.values()], axis=1)
    worth = np.stack([measured["by_investor"][:, clients].sum(axis=1) for clients in groups.values()], axis=1)
    told = ratio(worth, np.broadcast_to(volume[:, :, None], worth.shape)).scaled(BASIS_POINTS / scenario.market.initial_price)
    informed = [bool(scenario.agents[int(clients[0])].oracle_probability > 0) for clients in groups.values()]
    columns = zip(groups, informed, rounded(told.value), rounded(told.low), rounded(told.high), strict=True)
    return {
        "horizons": list(range(longest_markout(scenario) + 1)),
        "unit": "bp of the initial price",
        "replicas": len(volume),
        "reward_horizon": scenario.reward_horizon,
        "clients": [
            {"client": label, "informed": knows, "values": values, "low": low, "high": high}
            for label, knows, values, low, high in columns
        ],
    }
