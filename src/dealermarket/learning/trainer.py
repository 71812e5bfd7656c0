"""Doing a training, with Stable-Baselines3."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from dealermarket import interrupt
from dealermarket.disk import errors_of, replacing
from dealermarket.engine.scales import scales_of
from dealermarket.envs.arena import Arena
from dealermarket.envs.vector import DealerVectorEnv
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.learning.folder import checkpoint_path, kept_checkpoints
from dealermarket.learning.sb3 import Sb3VecEnv, exported
from dealermarket.learning.shared import SharedPolicyVectorEnv
from dealermarket.learning.training import Point, Training
from dealermarket.policies.features import PLACES
from dealermarket.policies.policy_file import TrainedPolicy

ALGORITHMS: dict[str, type[OnPolicyAlgorithm]] = {"ppo": PPO, "a2c": A2C}
CHECKPOINTS_KEPT = 3
LONGEST_WITHOUT_CHECKPOINT = 60.0  # seconds
LEAST_VARIANCE = 1e-4  # of a feature: what never changes in training is not to be a thousandfold elsewhere
REMEMBERED = 50_000  # steps, which say how large observations and rewards are
POSITION, BOUGHT, SOLD, TIME_LEFT = (PLACES[name] for name in ("position", "bought", "sold", "time_left"))


def train(
    training: Training,
    report: Callable[[Point], None] = lambda _: None,
    *,
    tensorboard: Path | None = None,
    checkpoints: Path | None = None,
    keep: Callable[[TrainedPolicy], None] = lambda _: None,
    every: int = 10,
) -> TrainedPolicy:
    """Trains the policy; `report` is called after every rollout.

    With `checkpoints`, a folder, one is written there whenever an `every`th of the steps is done, once a minute, at the end,
    and when somebody presses Ctrl-C; `keep` is then handed the policy as it stands. The last one there is gone on from: on
    other episodes, and with other noise, than a training that was never interrupted. Raises ParameterError where a learner
    cannot do what it is to decide or the training diverges, RunFolderError for a checkpoint that cannot be read or written.
    """
    # Ctrl-C is looked at between steps and batches: inside the queue of TensorBoard's writer it would leave a lock taken
    # rewards beyond what numbers can be are found out by what is learned from them
    with interrupt.held(), _one_thread(), np.errstate(over="ignore", invalid="ignore"):
        model = _model(training, tensorboard, checkpoints)
        model.policy.optimizer.register_step_pre_hook(lambda *_: interrupt.check())
        steps_between = max(training.steps // every, 1)
        watch = _Watch(training, model, report=report, checkpoints=checkpoints, keep=keep, every=steps_between)
        left = training.market_steps * len(training.makers) - model.num_timesteps
        if left > 0:
            _learn(model, left, watch)
        return watch.policy()


def _learn(model: OnPolicyAlgorithm, steps: int, watch: _Watch) -> None:
    """So many steps more, those of all learners counted."""
    try:
        model.learn(steps, watch, log_interval=1, tb_log_name="training", reset_num_timesteps=model.num_timesteps == 0)
        watch.save(model.num_timesteps)
    except KeyboardInterrupt:
        watch.save()
        raise
    except ValueError:  # torch refuses numbers that are none, without saying whose they are
        if is_finite(model):
            raise
        raise watch.divergence() from None
    finally:
        if hasattr(model, "_logger"):
            model.logger.close()


def is_finite(model: OnPolicyAlgorithm) -> bool:
    """Whether all its weights are numbers."""
    return all(bool(torch.isfinite(part).all()) for part in model.policy.parameters())


def _model(training: Training, tensorboard: Path | None, checkpoints: Path | None) -> OnPolicyAlgorithm:
    """A new model, or the last checkpoint."""
    chosen, kind = training.hyperparameters, ALGORITHMS[training.algorithm]
    env = normalised(_environment(training), chosen.discount)
    log = None if tensorboard is None else str(tensorboard)
    last = kept_checkpoints(checkpoints)[-1:]
    if last:
        try:
            model: OnPolicyAlgorithm = kind.load(last[0], env=env, device="cpu", tensorboard_log=log)
        except Exception as error:  # the library raises whatever it stumbles on
            raise RunFolderError(
                f"{last[0]}: cannot be read as a checkpoint ({error}); delete it to go on from the one before"
            ) from None
        model.set_random_seed(_seed(training.seed, model.num_timesteps))
        env.obs_rms, env.ret_rms = model.normalisation  # type: ignore[attr-defined]
        return model
    own: dict[str, Any] = {"batch_size": training.batch, "n_epochs": chosen.epochs, "clip_range": chosen.clip}
    model = kind(
        "MlpPolicy",
        env,
        n_steps=chosen.rollout,
        learning_rate=partial(_falling, chosen.learning_rate, chosen.slowest),
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
    policy: Any = model.policy
    with torch.no_grad():
        policy.action_net.weight.zero_()
        policy.action_net.bias.copy_(torch.as_tensor(training.start))
    model.normalisation = (env.obs_rms, env.ret_rms)  # type: ignore[attr-defined] # so that checkpoints have it
    return model


def _falling(learning_rate: float, slowest: float, left: float) -> float:
    """The learning rate when a share of the training is left: where it falls, what was learned last counts no more than the
    rest."""
    return learning_rate * max(left, slowest)


def _seed(*parts: int) -> int:
    """A seed made of numbers: the libraries' own generators take 32 bits."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def normalised(env: Sb3VecEnv, discount: float) -> VecNormalize:
    """The environment with observations, and sums of discounted rewards, of a standard deviation near 1: how large they are
    depends on the scenario, on the reward, and on what has been learned."""
    return VecNormalize(env, clip_obs=math.inf, gamma=discount, epsilon=LEAST_VARIANCE)


