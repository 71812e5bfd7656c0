"""What a statistic is: one number of a maker's run, declared once.

Tables, summaries, studies, plots, the league and the environments read the declaration; none of them keeps a list of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import ratio_by_replica
from dealermarket.values import short

if TYPE_CHECKING:
    from dealermarket.engine.recorder import Record
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

MONEY, ASSET, BASIS_POINTS, PURE = "price × units", "units", "bp", "1"
"""Units: money, amounts of the asset, basis points (1 bp of a million is 100), and numbers without a unit."""

RESERVED = ("replica", "maker")
"""The columns of the summary that say whose row it is."""


class Sums(NamedTuple):
    """What the engine records of B replicas and M makers in every run, whatever the record level."""

    totals: Array  # (B, M) records with the fields of `engine.records.MAKER_TOTALS`: sums over the run
    position: Array  # (B, M) after the last step, units of the asset


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One number of each replica and maker, and how it is shown and compared.

    `name` is its column in `summary.parquet`. `heading` is its heading in tables, in one or more lines. `meaning` says what
    it is of a run, `unit` what it is measured in. `function(scenario, sums)` returns its values, (B, M), NaN where there
    are none. `more_is_better` says which way it ranks makers' policies; None where neither way is better.

    Over replicas it is averaged, those that are NaN left out. With `weight`, the name of another statistic, replicas
    count by that one: where this statistic is a ratio and `weight` is its denominator, that is the ratio of the sums.
    With `percent` it is shown in percent; the values stay fractions.

    Raises ParameterError for a name that cannot be a column, or a statistic that is its own weight.
    """

    name: str
    heading: str
    unit: str
    meaning: str
    function: Callable[[Scenario, Sums], Array]
    more_is_better: bool | None = None
    weight: str | None = None
    percent: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name in RESERVED:
            raise ParameterError(
                f"Statistic.name: must be letters, digits and underscores, and not {' or '.join(RESERVED)}, got {self.name!r}"
            )
        if self.weight == self.name:
            raise ParameterError(f"Statistic.weight: must be another statistic, got {self.weight!r}")

    # --- its values

    def values(self, scenario: Scenario, record: Record) -> Array:
        """Its value of every replica and maker of a record, (B, M).

        Raises ParameterError where its function returns something else."""
        values = np.asarray(self.function(scenario, Sums(record.totals, record.position)))
        if values.shape != record.position.shape or values.dtype.kind not in "iuf":
            raise ParameterError(
                f"statistic {self.name!r}: must be numbers of shape {record.position.shape}, "
                f"one for each replica and maker, got {short(values)}"
            )
        return values

    @property
    def columns(self) -> set[str]:
        """The columns of a summary that its average is made of."""
        return {self.name} if self.weight is None else {self.name, self.weight}

    def by_replica(self, columns: Mapping[str, Array]) -> Array:
        """Numbers (B, ...) whose mean over the replicas is this statistic's average, and whose spread gives its error.

        `columns` has an array (B, ...) for each of `self.columns`. Without a weight these are the values. With one,
        they are the average plus each replica's residual (see `ratio_by_replica`). Replicas of weight 0 have none."""
        values = np.asarray(columns[self.name], dtype=np.float64)
        if self.weight is None:
            return values
        weights = np.where(np.isnan(values), 0.0, columns[self.weight])
        values = np.where(weights == 0.0, 0.0, values)
        return ratio_by_replica(weights * values, weights)

    # --- how it is shown

    @property
    def scale(self) -> float:
        """What a value is multiplied by where it is shown."""
        return 100.0 if self.percent else 1.0

    @property
    def column_heading(self) -> str:
        """The heading of a column of numbers times `scale`."""
        return f"{self.heading}, %" if self.percent else self.heading

    @property
    def label(self) -> str:
        """The heading in one line."""
        return in_one_line(self.heading)


def in_one_line(heading: str) -> str:
    """A heading without its line breaks; a word that a hyphen parts there is whole again."""
    return " ".join(heading.replace("-\n", "").split())


def sum_of(field: str) -> Callable[[Scenario, Sums], Array]:
    """The function of a statistic that is a field of the engine's sums."""
    return lambda _, sums: sums.totals[field].copy()


def quotient(part: Array, whole: Array) -> Array:
    """`part` / `whole`, NaN where there is nothing to divide by."""
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))
