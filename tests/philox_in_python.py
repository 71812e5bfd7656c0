"""Philox4x32-10 once more, in plain Python integers: what the compiled generator is tested against."""

from __future__ import annotations

import numpy as np
from scipy import special

from dealermarket.draws.streams import Episode

LOW = 0xFFFFFFFF


def words(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Four words of 32 bits (Salmon et al., SC'11, section 3.3)."""
    a, b, c, d = counter
    for n in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        first, second = (key[0] + n * 0x9E3779B9) & LOW, (key[1] + n * 0xBB67AE85) & LOW
        a, b, c, d = (right >> 32) ^ b ^ first, right & LOW, (left >> 32) ^ d ^ second, left & LOW
    return a, b, c, d


def long_words(episode: Episode, stream: int, count: int) -> list[int]:
    """The first words of 64 bits of a stream."""
    key = tuple(np.random.SeedSequence(episode.seed).generate_state(2).tolist())
    blocks = [words((n, stream << 16, episode.replica, episode.number), key) for n in range((count + 1) // 2)]
    return [high << 32 | low for block in blocks for high, low in (block[:2], block[2:])][:count]


def uniforms(episode: Episode, stream: int, count: int) -> list[float]:
    """Its first uniform numbers."""
    return [(word >> 11) * 2.0**-53 for word in long_words(episode, stream, count)]


def normals(episode: Episode, stream: int, count: int) -> list[float]:
    """Its first standard normal numbers."""
    long = long_words(episode, stream, count)
    return [(1 - 2 * (word >> 63)) * -float(special.ndtri(((word & (2**63 - 1)) + 0.5) * 2.0**-64)) for word in long]


def arrival_words(episode: Episode, stream: int, steps: int, investors: int) -> list[list[int]]:
    """A word for every step and investor: each step begins a new block."""
    key = tuple(np.random.SeedSequence(episode.seed).generate_state(2).tolist())
    blocks = -(-investors // 4)

    def of_step(t: int) -> list[int]:
        place = (stream << 16, episode.replica, episode.number)
        return [word for n in range(blocks) for word in words((t * blocks + n, *place), key)][:investors]

    return [of_step(t) for t in range(steps)]
