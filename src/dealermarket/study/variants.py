"""Variants of a scenario for a study: the same market with other values of a field, label -> scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dealermarket.model.scenario import Scenario, check_scenario

INFINITE = "∞"
"""The risk aversion of a maker that hedges everything at once."""
UNHEDGED = "no hedging"
"""In place of the risk aversion of a maker that hedges nothing."""


def varied(scenario: Scenario, path: str, values: Iterable[float | str]) -> dict[str, Scenario]:
    """The scenario with each of the values at a path such as "makers.0.pricing.alpha"; labels are the values as text.

    Raises ParameterError for a field that is not there, or a value that it cannot have."""
    check_scenario(scenario)
    return {as_label(value): scenario.with_settings(f"{path}={value}") for value in values}


def as_label(value: float | str) -> str:
    """A value as the label of a variant."""
    return value if isinstance(value, str) else f"{value:g}"


def with_risk_aversion(scenario: Scenario, maker: int | str, gamma: str) -> Scenario:
    """The scenario with a maker's (or "*": every maker's) risk aversion γ: a number, INFINITE for hedging everything,
    or UNHEDGED for nothing.

    Makers that weigh cost against risk keep their schedule, optimal or linear; others get the optimal one.
    """
    hedging = f"makers.{maker}.hedging"
    if gamma in (INFINITE, UNHEDGED):
        return scenario.with_settings(f"{hedging}.kind={'full' if gamma == INFINITE else 'none'}")
    weighs = all("risk_aversion" in value for value in scenario.values_at(hedging))
    kind = [] if weighs else [f"{hedging}.kind=optimal"]
    return scenario.with_settings(*kind, f"{hedging}.risk_aversion={float(gamma)}")


def by_risk_aversion(scenario: Scenario, gammas: Sequence[str], maker: int | str = 0) -> dict[str, Scenario]:
    """γ -> the scenario in which a maker has it."""
    return {gamma: with_risk_aversion(scenario, maker, gamma) for gamma in gammas}


def at_volatility(scenario: Scenario, volatility: float) -> Scenario:
    """The scenario at an annual volatility of the mid-price."""
    return scenario.with_settings(f"market.mid_price.volatility={volatility}")
