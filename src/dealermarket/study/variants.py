"""Variants of a scenario for a study: the same market with other values of a field, label -> scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario, check_scenario

INFINITE = "∞"
"""The risk aversion of a maker that hedges everything at once."""
UNHEDGED = "no hedging"
"""In place of the risk aversion of a maker that hedges nothing."""


def varied(scenario: Scenario, path: str, values: Iterable[float | str]) -> dict[str, Scenario]:
    """The variants of a scenario that have each of some values in a field.

    Parameters
    ----------
    scenario : Scenario
        The market.
    path : str
        The field, such as "makers.0.pricing.alpha".
    values : iterable of float or str
        The values.

    Returns
    -------
    dict of str to Scenario
        By label, which is the value as a text.

    Raises
    ------
    ParameterError
        There is no such field, or it cannot have a value.

    Examples
    --------
    >>> from dealermarket import Scenario
    >>> from dealermarket.study import varied
    >>> list(varied(Scenario.load("paper"), "makers.0.pricing.alpha", (1.3, 1.5)))
    ['1.3', '1.5']
    """
    check_scenario(scenario)
    return {as_label(value): scenario.with_settings(f"{path}={value}") for value in values}


def as_label(value: float | str) -> str:
    """A value as the label of a variant."""
    return value if isinstance(value, str) else f"{value:g}"


def with_risk_aversion(scenario: Scenario, maker: int | str, gamma: str) -> Scenario:
    """A scenario in which a maker has another risk aversion γ.

    Makers that weigh cost against risk keep their schedule, optimal or linear; others get the optimal one.

    Parameters
    ----------
    scenario : Scenario
        The market.
    maker : int or str
        The number or the name of the maker; "*" for all.
    gamma : str
        A number, 0 or more; `INFINITE` for hedging everything at once; or `UNHEDGED` for nothing.

    Returns
    -------
    Scenario
        The variant.

    Raises
    ------
    ScenarioError
        There is no such maker, or it cannot have this risk aversion.
    ParameterError
        `gamma` is neither a number nor one of the two words.
    """
    hedging = f"makers.{maker}.hedging"
    if gamma in (INFINITE, UNHEDGED):
        return scenario.with_settings(f"{hedging}.kind={'full' if gamma == INFINITE else 'none'}")
    weighs = all("risk_aversion" in value for value in scenario.values_at(hedging))
    kind = [] if weighs else [f"{hedging}.kind=optimal"]
    try:
        number = float(gamma)
    except ValueError:
        raise ParameterError(f"gamma: must be a number, {INFINITE!r} or {UNHEDGED!r}, got {gamma!r}") from None
    return scenario.with_settings(*kind, f"{hedging}.risk_aversion={number}")


def by_risk_aversion(scenario: Scenario, gammas: Sequence[str], maker: int | str = 0) -> dict[str, Scenario]:
    """The variants of a scenario in which a maker has each of some risk aversions γ.

    Parameters
    ----------
    scenario : Scenario
        The market.
    gammas : sequence of str
        Risk aversions, as `with_risk_aversion` takes them.
    maker : int or str
        The number or the name of the maker; "*" for all.

    Returns
    -------
    dict of str to Scenario
        By risk aversion.

    Raises
    ------
    ScenarioError
        There is no such maker, or it cannot have one of them.
    ParameterError
        One of them is neither a number nor one of the two words.
    """
    return {gamma: with_risk_aversion(scenario, maker, gamma) for gamma in gammas}


def at_volatility(scenario: Scenario, volatility: float) -> Scenario:
    """A scenario at another volatility of the mid.

    Parameters
    ----------
    scenario : Scenario
        The market.
    volatility : float
        The annual volatility, as a share of the price: 0.1 is 10 %.

    Returns
    -------
    Scenario
        The variant.

    Raises
    ------
    ScenarioError
        The mid cannot have this volatility, or is recorded and has none of its own.
    """
    return scenario.with_settings(f"market.mid_price.volatility={volatility}")
