"""How far verdicts carry when a value that the paper leaves open moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.pages.table import Column, Table
from dealermarket.papers.experiment import Variation
from dealermarket.papers.outcome import Outcome, Verdict, overall
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
    def idle(self) -> str:
        """What is said in place of outcomes that are not there."""
        return "not possible" if self.scenario is None else "no effect" if not self.matters else "–"

    @property
    def outcome(self) -> Outcome | None:
        """Of all the claims asked; None where nothing was asked, or nothing changed."""
        return overall(*(verdict.outcome for verdict in self.verdicts)) if self.verdicts and self.matters else None


def variations_table(scenario: Scenario, verdicts: list[Verdict], varied: list[Varied]) -> Table:
    """Whether each claim holds, as chosen and under each variation: a row for each value, for the files."""
    claims = _asked_again(verdicts, varied)
    rows = [{"parameter": "as chosen", "value": "", "chosen": ""} | _outcomes(claims, verdicts)]
    rows += [
        {"parameter": other.variation.parameter, "value": as_label(other.value), "chosen": _chosen(scenario, other.variation)}
        | _outcomes(claims, other.verdicts if other.matters else [], other.idle)
        for other in varied
    ]
    return Table.of(VARIATIONS, "", rows, *[Column(name, name) for name in ("parameter", "value", "chosen", *claims)])


def by_parameter(scenario: Scenario, verdicts: list[Verdict], varied: list[Varied], runs: tuple[int, int]) -> Table:
    """The same with a row for each parameter, for readers; `runs` are those as chosen, and those of each other value."""
    claims = _asked_again(verdicts, varied)
    unasked = [verdict.name for verdict in verdicts if verdict.name not in claims]
    rows = [{"parameter": "as chosen", "chosen": "", "tried": ""} | _outcomes(claims, verdicts)]
    for variation in dict.fromkeys(other.variation for other in varied):
        own = [other for other in varied if other.variation == variation]
        told = [(as_label(other.value), _outcomes(claims, other.verdicts if other.matters else [], other.idle)) for other in own]
        named = {"parameter": variation.parameter, "chosen": _chosen(scenario, variation)}
        tried = {"tried": ", ".join(value for value, _ in told)}
        rows.append(named | tried | {claim: _in_short([(value, found[claim]) for value, found in told]) for claim in claims})
    also = f" Not asked again: “{', '.join(unasked)}”." if unasked else ""
    return Table.of(
        VARIATIONS,
        "Each value that the paper leaves open is moved by itself, while the others stay as chosen. A cell says at which of the "
        f"values tried its claim holds. Runs: {runs[0]:,} as chosen, {runs[1]:,} at each other value. “no effect”: the "
        f"claims and all numbers that are printed with them stay the same.{also}",
        rows,
        Column("parameter", "parameter"),
        Column("chosen", "as chosen"),
        Column("tried", "tried"),
        *[Column(name, name) for name in claims],
    )


def _asked_again(verdicts: list[Verdict], varied: list[Varied]) -> list[str]:
    """The names of the claims that are asked with other values, too."""
    asked = {verdict.name for other in varied for verdict in other.verdicts}
    return [verdict.name for verdict in verdicts if verdict.name in asked]


def _outcomes(claims: list[str], verdicts: list[Verdict], otherwise: str = "–") -> dict[str, str]:
    """The outcome of each claim as it is shown."""
    by_name = {verdict.name: f"{verdict.outcome.sign} {verdict.outcome}" for verdict in verdicts}
    return {claim: by_name.get(claim, otherwise) for claim in claims}


def _in_short(told: list[tuple[str, str]]) -> str:
    """Values with what came of them, as one cell: the outcome alone where it is the same for all."""
    values = {found: [value for value, own in told if own == found] for found in dict.fromkeys(found for _, found in told)}
    if len(values) == 1:
        return next(iter(values))
    signs = [f"{outcome.sign} {outcome}" for outcome in Outcome]
    ordered = sorted(values, key=lambda found: signs.index(found) if found in signs else len(signs))
    return "; ".join(f"{found[0] if found in signs else f'{found}:'} {', '.join(values[found])}" for found in ordered)


def _chosen(scenario: Scenario, variation: Variation) -> str:
    """The value that a variation moves, or values."""
    try:
        values = scenario.values_at(variation.path)
    except ParameterError:
        return "–"
    return ", ".join(
        dict.fromkeys(as_label(entry) for value in values for entry in (value if isinstance(value, list) else [value]))
    )
