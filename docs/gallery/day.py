"""A maker's day.

The mid and its clients' trades, its position, what it quoted, and its P&L, as an environment shows it.
"""

import matplotlib.image

from dealermarket.envs import DealerEnv

env = DealerEnv("learning", render_mode="rgb_array")
env.reset(seed=1)
env.action_space.seed(1)
for _ in range(95):
    env.step(env.action_space.sample() * 0.2)
matplotlib.image.imsave("day.png", env.render())
