"""`check_vector_env`: the rules, in the order of checking."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import Env
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from dealermarket.testing.calls import Call, Row, Tape, first_repeat, streams_of, which_ended
from dealermarket.testing.differences import first_difference
from dealermarket.testing.errors import VectorEnvError
from dealermarket.testing.scalars import Scalars
from dealermarket.testing.vector import Vector


def check_vector_env(
    make_vector: Callable[[], VectorEnv[Any, Any, Any]],
    make_scalar: Callable[[], Env[Any, Any]],
    *,
    steps: int = 200,
    seeds: Sequence[int] | None = None,
    seed: int = 0,
    policy: Callable[[Any, np.random.Generator], Any] | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    independent_seeds: bool = False,
) -> None:
    """Check that a vector environment is `num_envs` scalar environments, under the autoreset mode that its metadata names.

    The rules, in the order of checking:

    1. `metadata["autoreset_mode"]` is an `AutoresetMode`; the single spaces equal the scalar ones, the batched spaces are
       `batch_space` of them, and each is the same object at every access.
    2. After `reset(seed=list)` and at each step, sub-environment i gives what a scalar environment, reset with `seed=list[i]`
       and fed the same actions, gives: observation, reward, both flags and info. At the end of an episode,
       `NEXT_STEP` ignores the next action and returns the reset, with reward 0 and no flag;
       `SAME_STEP` returns the reset observation and info, and the last ones under `final_obs` and `final_info`;
       `DISABLED` waits for `reset(options={"reset_mask": mask})`, which changes only the sub-environments in the mask.
    3. A plain `reset()` starts all afresh, even while some wait for their reset. Under `DISABLED`, the second half of the
       run also resets random sub-environments early. Half of the masked resets give seeds: a list, None outside the mask.
    4. Observations lie in the observation space, with its shape and dtype. Rewards are floats and flags booleans, of shape
       (num_envs,). Each info key, nested ones too, has an array of num_envs values and a boolean mask `_key`.
    5. A call writes neither into its actions nor into what an earlier call returned.
    6. The same seeds and actions give exactly the same run again, also if the caller overwrites all returned arrays.
    7. `reset(seed=int)` repeats itself, and gives each sub-environment a random stream of its own.
    8. A list of seeds of the wrong length raises an exception.

    Parameters
    ----------
    make_vector : callable
        Makes the vector environment; called once.
    make_scalar : callable
        Makes one scalar environment; called max(num_envs, 2) times.
    steps : int, default 200
        How many steps to play. Take enough for several episodes in each half of them.
    seeds : sequence of int, optional
        One seed per sub-environment; drawn from `seed` if not given.
    seed : int, default 0
        Decides all that the checker draws, and is the integer seed of rule 7.
    policy : callable, optional
        Gives batched actions from the batched observations and a generator; by default, actions are sampled from the action
        space. Rule 7 repeats the actions of sub-environment 0 in all of them.
    rtol : float, default 0.0
        Relative tolerance of floats in rule 2. All other rules are exact.
    atol : float, default 0.0
        Absolute tolerance of floats in rule 2.
    independent_seeds : bool, default False
        Also demand that no sub-environment under `seed` repeats one under `seed + 1`. A `SyncVectorEnv`, which seeds
        sub-environment i with `seed + i`, breaks this rule.

    Raises
    ------
    VectorEnvError
        If a rule is broken. It is an `AssertionError`. What the environments raise passes through.
    ValueError
        If `seeds` has not `num_envs` entries.

    Warns
    -----
    UserWarning
        If no episode ended, or scalar environments with different seeds are alike, so that a rule was not checked.

    """
    with ExitStack() as stack:
        env = make_vector()
        stack.callback(env.close)
        scalars = [make_scalar() for _ in range(max(env.num_envs, 2))]
        for scalar in scalars:
            stack.callback(scalar.close)
        rng = np.random.default_rng(seed)
        mode = _check_spaces(env, scalars[0])
        if seeds is None:
            seeds = [int(number) for number in rng.integers(2**31, size=env.num_envs)]
        if len(seeds) != env.num_envs:
            raise ValueError(f"seeds has {len(seeds)} entries for {env.num_envs} sub-environments")

        vector = Vector(env, mode)
        reference = Scalars(scalars[: env.num_envs], mode)
        env.action_space.seed(int(rng.integers(2**31)))
        choose = policy or (lambda *_: env.action_space.sample())
        tape = _check_run(vector, reference, steps, list(seeds), choose, rng, (rtol, atol))
        _check_replay(vector, tape, "replay")
        vector.overwrite = True
        _check_replay(vector, tape, "replay with returned arrays overwritten")
        vector.overwrite = False
        _check_integer_seeds(vector, Scalars(scalars, mode), seed, tape, independent_seeds)
        _check_seed_lengths(env)


def _check_spaces(env: VectorEnv[Any, Any, Any], scalar: Env[Any, Any]) -> AutoresetMode:
    for name, scalar_space in (("observation_space", scalar.observation_space), ("action_space", scalar.action_space)):
        for attribute, expected in ((f"single_{name}", scalar_space), (name, batch_space(scalar_space, env.num_envs))):
            actual = getattr(env, attribute)
            if actual != expected:
                raise VectorEnvError(f"{attribute} is {actual}, expected {expected}")
            if getattr(env, attribute) is not actual:
                raise VectorEnvError(f"{attribute} is another object at each access")
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise VectorEnvError(f'metadata["autoreset_mode"] is {mode!r}, expected a gymnasium.vector.AutoresetMode')
    return mode


def _check_run(
    vector: Vector,
    reference: Scalars,
    steps: int,
    seeds: list[int | None],
    policy: Callable[[Any, np.random.Generator], Any],
    rng: np.random.Generator,
    tolerance: tuple[float, float],
) -> Tape:
    """Play both side by side, compare each call, and return the calls with the vector environment's rows."""
    tape: Tape = []

    def run(call: Call) -> None:
        actual, expected = vector.run(call), reference.run(call)
        _check_rows(call.at, actual, expected, tolerance)
        tape.append((call, [row._replace(event=known.event) for row, known in zip(actual, expected, strict=True)]))

    run(Call(f"reset(seed={seeds})", seed=seeds))
    restarted = episodes = False
    for step in range(1, steps + 1):
        ended, late = which_ended(tape[-1][1]), 2 * step > steps
        episodes |= bool(ended.any())
        if late and not restarted and (ended.any() or step == steps):
            run(Call(f"full reset before step {step}"))
            restarted = True
        elif vector.mode is AutoresetMode.DISABLED:
            early = late and rng.random() < 0.2
            mask = ended | (early & (rng.random(vector.num_envs) < 0.5))
            fresh = [int(rng.integers(2**31)) if masked else None for masked in mask]
            if mask.any():
                run(Call(f"masked reset before step {step}", seed=fresh if rng.random() < 0.5 else None, mask=mask))
        run(Call(f"step {step}", actions=policy(deepcopy(vector.kept["observations"]), rng)))
    if not episodes:
        warnings.warn(f"no episode ended in {steps} steps, so the autoreset is not checked: take more steps", stacklevel=3)
    return tape


