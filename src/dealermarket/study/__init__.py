"""Markets compared on the same prices and orders (common random numbers): variants of a scenario, and policies.

Variants of a scenario, what to keep of each replica, and paired differences with their intervals::

    from dealermarket import Scenario
    from dealermarket.study import Study, mean, measure, observe, varied

    alphas = varied(Scenario.load("hedging"), "makers.0.pricing.alpha", (1.3, 1.5))
    measures = measure([Study("what if", alphas, replicas=200, observe=observe.totals)])["what if"]
    gain = mean(measures["1.3"].of("maker-1")["pnl"] - measures["1.5"].of("maker-1")["pnl"])
    print(f"{gain.value:.2f} [{gain.low:.2f}, {gain.high:.2f}]")

Policies that take the place of one maker in turn::

    from dealermarket import Scenario
    from dealermarket.policies import policy_named
    from dealermarket.study import Contest

    policies = {name: policy_named(name) for name in ("random", "adaptive", "skew:strength=0.3")}
    league = Contest(Scenario.load("learning"), policies, replicas=100).run(threads=2)
    for standing in league.standings():
        print(standing.rank, standing.label, standing.mean["pnl"], standing.difference["pnl"])

Policies beside the optimum (docs/control.md)::

    from dealermarket import Scenario
    from dealermarket.model.makers.reward import Reward
    from dealermarket.policies import policy_named
    from dealermarket.study import Yardstick

    reward = Reward(weights="pnl", inventory_squared=2.0)
    regrets = Yardstick(Scenario.load("learning"), {"skew": policy_named("skew")}, reward=reward, replicas=100).run()
    print(regrets.optimum.value, regrets.of("skew").regret, regrets.of("skew").share)

A scenario and its change, or two runs, in one line each::

    from dealermarket import Scenario
    from dealermarket.study import compare

    scenario = Scenario.load("paper")
    comparison = compare(scenario, scenario.with_settings("makers.0.pricing.alpha=1.3"), replicas=200)
    print(comparison)
    print(comparison.frame().query("statistic == 'pnl'"))
"""

from dealermarket.estimates import (
    LEVEL,
    Estimate,
    band,
    interval_of,
    joint,
    mean,
    p_not_above_zero,
    percentile,
    ratio,
    resampled,
    slopes,
    with_interval,
)
from dealermarket.study import measures as observe
from dealermarket.study.comparison import Comparison, Paired
from dealermarket.study.labelled import Array, Measures
from dealermarket.study.league import Contest, League, Standing
from dealermarket.study.pairs import Pair, compare
from dealermarket.study.regret import Regret, Regrets, Yardstick
from dealermarket.study.relative import RelativeTier, relative_tiers
from dealermarket.study.study import Study, measure
from dealermarket.study.variants import INFINITE, UNHEDGED, at_volatility, by_risk_aversion, varied, with_risk_aversion

__all__ = [
    "INFINITE",
    "LEVEL",
    "UNHEDGED",
    "Array",
    "Comparison",
    "Contest",
    "Estimate",
    "League",
    "Measures",
    "Pair",
    "Paired",
    "Regret",
    "Regrets",
    "RelativeTier",
    "Standing",
    "Study",
    "Yardstick",
    "at_volatility",
    "band",
    "by_risk_aversion",
    "compare",
    "interval_of",
    "joint",
    "mean",
    "measure",
    "observe",
    "p_not_above_zero",
    "percentile",
    "ratio",
    "relative_tiers",
    "resampled",
    "slopes",
    "varied",
    "with_interval",
    "with_risk_aversion",
]


def __dir__() -> list[str]:
    return sorted(__all__)
