"""The bridge to Stable-Baselines3: our vector environments as its own, and its policies as our files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from dealermarket.errors import ParameterError
from dealermarket.policies.controls import Controls
from dealermarket.policies.policy_file import Network, TrainedPolicy

Array = NDArray[Any]


class Sb3VecEnv(VecEnv):
    """A Gymnasium vector environment as Stable-Baselines3 wants one, so that training runs batched.

    `env` must be in SAME_STEP mode: Stable-Baselines3 takes the first observation of the next episode from the step that
    ends one, and the last of the old one from its info. Raises ParameterError for another mode.
    """

    def __init__(self, env: VectorEnv[Array, Array, Array]) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise ParameterError(f"env: must reset in the same step, make it with autoreset_mode='SAME_STEP'; it has {mode}")
        self.env = env
        self._actions: Array = np.empty(0)
        self.render_mode = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Array:
        seeds: Any = None if all(seed is None for seed in self._seeds) else self._seeds[0]
        observation, _ = self.env.reset(seed=seeds)
        self._reset_seeds()
        return observation

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """One seed for all: the vector environment makes a stream of its own for each from it."""
        self._seeds = [seed] * self.num_envs
        return self._seeds

    def step_async(self, actions: Array) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[Array, Array, Array, list[dict[str, Any]]]:
        observation, reward, terminated, truncated, info = self.env.step(self._actions)
        over = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(over):
            infos[i] = {
                "terminal_observation": info["final_obs"][i],
                "TimeLimit.truncated": bool(truncated[i] and not terminated[i]),
            }
        with np.errstate(over="ignore"):  # whoever trains finds out
            return observation, reward.astype(np.float32), over, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        count = len(list(self._get_indices(indices)))
        return [getattr(self.env, method_name)(*method_args, **method_kwargs)] * count

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * len(list(self._get_indices(indices)))


def exported(model: BaseAlgorithm, controls: Controls, about: Mapping[str, Any] | None = None) -> TrainedPolicy:
    """The actor of a model without its noise, for a policy file; `about` says for people where it comes from.

    Where the model's environment is a VecNormalize, what that does to observations becomes a part of the first layer. Raises
    ParameterError where a file cannot say what the model does: for anything but PPO or A2C with an MlpPolicy, tanh between
    its layers, and observations that are not clipped or changed otherwise."""
    policy: Any = model.policy
    layers_of_actor = list(policy.mlp_extractor.policy_net) if hasattr(policy, "mlp_extractor") else []
    linear = [*layers_of_actor[::2], getattr(policy, "action_net", None)]
    plain = all(isinstance(layer, torch.nn.Linear) for layer in linear)
    if getattr(policy, "squash_output", False) or not (
        plain and all(isinstance(between, torch.nn.Tanh) for between in layers_of_actor[1::2])
    ):
        raise ParameterError("model: only PPO or A2C with an MlpPolicy and activation_fn=torch.nn.Tanh can be exported")
    if not isinstance(policy.features_extractor, FlattenExtractor):
        raise ParameterError("model: its observations are changed on their way in, by a features extractor")
    layers = [(layer.weight.detach().cpu().numpy().T, layer.bias.detach().cpu().numpy()) for layer in linear]
    normalised = model.get_vec_normalize_env()
    if normalised is not None and normalised.norm_obs:
        layers[0] = _unnormalised(normalised, *layers[0])
    return TrainedPolicy(Network.of(layers, len(controls.names)), controls, about or {})


def _unnormalised(env: VecNormalize, matrix: Array, biases: Array) -> tuple[Array, Array]:
    """A first layer for normalised observations as one for those that come in. Raises ParameterError if the environment clips."""
    if not math.isinf(env.clip_obs):
        raise ParameterError("model: its VecNormalize clips observations; make it with clip_obs=math.inf")
    moments = cast(RunningMeanStd, env.obs_rms)
    scale = 1.0 / np.sqrt(moments.var + env.epsilon)
    return matrix * scale[:, None], biases - (moments.mean * scale) @ matrix
