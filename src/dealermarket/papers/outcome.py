"""Claims and their outcomes: how an interval, a comparison with a known value or a p-value decides a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from dealermarket.estimates import Estimate
from dealermarket.papers.wording import p_value

SIGNIFICANCE = 0.01
"""The one-sided p-value below which the sign of an effect is decided."""


class Outcome(StrEnum):
    """Whether a claim holds in the run, fails in it, or cannot be told with so few runs."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"

    @property
    def sign(self) -> str:
        """One character, for tables."""
        return {Outcome.HOLDS: "✓", Outcome.FAILS: "✗", Outcome.UNDECIDED: "?"}[self]


_NUMBERS = {  # how an outcome is counted, of one and of more
    Outcome.HOLDS: ("holds", "hold"),
    Outcome.FAILS: ("fails", "fail"),
    Outcome.UNDECIDED: ("is undecided", "are undecided"),
}


@dataclass(frozen=True)
class Verdict:
    """A claim, whether it holds, and the numbers that say so. `name` is short, for the heading of a column."""

    name: str
    claim: str
    outcome: Outcome
    evidence: str


def decided(holds: ArrayLike, fails: ArrayLike) -> Outcome:
    """A claim on several numbers holds where all of them say so, fails where one says the opposite, and is undecided else."""
    return Outcome.HOLDS if np.all(holds) else Outcome.FAILS if np.any(fails) else Outcome.UNDECIDED


def above(interval: Estimate, bound: float = 0.0, *, or_equal: bool = False, refuted_by: Estimate | None = None) -> Outcome:
    """The claim that a number, or every number of an array, is above a bound: whether the whole interval is.

    It fails where an interval is below the bound, or one of `refuted_by`: the same numbers at a level at which all intervals
    are right at once, for a claim that must hold at each of many points by itself."""
    against = refuted_by or interval
    return decided(interval.low >= bound if or_equal else interval.low > bound, against.high < bound)


def below(interval: Estimate, bound: float = 0.0, *, refuted_by: Estimate | None = None) -> Outcome:
    """The claim that a number, or every number of an array, is below a bound; see `above`."""
    against = refuted_by or interval
    return decided(interval.high < bound, against.low > bound)


def agrees(interval: Estimate, expected: ArrayLike, known: float, margin: float) -> Outcome:
    """The claim that a number is the expected one, or that all numbers of an array are.

    It fails where an interval leaves the expected value out, and holds where none does and all numbers are `known` to within
    a margin, without which agreement would mean nothing."""
    inside = (interval.low <= expected) & (expected <= interval.high)
    outside = (expected < interval.low) | (expected > interval.high)  # an interval of NaN is neither
    return decided(np.append(inside, known <= margin), outside)


def significant(p: float) -> Outcome:
    """The claim that an effect is above 0, by the one-sided p-value of its absence."""
    return decided(p < SIGNIFICANCE, p > 1 - SIGNIFICANCE)


def signed(name: str, claim: str, p: float, evidence: str) -> Verdict:
    """A verdict on the sign of an effect, from the one-sided p-value of its absence."""
    return Verdict(name, claim, significant(p), f"{evidence}, {p_value(p)}.")


def overall(*outcomes: Outcome) -> Outcome:
    """Of claims together: they hold where all hold, and fail where one fails."""
    return decided([outcome is Outcome.HOLDS for outcome in outcomes], [outcome is Outcome.FAILS for outcome in outcomes])


def counted_outcomes(outcomes: Sequence[Outcome | None], zeros: bool = False) -> str:
    """How many there are of each outcome, such as "12 hold, 1 fails"; those that no claim has only if `zeros`."""
    counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
    return ", ".join(f"{count} {_NUMBERS[outcome][count != 1]}" for outcome, count in counts.items() if count or zeros)
