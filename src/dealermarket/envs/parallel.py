"""Several makers of one market learn: a PettingZoo parallel environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from dealermarket.draws.streams import Episode
from dealermarket.envs.arena import Arena, Play, checked_actions, next_episode
from dealermarket.envs.spaces import action_space, info_of, observation_space
from dealermarket.envs.viewing import FPS, HUMAN, RGB_ARRAY, Viewer, check_render_mode
from dealermarket.errors import ParameterError, PolicyError
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario
from dealermarket.policies import Policy
from dealermarket.policies.controls import Controls
from dealermarket.values import short

Array = NDArray[Any]

_OF_CHECKERS = ("options",)  # an option that PettingZoo's own checkers hand to every environment


class DealerParallelEnv(ParallelEnv[str, Array, Array]):
    """Several makers act, the others keep their policies.

    Agents are makers' names; observations, actions, rewards, infos and seeds are those of `DealerEnv`, by maker. At the end of
    a run every agent is truncated, none terminated, and `agents` is empty.

    Parameters
    ----------
    scenario : Scenario, str or Path, default "learning"
        A scenario, a preset's name or a file.
    makers : sequence of str, optional
        Names of the makers that learn; all if not given.
    controls : Controls or mapping, optional
        What a learner decides and over which ranges, or a table of its fields.
    reward : Reward, mapping or str, optional
        What it is rewarded for: a `Reward`, a table of its fields, or its weights "components" or "pnl".
    policies : mapping of str to Policy or str, optional
        Policies of other makers, by name, as objects or as texts such as "skew:strength=0.3".
    render_mode : {"rgb_array", "human"}, optional
        As of `DealerEnv`; the picture has the first three makers side by side.

    Raises
    ------
    ParameterError
        If one of these is not as it must be, or the maker cannot do what it is to decide.
    PolicyError
        If a policy is none, cannot act as its maker, or there is no such maker.
    ScenarioError
        If the scenario cannot be read.

    """

    metadata: dict[str, Any] = {  # noqa: RUF012, declared so by its base
        "name": "dealermarket_dealer_v0",
        "render_modes": [HUMAN, RGB_ARRAY],
        "render_fps": FPS,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        scenario: Scenario | str | Path = "learning",
        makers: Sequence[str] | None = None,
        *,
        controls: Controls | Mapping[str, Any] | None = None,
        reward: Reward | Mapping[str, Any] | str | None = None,
        policies: Mapping[str, Policy | str] | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode, self.metadata["render_modes"])
        if isinstance(makers, str):
            raise ParameterError(f"makers: must be a list of names, such as [{makers!r}], got {makers!r}")
        self.arena = Arena(scenario, makers, controls, reward, policies)
        self.render_mode = render_mode
        self._viewer = Viewer(render_mode)
        self.possible_agents = list(self.arena.learners)
        self.agents: list[str] = []
        self.observation_spaces: dict[str, spaces.Space[Array]] = {agent: observation_space() for agent in self.possible_agents}
        self.action_spaces: dict[str, spaces.Space[Array]] = {
            agent: action_space(self.arena.controls) for agent in self.possible_agents
        }
        self._episode: Episode | None = None
        self._play: Play | None = None

    def observation_space(self, agent: str) -> spaces.Space[Array]:
        """What an agent observes."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Array]:
        """What an agent decides."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Begins a run: first observations, and empty infos, by agent. Raises ParameterError for other seeds and options."""
        self._episode = next_episode(self._episode, seed, options, np.random.default_rng(), _OF_CHECKERS)
        if self._play is None:
            self._play = self.arena.play(1, watched=self.render_mode is not None)
        self._play.begin([self._episode])
        self._viewer.show(self._play.log)
        self.agents = list(self.possible_agents)
        return self._observations(self._play), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, Array]
    ) -> tuple[dict[str, Array], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """One step: observations, rewards, terminated, truncated and infos, by agent. Raises ResetNeeded where no run is under
        way, and PolicyError unless there is an action of the right shape and range for each agent."""
        play = self._play
        if play is None or play.ended:
            raise ResetNeeded("step: " + ("call reset first" if play is None else "the episode has ended; call reset"))
        if not isinstance(actions, Mapping) or set(actions) != set(self.agents):
            got = list(actions) if isinstance(actions, Mapping) else actions
            raise PolicyError(f"actions: must be one for each of {', '.join(self.agents)}, got {short(got)}")
        play.act(self._numbers(actions)[None])
        self._viewer.show(play.log)
        agents, feedback = self.agents, play.feedback[0]
        rewards = dict(zip(agents, feedback[:, -1].tolist(), strict=True))
        infos = {agent: info_of(feedback[n]) for n, agent in enumerate(agents)}
        if play.ended:
            self.agents = []
        return self._observations(play), rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, play.ended), infos

    def render(self) -> NDArray[np.uint8] | None:
        """The picture, or None in a window. Raises ResetNeeded before the first reset."""
        return self._viewer.frame(None if self._play is None else self._play.log)

    def close(self) -> None:
        """Closes the window, if there is one."""
        self._viewer.close()

    def _numbers(self, actions: dict[str, Array]) -> Array:
        """The actions of all agents, (agents, actions), checked."""
        shape = (len(self.arena.controls.names),)
        return np.array([checked_actions(actions[agent], shape, f"action of {agent!r}") for agent in self.agents])

    def _observations(self, play: Play) -> dict[str, Array]:
        return dict(zip(self.possible_agents, play.features[0], strict=True))
