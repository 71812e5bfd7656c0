"""What is to be made as large as it can be: statistics of one maker, weighted, less a multiple of their standard deviation."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.frozen import FrozenMapping
from dealermarket.runs.statistics import Statistic, statistic_named
from dealermarket.study.labelled import Measures

Array = NDArray[Any]

_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\s*\*\s*)?([A-Za-z_]\w*)\s*")


@dataclass(frozen=True)
class Objective:
    """What is to be made as large as it can be.

    A weighted sum of a maker's statistics, less a multiple of its standard deviation between replicas.

    Parameters
    ----------
    weights : mapping of str to float
        By statistic, such as "pnl" or "mean_abs_position", its weight, not 0. Statistics have their own units.
    risk : float
        How many standard deviations of the sum between replicas are taken off, 0 or more.

    Raises
    ------
    ParameterError
        A statistic is not declared, no statistic is named, or a weight or the risk cannot be.

    Examples
    --------
    >>> from dealermarket.questions import Objective
    >>> Objective.parsed("pnl - 0.5*mean_abs_position", risk=1.0)
    Objective(weights={'pnl': 1.0, 'mean_abs_position': -0.5}, risk=1.0)
    """

    weights: Mapping[str, float]
    risk: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", FrozenMapping(self.weights))
        for name, weight in self.weights.items():
            statistic_named(name)
            if not math.isfinite(weight) or weight == 0:
                raise ParameterError(f"{name}: its weight must be a finite number that is not 0, got {weight!r}")
        if not self.weights:
            raise ParameterError("measure: must name a statistic, such as pnl")
        if not 0 <= self.risk < math.inf:
            raise ParameterError(f"risk: must be a finite number of standard deviations, 0 or more, got {self.risk!r}")

    @classmethod
    def parsed(cls, text: str, risk: float = 0.0) -> Objective:
        """The objective that a text names.

        A statistic alone of which less is better is made as small as it can be.

        Parameters
        ----------
        text : str
            Such as "pnl", or "pnl + 0.5*risk_cost".
        risk : float
            How many standard deviations of the sum between replicas are taken off, 0 or more.

        Returns
        -------
        Objective
            With the weights of the text.

        Raises
        ------
        ParameterError
            The text looks otherwise, or a statistic, a weight or the risk cannot be.
        """
        weights: dict[str, float] = {}
        at = 0
        while at < len(text):
            term = _TERM.match(text, at)
            if term is None or (at > 0 and not term[1]):
                raise ParameterError(f"measure {text!r}: must look like pnl, or pnl - 0.5*mean_abs_position")
            number = 1.0 if term[2] is None else float(term[2])
            weights[term[3]] = weights.get(term[3], 0.0) + (-number if term[1] == "-" else number)
            at = term.end()
        if len(weights) == 1 and re.fullmatch(r"\s*[A-Za-z_]\w*\s*", text):
            weights = {name: -1.0 if statistic_named(name).more_is_better is False else 1.0 for name in weights}
        return cls(weights, risk)

    def __str__(self) -> str:
        parts = []
        for n, (name, weight) in enumerate(self.weights.items()):
            sign = "-" if weight < 0 else "" if n == 0 else "+"
            size = "" if abs(weight) == 1 else f"{abs(weight):g}*"
            parts.append(f"{sign} {size}{name}" if n else f"{sign}{size}{name}")
        less = f", less {self.risk:g} standard deviations" if self.risk else ""
        return " ".join(parts) + less

    @property
    def is_plain(self) -> bool:
        """Whether it is a mean of numbers of each replica alone: without risk, and without statistics that have a weight."""
        return self.risk == 0 and all(statistic_named(name).weight is None for name in self.weights)

    def by_replica(self, measures: Measures) -> Array:
        """Numbers whose means are the objectives of the makers, and whose spread gives their errors, also of paired differences.

        Parameters
        ----------
        measures : Measures
            Every statistic that has a weight, (replicas, makers) each.

        Returns
        -------
        array, (replicas, makers)
            The numbers.

        Notes
        -----
        A standard deviation s stands in them by its influence function, s + ((x - mean)^2 - s^2) / (2 s) (Hampel et al., Robust
        Statistics, 1986, section 2.1).
        """
        parts = [weight * statistic_named(name).by_replica(measures) for name, weight in self.weights.items()]
        total = np.asarray(np.sum(parts, axis=0))
        if self.risk == 0:
            return total
        count = np.count_nonzero(~np.isnan(total), axis=0)
        squares = (total - np.nanmean(total, axis=0)) ** 2 * count / np.maximum(count - 1, 1)
        deviation = np.sqrt(np.nanmean(squares, axis=0))
        with np.errstate(invalid="ignore"):
            influence = np.where(deviation > 0, deviation + (squares - deviation**2) / (2 * deviation), 0.0)
        return np.asarray(total - self.risk * influence)


def sign_of(statistic: Statistic) -> float:
    """1 where more of a statistic is better, -1 where less is. Raises ParameterError where neither is."""
    if statistic.more_is_better is None:
        raise ParameterError(f"{statistic.name}: neither more nor less of it is better, so that no point is the best by it")
    return 1.0 if statistic.more_is_better else -1.0
