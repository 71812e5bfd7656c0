"""Variants of a market compared on common tapes: studies, estimates, and the league of policies.

A study runs variants of a market on the same prices and orders and keeps what its question needs; a contest is a study whose
variants are policies for the place of one maker::

    from dealermarket import Scenario
    from dealermarket.policies.named import policy_named
    from dealermarket.study import Contest, Study, mean, measure
    from dealermarket.study.measures import totals

    paper = Scenario.load("paper")
    variants = {"as it is": paper, "no hedges": paper.with_settings("makers.*.hedging.kind=none")}
    measures = measure([Study("hedging", variants, 1000, totals)], seed=0)["hedging"]
    print(mean(measures["no hedges"]["pnl"] - measures["as it is"]["pnl"]))

    policies = {name: policy_named(name) for name in ("random", "adaptive", "skew:strength=0.3")}
    league = Contest(Scenario.load("learning"), policies, replicas=1000).run(threads=2)
    for standing in league.standings(by="pnl"):
        print(standing.rank, standing.label, standing.mean["pnl"], standing.difference["pnl"])
"""

from dealermarket.study.estimates import Estimate, mean, percentile, ratio
from dealermarket.study.league import Contest, League, Standing
from dealermarket.study.study import Measures, Study, measure

__all__ = [
    "Contest",
    "Estimate",
    "League",
    "Measures",
    "Standing",
    "Study",
    "mean",
    "measure",
    "percentile",
    "ratio",
]
