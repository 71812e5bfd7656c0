"""A maker trained with Stable-Baselines3, by hand: PPO on 256 markets at once, a policy file, and a comparison.

Its competitor quotes eps = 0.4 all day, so what pays is to quote a little less.
Shows the bridge `Sb3VecEnv` and `exported`; the command `dealermarket train` does the same, with checkpoints and a report.
Run it with `python examples/learn_sb3.py [steps]`, market steps; it writes my-maker.npz. Needs the extra `learn`.
"""

import sys

import torch
from stable_baselines3 import PPO

from dealermarket import Scenario, SimulationRunner
from dealermarket.envs import DealerVectorEnv
from dealermarket.learning.sb3 import Sb3VecEnv, exported
from dealermarket.policies import policy_named

RIVAL = "persistent:low=0.4,high=0.4"


def report(name: str, policy: str) -> None:
    """What a policy earns in 200 days that no training has seen, the same for every policy."""
    policies = {"learner": policy_named(policy), "competitor": policy_named(RIVAL)}
    runner = SimulationRunner(Scenario.load("learning"), replicas=200, seed=1, threads=2, policies=policies)
    averages = runner.run().statistics()["learner"]
    columns = ("spread_revenue", "hedging_cost", "mean_abs_position", "market_share")
    shown = (f"{column} {averages[column]}" for column in columns)
    print(f"{name:10}", ", ".join(shown))


def main(steps: int = 300_000, file: str = "my-maker.npz") -> None:
    torch.set_num_threads(1)  # so small networks are slower on more
    income = {"weights": {"spread_revenue": 1.0, "hedging_cost": 1.0}}  # its P&L, less what the mid adds by chance
    rivals = {"competitor": RIVAL}
    envs = DealerVectorEnv(256, "learning", "learner", reward=income, policies=rivals, autoreset_mode="SAME_STEP")
    adapted = Sb3VecEnv(envs)
    adapted.seed(0)
    model = PPO(
        "MlpPolicy",
        adapted,
        n_steps=16,
        batch_size=1024,
        n_epochs=4,
        learning_rate=2e-3,
        gamma=0.97,
        gae_lambda=0.95,
        policy_kwargs={"net_arch": [32, 32], "activation_fn": torch.nn.Tanh, "log_std_init": -1.2},
        seed=0,
        device="cpu",
    )
    report("heuristic", "heuristic")
    exported(model, envs.arena.controls, {"steps": 0}).save(file)
    report("untrained", file)
    model.learn(steps)  # rounded up to whole rollouts, of 256 * 16 market steps
    exported(model, envs.arena.controls, {"steps": model.num_timesteps}).save(file)
    report("trained", file)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
