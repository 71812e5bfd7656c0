"""What if maker-1 gave investor-9, the largest, its best price all the time? The same prices and orders, paired differences."""

from dealermarket import Scenario
from dealermarket.study import compare

scenario = Scenario.load("paper")
pinned = scenario.with_settings("makers.maker-1.tiering.pins.investor-9=0")

comparison = compare(scenario, pinned, replicas=2000, seed=1, threads=2)
print(comparison)
print(comparison.clients().query("maker == 'maker-1' and client == 'investor-9'").to_string(index=False))
