"""A checker of Gymnasium vector environments, for any test suite.

Gymnasium's `check_env` covers scalar environments only. `check_vector_env` plays a vector environment side by side with
scalar environments, and demands that every number agrees. It needs Gymnasium, and nothing else of this package.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Env, Space, spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

__all__ = ["VectorEnvError", "check_vector_env"]


class VectorEnvError(AssertionError):
    """A vector environment broke a rule: the message says which, at which call, and in which sub-environment."""


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

    Args:
        make_vector: Makes the vector environment; called once.
        make_scalar: Makes one scalar environment; called max(num_envs, 2) times.
        steps: How many steps to play. Take enough for several episodes in each half of them.
        seeds: One seed per sub-environment; drawn from `seed` if missing.
        seed: Decides all that the checker draws, and is the integer seed of rule 7.
        policy: Gives batched actions from the batched observations and a generator; by default, actions are sampled from
            the action space. Rule 7 repeats the actions of sub-environment 0 in all of them.
        rtol: Relative tolerance of floats in rule 2. All other rules are exact.
        atol: Absolute tolerance of floats in rule 2.
        independent_seeds: Also demand that no sub-environment under `seed` repeats one under `seed + 1`. A
            `SyncVectorEnv`, which seeds sub-environment i with `seed + i`, breaks this rule.

    Raises:
        VectorEnvError: A rule is broken. It is an `AssertionError`. What the environments raise passes through.
        ValueError: `seeds` has not `num_envs` entries.

    Warns:
        UserWarning: No episode ended, or scalar environments with different seeds are alike, so a rule was not checked.

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

        vector = _Vector(env, mode)
        reference = _Scalars(scalars[: env.num_envs], mode)
        env.action_space.seed(int(rng.integers(2**31)))
        choose = policy or (lambda *_: env.action_space.sample())
        tape = _check_run(vector, reference, steps, list(seeds), choose, rng, (rtol, atol))
        _check_replay(vector, tape, "replay")
        vector.overwrite = True
        _check_replay(vector, tape, "replay with returned arrays overwritten")
        vector.overwrite = False
        _check_integer_seeds(vector, _Scalars(scalars, mode), seed, tape, independent_seeds)
        _check_seed_lengths(env)


class _Call(NamedTuple):
    """One call of a vector environment: a step if there are actions, a reset otherwise."""

    at: str
    actions: Any = None
    seed: int | list[int | None] | None = None
    mask: np.ndarray | None = None


class _Row(NamedTuple):
    """What one call returned for one sub-environment; a reset has reward 0 and no flag."""

    observation: Any
    reward: Any
    terminated: Any
    truncated: Any
    info: dict[str, Any]
    event: str = ""


_Tape = list[tuple[_Call, list[_Row]]]


class _Scalars:
    """The specification: scalar environments, driven one by one and reset as the autoreset mode says."""

    def __init__(self, envs: list[Env[Any, Any]], mode: AutoresetMode) -> None:
        self.envs, self.mode, self.num_envs = envs, mode, len(envs)
        self.single_action_space = envs[0].action_space
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observations: list[Any] = [None] * self.num_envs
        self.ended = [False] * self.num_envs

    def run(self, call: _Call) -> list[_Row]:
        if call.actions is not None:
            return [self._step(i, action) for i, action in enumerate(iterate(self.action_space, call.actions))]
        seeds = call.seed if isinstance(call.seed, list) else [call.seed] * self.num_envs
        return [
            self._reset(i, seeds[i], "reset")
            if call.mask is None or call.mask[i]
            else _Row(self.observations[i], 0.0, False, False, {}, "outside the reset mask")
            for i in range(self.num_envs)
        ]

    def _reset(self, i: int, seed: int | None, event: str) -> _Row:
        # Scalar environments may reuse what they return, hence the copies.
        observation, info = deepcopy(self.envs[i].reset(seed=seed))
        self.observations[i], self.ended[i] = observation, False
        return _Row(observation, 0.0, False, False, info, event)

    def _step(self, i: int, action: Any) -> _Row:
        if self.ended[i] and self.mode is AutoresetMode.NEXT_STEP:
            return self._reset(i, None, "automatic reset")
        observation, reward, terminated, truncated, info = deepcopy(self.envs[i].step(deepcopy(action)))
        ended = bool(terminated or truncated)
        self.observations[i], self.ended[i] = observation, ended
        row = _Row(observation, reward, terminated, truncated, info, "end of an episode" if ended else "within an episode")
        if ended and self.mode is AutoresetMode.SAME_STEP:
            start = self._reset(i, None, "automatic reset")
            final = {**start.info, "final_obs": observation, "final_info": info}
            row = row._replace(observation=start.observation, info=final)
        return row


class _Vector:
    """The vector environment under check: each call's results are checked for form, and split by sub-environment."""

    def __init__(self, env: Any, mode: AutoresetMode) -> None:
        self.env, self.mode, self.num_envs = env, mode, env.num_envs
        self.single_action_space = env.single_action_space
        self.overwrite = False
        self.returned: dict[str, Any] = {}  # by the last call, and a copy of it
        self.kept: dict[str, Any] = {}

    def run(self, call: _Call) -> list[_Row]:
        actions = deepcopy(call.actions)
        if actions is None:
            names = ["observations", "infos"]
            options = None if call.mask is None else {"reset_mask": call.mask.copy()}
            result = self.env.reset(seed=deepcopy(call.seed), options=options)
        else:
            names = ["observations", "rewards", "terminated", "truncated", "infos"]
            result = self.env.step(actions)
        if difference := _difference(actions, call.actions, "actions"):
            raise VectorEnvError(f"{call.at} wrote into the actions it was given: {difference}")
        if difference := _difference(self.returned, self.kept, "result"):
            raise VectorEnvError(f"{call.at} changed what the call before had returned: {difference}")
        if not isinstance(result, tuple) or len(result) != len(names):
            raise VectorEnvError(f"{call.at}: found {_describe(result)}, expected a tuple of {len(names)}: {', '.join(names)}")
        self.returned = dict(zip(names, result, strict=True))
        self.kept = deepcopy(self.returned)
        rows = self._rows(call.at, self.kept)
        if self.overwrite:
            _overwrite((actions, result))
            self.kept = deepcopy(self.returned)
        return rows

    def _rows(self, at: str, result: dict[str, Any]) -> list[_Row]:
        space, observations, infos = self.env.observation_space, result["observations"], result["infos"]
        _check_batch(at, "observations", space, observations)
        if observations not in space:
            raise VectorEnvError(f"{at}: observations are outside observation_space: {_show(observations)}")
        rewards, terminated, truncated = ([kind()] * self.num_envs for kind in (float, bool, bool))
        if "rewards" in result:
            rewards, terminated, truncated = (
                self._vector(f"{at}: {name}", result[name], kind)
                for name, kind in (("rewards", "f"), ("terminated", "b"), ("truncated", "b"))
            )
        fields = zip(iterate(space, observations), rewards, terminated, truncated, self._split(at, "infos", infos), strict=True)
        return [_Row(*row) for row in fields]

    def _vector(self, name: str, value: Any, kind: str) -> Any:
        if not isinstance(value, np.ndarray) or value.shape != (self.num_envs,) or value.dtype.kind != kind:
            dtype = {"f": "float", "b": "bool"}[kind]
            raise VectorEnvError(f"{name}: found {_describe(value)}, expected {dtype} array of shape ({self.num_envs},)")
        return value

    def _split(self, at: str, name: str, infos: Any) -> list[dict[str, Any]]:
        """The info of each sub-environment: the reverse of Gymnasium's `VectorEnv._add_info`."""
        if not isinstance(infos, dict):
            raise VectorEnvError(f"{at}: {name}: found {_describe(infos)}, expected dict")
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
                    raise VectorEnvError(f"{at}: {name}['{key}']: found {_describe(values)}, expected {expected}")
            for i in np.flatnonzero(mask):
                rows[i][key] = parts[i]
        return rows


