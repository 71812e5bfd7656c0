"""Whether two scenarios have common tapes: the same prices and the same orders, replica by replica."""

from __future__ import annotations

from typing import Any

from dealermarket.model.changes import Change, changes
from dealermarket.model.scenario import Scenario


def exogenous(scenario: Scenario) -> dict[str, Any]:
    """All that a tape is drawn from, besides the seed: of the makers it is their number, and their names where investors ask
    some by name."""
    by_name = any(isinstance(agent.asks, tuple) for agent in scenario.agents)
    return {
        "steps": scenario.steps,
        "reward_horizon": scenario.reward_horizon,
        "exchange": scenario.exchange,
        "market": scenario.market,
        "investors": scenario.agents,
        "orders": scenario.orders,
        "makers": scenario.maker_names if by_name else len(scenario.makers),
    }


def unlike_tapes(first: Scenario, second: Scenario) -> list[Change]:
    """What differs of that which tapes are drawn from; nothing where two scenarios have common tapes."""
    one, other = exogenous(first), exogenous(second)
    unlike = [name for name in one if one[name] != other[name]]
    numbers = [Change("makers", one["makers"], other["makers"])] if "makers" in unlike else []
    fields = [name for name in unlike if name != "makers"]
    return [change for change in changes(first, second) if change.path.partition(".")[0] in fields] + numbers
