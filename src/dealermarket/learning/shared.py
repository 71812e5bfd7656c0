"""Several makers who learn one policy together: self-play, as a Gymnasium vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dealermarket.draws.streams import first_episodes
from dealermarket.envs.arena import Arena, checked_actions
from dealermarket.envs.spaces import action_space, observation_space

Array = NDArray[Any]


class SharedPolicyVectorEnv(VectorEnv[Array, Array, Array]):
    """An environment is one learner in one of `markets` markets: those of market b are b L to b L + L - 1.

    Every learner sees, does and earns its own; whoever trains one policy on all of them trains it against itself.
    Environments reset in the step that ends an episode (SAME_STEP). Seeds: market b plays replica b.
    """

    def __init__(self, arena: Arena, markets: int) -> None:
        self.arena, self._markets = arena, markets
        self.num_envs = markets * len(arena.learners)
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space = observation_space()
        self.single_action_space = action_space(arena.controls)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._play = arena.play(markets)
        self._episodes = first_episodes(0, range(markets))
        self._begun = False

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None or not self._begun:
            first = int(self.np_random.integers(2**63)) if seed is None else int(seed)
            self._episodes, self._begun = first_episodes(first, range(self._markets)), True
        else:
            self._episodes = [episode.next() for episode in self._episodes]
        self._play.begin(self._episodes)
        return self._observation(), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        if not self._begun:
            raise ResetNeeded("step: call reset first")
        numbers = checked_actions(actions, (self.num_envs, len(self.arena.controls.names)), "actions")
        self._play.act(numbers.reshape(self._markets, len(self.arena.learners), -1))
        reward = self._play.feedback[:, :, -1].ravel()
        over, info = np.full(self.num_envs, self._play.ended), {}
        if self._play.ended:
            last = np.empty(self.num_envs, object)
            last[:] = list(self._observation())
            info = {"final_obs": last, "_final_obs": over.copy()}
            self._episodes = [episode.next() for episode in self._episodes]
            self._play.begin(self._episodes)
        return self._observation(), reward, np.zeros(self.num_envs, np.bool_), over, info

    def _observation(self) -> Array:
        return self._play.features.reshape(self.num_envs, -1)
