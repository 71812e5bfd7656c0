"""Numbers and estimates in sentences and cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dealermarket.estimates import Estimate
    from dealermarket.model.scenario import Scenario


def number(value: float, digits: int, scale: float = 1.0) -> str:
    """A number as it is printed: rounded, thousands apart, a real minus, no minus before zero."""
    if not math.isfinite(value):
        return "–"
    text = f"{scale * value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def bracketed(estimate: Estimate, digits: int, scale: float = 1.0) -> str:
    """One estimate with its 95 % interval, for sentences."""
    value, low, high = (number(float(bound), digits, scale) for bound in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def p_value(p: float) -> str:
    """A p-value, for sentences."""
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3)}"


def counted(count: int, noun: str) -> str:
    """How many of something there are: "1 run", "2 runs"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def basis_points(scenario: Scenario) -> float:
    """What turns price units into basis points of the initial price."""
    return 1e4 / scenario.market.mid_price.initial
