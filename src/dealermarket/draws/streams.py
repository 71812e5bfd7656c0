"""Which random numbers there are: streams, and the episodes that they belong to.

Every number is a function of (seed, replica, episode, stream, index), worked out by a counter-based generator
(`dealermarket.draws.philox`): nothing has a state that must be carried, and what is drawn from one stream moves no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LOW = (1 << 32) - 1


class Stream(IntEnum):
    """The random streams of an episode; "and on" where a kind that takes several numbers a step has a stream for each."""

    PRICE = 0  # and on
    SPREAD = 0x100  # and on
    ARRIVAL = 0x200
    ARRIVAL_REST = 0x201  # what the 32 bits of `ARRIVAL` leave undecided
    SIZE = 0x300
    UNIFORM_SIZE = 0x301  # for laws of sizes that take a uniform number
    SIDE = 0x400
    ORACLE = 0x500
    TIE = 0x600
    HEDGE_TIE = 0x700
    RANKING = 0x800
    LIVE_TIE = 0x900  # of markets driven live
    RESERVATION = 0xA00
    UNIFORM_RESERVATION = 0xA01  # for laws of demand that take a uniform number
    PANEL = 0xB00  # who is asked
    DEALER_REQUESTS = 0xC00  # of the dealer's problem in continuous time
    DEALER_MID = 0xC01
    DEALER_START = 0xC02
    POLICY = 0x1000  # and on: one for each maker


class Episode(NamedTuple):
    """Which random numbers a market gets. The first episode (`number` 0) of a replica is that replica of a run."""

    seed: int
    replica: int
    number: int = 0

    def next(self) -> Episode:
        """The episode that the same replica plays after this one."""
        return self._replace(number=self.number + 1)

    def generator(self, stream: int) -> np.random.Generator:
        """NumPy's generator for a stream, for what is drawn in Python: NumPy's own Philox, of 64-bit words, with the key of
        the seed and the counter (block, stream, replica, episode)."""
        key = _sequence(self.seed, self.replica >> 32, self.number >> 32).generate_state(2, np.uint64)
        return np.random.Generator(np.random.Philox(counter=[0, stream, self.replica & _LOW, self.number & _LOW], key=key))


def first_episodes(seed: int, replicas: Iterable[int]) -> list[Episode]:
    """What the replicas of a run get."""
    return [Episode(seed, replica) for replica in replicas]


def places_of(episodes: Sequence[Episode]) -> Array:
    """Where compiled code finds the numbers of episodes: key, replica and number of each, (B, 4) uint64 below 2^32."""
    rows = [(*_key(seed, replica >> 32, number >> 32), replica & _LOW, number & _LOW) for seed, replica, number in episodes]
    return np.array(rows, np.uint64).reshape(-1, 4)


@lru_cache(maxsize=4096)
def _key(seed: int, far_replica: int, far_number: int) -> tuple[int, ...]:
    return tuple(_sequence(seed, far_replica, far_number).generate_state(2, np.uint32).tolist())


def _sequence(seed: int, far_replica: int, far_number: int) -> np.random.SeedSequence:
    """What keys are made of: the seed, and what does not fit into 32 bits of the numbers of a replica and an episode."""
    far = (far_replica, far_number)
    return np.random.SeedSequence(seed, spawn_key=far if any(far) else ())
