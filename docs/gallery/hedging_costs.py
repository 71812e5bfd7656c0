"""What hedging costs.

Hedging cost and risk cost of each maker, with its risk aversion γ: who saves the one pays the other.
"""

from dealermarket import Scenario, SimulationRunner
from dealermarket.plots import plot_hedging_costs

result = SimulationRunner(Scenario.load("dealers"), replicas=200, record="steps").run()
axes = plot_hedging_costs(result)
axes.set_title("What hedging and risk cost each maker")
axes.figure.savefig("hedging_costs.png", dpi=110)
