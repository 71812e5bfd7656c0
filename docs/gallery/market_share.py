"""Who gets the clients' volume.

Shares of all makers over time, rolling, means of the replicas.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_market_share

result = SimulationRunner(Scenario.load("dealers"), replicas=200, record="trades").run()
axes = plot_market_share(result)
axes.set_title("Who gets the clients' volume")
axes.figure.savefig("market_share.png", dpi=110)
