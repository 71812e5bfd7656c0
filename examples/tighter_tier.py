"""What if maker-1 gave investor-9, the largest, its best price all the time? Common random numbers, paired differences."""

import numpy as np

from dealermarket import Scenario, SimulationRunner

as_it_is = Scenario.load("paper")
pinned = as_it_is.with_settings("makers.maker-1.tiering.pins.investor-9=0")

runs = [SimulationRunner(scenario, replicas=2000, seed=1, threads=2).run().summary for scenario in (as_it_is, pinned)]
before, after = (frame[frame["maker"] == "maker-1"] for frame in runs)
for column in ("spread_revenue", "hedging_cost", "risk_cost", "total_reward", "pnl", "market_share"):
    change = after[column].to_numpy() - before[column].to_numpy()  # the same replica with and without the pin
    error = change.std(ddof=1) / np.sqrt(len(change))
    print(f"{column:15} {change.mean():+.4f} +- {error:.4f}")
