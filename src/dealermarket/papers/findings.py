"""What an experiment found: verdicts with their evidence, tables, figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dealermarket.study.estimates import with_interval as with_interval  # noqa: PLC0414, part of what papers are written with

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dealermarket.model.scenario import Scenario
    from dealermarket.study.estimates import Estimate


class Outcome(StrEnum):
    """Whether a claim holds in the run, fails in it, or cannot be told with so few runs."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"

    @property
    def sign(self) -> str:
        """One character, for tables."""
        return {Outcome.HOLDS: "✓", Outcome.FAILS: "✗", Outcome.UNDECIDED: "?"}[self]


@dataclass(frozen=True)
class Verdict:
    """A claim, whether it holds, and the numbers that say so. `name` is short, for the heading of a column."""

    name: str
    claim: str
    outcome: Outcome
    evidence: str


def judged(holds: bool, fails: bool) -> Outcome:
    """The outcome of a claim that is significantly so, significantly not so, or neither."""
    return Outcome.HOLDS if holds else Outcome.FAILS if fails else Outcome.UNDECIDED


SIGNIFICANCE = 0.01


def signed(name: str, claim: str, p: float, evidence: str) -> Verdict:
    """A verdict on the sign of an effect, from the p-value (one-sided) of its absence."""
    return Verdict(name, claim, judged(p < SIGNIFICANCE, p > 1 - SIGNIFICANCE), f"{evidence}, {p_value(p)}.")


def overall(verdicts: Sequence[Verdict]) -> Outcome:
    """Holds where all claims hold, fails where one fails."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return judged(outcomes <= {Outcome.HOLDS}, Outcome.FAILS in outcomes)


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


def basis_points(scenario: Scenario) -> float:
    """What turns price units into basis points of the initial price."""
    return 1e4 / scenario.market.mid_price.initial


@dataclass(frozen=True)
class Column:
    """How a column of a frame is shown: its heading, its decimals (None: as text), its factor, and the fields of its
    interval, which is shown behind the value."""

    field: str
    heading: str
    digits: int | None = None
    scale: float = 1.0
    interval: tuple[str, str] | None = None

    def text(self, row: Any) -> str:
        """The cell of a row."""
        value = row[self.field]
        if self.digits is None or isinstance(value, str):
            return "" if value is None else str(value)
        shown = number(value, self.digits, self.scale)
        if self.interval is None or not math.isfinite(value):
            return shown
        low, high = (row[field] for field in self.interval)
        if not (math.isfinite(low) and math.isfinite(high)):
            return shown
        return f"{shown} [{number(low, self.digits, self.scale)}, {number(high, self.digits, self.scale)}]"


@dataclass(frozen=True)
class Table:
    """Numbers: `frame` has them all and unrounded, `columns` what of them is shown and how."""

    name: str
    caption: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]

    def rows(self) -> list[list[str]]:
        """The cells as they are shown."""
        return [[column.text(row) for column in self.columns] for row in self.frame.to_dict("records")]


@dataclass(frozen=True)
class Figure:
    """A picture: `draw` draws it into axes; the caption explains its lines, bands and bars."""

    name: str
    caption: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = (4.8, 3.5)  # inches


def interval_column(name: str, heading: str, digits: int, scale: float = 1.0) -> Column:
    """A column for fields made by `with_interval`."""
    return Column(name, heading, digits, scale, (f"{name}_low", f"{name}_high"))
