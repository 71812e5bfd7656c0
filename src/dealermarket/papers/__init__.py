"""The paper's experiments, and those it left undone: measured, judged and reported.

In Python::

    from dealermarket.papers import Plan, experiment_named, run_plans

    plan = Plan.of(experiment_named("volatility"), quick=True)
    for section in run_plans([plan], threads=2):
        print(section.outcome, [verdict.evidence for verdict in section.verdicts])
"""

from dealermarket.papers.findings import Outcome, Verdict
from dealermarket.papers.reproduction import Plan, Section, experiment_named, experiments, run_plans

__all__ = ["Outcome", "Plan", "Section", "Verdict", "experiment_named", "experiments", "run_plans"]
