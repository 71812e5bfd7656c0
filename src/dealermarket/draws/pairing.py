"""Whether two scenarios have common tapes: the same prices and the same orders, replica by replica."""

from __future__ import annotations

from typing import Any

from dealermarket.model.changes import Change, changes
from dealermarket.model.market.impact import NoImpact
from dealermarket.model.scenario import Scenario


def without_impact(scenario: Scenario) -> Scenario:
    """The same, where no hedge moves the mid: tapes hold the mid without impact."""
    return scenario.replace(market=scenario.market.replace(impact=NoImpact()))


def exogenous(scenario: Scenario) -> dict[str, Any]:
    """All that a tape is drawn from, besides the seed: of the makers it is their number, and their names where investors ask
    some by name."""
    by_name = any(isinstance(agent.asks, tuple) for agent in scenario.agents)
    return {
        "steps": scenario.steps,
        "reward_horizon": scenario.reward_horizon,
        "exchange": scenario.exchange,
        "market": without_impact(scenario).market,
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
    found = changes(without_impact(first), without_impact(second))
    return [change for change in found if change.path.partition(".")[0] in fields] + numbers
