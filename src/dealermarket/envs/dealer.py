"""One maker of one market learns: a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.envs.arena import Arena, Play, checked_actions, next_episode
from dealermarket.envs.spaces import action_space, info_of, observation_space
from dealermarket.envs.viewing import FPS, HUMAN, RGB_ARRAY, Viewer, check_render_mode
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.controls import Controls

Floats = NDArray[Any]


class DealerEnv(gymnasium.Env[Floats, Floats]):
    """`gymnasium.make("dealermarket/Dealer-v0", scenario=..., maker=...)`: one maker acts, the others keep their policies.

    Observation: float32 (15,), entry by entry in `FEATURES`. Action: float32 in [-1, 1], (3,) by default: eps for clients
    who buy, eps for clients who sell, hedge fraction. A reward is what happened since the last observation: spread revenue
    and hedging cost of the step, and what the next mid did to the position and to matured trades; over a run, rewards of
    the components sum to its total reward. `info` holds what `INFO` lists: every component, the position and the penalty; it is
    empty after a reset. A run is as long as the scenario; it is then truncated, never terminated.

    `reset(seed=s)` plays the first replica of a run of seed s, `options={"replica": r}` replica r; without a seed, the next
    episode of the same replica.

    Parameters
    ----------
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
    render_mode : {"rgb_array", "human"}, optional
        With "rgb_array", `render()` returns a picture of the maker's last day, uint8 (height, width, 3): the mid and its
        clients' trades, position and hedges, quotes, P&L. With "human", a window shows it after every step.

    Raises
    ------
    ParameterError
        If one of these is not as it must be, or the maker cannot do what it is to decide.
    PolicyError
        If a policy is none, cannot act as its maker, or there is no such maker.
    ScenarioError
        If the scenario cannot be read.

    """

    metadata: dict[str, Any] = {"render_modes": [HUMAN, RGB_ARRAY], "render_fps": FPS}  # noqa: RUF012, declared so by its base

    def __init__(
        self,
        scenario: Scenario | str | Path = "learning",
        maker: str | None = None,
        *,
        controls: Controls | Mapping[str, Any] | None = None,
        reward: Reward | Mapping[str, Any] | str | None = None,
        policies: Mapping[str, Policy | str] | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.arena = Arena.of_one(scenario, maker, controls, reward, policies)
        self.render_mode = render_mode
        self._viewer = Viewer(render_mode)
        self.observation_space: spaces.Space[Floats] = observation_space()
        self.action_space: spaces.Space[Floats] = action_space(self.arena.controls)
        self._shape = (len(self.arena.controls.names),)
        self._episode: Episode | None = None
        self._play: Play | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begins a run: its first observation, and an empty info. Raises ParameterError for other seeds and options."""
        super().reset(seed=seed)
        self._episode = next_episode(self._episode, seed, options, self.np_random)
        if self._play is None:
            self._play = self.arena.play(1, watched=self.render_mode is not None)
        self._play.begin([self._episode])
        self._viewer.show(self._play.log)
        return self._play.features[0, 0], {}

    def step(self, action: Floats) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """One step: observation, reward, terminated, truncated and info. Raises ResetNeeded where no run is under way, and
        PolicyError for an action of another shape or range."""
        play = self._play
        if play is None or play.ended:
            raise ResetNeeded("step: " + ("call reset first" if play is None else "the episode has ended; call reset"))
        play.act(checked_actions(action, self._shape)[None, None])
        self._viewer.show(play.log)
        feedback = play.feedback[0, 0]
        return play.features[0, 0], float(feedback[-1]), False, play.ended, info_of(feedback)

    def render(self) -> NDArray[np.uint8] | None:
        """The picture, or None in a window. Raises ResetNeeded before the first reset."""
        return self._viewer.frame(None if self._play is None else self._play.log)

    def close(self) -> None:
        """Closes the window, if there is one."""
        self._viewer.close()
