"""Large clients are more price sensitive.

Share of four clients that a maker wins as it puts them into tier 0 to 4 (the paper's Fig. 6).
"""

from dealermarket.papers import Plan, experiment_named, run_plans
from dealermarket.plots.drawing import drawn

(section,) = run_plans([Plan.of(experiment_named("price-sensitivity"), runs=50)])
axes = drawn(section.headline, None)
axes.figure.savefig("price_sensitivity.png", dpi=110)
