"""The random numbers of a market: streams, and the episodes that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.part import Draw

Array = NDArray[Any]


class Stream(IntEnum):
    """The random streams of a replica; each is the replica's generator advanced by number times 2^64."""

    PRICE = 0
    SPREAD = 1
    ARRIVAL = 2
    SIZE = 3
    SIDE = 4
    ORACLE = 5
    TIE = 6
    RANKING = 7
    POLICY = 8  # and on: one for each maker
    MORE_PRICE = 1 << 32  # and on: what a mid-price process draws besides its first number a step
    MORE_SPREAD = (1 << 32) + 64  # and on
    UNIFORM_SIZE = (1 << 32) + 128  # for laws of sizes that take a uniform number


class Streams:
    """The draws of one replica, which depend on (seed, replica) and on nothing else; `later` is the number of an episode
    that the same replica plays after its first."""

    def __init__(self, seed: int, replica: int, later: int = 0) -> None:
        key = (replica, later) if later else (replica,)
        self._bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
        self._generator = np.random.Generator(self._bits)
        self._origin = self._bits.state
        self._position: int | None = 0  # of the generator, in draws from its origin; None where nobody knows

    def at(self, stream: int) -> np.random.Generator:
        """The generator at the start of a stream, valid until another stream is asked for."""
        if self._position is None:
            self._bits.state = self._origin
            self._position = 0
        self._bits.advance(((stream << 64) - self._position) % (1 << 128))
        self._position = None  # what the caller draws is not counted
        return self._generator

    def uniform(self, stream: int, *out: Array) -> None:
        """Fills arrays with the first draws of a stream, uniform on [0, 1)."""
        for _ in self.uniform_blocks(stream, out):
            pass

    def uniform_blocks(self, stream: int, blocks: Iterable[Array]) -> Iterator[Array]:
        """As `uniform`, array by array: yields each when it is filled. No other stream may be asked for meanwhile."""
        generator, drawn = self.at(stream), 0
        for block in blocks:
            generator.random(out=block)
            drawn += block.size
            yield block
        self._position = (stream << 64) + drawn  # one step of the generator a number

    def normal(self, stream: int, out: Array) -> None:
        """Fills an array with the first standard normal draws of a stream."""
        self.at(stream).standard_normal(out=out)


class Episode(NamedTuple):
    """Which random numbers a market gets. The first episode (`number` 0) of a replica is that replica of a run."""

    seed: int
    replica: int
    number: int = 0

    def next(self) -> Episode:
        """The episode that the same replica plays after this one."""
        return self._replace(number=self.number + 1)

    def streams(self) -> Streams:
        return Streams(self.seed, self.replica, self.number)


def first_episodes(seed: int, replicas: Iterable[int]) -> list[Episode]:
    """What the replicas of a run get."""
    return [Episode(seed, replica) for replica in replicas]


def draw_into(streams: Streams, first: int, more: int, kinds: Sequence[Draw], out: Array) -> None:
    """Fills rows (kinds, ...) with random numbers: the first row from the stream `first`, the others from `more` and on."""
    for n, kind in enumerate(kinds):
        stream = first if n == 0 else more + n - 1
        if kind == "normal":
            streams.normal(stream, out[n])
        else:
            streams.uniform(stream, out[n])
