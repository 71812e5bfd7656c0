"""Beside the optimum.

What policies quote and hedge by the position that they hold; dashed, what is optimal there.
"""

from dealermarket import Scenario
from dealermarket.control import Reward
from dealermarket.plots.regret import plot_regret
from dealermarket.policies import AdaptiveMaker, SkewMaker
from dealermarket.study import Yardstick

policies = {"skew": SkewMaker(), "adaptive": AdaptiveMaker()}
reward = Reward(weights="pnl", inventory_squared=2.0)
regrets = Yardstick(Scenario.load("learning"), policies, reward=reward, replicas=200).run()
actions = {label: regrets.actions(label) for label in ("optimum", *policies)}
plot_regret(actions, "optimum", "What policies do, by position").savefig("regret_quotes.png", dpi=110)
