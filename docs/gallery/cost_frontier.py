"""Mean and risk: the efficient frontier of an FX dealer.

Each point is the best that a dealer with one risk aversion can do.
"""

import numpy as np

from dealermarket.control.dealer import USDCNH, efficient_frontier
from dealermarket.plots import plot_efficient_frontier

axes = plot_efficient_frontier(efficient_frontier(USDCNH, np.geomspace(1e-4, 1e-1, 13)))
axes.set_title("What the best dealer earns, by the risk that it takes")
axes.figure.savefig("cost_frontier.png", dpi=110)
