"""Many markets at once, on the batched engine: a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.envs.arena import Arena, Play, check_options, checked_actions
from dealermarket.envs.spaces import INFO, action_space, observation_space
from dealermarket.envs.viewing import FPS, RGB_ARRAY, Viewer, check_render_mode
from dealermarket.errors import ParameterError
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES, FEEDBACK
from dealermarket.values import short, whole_number

Array = NDArray[Any]


@dataclass
class Cohort:
    """Markets that began together; `members` (n,) are their places among the environments, `rows` (n,) those in `play`.

    Markets that were reset before their end are members no more, and go on unheeded until the cohort ends.
    """

    play: Play
    members: Array
    rows: Array

    @property
    def is_whole(self) -> bool:
        """Whether none of its markets goes on unheeded."""
        return len(self.members) == self.play.markets

    def without(self, gone: Array) -> Cohort:
        """The cohort less the members for which `gone` (environments,) is true."""
        staying = ~gone[self.members]
        return Cohort(self.play, self.members[staying], self.rows[staying])


class DealerVectorEnv(VectorEnv[Array, Array, Array]):
    """`gymnasium.make_vec("dealermarket/Dealer-v0", num_envs=..., scenario=..., maker=...)`: `DealerEnv`, batched.

    Arrays have the environments first, (num_envs,); all are new at every step.
    `reset(seed=s)`: environment i plays replica i of a run of seed s, so that seeds share no stream; `seed=[...]`: environment i
    plays what `DealerEnv.reset(seed=seed[i])` does. `options={"reset_mask": (num_envs,) bool}` resets only some.

    Parameters
    ----------
    num_envs : int, default 1
        How many markets run side by side, at most 1,000,000.
    scenario : Scenario, str or Path, default "learning"
        A scenario, a preset's name or a file.
    maker : str, optional
        Name of the maker that learns; the first if not given.
    controls : Controls or mapping, optional
        What a learner decides and over which ranges, or a table of its fields.
    reward : Reward, mapping or str, optional
        What it is rewarded for: a `Reward`, a table of its fields, or its weights "components" or "pnl".
    policies : mapping of str to Policy or str, optional
        Policies of other makers, by name, as objects or as texts such as "skew:strength=0.3".
    autoreset_mode : AutoresetMode or str, default NEXT_STEP
        NEXT_STEP, SAME_STEP or DISABLED, as Gymnasium defines them.
    render_mode : {"rgb_array"}, optional
        With "rgb_array", `render()` returns a picture for each environment.

    Raises
    ------
    ParameterError
        If one of these is not as it must be, or the maker cannot do what it is to decide.
    PolicyError
        If a policy is none, cannot act as its maker, or there is no such maker.
    ScenarioError
        If the scenario cannot be read.

    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Scenario | str | Path = "learning",
        maker: str | None = None,
        *,
        controls: Controls | Mapping[str, Any] | None = None,
        reward: Reward | Mapping[str, Any] | str | None = None,
        policies: Mapping[str, Policy | str] | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode, [RGB_ARRAY])
        self.num_envs = whole_number("num_envs", num_envs, 1, 1_000_000)
        self.arena = Arena.of_one(scenario, maker, controls, reward, policies)
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {"render_modes": [RGB_ARRAY], "render_fps": FPS, "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_observation_space: spaces.Space[Array] = observation_space()
        self.single_action_space: spaces.Space[Array] = action_space(self.arena.controls)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._episodes: dict[int, Episode] = {}
        self._fresh: int | None = None  # the seed of environments that nobody seeded
        self._cohorts: list[Cohort] = []
        self._ended = np.zeros(self.num_envs, np.bool_)
        self._observation: Array = np.zeros((self.num_envs, len(FEATURES)), np.float32)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begins runs: first observations, and an empty info. Raises ParameterError for other seeds and options, ResetNeeded
        where a mask leaves out environments that have never been reset."""
        chosen, given = self._reset_mask(options), self._given_episodes(seed)
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._begin(chosen, given)
        return self._observation.copy(), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """One step of all: observations, rewards, terminated, truncated and info. Raises ResetNeeded where runs have ended or
        none has begun, and PolicyError for actions of another shape or range."""
        if not self._cohorts:
            raise ResetNeeded("step: call reset first")
        numbers = checked_actions(actions, (self.num_envs, len(self.arena.controls.names)), "actions")
        over = self._ended.copy()
        if over.any() and self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(f"step: episodes have ended ({over.sum()}); reset them with reset(options={{'reset_mask': ...}})")
        feedback = np.zeros((len(FEEDBACK), self.num_envs))
        for cohort in self._cohorts:
            if not cohort.play.ended:
                self._act(cohort, numbers, feedback)
        now_over = self._ended & ~over
        info = _masked(feedback, ~over)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and over.any():
            self._begin(over)
        elif self.autoreset_mode is AutoresetMode.SAME_STEP and now_over.any():
            info = self._final(feedback, now_over)
            self._begin(now_over)
        return self._observation.copy(), feedback[-1].copy(), np.zeros(self.num_envs, np.bool_), now_over, info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """A picture of each environment, as of `DealerEnv`, in "rgb_array". Raises ResetNeeded before the first reset."""
        viewer = Viewer(self.render_mode)
        if self.render_mode is None or not self._cohorts:
            viewer.frame(None)  # says why
            return None
        frames: dict[int, Any] = {}
        for cohort in self._cohorts:
            for i, row in zip(cohort.members.tolist(), cohort.rows.tolist(), strict=True):
                frames[i] = viewer.frame(cohort.play.log, row)
        return tuple(frames[i] for i in range(self.num_envs))

    def _act(self, cohort: Cohort, numbers: Array, feedback: Array) -> None:
        """A step of the markets of a cohort, and what its members observe and get as feedback."""
        play, members, rows = cohort.play, cohort.members, cohort.rows
        actions = np.zeros((play.markets, 1, numbers.shape[1]))
        actions[rows, 0] = numbers[members]
        play.act(actions)
        self._observation[members] = play.features[rows, 0]
        feedback[:, members] = play.feedback[rows, 0].T
        self._ended[members] = play.ended

    def _final(self, feedback: Array, over: Array) -> dict[str, Any]:
        """The info of a step in which some episodes ended and begin anew: their last observation and info."""
        last = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(over):
            last[i] = self._observation[i].copy()
        return _masked(feedback, ~over) | {
            "final_obs": last,
            "_final_obs": over.copy(),
            "final_info": _masked(feedback, over),
            "_final_info": over.copy(),
        }

    def _begin(self, chosen: Array, given: Sequence[Episode | None] = ()) -> None:
        """New episodes for the chosen environments: those given, the next ones, or ones that nobody can foresee."""
        members = np.flatnonzero(chosen)
        for i in members.tolist():
            self._episodes[i] = (given[i] if given else None) or self._next(i)
        same = [cohort.play for cohort in self._cohorts if cohort.is_whole and np.array_equal(cohort.members, members)]
        play = same[0] if same else self.arena.play(len(members), watched=self.render_mode is not None)
        play.begin([self._episodes[i] for i in members.tolist()])
        staying = [cohort.without(chosen) for cohort in self._cohorts]
        self._cohorts = [cohort for cohort in staying if len(cohort.members)]
        self._cohorts.append(Cohort(play, members, np.arange(len(members))))
        self._observation[members] = play.features[:, 0]
        self._ended[members] = False

    def _next(self, i: int) -> Episode:
        if self._fresh is None:
            self._fresh = int(self.np_random.integers(2**63))
        former = self._episodes.get(i)
        return Episode(self._fresh, i) if former is None else former.next()

    def _given_episodes(self, seed: int | Sequence[int | None] | None) -> list[Episode | None]:
        """The episodes of a seed or of seeds, None where there is none. Raises ParameterError for what is no seed."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (Sequence, np.ndarray)) and not isinstance(seed, str):
            if len(seed) != self.num_envs:
                raise ParameterError(f"seed: must be one number or {self.num_envs} of them, got {len(seed)}")
            return [None if one is None else Episode(whole_number(f"seed[{i}]", one, 0), 0) for i, one in enumerate(seed)]
        number = whole_number("seed", seed, 0)
        return [Episode(number, i) for i in range(self.num_envs)]

    def _reset_mask(self, options: dict[str, Any] | None) -> Array:
        """Which environments are to be reset. Raises ParameterError for a mask that is none, ResetNeeded for one that leaves
        out environments that have never been reset."""
        if isinstance(options, Mapping) and "replica" in options:
            raise ParameterError("options['replica']: is for a single environment; give reset a seed for each, or one for all")
        check_options(options, ["reset_mask"])
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if not isinstance(mask, np.ndarray) or mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise ParameterError(
                f"options['reset_mask']: must be a boolean array of shape ({self.num_envs},) that is true somewhere, got "
                f"{short(mask)}"
            )
        if not self._cohorts and not mask.all():
            raise ResetNeeded("reset: options['reset_mask'] leaves some out; reset all environments first")
        return mask


def _masked(feedback: Array, there: Array) -> dict[str, Any]:
    """The feedback of the environments of a mask, by name, as Gymnasium's infos: `_name` is the mask."""
    if not there.any():
        return {}
    info: dict[str, Any] = {}
    for entry, values in zip(INFO, feedback, strict=False):
        info[entry.name], info[f"_{entry.name}"] = np.where(there, values, 0.0), there.copy()
    return info


def _mode(given: AutoresetMode | str) -> AutoresetMode:
    if isinstance(given, AutoresetMode):
        return given
    for mode in AutoresetMode:
        if str(given).upper() in (mode.name, mode.value.upper()):
            return mode
    raise ParameterError(f"autoreset_mode: must be one of {', '.join(mode.name for mode in AutoresetMode)}, got {given!r}")
