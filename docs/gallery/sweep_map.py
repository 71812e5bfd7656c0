"""For which values: a sweep over two fields.

P&L by alpha and risk aversion, with lines around what is better and worse than now, and as good as the best.
"""

from dealermarket import Scenario
from dealermarket.plots.sweep import SweptField, plot_sweep
from dealermarket.questions import Range, Sweep

fields = (
    Range("makers.tight.pricing.alpha", 1.2, 1.8).spaced(5),
    Range("makers.tight.hedging.risk_aversion", 0.01, 10, log=True).spaced(4),
)
swept = Sweep.of(Scenario.load("dealers", ["steps=200"]), fields, replicas=100).run()
named = [SweptField(each.path, each.path.split(".")[-1], [f"{value:g}" for value in each.values]) for each in fields]
picture = plot_sweep(swept.frame(), named, ["pnl", "market_share"], "tight", best=swept.as_good_as_the_best("pnl", "tight"))
picture.savefig("sweep_map.png", dpi=110)
