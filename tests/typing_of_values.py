"""What a type checker has to say of values; read by test_values, not run. Lines that end in an error must be refused."""

from typing import assert_type

from dealermarket import AverageYield, Exchange, FixedTiers, InvestorAgent, InvestorGroup, MarketMakerAgent, Scenario
from dealermarket.model.makers.reward import Reward
from dealermarket.policies.controls import Controls

exchange = Exchange(lam=1.7)
assert_type(exchange, Exchange)
assert_type(exchange.lam, float)
assert_type(exchange.replace(v_max=5.0), Exchange)
Exchange(1.7)  # error: call-arg
Exchange(lamb=1.7)  # error: call-arg
Exchange(lam="1.7")  # error: arg-type
exchange.lam = 2.0  # error: misc

client = InvestorAgent(name="client", trade_probability=0.1, mean_size=2.0)
InvestorAgent(trade_probability=0.1)  # error: call-arg
InvestorGroup(name="clients", count=3, trade_probability=(0.1, 0.3), mean_size=2.0)

tiering = FixedTiers(table={"client": 1}, pins=AverageYield().pins)
tiering.table["client"] = 2  # error: index
Reward(weights={"spread_revenue": 1.0})
Reward(weights="pnl", unit=1.0)
Reward(weights="p&l")  # error: arg-type
Controls(eps_buy=(-0.5, 0.5), hedge_fraction=None)

scenario = Scenario(investors=(client,), makers=(MarketMakerAgent(name="a", tiering=tiering),))
assert_type(scenario.makers[0].name, str)
scenario.steps = 3  # error: misc
