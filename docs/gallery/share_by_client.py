"""Which clients a maker wins.

Its share of each client's volume over time, as a heat map.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_share_by_client

result = SimulationRunner(Scenario.load("fx"), replicas=100, record="trades").run()
axes = plot_share_by_client(result, "core")
axes.figure.savefig("share_by_client.png", dpi=110)
