"""Clients move between tiers.

In which tier a maker holds each client, step by step, in one replica. Who knows the next price (the last investors) tends to
the worse, darker ones.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_client_tiers

result = SimulationRunner(Scenario.load("informed"), replicas=5, record="trades").run()
axes = plot_client_tiers(result, "maker-1")
axes.figure.savefig("client_tiers.png", dpi=110)