def _check_spaces(env: VectorEnv[Any, Any, Any], scalar: Env[Any, Any]) -> AutoresetMode:
    for name, scalar_space in (("observation_space", scalar.observation_space), ("action_space", scalar.action_space)):
        for attribute, expected in ((f"single_{name}", scalar_space), (name, batch_space(scalar_space, env.num_envs))):
            found = getattr(env, attribute)
            if found != expected:
                raise VectorEnvError(f"{attribute} is {found}, expected {expected}")
            if getattr(env, attribute) is not found:
                raise VectorEnvError(f"{attribute} is another object at each access")
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise VectorEnvError(f'metadata["autoreset_mode"] is {mode!r}, expected a gymnasium.vector.AutoresetMode')
    return mode


def _check_run(
    vector: _Vector,
    reference: _Scalars,
    steps: int,
    seeds: list[int | None],
    policy: Callable[[Any, np.random.Generator], Any],
    rng: np.random.Generator,
    tolerance: tuple[float, float],
) -> _Tape:
    """Play both side by side, compare each call, and return the calls with the vector environment's rows."""
    tape: _Tape = []

    def run(call: _Call) -> None:
        found, expected = vector.run(call), reference.run(call)
        _check_rows(call.at, found, expected, tolerance)
        tape.append((call, [row._replace(event=known.event) for row, known in zip(found, expected, strict=True)]))

    run(_Call(f"reset(seed={seeds})", seed=seeds))
    restarted = episodes = False
    for step in range(1, steps + 1):
        ended, late = _ended(tape[-1][1]), 2 * step > steps
        episodes |= bool(ended.any())
        if late and not restarted and (ended.any() or step == steps):
            run(_Call(f"full reset before step {step}"))
            restarted = True
        elif vector.mode is AutoresetMode.DISABLED:
            early = late and rng.random() < 0.2
            mask = ended | (early & (rng.random(vector.num_envs) < 0.5))
            fresh = [int(rng.integers(2**31)) if masked else None for masked in mask]
            if mask.any():
                run(_Call(f"masked reset before step {step}", seed=fresh if rng.random() < 0.5 else None, mask=mask))
        run(_Call(f"step {step}", actions=policy(deepcopy(vector.kept["observations"]), rng)))
    if not episodes:
        warnings.warn(f"no episode ended in {steps} steps, so the autoreset is not checked: take more steps", stacklevel=3)
    return tape


