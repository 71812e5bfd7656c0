"""A maker policy of one's own: quote tighter on the side that sheds inventory, hedge only beyond a limit."""

import numpy as np

from dealermarket import Action, MakerPolicy, Observation, Scenario, SimulationRunner


class InventorySkew(MakerPolicy):
    def __init__(self, limit: float = 20.0, strength: float = 0.5) -> None:
        self.limit, self.strength = limit, strength

    def act(self, observation: Observation) -> Action:
        position = observation.position  # (replicas,)
        lean = self.strength * np.tanh(position / self.limit)
        excess = np.maximum(np.abs(position) - self.limit, 0.0)
        return Action(
            eps_buy=-lean,  # long: clients who buy from us get a better price
            eps_sell=lean,
            hedge_fraction=excess / np.maximum(np.abs(position), 1e-12),
        )


scenario = Scenario.load("internalization")
for name, policies in (("waits", {}), ("skews", {"maker-1": InventorySkew()})):
    result = SimulationRunner(scenario, replicas=500, policies=policies).run()
    averages = result.statistics()["maker-1"]
    for column in ("total_reward", "pnl", "mean_abs_position", "market_share"):
        print(f"{name}: {column:18} {averages[column]}")
