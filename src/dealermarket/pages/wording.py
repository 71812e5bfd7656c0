"""Numbers and estimates in sentences and cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dealermarket.model.market.environment import duration

if TYPE_CHECKING:
    from dealermarket.estimates import Estimate
    from dealermarket.model.market.environment import MarketEnvironment
    from dealermarket.model.scenario import Scenario

_MOST_MORE_DIGITS = 5


def number(value: float, digits: int, scale: float = 1.0) -> str:
    """A number as it is printed: rounded, thousands apart, a real minus, no minus before zero."""
    if not math.isfinite(value):
        return "–"
    text = f"{scale * value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def interval(value: float, low: float, high: float, digits: int, scale: float = 1.0) -> str:
    """A value with its 95 % interval: `3.2 ± 0.4` where it lies in the middle, else `3.2 [3.0, 3.7]`."""
    shown = number(value, digits, scale)
    if _in_the_middle(value, low, high):
        return f"{shown} ± {number((high - low) / 2, digits, scale)}"
    return f"{shown} [{number(low, digits, scale)}, {number(high, digits, scale)}]"


def estimated(estimate: Estimate, digits: int, scale: float = 1.0) -> str:
    """One estimate with its 95 % interval, for sentences; with more digits where rounding would move 0 into it or out of it."""
    value, low, high = (float(bound) for bound in (estimate.value, estimate.low, estimate.high))

    def rounded(digits: int) -> tuple[float, float]:
        """The interval as a reader works it out."""
        if not _in_the_middle(value, low, high):
            return round(scale * low, digits), round(scale * high, digits)
        middle, half = round(scale * value, digits), round(scale * (high - low) / 2, digits)
        return middle - half, middle + half

    enough = (more for more in range(digits, digits + _MOST_MORE_DIGITS) if _side(*rounded(more)) == _side(low, high))
    return interval(value, low, high, next(enough, digits), scale)


def _in_the_middle(value: float, low: float, high: float) -> bool:
    """Whether a value lies in the middle of its interval; also where there is no interval."""
    return not math.isfinite(high - low) or math.isclose(value - low, high - value, rel_tol=1e-6, abs_tol=1e-9 * abs(value))


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
    return 1e4 / scenario.market.initial_price


def in_steps(market: MarketEnvironment) -> str:
    """The label of an axis of time in steps."""
    return f"step ({duration(market)} each)"
