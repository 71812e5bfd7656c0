"""How fast a maker nets its flow.

|position| over volume by step, with half and with all of the market; circles are the paper's values (Fig. 7).
"""

from dealermarket.papers import Plan, experiment_named, run_plans
from dealermarket.plots.drawing import drawn

(section,) = run_plans([Plan.of(experiment_named("internalization"), runs=100)])
axes = drawn(next(figure for figure in section.figures if figure.name == "figure-7"), None)
axes.figure.savefig("internalization.png", dpi=110)
