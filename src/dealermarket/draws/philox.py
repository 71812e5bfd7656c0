"""Philox4x32-10, the counter-based random generator of Salmon et al. (SC'11), "Parallel random numbers: as easy as 1, 2, 3".

Ten rounds turn a counter of four 32-bit words into four random words under a key of two. The counter here is

    (block, stream << 16 | block >> 32, replica, episode)

and the key comes from the seed, so that streams, replicas, episodes and seeds share no block. A block gives two uniform
numbers of 53 bits, two standard normals, or four words. No state, no lock, and loops that compute several blocks at a time.
"""

from __future__ import annotations

import numpy as np

from dealermarket.compiled import COMPILES, compiled, kernel
from dealermarket.draws.normal import TAIL, middle_quantile, tail_quantile

# all words stand in 64 bits: a product of two is exact, and so is a sum before its carry is cut off
_LOW, _WORD = np.uint64(0xFFFFFFFF), np.uint64(32)
_FIRST, _SECOND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # the multipliers
_GOLDEN, _ROOT = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # what the key moves on by from round to round
_ROUNDS = 10

_STREAM, _SPARE, _LAST = np.uint64(16), np.uint64(11), np.uint64(63)  # bits
_each = range if COMPILES else lambda count: [np.arange(count)]  # plain Python takes all blocks at once: it would take minutes
_UNIT, _HALF_UNIT = 2.0**-53, 2.0**-64
_MAGNITUDE = np.uint64((1 << 63) - 1)


@kernel
def philox(c0, c1, c2, c3, k0, k1):
    """The four words of a counter (4 words) under a key (2 words), all uint64 below 2^32."""
    for _ in range(_ROUNDS):
        first, second = c0 * _FIRST, c2 * _SECOND
        c0, c1, c2, c3 = (second >> _WORD) ^ c1 ^ k0, second & _LOW, (first >> _WORD) ^ c3 ^ k1, first & _LOW
        k0, k1 = (k0 + _GOLDEN) & _LOW, (k1 + _ROOT) & _LOW
    return c0, c1, c2, c3


@kernel
def block_of(place, stream, block):
    """The four words of a block of a stream; `place` (4,) is a row of `places_of`."""
    return philox(block & _LOW, (stream << _STREAM) | (block >> _WORD), place[2], place[3], place[0], place[1])


@kernel
def long_words(place, stream, block):
    """The same as two words of 64 bits."""
    w0, w1, w2, w3 = block_of(place, stream, block)
    return w0 << _WORD | w1, w2 << _WORD | w3


@compiled
def fill_words(place, stream, first, out):
    """Fills `out` (n,) uint32 with the words of a stream from block `first` on."""
    whole = len(out) // 4
    for n in _each(whole):
        out[4 * n], out[4 * n + 1], out[4 * n + 2], out[4 * n + 3] = block_of(place, np.uint64(stream), np.uint64(first + n))
    if 4 * whole < len(out):
        words = block_of(place, np.uint64(stream), np.uint64(first + whole))
        for n in range(4 * whole, len(out)):
            out[n] = words[n - 4 * whole]


@kernel
def uniform(word):
    """A uniform number on [0, 1), a multiple of 2^-53, from 64 bits."""
    return (word >> _SPARE) * _UNIT


@compiled
def fill_uniform(place, stream, first, out):
    """Fills `out` (n,) with the uniform numbers of a stream from block `first` on."""
    for n in _each(len(out) // 2):
        one, other = long_words(place, np.uint64(stream), np.uint64(first + n))
        out[2 * n], out[2 * n + 1] = uniform(one), uniform(other)
    if len(out) % 2:
        out[-1] = uniform(long_words(place, np.uint64(stream), np.uint64(first + len(out) // 2))[0])


@compiled
def fill_uniform_of_all(places, stream, first, out):
    """Fills each row of `out` (B, n) with the uniform numbers of a stream of one of `places` (B, 4)."""
    for b in range(len(places)):
        fill_uniform(places[b], stream, first, out[b])


@kernel
def uniform_at(place, stream, index):
    """One uniform number of a stream."""
    first, second = long_words(place, np.uint64(stream), np.uint64(index // 2))
    return uniform(second if index % 2 else first)


@kernel
def half_probability(word):
    """A probability p on (0, 1/2), from the lower 63 bits: small ones are exact, down to 2^-65."""
    return ((word & _MAGNITUDE) + 0.5) * _HALF_UNIT


@compiled
def fill_normal(place, stream, out):
    """Fills `out` (n,) with the standard normal numbers of a stream: quantiles of p from 63 bits, the sign from the last."""
    half, sign = np.empty(len(out) + 1), np.empty(len(out) + 1)
    for n in _each((len(out) + 1) // 2):
        words = long_words(place, np.uint64(stream), np.uint64(n))
        for m in range(2):
            half[2 * n + m], sign[2 * n + m] = half_probability(words[m]), 1.0 - 2.0 * (words[m] >> _LAST)
    for n in _each(len(out)):  # without branches: several at a time
        out[n] = sign[n] * middle_quantile(half[n])
    for n in range(len(out)):
        if half[n] < TAIL:
            out[n] = sign[n] * tail_quantile(half[n])
