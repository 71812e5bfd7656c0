"""How random the random numbers are: tests too long for the suite. `python benchmarks/randomness.py`.

A billion standard normals: moments, Kolmogorov and Smirnov's distance, and how many lie beyond 4, 5 and 6 standard deviations,
beside exact probabilities. With `--interleaved`: the 32-bit words of all streams, of neighbouring replicas, episodes and seeds, a
word of each in turn, as bytes on standard output, for batteries of tests; `benchmarks/testu01.c` hands them to TestU01's.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from dealermarket.draws.philox import fill_normal, fill_words
from dealermarket.draws.streams import Episode, Stream, places_of

Array = NDArray[Any]

_AT_ONCE = 10_000_000  # normals: of one replica each
_BLOCKS = 1 << 14  # of each stream at a time


def normals(count: int) -> None:
    """Prints how the numbers of `count` / 1e7 replicas agree with the law: z is the distance in standard errors."""
    sums, beyond, largest = np.zeros(9), {4: 0, 5: 0, 6: 0, 7: 0}, 0.0
    edges = stats.norm.ppf(np.arange(1, 100_000) / 100_000)
    below = np.zeros(len(edges) + 1, np.int64)
    out = np.empty(_AT_ONCE)
    for replica in range(count // _AT_ONCE):
        fill_normal(places_of([Episode(0, replica)])[0], Stream.PRICE, out)
        sums += [np.sum(out**power) for power in range(9)]
        below += np.bincount(np.searchsorted(edges, out), minlength=len(below))
        for limit in beyond:
            beyond[limit] += int(np.sum(np.abs(out) > limit))
        largest = max(largest, float(np.abs(out).max()))
    drawn = int(sums[0])
    print(f"{drawn:,} standard normals, the largest {largest:.3f}\n")
    print("| | found | expected | z |\n| --- | --- | --- | --- |")
    for power in range(1, 9):
        mean, square = (special.factorial2(n - 1) if n % 2 == 0 else 0.0 for n in (power, 2 * power))
        found = sums[power] / drawn
        print(f"| moment {power} | {found:.6f} | {mean:.0f} | {(found - mean) / math.sqrt((square - mean**2) / drawn):+.2f} |")
    for limit, found in beyond.items():
        expected = 2 * stats.norm.sf(limit) * drawn
        print(f"| beyond {limit} | {found:,} | {expected:,.1f} | {(found - expected) / math.sqrt(expected):+.2f} |")
    distance = float(np.abs(np.cumsum(below)[:-1] / drawn - np.arange(1, 100_000) / 100_000).max())
    chance = special.kolmogorov(distance * math.sqrt(drawn))
    print(f"\nLargest distance of the distribution functions: {distance:.2e}; p-value {chance:.3f}")


def interleaved() -> Iterator[Array]:
    """Words of 104 streams in turn, without end: all 13 of two seeds, two replicas and two episodes."""
    episodes = [Episode(seed, replica, number) for seed in (0, 1) for replica in (0, 1) for number in (0, 1)]
    places = [(place, stream) for place in places_of(episodes) for stream in Stream]
    words = np.empty((len(places), 4 * _BLOCKS), np.uint32)
    first = 0
    while True:
        for row, (place, stream) in zip(words, places, strict=True):
            fill_words(place, stream, first, row)
        first += _BLOCKS
        yield np.ascontiguousarray(words.T)


def main() -> None:
    """Prints the table, or the words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=float, default=1e9, help="standard normals")
    parser.add_argument("--interleaved", action="store_true", help="write words as bytes, without end")
    chosen = parser.parse_args()
    if not chosen.interleaved:
        normals(int(chosen.count))
        return
    try:
        for words in interleaved():
            sys.stdout.buffer.write(words.data)
    except BrokenPipeError:  # the reader has had enough
        sys.stderr.close()


if __name__ == "__main__":
    main()
