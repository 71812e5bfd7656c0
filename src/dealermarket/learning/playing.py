"""A policy played, step by step, with everything that it saw, did and earned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import first_episodes
from dealermarket.envs.arena import Arena
from dealermarket.policies.features import FEEDBACK

Array = NDArray[Any]


@dataclass(frozen=True)
class Played:
    """`values` (B, T, learners, controls): what was decided, `positions` (B, T, learners) held into each step,
    `feedback` (B, T, learners, FEEDBACK): what each step brought."""

    values: Array
    positions: Array
    feedback: Array

    def earned(self, name: str) -> Array:
        """One entry of FEEDBACK, (B, T, learners)."""
        return np.asarray(self.feedback[..., FEEDBACK.index(name)])


def play(arena: Arena, decide: Callable[[Array], Array], seed: int, replicas: Sequence[int]) -> Played:
    """Lets all learners of an arena act by `decide`: from features (n, FEATURES) to numbers in [-1, 1], (n, controls).

    The markets are those replicas of a run of the seed."""
    markets, learners, steps = len(replicas), len(arena.learners), arena.scenario.steps
    market = arena.play(markets)
    market.begin(first_episodes(seed, replicas))
    values = np.empty((markets, steps, learners, len(arena.controls.names)))
    positions, feedback = np.zeros((markets, steps, learners)), np.empty((markets, steps, learners, len(FEEDBACK)))
    for step in range(steps):
        if step > 0:
            positions[:, step] = feedback[:, step - 1, :, FEEDBACK.index("position")]
        numbers = decide(market.features.reshape(markets * learners, -1)).reshape(markets, learners, -1)
        values[:, step] = arena.controls.values(numbers)
        market.act(numbers)
        feedback[:, step] = market.feedback
    return Played(values, positions, feedback)
