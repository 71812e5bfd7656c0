"""How far verdicts carry when a value that the paper leaves open moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.experiment import Variation
from dealermarket.papers.outcome import Outcome, Verdict, overall
from dealermarket.papers.table import Column, Table
from dealermarket.study.variants import as_label

VARIATIONS = "variations"  # the name of the table of variations


@dataclass(frozen=True)
class Varied:
    """A value that was tried instead of the chosen one."""

    variation: Variation
    value: float | str
    scenario: Scenario | None  # None where the scenario cannot have it
    verdicts: list[Verdict] = field(default_factory=list)
    matters: bool = True  # whether anything that the verdicts are drawn from changed at all

    @property
    def label(self) -> str:
        return f"{self.variation.parameter} = {as_label(self.value)}"

    @property
    def outcome(self) -> Outcome | None:
        """Of all the claims asked; None where nothing was asked, or nothing changed."""
        return overall(*(verdict.outcome for verdict in self.verdicts)) if self.verdicts and self.matters else None


def variations_table(scenario: Scenario, verdicts: list[Verdict], varied: list[Varied], runs: tuple[int, int]) -> Table:
    """Whether each claim holds, as chosen and under each variation; `runs` are those of a point, and of a variation's."""
    asked = {verdict.name for other in varied for verdict in other.verdicts}
    claims = [verdict.name for verdict in verdicts if verdict.name in asked]
    unasked = [verdict.name for verdict in verdicts if verdict.name not in asked]

    def outcomes(own: list[Verdict], otherwise: str = "–") -> dict[str, str]:
        by_name = {verdict.name: f"{verdict.outcome.sign} {verdict.outcome}" for verdict in own}
        return {claim: by_name.get(claim, otherwise) for claim in claims}

    def row(varied: Varied) -> dict[str, str]:
        variation = varied.variation
        idle = "not possible" if varied.scenario is None else "no effect" if not varied.matters else "–"
        own = {"parameter": variation.parameter, "value": as_label(varied.value), "chosen": _chosen(scenario, variation)}
        return own | outcomes(varied.verdicts if varied.matters else [], idle)

    also = f" Not asked again: {', '.join(unasked)}." if unasked else ""
    return Table.of(
        VARIATIONS,
        "How far the verdict holds when a value that the paper leaves open moves, one at a time, the others as chosen: "
        f"{runs[1]:,} runs a point (the first row: {runs[0]:,}). No effect: not a number of the verdicts changed.{also}",
        [{"parameter": "as chosen", "value": "", "chosen": ""} | outcomes(verdicts), *map(row, varied)],
        *[Column(name, name) for name in ("parameter", "value", "chosen", *claims)],
    )


def _chosen(scenario: Scenario, variation: Variation) -> str:
    """The value that a variation moves, or values."""
    try:
        values = scenario.values_at(variation.path)
    except ParameterError:
        return "–"
    return ", ".join(
        dict.fromkeys(as_label(entry) for value in values for entry in (value if isinstance(value, list) else [value]))
    )
