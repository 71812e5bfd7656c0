"""What P&L is made of.

Clients' spreads, other makers' hedges, its own hedges, and what the price did to the position: they add up to P&L.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_pnl_parts

result = SimulationRunner(Scenario.load("dealers"), replicas=200, record="trades").run()
axes = plot_pnl_parts(result, "flat")
axes.figure.savefig("pnl_parts.png", dpi=110)
