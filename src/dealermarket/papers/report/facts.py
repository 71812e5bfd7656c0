"""What the page and the summary of a report say alike."""

from __future__ import annotations

from collections.abc import Sequence

from dealermarket.model.market.environment import duration
from dealermarket.pages.table import Table
from dealermarket.pages.wording import counted
from dealermarket.papers.outcome import Outcome, counted_outcomes
from dealermarket.papers.plan import Section
from dealermarket.papers.report.choices import choices
from dealermarket.papers.variations import VARIATIONS, by_parameter

TITLE = "The experiments of a dealer market, run anew"
PAPER = (
    "Ganesh, Vadori, Xu, Zheng, Reddy and Veloso (2019), “Multi-Agent Simulation for Pricing and Hedging in a Dealer Market”, "
    "and of their follow-up paper, “Reinforcement Learning for Market Making in a Multi-agent Dealer Market”, and experiments "
    "beyond both"
)
MEANINGS = {
    Outcome.HOLDS: "the runs show it: the 95 % interval of the comparison lies wholly on the side that the claim says",
    Outcome.FAILS: "the runs show the opposite: the interval lies wholly on the other side",
    Outcome.UNDECIDED: "the runs cannot tell: the interval has both sides in it. More runs may decide, or nothing differs",
}
READING = (
    "Every number has its 95 % interval: value ± half of its width, or value [low, high] where the two sides are not equally "
    "long. An interval says what chance can do to the number, since the runs are finitely many.",
    "Runs that are compared have the same prices and the same orders, so that differences are taken run by run (“paired”).",
    "Where a claim is about many numbers, one of them could leave its interval by chance alone. Then intervals are widened so "
    "far that all of them together are right with 95 % (“widened for n comparisons”).",
    "A claim that numbers agree (with the paper or with theory) holds only if the runs also know them well enough; how well is "
    "said with it.",
    "An interval does not cover what the paper leaves open. “Set-up” lists those values, each with the reason for the one "
    "chosen, and “How far it holds” asks the claims again with other values.",
)


def tally(sections: Sequence[Section]) -> str:
    """How many claims have which outcome."""
    outcomes = [verdict.outcome for section in sections for verdict in section.verdicts]
    return f"Of {counted(len(outcomes), 'claim')}: {counted_outcomes(outcomes, zeros=True)}."


def differences(sections: Sequence[Section]) -> list[tuple[Section, str]]:
    """Where the run is not what the paper shows, claim or not."""
    return [(section, difference) for section in sections for difference in section.differences]


def new_words(sections: Sequence[Section], section: Section) -> dict[str, str]:
    """The words of a section that none before it has explained."""
    names = [other.experiment.name for other in sections]
    before = sections[: names.index(section.experiment.name)]
    known = {word for other in before for word in other.experiment.words}
    return {word: meaning for word, meaning in section.experiment.words.items() if word not in known}


def set_up(section: Section) -> dict[str, str]:
    """What was run, line by line."""
    plan, scenario = section.plan, section.plan.scenario
    usual = f" (the full experiment has {section.experiment.runs:,})" if plan.runs != section.experiment.runs else ""
    if not plan.experiment.asks_scenario:
        return {"scenario": "none: the problem has parameters of its own", "runs": f"{plan.runs:,} of each process{usual}"}
    own = plan.experiment.load_scenario()
    described = f"{scenario.name}: {scenario.description}" if scenario.description else scenario.name
    if scenario.name != own.name:
        described += f" (in place of the experiment's own, {own.name})"
    if any(choice.changed for choice in choices(plan)):
        described += " (changed; the table below says how)"
    sizes = ", ".join(
        counted(count, noun) for count, noun in ((len(scenario.agents), "investor"), (len(scenario.makers), "maker"))
    )
    varied = f", {plan.variation_runs:,} with each other value" if section.varied else ""
    steps = plan.market_steps
    return {
        "scenario": described,
        "market": f"{sizes}, {counted(scenario.steps, 'step')} of {duration(scenario.market)}",
        "runs": f"{plan.runs:,} for each value compared{usual}{varied}; {counted(steps, 'market step')} in all"
        if steps
        else "none: only formulas are asked",
    } | ({"changed": f"by the experiment itself: {', '.join(section.experiment.moves)}"} if section.experiment.moves else {})


def tables(section: Section) -> list[Table]:
    """The tables of a section, without that of the variations."""
    return [table for table in section.tables if table.name != VARIATIONS]


def variations(section: Section) -> list[Table]:
    """The table of the variations as it is read, if there is one."""
    if not section.varied:
        return []
    plan = section.plan
    return [by_parameter(plan.scenario, section.verdicts, section.varied, (plan.runs, plan.variation_runs))]
