"""Numbers and estimates in sentences and cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dealermarket.model.market.environment import MarketEnvironment
    from dealermarket.model.scenario import Scenario

_MOST_MORE_DIGITS = 5
_UNITS = (("day", 24 * 60 * 60), ("hour", 60 * 60), ("minute", 60), ("second", 1))


def number(value: float, digits: int, scale: float = 1.0) -> str:
    """A number as it is printed: rounded, thousands apart, a real minus, no minus before zero."""
    if not math.isfinite(value):
        return "–"
    text = f"{scale * value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def interval(value: float, low: float, high: float, digits: int, scale: float = 1.0) -> str:
    """A value with its 95 % interval: `3.2 ± 0.4` where it lies in the middle, else `3.2 [3.0, 3.7]`."""
    shown, half = number(value, digits, scale), (high - low) / 2
    if not math.isfinite(half) or math.isclose(value - low, high - value, rel_tol=1e-6, abs_tol=1e-9 * abs(value)):
        return f"{shown} ± {number(half, digits, scale)}"
    return f"{shown} [{number(low, digits, scale)}, {number(high, digits, scale)}]"


def estimated(estimate: Estimate, digits: int, scale: float = 1.0) -> str:
    """One estimate with its 95 % interval, for sentences; with more digits where rounding would move 0 into it or out of it."""
    value, low, high = float(estimate.value), float(estimate.low), float(estimate.high)
    for more in range(_MOST_MORE_DIGITS):
        half = round(scale * (high - low) / 2, digits + more)
        shown = [round(scale * bound, digits + more) for bound in (value, low, high)]
        if all(_side(*bounds) == _side(low, high) for bounds in (shown[1:], (shown[0] - half, shown[0] + half))):
            return interval(value, low, high, digits + more, scale)
    return interval(value, low, high, digits, scale)


def _side(low: float, high: float) -> int:
    """On which side of 0 an interval lies; 0 where 0 is in it."""
    return int(low > 0) - int(high < 0)


def comparisons(count: int) -> str:
    """What is said of an interval that is wider than that of one comparison."""
    return f"interval widened for {count} comparisons" if count > 1 else "95 % interval"


def counted(count: int, noun: str) -> str:
    """How many of something there are: "1 run", "2 runs"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def basis_points(scenario: Scenario) -> float:
    """What turns price units into basis points of the initial price."""
    return 1e4 / scenario.market.mid_price.initial


def duration(market: MarketEnvironment, steps: int = 1) -> str:
    """How long some steps take in a market that is open all day: "15 minutes", "1 hour", "1.5 days"."""
    seconds = steps * 24 * 60 * 60 / market.steps_per_day
    unit, length = next(((unit, length) for unit, length in _UNITS if seconds >= length), _UNITS[-1])
    count = f"{seconds / length:.4g}"
    return f"{count} {unit}" + ("" if count == "1" else "s")


def in_steps(market: MarketEnvironment) -> str:
    """The label of an axis of time in steps."""
    return f"step ({duration(market)} each)"
