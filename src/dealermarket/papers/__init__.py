"""The experiments of two papers and beyond them: each is measured, its claims are decided, and all is reported.

Verdicts on claims, with the numbers they rest on::

    from dealermarket.papers import Plan, experiment_named, run_plans

    plan = Plan.of(experiment_named("markouts"), runs=50)
    for section in run_plans([plan], threads=2):
        print(section.outcome, [verdict.evidence for verdict in section.verdicts])

Whoever writes an experiment finds what that takes here, too: a class with a question, the studies that it needs, and
verdicts, tables and figures, which are functions of what was measured (docs/experiments.md).
"""

from dealermarket.pages.table import Column, Table
from dealermarket.pages.wording import basis_points, estimated, number
from dealermarket.papers.experiment import Experiment, Results, Variation, left_open
from dealermarket.papers.outcome import Outcome, Verdict, above, agrees, below, decided, overall
from dealermarket.papers.plan import Plan, Section, market_steps, run_plans
from dealermarket.papers.registry import experiment_named, experiments, register_experiment, shipped_experiments
from dealermarket.papers.trained import TrainedStudy

__all__ = [
    "Column",
    "Experiment",
    "Outcome",
    "Plan",
    "Results",
    "Section",
    "Table",
    "TrainedStudy",
    "Variation",
    "Verdict",
    "above",
    "agrees",
    "basis_points",
    "below",
    "decided",
    "estimated",
    "experiment_named",
    "experiments",
    "left_open",
    "market_steps",
    "number",
    "overall",
    "register_experiment",
    "run_plans",
    "shipped_experiments",
]


def __dir__() -> list[str]:
    return sorted(__all__)
