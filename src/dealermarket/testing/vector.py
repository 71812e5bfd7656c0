"""The vector environment under check: its results are checked for form, and split by sub-environment."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import iterate

from dealermarket.testing.calls import Call, Row
from dealermarket.testing.differences import described, first_difference, overwrite, shown
from dealermarket.testing.errors import VectorEnvError


class Vector:
    """The vector environment under check: each call's results are checked for form, and split by sub-environment."""

    def __init__(self, env: Any, mode: AutoresetMode) -> None:
        self.env, self.mode, self.num_envs = env, mode, env.num_envs
        self.single_action_space = env.single_action_space
        self.overwrite = False
        self.returned: dict[str, Any] = {}  # by the last call, and a copy of it
        self.kept: dict[str, Any] = {}

    def run(self, call: Call) -> list[Row]:
        """A row per sub-environment. Raises VectorEnvError for results of the wrong form."""
        actions = deepcopy(call.actions)
        if actions is None:
            names = ["observations", "infos"]
            options = None if call.mask is None else {"reset_mask": call.mask.copy()}
            result = self.env.reset(seed=deepcopy(call.seed), options=options)
        else:
            names = ["observations", "rewards", "terminated", "truncated", "infos"]
            result = self.env.step(actions)
        if difference := first_difference(actions, call.actions, "actions"):
            raise VectorEnvError(f"{call.at} wrote into the actions it was given: {difference}")
        if difference := first_difference(self.returned, self.kept, "result"):
            raise VectorEnvError(f"{call.at} changed what the call before had returned: {difference}")
        if not isinstance(result, tuple) or len(result) != len(names):
            raise VectorEnvError(f"{call.at}: found {described(result)}, expected a tuple of {len(names)}: {', '.join(names)}")
        self.returned = dict(zip(names, result, strict=True))
        self.kept = deepcopy(self.returned)
        rows = self._rows(call.at, self.kept)
        if self.overwrite:
            overwrite((actions, result))
            self.kept = deepcopy(self.returned)
        return rows

    def _rows(self, at: str, result: dict[str, Any]) -> list[Row]:
        space, observations, infos = self.env.observation_space, result["observations"], result["infos"]
        _check_batch(at, "observations", space, observations)
        if observations not in space:
            raise VectorEnvError(f"{at}: observations are outside observation_space: {shown(observations)}")
        rewards, terminated, truncated = ([kind()] * self.num_envs for kind in (float, bool, bool))
        if "rewards" in result:
            rewards, terminated, truncated = (
                self._vector(f"{at}: {name}", result[name], kind)
                for name, kind in (("rewards", "f"), ("terminated", "b"), ("truncated", "b"))
            )
        fields = zip(iterate(space, observations), rewards, terminated, truncated, self._split(at, "infos", infos), strict=True)
        return [Row(*row) for row in fields]

    def _vector(self, name: str, value: Any, kind: str) -> Any:
        if not isinstance(value, np.ndarray) or value.shape != (self.num_envs,) or value.dtype.kind != kind:
            dtype = {"f": "float", "b": "bool"}[kind]
            raise VectorEnvError(f"{name}: found {described(value)}, expected {dtype} array of shape ({self.num_envs},)")
        return value

    def _split(self, at: str, name: str, infos: Any) -> list[dict[str, Any]]:
        """The info of each sub-environment: the reverse of Gymnasium's `VectorEnv._add_info`."""
        if not isinstance(infos, dict):
            raise VectorEnvError(f"{at}: {name}: found {described(infos)}, expected dict")
        rows: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for key, values in infos.items():
            if key.startswith("_") and key[1:] in infos:
                continue  # the mask of another key
            mask = self._vector(f"{at}: {name}['_{key}']", infos.get(f"_{key}"), "b")
            if key == "final_obs" and isinstance(values, dict | tuple):
                parts = list(iterate(self.env.observation_space, values))
            elif isinstance(values, dict):
                parts = self._split(at, f"{name}['{key}']", values)
            else:
                parts = values
                if not isinstance(values, np.ndarray) or values.shape[:1] != (self.num_envs,):
                    expected = f"array of {self.num_envs} values"
                    raise VectorEnvError(f"{at}: {name}['{key}']: found {described(values)}, expected {expected}")
            for i in np.flatnonzero(mask):
                rows[i][key] = parts[i]
        return rows


def _check_batch(at: str, name: str, space: Space[Any], value: Any) -> None:
    """Check the shape and dtype of each array in a batched observation, which `Space.contains` does not do strictly."""
    if isinstance(space, spaces.Dict) and isinstance(value, dict):
        for key, part in space.items():
            _check_batch(at, f"{name}[{key!r}]", part, value.get(key))
    elif isinstance(space, spaces.Tuple) and isinstance(value, tuple):
        for i, (part, item) in enumerate(zip(space, value, strict=False)):
            _check_batch(at, f"{name}[{i}]", part, item)
    elif isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary) and (
        not isinstance(value, np.ndarray) or value.shape != space.shape or value.dtype != space.dtype
    ):
        raise VectorEnvError(f"{at}: {name}: found {described(value)}, expected {space.dtype} array of shape {space.shape}")
