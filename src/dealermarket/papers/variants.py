"""Variants of a scenario that several experiments look at: risk aversions, volatilities, and what they cost a maker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dealermarket.model.scenario import Scenario
from dealermarket.study.study import Array, Measures

STUDIED = 0  # the maker that is looked at
INFINITE = "∞"


def with_risk_aversion(scenario: Scenario, maker: int | str, gamma: str) -> Scenario:
    """The scenario with a maker's (or "*": every maker's) risk aversion γ: a number, or INFINITE for hedging everything.

    Makers that weigh cost against risk keep their schedule, optimal or linear; others get the optimal one.
    """
    hedging = f"makers.{maker}.hedging"
    if gamma == INFINITE:
        return scenario.with_settings(f"{hedging}.kind=full")
    weighs = all("risk_aversion" in value for value in scenario.values_at(hedging))
    kind = [] if weighs else [f"{hedging}.kind=optimal"]
    return scenario.with_settings(*kind, f"{hedging}.risk_aversion={float(gamma)}")


def by_gamma(scenario: Scenario, gammas: Sequence[str], maker: int | str = STUDIED) -> dict[str, Scenario]:
    """γ -> the scenario with it."""
    return {gamma: with_risk_aversion(scenario, maker, gamma) for gamma in gammas}


def at_volatility(scenario: Scenario, volatility: float) -> Scenario:
    """The scenario at an annual volatility of the mid-price."""
    return scenario.with_settings(f"market.mid_price.volatility={volatility}")


def cost(measures: Measures) -> Array:
    """Hedging and risk cost of the studied maker in each run, (replicas,), above 0."""
    return np.asarray(-(measures["hedging_cost"] + measures["risk_cost"])[:, STUDIED])


def costs(found: Mapping[str, Measures]) -> Array:
    """The same for every γ, (replicas, γ)."""
    return np.stack([cost(measures) for measures in found.values()], axis=1)
