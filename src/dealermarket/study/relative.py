"""Tiers relative to what a run shows: `makers.0.tiering.pins.CLIENT=better`, one tier better than where the client mostly was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.model.makers.tiering.base import RELATIVE
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.runs.runner import SimulationRunner
from dealermarket.runs.watching import Watching

Array = NDArray[Any]

REPLICAS = 100
"""How many replicas of the base show where a client mostly was; all of them, where fewer are compared."""


@dataclass(frozen=True)
class RelativeTier:
    """A client's tier with a maker, one beside that in which it mostly was.

    Parameters
    ----------
    maker : str
        The name of the maker.
    client : str
        The name of the client.
    word : {"better", "worse"}
        Which tier was asked for.
    mostly : int
        The tier in which the maker held the client for most steps.
    share : float
        The share of all steps in which it did, from 0 to 1.
    replicas : int
        How many replicas of the base show that.
    tier : int
        The tier that it comes to.
    """

    maker: str
    client: str
    word: str
    mostly: int
    share: float
    replicas: int
    tier: int

    @property
    def setting(self) -> str:
        """The setting that it comes to."""
        return f"makers.{self.maker}.tiering.pins.{self.client}={self.tier}"

    def __str__(self) -> str:
        counted = f"{100 * self.share:.0f} % of the time, {self.replicas:,} {'replica' if self.replicas == 1 else 'replicas'}"
        how = (
            f"one {self.word} is {self.tier}" if self.tier != self.mostly else f"none is {self.word}, so it is held there always"
        )
        return f"{self.maker} held {self.client} mostly in tier {self.mostly} ({counted}); {how}"


def relative_tiers(
    scenario: Scenario, settings: Sequence[str], replicas: int = REPLICAS, seed: int = 0, threads: int = 1
) -> tuple[list[str], list[RelativeTier]]:
    """Settings in which every tier relative to a run of a scenario is replaced by the tier itself.

    A relative one looks like "makers.0.tiering.pins.CLIENT=better" or "=worse"; `*` means every maker, each by its own tiers.
    Nothing is run where there is none.

    Parameters
    ----------
    scenario : Scenario
        The market that is run to see in which tiers clients mostly are.
    settings : sequence of str
        Settings, relative or not.
    replicas : int
        On how many replicas it is run; at most 100.
    seed : int
        The seed of the run, 0 or more.
    threads : int
        How many threads to run on, from 1 to 1024.

    Returns
    -------
    settings : list of str
        Settings that are none relative.
    tiers : list of RelativeTier
        What the run showed.

    Raises
    ------
    ScenarioError
        A setting cannot be applied, or names no participant.
    ParameterError
        `replicas`, `seed` or `threads` is out of its range.
    """
    wanted = check_relative(scenario, settings)
    if not any(wanted):
        return list(settings), []
    replicas = min(replicas, REPLICAS)
    watching = {maker: _Watching(scenario, maker) for asked in wanted for maker, _, _ in asked}
    SimulationRunner(scenario, replicas, seed, threads=threads, policies=watching).run()
    resolved: list[str] = []
    tiers: list[RelativeTier] = []
    for setting, asked in zip(settings, wanted, strict=True):
        found = []
        for maker, client, word in asked:
            steps = watching[maker].steps[scenario.participants.index(client)]
            mostly, worst = int(np.argmax(steps)), len(steps) - 1
            tier = min(max(mostly + RELATIVE[word], 0), worst)
            found.append(RelativeTier(maker, client, word, mostly, float(steps[mostly] / steps.sum()), replicas, tier))
        resolved += [tier.setting for tier in found] or [setting]
        tiers += found
    return resolved, tiers


def check_relative(scenario: Scenario, settings: Sequence[str]) -> list[list[tuple[str, str, str]]]:
    """Maker, client and word of every relative tier that each setting asks for; none of a setting that is not relative.

    Raises ScenarioError, before anything is run, for what is no field and no participant."""
    wanted = [_asked(scenario, setting) for setting in settings]
    scenario.with_settings(*(f"{s.partition('=')[0]}=0" if asked else s for s, asked in zip(settings, wanted, strict=True)))
    return wanted


def is_relative(setting: str) -> bool:
    """Whether a setting is of a tier relative to a run."""
    path, _, text = setting.partition("=")
    keys = path.strip().split(".")
    return _word(text) in RELATIVE and len(keys) == 5 and keys[0] == "makers" and keys[2:4] == ["tiering", "pins"]


def _asked(scenario: Scenario, setting: str) -> list[tuple[str, str, str]]:
    """Maker, client and word of a setting that is relative; nothing of another."""
    if not is_relative(setting):
        return []
    path, _, text = setting.partition("=")
    _, maker, _, _, client = path.strip().split(".")
    names = scenario.maker_names
    chosen = names if maker == "*" else (names[maker_index(scenario, maker)],)
    return [(name, client, _word(text)) for name in chosen]


def _word(text: str) -> str:
    """A value of a setting, which may stand in quotes as in TOML."""
    return text.strip().strip("\"'")


class _Watching(Watching):
    """Counts `steps` (J, K): how long a maker holds each participant in each tier."""

    def __init__(self, scenario: Scenario, maker: str) -> None:
        super().__init__(scenario, maker)
        agent = scenario.makers[scenario.maker_names.index(maker)]
        self.steps: Array = np.zeros((len(scenario.participants), agent.tiering.tiers), np.int64)

    def see(self, step: int, episodes: Sequence[Episode], tiers: Array) -> None:
        for tier in range(self.steps.shape[1]):
            self.steps[:, tier] += np.count_nonzero(tiers == tier, axis=0)
