"""A desk's log: what is won, by quote.

The dearer the quote, the fewer requests are won.
"""

from dealermarket import Scenario
from dealermarket.data import analyse, export
from dealermarket.plots import plot_hit_ratio

files = export(Scenario.load("fx", ["steps=400"]), "core", replicas=10)
axes = plot_hit_ratio(analyse(files.rfqs, files.mids).quotes)
axes.figure.savefig("hit_ratio.png", dpi=110)