def _check_replay(vector: Vector, tape: Tape, name: str) -> None:
    for call, rows in tape:
        at = f"{name}, {call.at}"
        _check_rows(at, vector.run(call._replace(at=at)), rows)


def _check_integer_seeds(vector: Vector, scalars: Scalars, seed: int, tape: Tape, independent: bool) -> None:
    # The same actions everywhere, so that only the random streams can tell sub-environments apart.
    actions = [next(iter(iterate(vector.env.action_space, call.actions))) for call, _ in tape if call.actions is not None]
    first = _play(vector, seed, actions)
    _check_replay(vector, first, f"replay with seed={seed}")
    if first_repeat(streams_of(_play(scalars, list(range(seed, seed + scalars.num_envs)), actions))):
        warnings.warn("scalar environments with different seeds are alike: the seeds' streams are not checked", stacklevel=3)
        return
    streams = streams_of(first)
    if pair := first_repeat(streams):
        raise VectorEnvError(f"reset(seed={seed}): sub-environments {pair[0]} and {pair[1]} are the same, step by step")
    for j, stream in enumerate(streams_of(_play(vector, seed + 1, actions)) if independent else []):
        if stream in streams:
            same = f"sub-environment {streams.index(stream)} under seed={seed}"
            raise VectorEnvError(f"{same} is sub-environment {j} under seed={seed + 1}, step by step")


def _check_seed_lengths(env: Any) -> None:
    for length in (env.num_envs - 1, env.num_envs + 1):
        try:
            env.reset(seed=list(range(length)))
        except Exception:
            continue
        raise VectorEnvError(f"reset accepts {length} seeds for {env.num_envs} sub-environments, expected an exception")


def _play(target: Vector | Scalars, seed: int | list[int | None], actions: list[Any]) -> Tape:
    """Reset with the seed, then give every sub-environment the same actions."""
    space, n, call = target.single_action_space, target.num_envs, Call(f"reset(seed={seed})", seed=seed)
    tape = [(call, target.run(call))]
    for step, action in enumerate(actions, 1):
        ended = which_ended(tape[-1][1])
        if target.mode is AutoresetMode.DISABLED and ended.any():
            call = Call(f"masked reset before step {step}", mask=ended)
            tape.append((call, target.run(call)))
        batch: Any = create_empty_array(space, n)
        call = Call(f"step {step}", actions=concatenate(space, [action] * n, batch))
        tape.append((call, target.run(call)))
    return tape


def _check_rows(at: str, actual: list[Row], expected: list[Row], tolerance: tuple[float, float] = (0.0, 0.0)) -> None:
    for i, (row, known) in enumerate(zip(actual, expected, strict=True)):
        for name in ("observation", "reward", "terminated", "truncated", "info"):
            if difference := first_difference(getattr(row, name), getattr(known, name), name, tolerance):
                event = f" ({known.event})" if known.event else ""
                raise VectorEnvError(f"{at}, sub-environment {i}{event}: {difference}")
