"""Claims and their outcomes: how an interval, or a comparison with a known value, decides a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from dealermarket.estimates import Estimate


class Outcome(StrEnum):
    """What becomes of a claim in a run.

    Attributes
    ----------
    HOLDS
        The claim holds.
    FAILS
        It fails.
    UNDECIDED
        So few runs cannot tell.
    """

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
    """A claim, whether it holds, and the numbers that say so.

    Parameters
    ----------
    name : str
        Short, for the heading of a column.
    claim : str
        What is claimed, in a sentence.
    outcome : Outcome
        What became of it.
    evidence : str
        The numbers that it rests on, in words.
    """

    name: str
    claim: str
    outcome: Outcome
    evidence: str


def decided(holds: ArrayLike, fails: ArrayLike) -> Outcome:
    """The outcome of a claim on several numbers.

    It holds where all of them say so, fails where one says the opposite, and is undecided else.

    Parameters
    ----------
    holds : array_like of bool
        Of each number, whether it says that the claim holds.
    fails : array_like of bool
        Of each number, whether it says that the claim fails.

    Returns
    -------
    Outcome
        Of the numbers together.

    Examples
    --------
    >>> from dealermarket.papers import decided
    >>> decided([True, True], [False, False]).value, decided([True, False], [False, False]).value
    ('holds', 'undecided')
    """
    return Outcome.HOLDS if np.all(holds) else Outcome.FAILS if np.any(fails) else Outcome.UNDECIDED


def above(interval: Estimate, bound: float = 0.0, *, or_equal: bool = False, refuted_by: Estimate | None = None) -> Outcome:
    """The outcome of the claim that a number, or every number of an array, is above a bound.

    It holds where the whole interval of each is above, and fails where the whole interval of one is below.

    Parameters
    ----------
    interval : Estimate
        The number or the array, with 95 % intervals.
    bound : float
        The bound, in the unit of the numbers.
    or_equal : bool
        Whether an interval may begin at the bound.
    refuted_by : Estimate, optional
        The same numbers at a level at which all intervals are right at once. They decide whether the claim fails, where it must
        hold at each of many points by itself.

    Returns
    -------
    Outcome
        Of all numbers together.
    """
    against = refuted_by or interval
    return decided(interval.low >= bound if or_equal else interval.low > bound, against.high < bound)


def below(interval: Estimate, bound: float = 0.0, *, refuted_by: Estimate | None = None) -> Outcome:
    """The outcome of the claim that a number, or every number of an array, is below a bound.

    It holds where the whole interval of each is below, and fails where the whole interval of one is above.

    Parameters
    ----------
    interval : Estimate
        The number or the array, with 95 % intervals.
    bound : float
        The bound, in the unit of the numbers.
    refuted_by : Estimate, optional
        The same numbers at a level at which all intervals are right at once, which decide whether the claim fails; see `above`.

    Returns
    -------
    Outcome
        Of all numbers together.
    """
    against = refuted_by or interval
    return decided(interval.high < bound, against.low > bound)


def agrees(interval: Estimate, expected: ArrayLike, known: float, margin: float) -> Outcome:
    """The outcome of the claim that a number is the expected one, or that all numbers of an array are.

    It fails where an interval leaves the expected value out. It holds where none does and all numbers are known well enough;
    without that, agreement would mean nothing.

    Parameters
    ----------
    interval : Estimate
        The number or the array, with intervals.
    expected : array_like
        The expected values; of one shape with the numbers, or one for all.
    known : float
        To within what all numbers are known, such as their largest half interval.
    margin : float
        To within what they must be known for the claim to hold, in the unit of `known`.

    Returns
    -------
    Outcome
        Of all numbers together.
    """
    inside = (interval.low <= expected) & (expected <= interval.high)
    outside = (expected < interval.low) | (expected > interval.high)  # an interval of NaN is neither
    return decided(np.append(inside, known <= margin), outside)


def overall(*outcomes: Outcome) -> Outcome:
    """The outcome of claims together: they hold where all hold, and fail where one fails.

    Parameters
    ----------
    *outcomes : Outcome
        Those of the claims.

    Returns
    -------
    Outcome
        Of all of them; of no claims, that they hold.
    """
    return decided([outcome is Outcome.HOLDS for outcome in outcomes], [outcome is Outcome.FAILS for outcome in outcomes])


def counted_outcomes(outcomes: Sequence[Outcome | None], zeros: bool = False) -> str:
    """How many there are of each outcome, such as "12 hold, 1 fails"; those that no claim has only if `zeros`."""
    counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
    return ", ".join(f"{count} {_NUMBERS[outcome][count != 1]}" for outcome, count in counts.items() if count or zeros)