def _environment(training: Training) -> Sb3VecEnv:
    reward = training.learned_from
    if len(training.makers) > 1:
        arena = Arena(training.scenario, training.makers, training.controls, reward)
        return Sb3VecEnv(SharedPolicyVectorEnv(arena, training.markets))
    return Sb3VecEnv(
        DealerVectorEnv(
            training.markets,
            training.scenario,
            training.makers[0],
            controls=training.controls,
            reward=reward,
            autoreset_mode=AutoresetMode.SAME_STEP,
        )
    )


class _Watch(BaseCallback):
    """Reports every rollout, and keeps checkpoints. `learned` are the steps, those of all learners, that were learned from."""

    def __init__(
        self,
        training: Training,
        model: OnPolicyAlgorithm,
        *,
        report: Callable[[Point], None],
        checkpoints: Path | None,
        keep: Callable[[TrainedPolicy], None],
        every: int,
    ) -> None:
        super().__init__()
        self._model, self._learners = model, len(training.makers)
        self._training, self._report, self._checkpoints, self._keep = training, report, checkpoints, keep
        self._unit = scales_of(training.scenario, training.reward).position
        self._every = every * self._learners
        self.learned = self._saved = model.num_timesteps
        self._saved_at = time.monotonic()
        self._earned = 0.0

    @property
    def _market(self) -> VecNormalize:
        env = self._model.get_vec_normalize_env()
        assert env is not None
        return env

    def policy(self) -> TrainedPolicy:
        """The policy as it stands. Raises ParameterError where its weights are no numbers any more."""
        if not is_finite(self._model):
            raise self.divergence()
        return exported(self._model, self._training.controls, self._training.about | {"steps": self._steps(self.learned)})

    def divergence(self) -> ParameterError:
        """What to say when weights are no numbers any more."""
        return ParameterError(
            f"the training diverged within {self._steps(self._model.num_timesteps):,} steps: the network's weights are no finite "
            "numbers any more; lower the learning_rate, or the weights and penalties of the reward"
        )

    def save(self, learned: int | None = None) -> None:
        """Writes a checkpoint where there is something new to keep, and deletes those that are no longer needed.

        Of a rollout that was not learned from to the end nothing counts."""
        if learned is not None:
            self.learned = learned
        if self._checkpoints is None or self.learned == self._saved:
            return
        policy = self.policy()
        with errors_of(self._checkpoints):
            self._checkpoints.mkdir(parents=True, exist_ok=True)
        self._model.num_timesteps, played = self.learned, self._model.num_timesteps
        place = checkpoint_path(self._checkpoints, self._steps(self.learned))
        with replacing(place) as temporary, temporary.open("wb") as file:
            self._model.save(file)
        self._model.num_timesteps = played
        for old in kept_checkpoints(self._checkpoints)[:-CHECKPOINTS_KEPT]:
            old.unlink(missing_ok=True)
        self._saved, self._saved_at = self.learned, time.monotonic()
        self._keep(policy)

    def _steps(self, learned: int) -> int:
        """In steps of a market."""
        return learned // self._learners

    def _on_rollout_start(self) -> None:
        self.learned, self._earned = self._model.num_timesteps, 0.0
        for moments in self._model.normalisation:  # type: ignore[attr-defined]
            moments.count = min(moments.count, REMEMBERED)
        waited = time.monotonic() - self._saved_at
        if self.learned >= self._saved + self._every or waited > LONGEST_WITHOUT_CHECKPOINT:
            self.save()

    def _on_step(self) -> bool:
        interrupt.check()
        self._earned += float(self._market.get_original_reward().mean())
        return True

    def _on_rollout_end(self) -> None:
        buffer: Any = self.locals["rollout_buffer"]
        seen: Any = self._market.unnormalize_obs(buffer.observations)
        policy: Any = self._model.policy
        point = Point(
            steps=self._steps(self.num_timesteps),
            reward=self._earned / len(seen),
            share=share_of(seen),
            inventory=float(np.abs(seen[..., POSITION]).mean() * self._unit),
            noise=float(torch.exp(policy.log_std.detach()).mean()),
        )
        for name in ("reward", "share", "inventory", "noise"):
            self.logger.record(f"market/{name}", getattr(point, name))
        self._report(point)


def share_of(seen: Any) -> float:
    """What learners traded with investors as a share of the mean volume of all investors, over features (..., FEATURES).

    The mean of the shares of single steps would be another number: in many steps nobody trades."""
    after = seen[seen[..., TIME_LEFT] < 1.0]  # nothing was traded before the first step
    return float(after[:, [BOUGHT, SOLD]].sum(axis=1).mean()) if len(after) else 0.0


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks this small are slower on more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
