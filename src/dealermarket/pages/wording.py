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
    """A number as it is printed: rounded, thousands apart, a real minus sign, and no minus before zero.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Its decimals.
    scale : float
        What it is multiplied by first.

    Returns
    -------
    str
        The number, or "–" where it is not finite.

    Examples
    --------
    >>> from dealermarket.papers import number
    >>> number(1234.5678, 2), number(-0.001, 2), number(0.25, 1, scale=100.0), number(float("nan"), 2)
    ('1,234.57', '0.00', '25.0', '–')
    """
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
    """One estimate with its 95 % interval, for a sentence: `3.2 ± 0.4` where the value lies in the middle, else `3.2 [3.0, 3.7]`.

    Parameters
    ----------
    estimate : Estimate
        A single number.
    digits : int
        Its decimals; up to four more where rounding would move 0 into the interval or out of it.
    scale : float
        What the numbers are multiplied by first.

    Returns
    -------
    str
        The value, with its interval where there is one.
    """
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
    """What turns price units into basis points of the initial price.

    Parameters
    ----------
    scenario : Scenario
        The market.

    Returns
    -------
    float
        The factor: 10,000 over the mid at step 0.
    """
    return 1e4 / scenario.market.initial_price


def in_steps(market: MarketEnvironment) -> str:
    """The label of an axis of time in steps."""
    return f"step ({duration(market)} each)"