def _check_replay(vector: _Vector, tape: _Tape, name: str) -> None:
    for call, rows in tape:
        at = f"{name}, {call.at}"
        _check_rows(at, vector.run(call._replace(at=at)), rows)


def _check_integer_seeds(vector: _Vector, scalars: _Scalars, seed: int, tape: _Tape, independent: bool) -> None:
    # The same actions everywhere, so that only the random streams can tell sub-environments apart.
    actions = [next(iter(iterate(vector.env.action_space, call.actions))) for call, _ in tape if call.actions is not None]
    first = _play(vector, seed, actions)
    _check_replay(vector, first, f"replay with seed={seed}")
    if _repeat(_streams(_play(scalars, list(range(seed, seed + scalars.num_envs)), actions))):
        warnings.warn("scalar environments with different seeds are alike: the seeds' streams are not checked", stacklevel=3)
        return
    streams = _streams(first)
    if pair := _repeat(streams):
        raise VectorEnvError(f"reset(seed={seed}): sub-environments {pair[0]} and {pair[1]} are the same, step by step")
    for j, stream in enumerate(_streams(_play(vector, seed + 1, actions)) if independent else []):
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


def _play(target: _Vector | _Scalars, seed: int | list[int | None], actions: list[Any]) -> _Tape:
    """Reset with the seed, then give every sub-environment the same actions."""
    space, n, call = target.single_action_space, target.num_envs, _Call(f"reset(seed={seed})", seed=seed)
    tape = [(call, target.run(call))]
    for step, action in enumerate(actions, 1):
        ended = _ended(tape[-1][1])
        if target.mode is AutoresetMode.DISABLED and ended.any():
            call = _Call(f"masked reset before step {step}", mask=ended)
            tape.append((call, target.run(call)))
        batch: Any = create_empty_array(space, n)
        call = _Call(f"step {step}", actions=concatenate(space, [action] * n, batch))
        tape.append((call, target.run(call)))
    return tape


