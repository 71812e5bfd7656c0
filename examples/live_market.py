"""A market driven live: prices and orders come one step at a time, here from a made-up feed."""

import numpy as np

from dealermarket import LiveMarket, Scenario

market = LiveMarket(Scenario.load("paper"))
feed = np.random.default_rng(0)
mid = 1.0
for _ in range(10):
    mid *= np.exp(0.0006 * feed.standard_normal())
    market.begin(mid, reference_spread=0.00015)
    orders = [(investor, feed.choice([-1, 1]), feed.lognormal()) for investor in range(10) if feed.random() < 0.3]
    for trade in market.finish(orders):
        bought = "buys from" if trade.side > 0 else "sells to"
        price = f"{trade.size:.2f} at {1e4 * trade.spread:.2f} bp"
        print(f"step {market.step - 1}: {trade.taker} {bought} {trade.maker} {price} ({trade.kind})")
for maker, held in market.position.items():
    print(f"{maker} holds {held:+.2f} units, P&L {market.rewards[maker]['pnl']:+.6f} (price × units)")
