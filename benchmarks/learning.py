"""How fast learning is, beside what: prints the learning tables of docs/performance.md.

Every figure is the median of several runs in this one process. Observations, rewards, infos and the resets at the ends of
episodes are part of what is timed; actions are drawn before. Usage: `python benchmarks/learning.py [single vectorised several
training] [--json FILE]`, with EnvPool installed for the comparison with it.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from stable_baselines3 import PPO

from dealermarket import Scenario
from dealermarket.envs import ENV_ID, DealerVectorEnv
from dealermarket.envs.parallel import DealerParallelEnv
from dealermarket.envs.spaces import action_space, observation_space
from dealermarket.learning.sb3 import Sb3VecEnv
from dealermarket.learning.trainer import normalised
from dealermarket.learning.training import Hyperparameters
from dealermarket.policies.controls import Controls
from speed import REPEATS, header, median_seconds, print_parts, rate, row, title

Array = NDArray[Any]

SINGLE = {"learning": 55e3, "paper": 110e3}  # targets
VECTORISED = {"learning": 550e3, "paper": 1.8e6}
SEVERAL = 75e3
SCENARIOS = ("learning", "paper")
MARKETS, TRAINED_MARKETS = 1024, 256
TRAINED_STEPS = 16 * Hyperparameters().rollout * TRAINED_MARKETS
PEER = "HopperStand-v1"


def drawn(count: int, *shape: int) -> Array:
    """The actions of a random policy."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (count, *shape)).astype(np.float32)


def single() -> None:
    """One market, one learner."""
    title("Gymnasium: one environment, random actions")
    header("scenario", "target", "steps/s")
    for scenario in SCENARIOS:
        env, actions = gymnasium.make(ENV_ID, scenario=scenario).unwrapped, drawn(4000, 3)
        env.reset(seed=0)

        def play(env: Any = env, actions: Array = actions) -> None:
            for action in actions:
                if env.step(action)[3]:
                    env.reset()

        row(f"`{scenario}`", rate(SINGLE[scenario]), rate(len(actions) / median_seconds(play)))


def vectorised() -> None:
    """Many markets, one learner in each."""
    title(f"Gymnasium: {MARKETS:,} markets in a VectorEnv, random actions")
    header("scenario", "target", *(f"market steps/s, {mode.name}" for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)))
    for scenario in SCENARIOS:
        rates = []
        for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP):
            envs = DealerVectorEnv(MARKETS, scenario, autoreset_mode=mode)
            steps = 2 * envs.arena.scenario.steps
            rates.append(rate(steps * MARKETS / median_seconds(random_play(envs, steps))))
        row(f"`{scenario}`", rate(VECTORISED[scenario]), *rates)


def random_play(envs: VectorEnv[Any, Any, Any], steps: int) -> Callable[[], object]:
    """Work: so many steps of all environments with random actions."""
    shape = envs.action_space.shape
    assert shape is not None
    actions = drawn(64, *shape)
    envs.reset(seed=0)

    def play() -> None:
        for step in range(steps):
            envs.step(actions[step % len(actions)])

    return play


def several() -> None:
    """One market, every maker learns."""
    title("PettingZoo: one environment, every maker of `paper` an agent, random actions")
    header("agents", "target", "market steps/s")
    env = DealerParallelEnv("paper")
    agents, numbers = env.possible_agents, drawn(4000, len(env.possible_agents), 3)
    actions = [dict(zip(agents, of_step, strict=True)) for of_step in numbers]
    env.reset(seed=0)

    def play() -> None:
        for action in actions:
            env.step(action)
            if not env.agents:
                env.reset()

    row(len(agents), rate(SEVERAL), rate(len(actions) / median_seconds(play)))


