"""P&L over time, with its spread.

Half of all replicas lie in the dark band, nine tenths in the light one.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_pnl

result = SimulationRunner(Scenario.load("dealers"), replicas=200, record="steps").run()
axes = plot_pnl(result, "flat")
axes.figure.savefig("pnl_fan.png", dpi=110)
