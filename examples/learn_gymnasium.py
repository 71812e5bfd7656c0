"""The market as a Gymnasium environment: a loop by hand, and a policy that leans against its position.

Shows `gymnasium.make`, what an observation holds, what an action means, and what `info` tells besides the reward.
Run it with `python examples/learn_gymnasium.py [episodes]`; needs the extra `envs`.
"""

import sys
from collections.abc import Callable

import gymnasium
import numpy as np

import dealermarket.envs  # noqa: F401  makes the environment known to Gymnasium
from dealermarket.envs import PLACES

POSITION = PLACES["position"]


def at_mid(_: np.ndarray) -> np.ndarray:
    return np.array([0.0, 0.0, -1.0])  # eps for clients who buy, eps for clients who sell; -1: hedge nothing of the position


def leans(observation: np.ndarray) -> np.ndarray:
    shade = 0.5 * np.tanh(observation[POSITION])  # long: cheaper for those who buy, dearer for those who sell
    return np.array([-shade, shade, -1.0])


def play(policy: Callable[[np.ndarray], np.ndarray], episodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Reward and mean absolute position of each episode; episode r is replica r of a run of seed 0."""
    env = gymnasium.make("dealermarket/Dealer-v0", scenario="learning", maker="learner", reward="pnl")
    rewards, positions = np.zeros(episodes), np.zeros(episodes)
    for episode in range(episodes):
        observation, _ = env.reset(seed=0, options={"replica": episode})
        truncated, steps = False, 0
        while not truncated:  # a day ends by truncation, never by termination
            observation, reward, _, truncated, info = env.step(policy(observation))
            rewards[episode] += reward
            positions[episode] += abs(info["position"])
            steps += 1
        positions[episode] /= steps
    env.close()
    return rewards, positions


def main(episodes: int = 100) -> None:
    for policy in (at_mid, leans):
        rewards, positions = play(policy, episodes)
        print(f"{policy.__name__:7} P&L a day {rewards.mean():6.1f} +- {rewards.std() / np.sqrt(episodes):.1f}", end=", ")
        print(f"mean |position| {positions.mean():5.1f}")
    print("P&L in half spreads times the market's volume of a step: 1 is what all clients of a step pay at eps 0")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
