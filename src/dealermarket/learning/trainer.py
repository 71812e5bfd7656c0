"""Doing a training, with Stable-Baselines3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from dealermarket.disk import errors_of, replacing
from dealermarket.envs.arena import Arena
from dealermarket.envs.vector import DealerVectorEnv
from dealermarket.errors import RunFolderError
from dealermarket.learning.sb3 import Sb3VecEnv, exported
from dealermarket.learning.shared import SharedPolicyVectorEnv
from dealermarket.learning.training import Point, Training
from dealermarket.policies.features import FEATURES, gauges_of
from dealermarket.policies.policy_file import TrainedPolicy

ALGORITHMS: dict[str, type[OnPolicyAlgorithm]] = {"ppo": PPO, "a2c": A2C}
CHECKPOINTS_KEPT = 3
POSITION, SHARE = (next(n for n, feature in enumerate(FEATURES) if feature.name == name) for name in ("position", "share"))


def train(
    training: Training,
    report: Callable[[Point], None] = lambda _: None,
    tensorboard: Path | None = None,
    checkpoints: Path | None = None,
    every: int = 10,
) -> TrainedPolicy:
    """Trains the policy; `report` is called after every rollout.

    With `checkpoints`, a folder, one is written there whenever an `every`th of the steps is done, and the last one there
    is gone on from: on other episodes than those of a training that was never interrupted. Raises ParameterError where a
    learner cannot do what it is to decide, RunFolderError for a checkpoint that cannot be read or written.
    """
    with _one_thread():
        model = _model(training, tensorboard, checkpoints)
        left = training.steps * len(training.makers) - model.num_timesteps
        if left > 0:
            watch = _Watch(training, report, checkpoints, max(training.steps // every, 1))
            model.learn(left, watch, reset_num_timesteps=model.num_timesteps == 0, tb_log_name="training")
            if checkpoints is not None:
                watch.save()
        return exported(model, training.controls, training.about)


def _model(training: Training, tensorboard: Path | None, checkpoints: Path | None) -> OnPolicyAlgorithm:
    """A new model, or the last checkpoint."""
    env, kind = _environment(training), ALGORITHMS[training.algorithm]
    log = None if tensorboard is None else str(tensorboard)
    last = _kept(checkpoints)[-1:]
    if last:
        try:
            model: OnPolicyAlgorithm = kind.load(last[0], env=env, device="cpu", tensorboard_log=log)
        except Exception as error:  # the library raises whatever it stumbles on
            raise RunFolderError(
                f"{last[0]}: cannot be read as a checkpoint ({error}); delete it to go on from the one before"
            ) from None
        env.seed(int(np.random.SeedSequence([training.seed, model.num_timesteps]).generate_state(1, np.uint64)[0] >> 1))
        return model
    chosen = training.hyperparameters
    own: dict[str, Any] = {"batch_size": training.batch, "n_epochs": chosen.epochs, "clip_range": chosen.clip}
    env.seed(training.seed)
    return kind(
        "MlpPolicy",
        env,
        n_steps=chosen.rollout,
        learning_rate=chosen.learning_rate,
        gamma=chosen.discount,
        gae_lambda=chosen.gae,
        ent_coef=chosen.entropy,
        policy_kwargs={
            "net_arch": [chosen.width, chosen.width],
            "activation_fn": torch.nn.Tanh,
            "log_std_init": float(np.log(chosen.noise)),
        },
        seed=_seed(training.seed),
        tensorboard_log=log,
        device="cpu",
        **(own if kind is PPO else {}),
    )


def _seed(*parts: int) -> int:
    """A seed made of numbers: the libraries' own generators take 32 bits."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _environment(training: Training) -> Sb3VecEnv:
    if len(training.makers) > 1:
        arena = Arena(training.scenario, training.makers, training.controls, training.reward)
        return Sb3VecEnv(SharedPolicyVectorEnv(arena, training.markets))
    return Sb3VecEnv(
        DealerVectorEnv(
            training.markets,
            training.scenario,
            training.makers[0],
            controls=training.controls,
            reward=training.reward,
            autoreset_mode=AutoresetMode.SAME_STEP,
        )
    )


class _Watch(BaseCallback):
    """Reports every rollout, and keeps checkpoints."""

    def __init__(self, training: Training, report: Callable[[Point], None], checkpoints: Path | None, every: int) -> None:
        super().__init__()
        self._learners, self._report, self._checkpoints, self._every = len(training.makers), report, checkpoints, every
        self._unit = gauges_of(training.scenario, training.reward).position
        self._saved = 0

    def _on_step(self) -> bool:
        return True

    def _on_training_start(self) -> None:
        self._saved = self.num_timesteps // self._learners

    def _on_rollout_end(self) -> None:
        buffer: Any = self.locals["rollout_buffer"]
        seen = buffer.observations
        policy: Any = self.model.policy
        point = Point(
            steps=self.num_timesteps // self._learners,
            reward=float(buffer.rewards.mean()),
            share=float(seen[..., SHARE].mean()),
            inventory=float(np.abs(seen[..., POSITION]).mean() * self._unit),
            noise=float(torch.exp(policy.log_std.detach()).mean()),
        )
        for name in ("reward", "share", "inventory", "noise"):
            self.logger.record(f"market/{name}", getattr(point, name))
        if self._checkpoints is not None and point.steps >= self._saved + self._every:
            self._saved = point.steps
            self.save()
        self._report(point)

    def save(self) -> None:
        """Writes a checkpoint, and deletes those that are no longer needed."""
        assert self._checkpoints is not None
        with errors_of(self._checkpoints):
            self._checkpoints.mkdir(parents=True, exist_ok=True)
        place = self._checkpoints / f"{self.num_timesteps // self._learners:012d}.zip"
        with replacing(place) as temporary, temporary.open("wb") as file:
            self.model.save(file)
        for old in _kept(self._checkpoints)[:-CHECKPOINTS_KEPT]:
            old.unlink(missing_ok=True)


def _kept(checkpoints: Path | None) -> list[Path]:
    """The checkpoints in a folder, the oldest first."""
    if checkpoints is None or not checkpoints.is_dir():
        return []
    return sorted(path for path in checkpoints.iterdir() if re.fullmatch(r"\d{12}\.zip", path.name))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks this small are slower on more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
