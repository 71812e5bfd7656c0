"""What a result depends on.

Sobol indices: the share of the variance that each field explains, alone and with all that it interacts with.
"""

from dealermarket import Scenario
from dealermarket.plots.sensitivity import plot_sensitivity
from dealermarket.questions import Objective, Range, Sensitivity

ranges = (
    Range("makers.core.pricing.alpha", 1.1, 1.9),
    Range("makers.core.pricing.tier_penalty", 0.0, 1e-5),
    Range("market.reference_spread.mean", 5e-6, 2e-5),
)
fx = Scenario.load("fx", ["steps=100"])
found = Sensitivity(fx, ranges, Objective.parsed("spread_revenue"), "core", points=64, replicas=10).run()
picture = plot_sensitivity(found.frame(), ["alpha", "tier penalty", "reference spread"], "What spread revenue of core depends on")
picture.savefig("sensitivity.png", dpi=110)
