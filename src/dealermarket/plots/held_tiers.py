"""In which tiers makers hold their clients, traded with or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode
from dealermarket.model.scenario import Scenario
from dealermarket.runs.watching import Watching

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class HeldTiers:
    """The tiers in which one maker holds N clients: in replica 0 at `steps` of it, and over all steps of `replicas`."""

    path: Array  # (N, steps)
    mean: Array  # (N,)
    replicas: int


def held_tiers(scenario: Scenario, makers: Sequence[str], replicas: int, seed: int, steps: Array) -> dict[str, HeldTiers]:
    """What a run of so many replicas shows of these makers, and of the tiers at these `steps` of its first."""
    from dealermarket.runs.runner import SimulationRunner

    if not makers:
        return {}
    watching = {maker: Seeing(scenario, maker, steps) for maker in makers}
    SimulationRunner(scenario, replicas, seed, policies=watching).run()
    total = replicas * scenario.steps
    return {maker: HeldTiers(seen.path, seen.sums / total, replicas) for maker, seen in watching.items()}


class Seeing(Watching):
    """Keeps the clients' tiers of one replica, (N, steps), and their sums over all steps and replicas, (N,)."""

    def __init__(self, scenario: Scenario, maker: str, steps: Array, replica: int = 0) -> None:
        super().__init__(scenario, maker)
        clients = len(scenario.agents)
        self._replica = replica
        self._column = {int(step): column for column, step in enumerate(steps)}
        self.path: Array = np.zeros((clients, len(steps)), np.int16)
        self.sums: Array = np.zeros(clients, np.int64)

    def see(self, step: int, episodes: Sequence[Episode], tiers: Array) -> None:
        clients = tiers[:, : len(self.sums)]
        self.sums += clients.sum(axis=0)
        if step in self._column and episodes[0].replica == self._replica:
            self.path[:, self._column[step]] = clients[0]
