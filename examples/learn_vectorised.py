"""A thousand markets at once: the best constant prices by the cross-entropy method, in a few lines of NumPy.

Shows `gymnasium.make_vec`: environment i quotes candidate i all day, the best tenth say where the next candidates are drawn.
Against a competitor with eps ~ U[-1, 1], theory says that eps = 0 is best for both sides.
Run it with `python examples/learn_vectorised.py [generations] [markets]`; needs the extra `envs`.
"""

import sys
import time

import gymnasium
import numpy as np

import dealermarket.envs  # noqa: F401  makes the environment known to Gymnasium

STEPS = 96  # of an episode of the scenario `learning`


def main(generations: int = 8, markets: int = 1024) -> None:
    envs = gymnasium.make_vec(
        "dealermarket/Dealer-v0",
        num_envs=markets,
        scenario="learning",
        controls={"eps_buy": (-1, 1), "eps_sell": (-1, 1), "hedge_fraction": None},  # two numbers to choose, no hedging
        reward={"weights": {"spread_revenue": 1.0}},
        autoreset_mode="SAME_STEP",  # the step that ends an episode returns the first observation of the next
    )
    rng = np.random.default_rng(0)
    centre, width = np.full(2, 0.5), np.full(2, 0.5)  # of eps_buy and eps_sell
    envs.reset(seed=0)
    envs.step(np.zeros((markets, 2)))  # the first step loads the compiled engine
    envs.reset(seed=0)
    began = time.perf_counter()
    for generation in range(generations):
        candidates = np.clip(centre + width * rng.standard_normal((markets, 2)), -1.0, 1.0)
        total = np.zeros(markets)
        for _ in range(STEPS):
            _, reward, _, _, _ = envs.step(candidates)
            total += reward
        best = candidates[np.argsort(total)[-max(markets // 10, 2) :]]
        centre, width = best.mean(axis=0), best.std(axis=0)
        print(f"generation {generation}: eps_buy {centre[0]:+.2f} eps_sell {centre[1]:+.2f} +- {width.mean():.2f}", end=", ")
        print(f"spread revenue a step {total.mean() / STEPS:.3f} of the market's at eps 0")
    seconds = time.perf_counter() - began
    print(f"{generations * markets * STEPS / seconds:,.0f} market steps a second")
    envs.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
