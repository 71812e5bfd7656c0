"""What is told of a calibration: estimates of fields, what the log does not tell, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dealermarket.estimates import Estimate


@dataclass(frozen=True)
class Finding:
    """What was found of one field of the scenario.

    Parameters
    ----------
    field : str
        The field, as a setting names it.
    estimate : Estimate or None
        Its value with a 95 % interval; None where there is no number, or none with an interval.
    how : str
        How it was found.
    """

    field: str
    estimate: Estimate | None
    how: str


@dataclass
class Findings:
    """What has been told so far, while a log is being calibrated."""

    of_fields: list[Finding] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # FIELD: why, and what stands there instead
    notes: list[str] = field(default_factory=list)

    def found(self, path: str, estimate: Estimate | None, how: str) -> None:
        """Adds what was found of a field."""
        self.of_fields.append(Finding(path, estimate, how))

    def choices(self) -> dict[str, str]:
        """By field, what a scenario says of its value."""
        unknown = dict(text.split(": ", 1) for text in self.unknown)
        return {each.field: _said(each) for each in self.of_fields} | {
            path: f"not in the log: {why}" for path, why in unknown.items()
        }


def rounded(value: Any, digits: int = 6) -> float:
    """A number with the digits that an estimate has at most; what rounding left of 0 is 0."""
    return float(f"{float(value):.{digits}g}") if abs(float(value)) > 1e-12 else 0.0


def _said(finding: Finding) -> str:
    if finding.estimate is None:
        return finding.how
    value, low, high = (f"{float(part):.4g}" for part in (finding.estimate.value, finding.estimate.low, finding.estimate.high))
    return f"{value}, 95 % interval {low} to {high}: {finding.how}"
