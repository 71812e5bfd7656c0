"""The specification of a vector environment: scalar environments, driven one by one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from gymnasium import Env
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space, iterate

from dealermarket.testing.calls import Call, Row


class Scalars:
    """The specification: scalar environments, driven one by one and reset as the autoreset mode says."""

    def __init__(self, envs: list[Env[Any, Any]], mode: AutoresetMode) -> None:
        self.envs, self.mode, self.num_envs = envs, mode, len(envs)
        self.single_action_space = envs[0].action_space
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observations: list[Any] = [None] * self.num_envs
        self.ended = [False] * self.num_envs

    def run(self, call: Call) -> list[Row]:
        """A row per sub-environment, as the autoreset mode demands it."""
        if call.actions is not None:
            return [self._step(i, action) for i, action in enumerate(iterate(self.action_space, call.actions))]
        seeds = call.seed if isinstance(call.seed, list) else [call.seed] * self.num_envs
        return [
            self._reset(i, seeds[i], "reset")
            if call.mask is None or call.mask[i]
            else Row(self.observations[i], 0.0, False, False, {}, "outside the reset mask")
            for i in range(self.num_envs)
        ]

    def _reset(self, i: int, seed: int | None, event: str) -> Row:
        # Scalar environments may reuse what they return, hence the copies.
        observation, info = deepcopy(self.envs[i].reset(seed=seed))
        self.observations[i], self.ended[i] = observation, False
        return Row(observation, 0.0, False, False, info, event)

    def _step(self, i: int, action: Any) -> Row:
        if self.ended[i] and self.mode is AutoresetMode.NEXT_STEP:
            return self._reset(i, None, "automatic reset")
        observation, reward, terminated, truncated, info = deepcopy(self.envs[i].step(deepcopy(action)))
        ended = bool(terminated or truncated)
        self.observations[i], self.ended[i] = observation, ended
        row = Row(observation, reward, terminated, truncated, info, "end of an episode" if ended else "within an episode")
        if ended and self.mode is AutoresetMode.SAME_STEP:
            start = self._reset(i, None, "automatic reset")
            final = {**start.info, "final_obs": observation, "final_info": info}
            row = row._replace(observation=start.observation, info=final)
        return row
