"""Internalize or hedge.

How fast the optimal FX dealer hedges, by inventory: within a zone it waits for other clients.
"""

from dealermarket.control.dealer import USDCNH, solve
from dealermarket.plots import plot_dealer_hedging

axes = plot_dealer_hedging(solve(USDCNH))
axes.set_title("How fast to hedge, by inventory")
axes.figure.savefig("internalize_or_hedge.png", dpi=110)
