"""One maker's prices by tier.

Each worse tier pays the tier penalty more, at every size; large sizes pay more in all of them.
"""

import numpy as np
from matplotlib.figure import Figure

from dealermarket import Scenario

scenario = Scenario.load("dealers")
maker, sizes = scenario.makers[2], np.linspace(0.0, 5000.0, 200)
axes = Figure(figsize=(7, 4), layout="constrained").subplots()
for tier in range(5):
    spread = maker.pricing.spread(sizes, tier=tier, s0=1.5e-4, exchange=scenario.exchange)
    axes.plot(sizes, 1e4 * spread, label=f"tier {tier}")
axes.set(xlabel="size (units)", ylabel="spread over the mid (bp)", title=f"What {maker.name} quotes, by tier")
axes.legend()
axes.figure.savefig("tiers_of_a_quote.png", dpi=110)
