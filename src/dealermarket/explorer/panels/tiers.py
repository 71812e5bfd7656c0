"""The tier in which a maker holds each client, over time, in one replica."""

from __future__ import annotations

from typing import Any

from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import TapeSource
from dealermarket.explorer.panels.view import View, rounded
from dealermarket.plots.held_tiers import Seeing
from dealermarket.runs.chunks import Simulator

_MOST_CLIENTS = 100


def tiers(view: View) -> dict[str, Any]:
    """Of one maker and replica; 0 is the best tier. No record has tiers: the replica runs again, watched step by step."""
    scenario, shown, replica = view.scenario, view.time.shown, view.replica
    seeing = Seeing(scenario, view.maker_name, shown, replica)
    tape = TapeSource(scenario).draw(first_episodes(view.now.seed, range(replica, replica + 1)))
    simulator = Simulator(scenario, "summary", {view.maker_name: seeing}, view.now.seed)
    simulator.run(range(replica, replica + 1), tape, lambda _: None)
    return {
        "maker": view.maker_name,
        "at": rounded(view.time.at(shown)),
        "time": view.clock,
        "clients": [agent.name for agent in scenario.agents[:_MOST_CLIENTS]],
        "tiers": seeing.path[:_MOST_CLIENTS].tolist(),
        "count": scenario.makers[view.maker].tiering.tiers,
        "replica": replica,
        "left_out": max(len(scenario.agents) - _MOST_CLIENTS, 0),
    }