class Nothing(VectorEnv[Array, Array, Array]):
    """Observations of the market's size, drawn beforehand, and nothing else: no environment is cheaper."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs, self.metadata = num_envs, {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space, self.single_action_space = observation_space(), action_space(Controls())
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._seen, self._rewards, self._never = drawn(64, num_envs, 15), drawn(64, num_envs), np.zeros(num_envs, np.bool_)
        self._step = 0

    def reset(self, **_: Any) -> tuple[Array, dict[str, Any]]:
        return self._seen[0], {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        self._step = (self._step + 1) % 64
        return self._seen[self._step], self._rewards[self._step], self._never, self._never, {}


class Hoppers(VectorEnv[Array, Array, Array]):
    """The hopper of the DeepMind Control Suite in EnvPool: 15 observations, 4 actions, physics in C++ without Python.

    It is no market, and its episodes never end within what is timed, which `step` asserts."""

    def __init__(self, num_envs: int, threads: int) -> None:
        self._pool: Any = import_module("envpool").make(PEER, env_type="gymnasium", num_envs=num_envs, num_threads=threads)
        self.num_envs, self.metadata = num_envs, {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (15,), np.float32)
        self.single_action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, **_: Any) -> tuple[Array, dict[str, Any]]:
        return self._flat(self._pool.reset()[0]), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        seen, reward, terminated, truncated, _ = self._pool.step(actions.astype(np.float64))
        assert not (terminated | truncated).any()
        return self._flat(seen), reward, terminated, truncated, {}

    def _flat(self, seen: dict[str, Array]) -> Array:
        return np.concatenate([seen[name] for name in ("position", "velocity", "touch")], axis=1, dtype=np.float32)


def training() -> None:
    """PPO on the market, and on others."""
    title(f"PPO of Stable-Baselines3, one thread, {TRAINED_MARKETS} environments, the defaults of `dealermarket train`")
    kinds: dict[str, tuple[Callable[[], VectorEnv[Any, Any, Any]], int]] = {}  # how it is made, steps of it alone
    for name in SCENARIOS:  # alone, from beginning to end, drawing of prices and orders included
        steps = Scenario.load(name).steps
        kinds[f"`{name}`"] = lambda name=name: DealerVectorEnv(TRAINED_MARKETS, name, autoreset_mode="SAME_STEP"), steps  # type: ignore[misc]
    if find_spec("envpool") is not None:
        for threads in (1, 2):
            peer = f"EnvPool {version('envpool')} `{PEER}`, {threads} thread{'s'[: threads - 1]}"
            kinds[peer] = lambda threads=threads: Hoppers(TRAINED_MARKETS, threads), 100  # type: ignore[misc]
    kinds["nothing: observations drawn beforehand"] = lambda: Nothing(TRAINED_MARKETS), 100
    runs = {name: (random_play(make(), steps), ppo(make())) for name, (make, steps) in kinds.items()}
    for played, trained in runs.values():
        played(), trained()
    # a round is one run of each, so that the machine's moods hit all of them; ratios are those of a round
    rounds = [{name: [seconds(work) for work in works] for name, works in runs.items()} for _ in range(REPEATS)]
    header("environment", "environment alone, steps/s", "training, steps/s", "training, `learning` / this one")
    for name, (_, steps) in kinds.items():
        alone, training = (statistics.median(times[name][part] for times in rounds) for part in (0, 1))
        ratio = statistics.median(times[name][1] / times["`learning`"][1] for times in rounds)
        row(name, rate(steps * TRAINED_MARKETS / alone), rate(TRAINED_STEPS / training), f"{ratio:.2f}")
    if find_spec("envpool") is None:
        print("\nEnvPool is not installed: `pip install envpool`.")


def seconds(work: Callable[[], object]) -> float:
    """What it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ppo(envs: VectorEnv[Any, Any, Any]) -> Callable[[], object]:
    """Work: PPO plays and learns for so many steps."""
    torch.set_num_threads(1)
    chosen = Hyperparameters()
    adapted = normalised(Sb3VecEnv(envs), chosen.discount)
    adapted.seed(0)
    model = PPO(
        "MlpPolicy",
        adapted,
        n_steps=chosen.rollout,
        batch_size=chosen.batch,
        n_epochs=chosen.epochs,
        learning_rate=chosen.learning_rate,
        gamma=chosen.discount,
        gae_lambda=chosen.gae,
        clip_range=chosen.clip,
        ent_coef=chosen.entropy,
        policy_kwargs={
            "net_arch": [chosen.width, chosen.width],
            "activation_fn": torch.nn.Tanh,
            "log_std_init": math.log(chosen.noise),
        },
        seed=0,
        device="cpu",
    )
    return lambda: model.learn(TRAINED_STEPS)


def main() -> None:
    """Prints all tables."""
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "gymnasium", "pettingzoo", "stable-baselines3", "torch")
    )
    about = f"Python {platform.python_version()}, {libraries}, {os.cpu_count()} cores, {platform.machine()}"
    print_parts({part.__name__: part for part in (single, vectorised, several, training)}, about)


if __name__ == "__main__":
    main()
