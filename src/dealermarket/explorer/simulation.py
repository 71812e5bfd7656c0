"""Replicas of one market, simulated batch by batch, and what the panels need of them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.files import Recorded
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import TapeSource
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.program import program
from dealermarket.runs.chunks import Simulator, chunks_of
from dealermarket.runs.statistics import REWARDS
from dealermarket.runs.tables import Chunk
from dealermarket.study import measures
from dealermarket.study.labelled import Measures

Array = NDArray[Any]
FIRST_REPLICAS = 50  # that are shown at once
_MOST_CELLS = 5_000_000  # replicas x steps x makers that are kept of one market
_MOST_KEPT = 20_000_000  # and of all markets together
_MOST_ORDERS = 5_000_000  # steps x investors
_MOST_INVESTORS = 10_000
MOST_REPLICAS = 10_000


def most_replicas(scenario: Scenario) -> int:
    """How many replicas of a market the page simulates."""
    cells = scenario.steps * len(scenario.makers)
    return max(min(MOST_REPLICAS, _MOST_CELLS // cells), 2)


def check_size(scenario: Scenario, replicas: int) -> None:
    """Raises ParameterError for more replicas, or steps, than a page should wait for, and for more than recorded prices hold."""
    makers, investors = len(scenario.makers), len(scenario.agents)
    if scenario.steps * makers * 2 > _MOST_CELLS or scenario.steps * investors > _MOST_ORDERS:
        raise ParameterError(f"steps: {scenario.steps:,} are more than this page simulates; the command does: {program()} run")
    if investors > _MOST_INVESTORS:
        raise ParameterError(f"investors: {investors:,} are more than this page simulates; the command does: {program()} run")
    most = most_replicas(scenario)
    if replicas > most:
        raise ParameterError(
            f"replicas: must be at most {most:,} on this page for a market of this size, got {replicas:,}; "
            f"the command takes more: {program()} run"
        )
    Recorded.of(scenario).check_replicas(replicas)


class Simulation:
    """The first replicas of a market with a seed; more are added, none is simulated twice. Any thread may ask."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self._lock = threading.RLock()
        self._simulator: Simulator | None = None
        self._source: TapeSource | None = None
        self._totals: list[Measures] = []
        self._position: list[Array] = []
        self._mid: list[Array] = []
        self._rewards: list[tuple[int, Array]] = []  # sums over the first so many replicas
        self._markouts: list[Measures] = []
        self.replicas = 0

    @property
    def cells(self) -> int:
        """How much it keeps."""
        return self.replicas * self.scenario.steps * len(self.scenario.makers)

    @property
    def first_batch(self) -> int:
        """How many replicas are simulated before anything is shown."""
        return len(chunks_of(self.scenario, range(FIRST_REPLICAS))[0])

    def prepare(self) -> None:
        """Makes what the first replica would wait for: the scenario as arrays, with its hedging tables."""
        with self._lock:
            self._ready()

    def run_to(self, replicas: int) -> None:
        """Adds replicas until there are so many."""
        with self._lock:
            simulator, source = self._ready()
            for batch in chunks_of(self.scenario, range(self.replicas, replicas)):
                tape = source.draw(first_episodes(self.seed, batch))
                self._add(simulator.run(batch, tape, lambda _: None))

    def _ready(self) -> tuple[Simulator, TapeSource]:
        if self._simulator is None or self._source is None:
            self._simulator = Simulator(self.scenario, "trades", {}, self.seed)
            self._source = TapeSource(self.scenario)
        return self._simulator, self._source

    def _add(self, chunk: Chunk) -> None:
        """Keeps what is shown of a batch: all of it, or nothing where memory does not suffice."""
        steps, scenario = chunk.record.steps, self.scenario
        totals, position = measures.totals(scenario, chunk), measures.paths(scenario, chunk)["position"]
        mid, rewards = chunk.record.mid.copy(), np.stack([steps[name].sum(axis=0) for name in REWARDS])
        if self._rewards:
            rewards += self._rewards[-1][1]
        if self.replicas < FIRST_REPLICAS:
            self._markouts.append(measures.markouts(scenario, chunk, longest_markout(scenario)))
        self._totals.append(totals)
        self._position.append(position)
        self._mid.append(mid)
        self.replicas += len(position)
        self._rewards.append((self.replicas, rewards))

    # --- what is known of the first `replicas`, which are all or as many as another market has

    def totals(self, replicas: int) -> Measures:
        """Every statistic by replica and maker, (replicas, M)."""
        with self._lock:
            self._totals = [Measures.joined(self._totals)]
            return self._totals[0].first(replicas)

    def position(self, replicas: int) -> Array:
        """Positions held into each step, (replicas, T, M), units of the asset."""
        return self._joined(self._position)[:replicas]

    def mid(self, replica: int) -> Array:
        """The mid at each step of a replica, (T,)."""
        return np.asarray(self._joined(self._mid)[replica])

    def mean_rewards(self, replicas: int) -> tuple[int, dict[str, Array]]:
        """The paper's four rewards of each step and maker, (T, M): means over the first `replicas`, or over as many of them as
        make whole batches, of which there is one at least; and how many these are."""
        with self._lock:
            count, sums = next((kept for kept in reversed(self._rewards) if kept[0] <= replicas), self._rewards[0])
        return count, dict(zip(REWARDS, sums / count, strict=True))

    def markouts(self) -> Measures:
        """What trades are worth as time passes (`study.measures.markouts`), of the first 50 replicas, or a few more."""
        with self._lock:
            self._markouts = [Measures.joined(self._markouts)]
            return self._markouts[0]

    def _joined(self, parts: list[Array]) -> Array:
        """The batches as one array, which takes their place."""
        with self._lock:
            if len(parts) > 1:
                parts[:] = [np.concatenate(parts)]
            return parts[0]


def longest_markout(scenario: Scenario) -> int:
    """How many steps after a trade markouts are looked at."""
    return min(max(16, 2 * scenario.reward_horizon), scenario.steps - 1)


class Simulations:
    """The markets simulated lately, for all pages together; those not asked for longest are forgotten."""

    def __init__(self, most_cells: int = _MOST_KEPT, most: int = 64) -> None:
        self._most_cells, self._most = most_cells, most
        self._kept: dict[tuple[Scenario, int], Simulation] = {}  # the one asked for longest ago is the first
        self._lock = threading.Lock()

    def of(self, scenario: Scenario, seed: int) -> Simulation:
        """The simulation of a market, new or with the replicas it has."""
        with self._lock:
            key = (scenario, seed)
            found = self._kept.pop(key, None) or Simulation(scenario, seed)
            self._kept[key] = found
            while len(self._kept) > 2 and (len(self._kept) > self._most or self._cells() > self._most_cells):
                del self._kept[next(iter(self._kept))]
            return found

    def _cells(self) -> int:
        return sum(simulation.cells for simulation in self._kept.values())
