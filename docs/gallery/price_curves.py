"""What makers quote, by size.

Each in its best tier, and the exchange. Who wins a client depends on the size that it asks for.
"""

from dealermarket import Scenario
from dealermarket.plots import plot_price_curves

axes = plot_price_curves(Scenario.load("dealers"))
axes.set_title("What makers quote, by size")
axes.figure.savefig("price_curves.png", dpi=110)
