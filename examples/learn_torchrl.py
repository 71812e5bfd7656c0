"""Independent PPO with TorchRL: two makers learn at once, each with networks of its own, and undercut each other.

Clients go to the cheaper one, so each learns to quote a little less than the other, and prices fall. Run it with
`python examples/learn_torchrl.py [rollouts]`, of five days each; needs TorchRL besides the extra `learn`.
"""

import sys
import warnings
from functools import partial

import torch

from dealermarket.envs import FEATURES
from dealermarket.envs.parallel import DealerParallelEnv

try:
    from tensordict.nn import InteractionType, NormalParamExtractor, TensorDictModule
    from torchrl.envs import PettingZooWrapper
    from torchrl.modules import MultiAgentMLP, ProbabilisticActor, TanhNormal
    from torchrl.objectives import ClipPPOLoss, ValueEstimators
except ImportError:
    sys.exit("this example needs TorchRL: pip install torchrl")

MAKERS = ["learner", "competitor"]
NAMES = ("observation", "action", "action_log_prob", "reward", "done", "terminated")
SEEN, ACTION, LOG_PROB, REWARD, DONE, TERMINATED = (("makers", name) for name in NAMES)


def main(rollouts: int = 12) -> None:
    warnings.filterwarnings("ignore", message="PettingZoo in TorchRL is tested")  # with an old one; this works, too
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small networks are slower on more
    market = DealerParallelEnv("learning", MAKERS, controls={"hedge_fraction": None}, reward={"weights": {"spread_revenue": 1}})
    env = PettingZooWrapper(market, group_map={"makers": MAKERS}, seed=0)
    unshared = {"n_agents": len(MAKERS), "share_params": False, "centralized": False, "depth": 2, "num_cells": 64}
    networks = partial(MultiAgentMLP, len(FEATURES), **unshared)  # one for each maker, from what that maker sees
    prices = torch.nn.Sequential(networks(4), NormalParamExtractor("biased_softplus_0.3"))
    law = {"distribution_class": TanhNormal, "return_log_prob": True, "default_interaction_type": InteractionType.RANDOM}
    actor = ProbabilisticActor(TensorDictModule(prices, [SEEN], ["loc", "scale"]), ["loc", "scale"], [ACTION], **law)
    critic = TensorDictModule(networks(1), [SEEN], ["state_value"])
    loss = ClipPPOLoss(actor, critic, entropy_bonus=False, normalize_advantage=True, normalize_advantage_exclude_dims=(-2,))
    loss.set_keys(reward=REWARD, action=ACTION, sample_log_prob=LOG_PROB, done=DONE, terminated=TERMINATED)
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.5, lmbda=0.9)  # a price earns its spread at once
    optimiser = torch.optim.Adam(loss.parameters(), lr=3e-3)
    for rollout in range(rollouts):
        with torch.no_grad():
            data = env.rollout(5 * 96, actor, break_when_any_done=False)  # a day is truncated, the next one begins
            loss.value_estimator(data, params=loss.critic_network_params, target_params=loss.target_critic_network_params)
        eps, revenue = data[ACTION].mean(dim=(0, 2)), data["next"][REWARD].mean(dim=(0, 2))
        shown = (f"{maker}: eps {eps[n]:+.2f}, spread revenue {revenue[n]:.3f}" for n, maker in enumerate(MAKERS))
        print(f"rollout {rollout:2}", *shown, sep="; ", flush=True)
        for batch in (part for _ in range(8) for part in data[torch.randperm(len(data))].split(120)):
            optimiser.zero_grad()
            sum(loss(batch).select("loss_objective", "loss_critic").values()).backward()
            optimiser.step()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
