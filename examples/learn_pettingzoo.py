"""Several makers act at once, as agents of a PettingZoo environment: one holds its price, one seeks its share, one guesses.

Shows `DealerParallelEnv`: agents are makers by name, and each has an observation, an action and a reward of its own.
Run it with `python examples/learn_pettingzoo.py [episodes]`; needs the extra `envs`.
"""

import sys

import numpy as np

from dealermarket import Scenario
from dealermarket.envs import PLACES
from dealermarket.envs.parallel import DealerParallelEnv

SHARE = PLACES["share"]


class SeeksShare:
    """Becomes cheaper while it has less than a third of the market, and dearer while it has more."""

    eps = 0.0

    def __call__(self, observation: np.ndarray) -> np.ndarray:
        self.eps = float(np.clip(self.eps + 0.05 * np.sign(observation[SHARE] - 1 / 3), -1.0, 1.0))
        return np.array([self.eps, self.eps, -1.0])  # eps for clients who buy, eps for clients who sell; -1: hedge nothing


def main(episodes: int = 50) -> None:
    two = Scenario.load("learning")
    makers = [two.makers[0].replace(name=name) for name in ("holds", "seeks", "guesses")]
    env = DealerParallelEnv(two.replace(makers=tuple(makers)), reward={"weights": {"spread_revenue": 1.0}})
    rng = np.random.default_rng(0)
    agents = {
        "holds": lambda _: np.array([0.0, 0.0, -1.0]),
        "seeks": SeeksShare(),
        "guesses": lambda _: np.append(rng.uniform(-1.0, 1.0, 2), -1.0),
    }
    rewards, shares, steps = dict.fromkeys(agents, 0.0), dict.fromkeys(agents, 0.0), 0
    for episode in range(episodes):
        observations, _ = env.reset(seed=0, options={"replica": episode})
        while env.agents:  # empty once the day is over
            actions = {agent: agents[agent](observations[agent]) for agent in env.agents}
            observations, reward, _, _, _ = env.step(actions)
            for agent in agents:
                rewards[agent] += reward[agent]
                shares[agent] += observations[agent][SHARE]
            steps += 1
    for agent in agents:
        print(f"{agent:8} spread revenue a step {rewards[agent] / steps:.3f}, market share {shares[agent] / steps:.2f}")
    print(f"the one that seeks its share ends at eps {agents['seeks'].eps:+.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
