"""A maker's position.

The path with the largest position of all, before the bands that hold half and nine tenths of the replicas.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_net_position

result = SimulationRunner(Scenario.load("fx"), replicas=200, record="steps").run()
axes = plot_net_position(result, "patient")
axes.figure.savefig("net_position.png", dpi=110)
