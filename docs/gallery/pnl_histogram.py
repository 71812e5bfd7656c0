"""P&L at the end of a run.

The mean hides how much replicas differ; one in twenty ends below the dashed line.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_pnl_at_end

result = SimulationRunner(Scenario.load("dealers"), replicas=500, record="steps").run()
axes = plot_pnl_at_end(result, "tight")
axes.figure.savefig("pnl_histogram.png", dpi=110)
