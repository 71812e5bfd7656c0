"""What a dealer does at its best, in closed form: the markup for a client, and how fast to hedge.

Barzykin, Bergault and Guéant, arXiv 2106.06974, section 3, and arXiv 2112.02269, section 2. Every function takes numbers or
arrays that broadcast. Prices and markups are in bp of the mid, sizes in M (millions of the base currency), times in days.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class BestQuote(NamedTuple):
    """The best answer to a request: `markup` delta* (bp), its `fill` probability, and what it is worth, `value` (bp a M)."""

    markup: Any
    fill: Any
    value: Any


def fill_probability(markup: Any, a: Any, b: Any) -> Any:
    """The probability that a client trades at a markup (bp) over the mid: 1 / (1 + exp(a + b markup)), b in 1/bp."""
    from scipy.special import expit

    return expit(-(a + b * markup))


def best_quote(price: Any, a: Any, b: Any) -> BestQuote:
    """The markup that maximises fill(markup) (markup - price), where `price` (bp) is what the inventory that is left costs.

    With w = W(exp(-1 - a - b price)), W Lambert's function: markup = price + (1 + w) / b, fill = w / (1 + w), value = w / b.
    Wright's omega function is W(exp(x)) without its overflow."""
    from scipy.special import wrightomega

    w = wrightomega(-1.0 - a - b * price)
    return BestQuote(price + (1.0 + w) / b, w / (1.0 + w), w / b)


def best_hedging_rate(gain: Any, linear_cost: Any, quadratic_cost: Any) -> Any:
    """How fast to trade away inventory (M a day), where each M less of it gains `gain` (bp) and a rate v costs
    linear_cost v + quadratic_cost v^2: (gain - linear_cost)^+ / (2 quadratic_cost), which earns quadratic_cost v^2."""
    return np.maximum(gain - linear_cost, 0.0) / (2.0 * quadratic_cost)


def hedging_cost(rate: Any, linear_cost: Any, quadratic_cost: Any) -> Any:
    """What hedging at a rate >= 0 (M a day) costs, bp M a day: L(v)."""
    return (linear_cost + quadratic_cost * rate) * rate
