"""What the page and the summary of a report say alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dealermarket.model.scenario import Scenario
from dealermarket.papers.outcome import Outcome, counted_outcomes
from dealermarket.papers.plan import Section
from dealermarket.papers.table import Table
from dealermarket.papers.variations import VARIATIONS
from dealermarket.papers.wording import counted

TITLE = "The experiments of a dealer market, run anew"
PAPER = (
    "Ganesh, Vadori, Xu, Zheng, Reddy and Veloso (2019), “Multi-Agent Simulation for Pricing and Hedging in a Dealer Market”, "
    "and of their follow-up paper, “Reinforcement Learning for Market Making in a Multi-agent Dealer Market”"
)
MEANINGS = {
    Outcome.HOLDS: "the claim is true of the run, its sampling error taken into account",
    Outcome.FAILS: "the claim is false of the run, its sampling error taken into account",
    Outcome.UNDECIDED: "the runs cannot tell: they are too few, or nothing differs",
}


def tally(sections: Sequence[Section]) -> str:
    """How many claims have which outcome."""
    outcomes = [verdict.outcome for section in sections for verdict in section.verdicts]
    return f"Of {counted(len(outcomes), 'claim')}: {counted_outcomes(outcomes, zeros=True)}."


def robust(section: Section) -> str:
    """How the claims fare under other values of what the paper leaves open; "" if none were tried."""
    return f"under {counted(len(section.varied), 'other value')}: {section.elsewhere}" if section.elsewhere else ""


def differences(sections: Sequence[Section]) -> list[tuple[Section, str]]:
    """Where the run is not what the paper shows, claim or not."""
    return [(section, difference) for section in sections for difference in section.differences]


def set_up(section: Section) -> dict[str, str]:
    """What was run, line by line."""
    plan, scenario = section.plan, section.plan.scenario
    sizes = ((len(scenario.agents), "investor"), (len(scenario.makers), "maker"), (scenario.steps, "step"))
    steps = plan.market_steps
    usual = f" (in the full experiment {section.experiment.runs:,})" if plan.runs != section.experiment.runs else ""
    varied = f", {plan.variation_runs:,} in each variation" if section.varied else ""
    return {
        "scenario": f"{scenario.name}: {scenario.description}" if scenario.description else scenario.name,
        "market": ", ".join(counted(count, noun) for count, noun in sizes),
        "runs": f"{plan.runs:,} a point{usual}{varied}; {counted(steps, 'step')} of markets in all"
        if steps
        else "none: only formulas are asked",
    } | ({"moved": f"by the experiment itself: {', '.join(section.experiment.moves)}"} if section.experiment.moves else {})


def choices(scenario: Scenario) -> list[tuple[str, str, str]]:
    """Path, values and reason of what was chosen where the paper says nothing."""
    return [
        (path, ", ".join(dict.fromkeys(map(_value, scenario.values_at(path)))), reason)
        for path, reason in scenario.choices.items()
    ]


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(entry, float) for entry in value):
        return f"{value[0]:g} to {value[1]:g}, in equal steps"  # of a group of investors
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def tables(section: Section) -> list[Table]:
    """The tables of a section, without that of the variations."""
    return [table for table in section.tables if table.name != VARIATIONS]


def variations(section: Section) -> list[Table]:
    """The table of the variations, if there is one."""
    return [table for table in section.tables if table.name == VARIATIONS]
