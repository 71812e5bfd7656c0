"""Policies compared: each in turn takes one maker's seat, all on the same prices and orders.

In Python::

    from dealermarket import Scenario
    from dealermarket.study import Contest
    from dealermarket.policies.named import policy_named

    policies = {name: policy_named(name) for name in ("random", "adaptive", "skew:strength=0.3")}
    league = Contest(Scenario.load("learning"), policies, replicas=1000).run(threads=2)
    for standing in league.standings(by="pnl"):
        print(standing.rank, standing.label, standing.mean["pnl"], standing.difference["pnl"])
"""

from dealermarket.study.league import MEASURES, RANKED, Contest, League, Standing

__all__ = ["MEASURES", "RANKED", "Contest", "League", "Standing"]
