"""Markouts by client.

What a unit is worth to its maker h steps after the trade, by how often the client knows the price an hour ahead.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_markouts

result = SimulationRunner(Scenario.load("informed"), replicas=100, record="trades").run()
axes = plot_markouts(result)
axes.set_title("Markouts by client")
axes.figure.savefig("markouts.png", dpi=110)
