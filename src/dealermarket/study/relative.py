"""Tiers relative to what a run shows: `makers.0.tiering.pins.CLIENT=better`, one tier better than where the client mostly was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ScenarioError
from dealermarket.model.makers.tiering.base import RELATIVE
from dealermarket.model.scenario import Scenario
from dealermarket.policies.named import maker_index
from dealermarket.runs.chunks import Progress
from dealermarket.study.measures import trades_by_tier
from dealermarket.study.study import Study, measure

Array = NDArray[Any]

REPLICAS = 100
"""How many replicas of the base show where a client mostly was; all of them, where fewer are compared."""


@dataclass(frozen=True)
class RelativeTier:
    """A client's tier with a maker, one beside that in which it `mostly` was: in which the largest `share` of its `trades`
    with that maker in `replicas` of the base were made."""

    maker: str
    client: str
    word: str
    mostly: int
    share: float
    trades: int
    replicas: int
    tier: int

    @property
    def setting(self) -> str:
        """The setting that it comes to."""
        return f"makers.{self.maker}.tiering.pins.{self.client}={self.tier}"

    def __str__(self) -> str:
        where = f"{self.client} was mostly in tier {self.mostly} of {self.maker}"
        counted = f"{100 * self.share:.0f} % of its {self.trades:,} trades with it, {self.replicas:,} replicas"
        how = f"one {self.word} is" if self.tier != self.mostly else f"none is {self.word}, so it is pinned to"
        return f"{where} ({counted}); {how} {self.tier}"


def relative_tiers(
    scenario: Scenario,
    settings: Sequence[str],
    replicas: int = REPLICAS,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> tuple[list[str], list[RelativeTier]]:
    """Settings in which every tier relative to a run of the scenario is replaced by the tier itself, and what the run showed.

    A relative one looks like "makers.0.tiering.pins.CLIENT=better" or "=worse"; `*` means every maker, each by its own trades.
    Nothing is run where there is none. Raises ScenarioError for a setting that cannot be applied, or a client that never
    traded with the maker.
    """
    wanted = {number: _asked(scenario, setting) for number, setting in enumerate(settings)}
    # fails here, before anything is run, for what is no field and no participant
    scenario.with_settings(*(s if not wanted[n] else f"{s.partition('=')[0]}=0" for n, s in enumerate(settings)))
    clients = sorted({client for asked in wanted.values() for _, client, _ in asked})
    if not clients:
        return list(settings), []
    replicas = min(replicas, REPLICAS)
    observe = partial(trades_by_tier, takers=tuple(scenario.participants.index(client) for client in clients))
    measured = measure([Study("base", {"base": scenario}, replicas, observe, "trades")], seed, threads, progress)
    trades = measured["base"]["base"]["trades"].sum(axis=0)  # (clients, K, M)
    resolved: list[str] = []
    tiers: list[RelativeTier] = []
    for number, setting in enumerate(settings):
        found = [
            _resolved(scenario, maker, client, word, trades[clients.index(client), :, maker], replicas, setting)
            for maker, client, word in wanted[number]
        ]
        resolved += [tier.setting for tier in found] or [setting]
        tiers += found
    return resolved, tiers


def _asked(scenario: Scenario, setting: str) -> list[tuple[int, str, str]]:
    """Maker, client and word of a setting that is relative; nothing of another."""
    path, _, text = setting.partition("=")
    keys, word = path.strip().split("."), text.strip().strip("\"'")
    if word not in RELATIVE or len(keys) != 5 or keys[0] != "makers" or keys[2:4] != ["tiering", "pins"]:
        return []
    makers = range(len(scenario.makers)) if keys[1] == "*" else [maker_index(scenario, keys[1])]
    return [(maker, keys[4], word) for maker in makers]


def _resolved(scenario: Scenario, maker: int, client: str, word: str, trades: Array, replicas: int, setting: str) -> RelativeTier:
    agent, count = scenario.makers[maker], int(trades.sum())
    if count == 0:
        raise ScenarioError(
            f"setting {setting!r}: {client!r} never traded with {agent.name!r} in {replicas:,} replicas of the base, so its tier "
            f"is not known; give one in 0..{agent.tiering.tiers - 1}"
        )
    mostly = int(np.argmax(trades))
    tier = min(max(mostly + RELATIVE[word], 0), agent.tiering.tiers - 1)
    return RelativeTier(agent.name, client, word, mostly, float(trades[mostly] / count), count, replicas, tier)