def _ended(rows: list[_Row]) -> np.ndarray:
    return np.array([bool(row.terminated or row.truncated) for row in rows])


def _streams(tape: _Tape) -> list[bytes]:
    """All that each sub-environment did, info apart, as bytes that are quick to compare."""
    return [
        b"".join(
            np.asarray(leaf).tobytes()
            for call, rows in tape
            if call.mask is None or call.mask[i]
            for leaf in _leaves(rows[i][:4])
        )
        for i in range(len(tape[0][1]))
    ]


def _repeat(streams: list[bytes]) -> tuple[int, int] | None:
    """The places of the first stream that occurs again, if any."""
    seen: dict[bytes, int] = {}
    for j, stream in enumerate(streams):
        if (i := seen.setdefault(stream, j)) != j:
            return i, j
    return None


def _check_rows(at: str, found: list[_Row], expected: list[_Row], tolerance: tuple[float, float] = (0.0, 0.0)) -> None:
    for i, (row, known) in enumerate(zip(found, expected, strict=True)):
        for name in ("observation", "reward", "terminated", "truncated", "info"):
            if difference := _difference(getattr(row, name), getattr(known, name), name, tolerance):
                event = f" ({known.event})" if known.event else ""
                raise VectorEnvError(f"{at}, sub-environment {i}{event}: {difference}")


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
        raise VectorEnvError(f"{at}: {name}: found {_describe(value)}, expected {space.dtype} array of shape {space.shape}")


def _difference(found: Any, expected: Any, name: str, tolerance: tuple[float, float] = (0.0, 0.0)) -> str | None:
    """Where two values differ first, in words; None if they are equal."""
    if isinstance(found, dict) and isinstance(expected, dict):
        if found.keys() != expected.keys():
            return f"{name} has the keys {sorted(found)}, expected {sorted(expected)}"
        parts = [(f"{name}[{key!r}]", found[key], expected[key]) for key in found]
    elif all(isinstance(value, list | tuple) for value in (found, expected)) and len(found) == len(expected):
        parts = [(f"{name}[{i}]", *pair) for i, pair in enumerate(zip(found, expected, strict=True))]
    elif all(isinstance(value, np.ndarray) and value.dtype == object and value.ndim for value in (found, expected)):
        return _difference(found.tolist(), expected.tolist(), name, tolerance)
    else:
        return None if _equal(found, expected, tolerance) else f"{name} is {_show(found)}, expected {_show(expected)}"
    return next((text for part, one, other in parts if (text := _difference(one, other, part, tolerance))), None)


def _equal(found: Any, expected: Any, tolerance: tuple[float, float]) -> bool:
    if type(found) is type(expected) and isinstance(found, list | tuple):
        return False  # of different lengths
    one, other = np.asarray(found), np.asarray(expected)
    if one.shape != other.shape:
        return False
    if np.all(one == other):
        return True
    # Floats are compared in the precision of what was found; NaN equals NaN.
    floats = one.dtype.kind == "f" and other.dtype.kind in "iuf"
    return floats and np.allclose(one, other.astype(one.dtype), *tolerance, equal_nan=True)


def _leaves(value: Any) -> Iterator[Any]:
    """The arrays and scalars in nested dicts, sequences and object arrays."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.ravel().tolist()
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _overwrite(value: Any) -> None:
    """Do to a returned value the worst that a caller may do, short of what is read-only."""
    for leaf in _leaves(value):
        if isinstance(leaf, np.ndarray) and leaf.flags.writeable and leaf.dtype.kind in "biufc":
            leaf.fill(77)


def _describe(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    return f"{value.dtype} array of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _show(value: Any) -> str:
    with np.printoptions(threshold=20, floatmode="unique"):
        return " ".join(str(value).split()) if isinstance(value, np.ndarray | np.generic) else repr(value)
