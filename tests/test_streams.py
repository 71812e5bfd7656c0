"""Random numbers: the generator's known answers, the laws of what it gives, and streams that share nothing.

Philox4x32-10 is from Salmon et al. (SC'11), "Parallel random numbers: as easy as 1, 2, 3"; the known answers are those of
its authors' library Random123.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from dealermarket.compiled import compiled
from dealermarket.draws.normal import TAIL, middle_quantile, tail_quantile
from dealermarket.draws.philox import fill_normal, fill_uniform, fill_words, philox, uniform_at
from dealermarket.draws.streams import Episode, Stream, places_of
from philox_in_python import normals, uniforms, words

ALL_ONES = 0xFFFFFFFF


def place(seed: int = 0, replica: int = 0, number: int = 0) -> Any:
    return places_of([Episode(seed, replica, number)])[0]


def drawn(fill: Any, where: Any, stream: int, count: int) -> Any:
    out = np.empty(count)
    fill(where, stream, *(() if fill is fill_normal else (0,)), out)
    return out


# --- the generator


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ALL_ONES,) * 4, (ALL_ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]) -> None:
    assert tuple(int(word) for word in philox(*(np.uint64(word) for word in (*counter, *key)))) == answer
    assert words(counter, key) == answer  # the plain one that tests compare with


def test_every_number_is_a_function_of_its_place() -> None:
    """Seed, replica, episode, stream and index, by a generator in plain Python; odd counts, too."""
    for episode in (Episode(0, 0), Episode(7, 3, 2), Episode(2**70, 2**32 - 1, 5)):
        where = places_of([episode])[0]
        for stream, count in ((Stream.PRICE, 1), (Stream.ORACLE, 6), (Stream.POLICY + 3, 7)):
            np.testing.assert_array_equal(drawn(fill_uniform, where, stream, count), uniforms(episode, stream, count))
            np.testing.assert_allclose(drawn(fill_normal, where, stream, count), normals(episode, stream, count), rtol=1e-13)
            assert [uniform_at(where, stream, n) for n in range(count)] == uniforms(episode, stream, count)
    words_of_stream = np.empty(11, np.uint32)
    fill_words(place(7), Stream.ARRIVAL, 5, words_of_stream)
    key = tuple(place(7)[:2].tolist())
    expected = [word for block in (5, 6, 7) for word in words((block, Stream.ARRIVAL << 16, 0, 0), key)]
    assert words_of_stream.tolist() == expected[:11]


def test_blocks_beyond_32_bits_have_a_place_of_their_own() -> None:
    """A run of a million steps of ten thousand investors takes more blocks of one stream than 32 bits count."""
    out = np.empty(4, np.uint32)
    fill_words(place(1), 3, (1 << 32) + 2, out)
    assert tuple(out.tolist()) == words((2, (3 << 16) | 1, 0, 0), tuple(place(1)[:2].tolist()))


def test_seeds_have_keys_of_numpys_seed_sequence() -> None:
    rows = places_of([Episode(5, 1, 2), Episode(2**100, 0)])
    assert rows.tolist() == [
        [*np.random.SeedSequence(5).generate_state(2).tolist(), 1, 2],
        [*np.random.SeedSequence(2**100).generate_state(2).tolist(), 0, 0],
    ]
    assert places_of([]).shape == (0, 4)


def test_what_python_draws_comes_from_generators_of_the_same_place() -> None:
    key = np.random.SeedSequence(9).generate_state(2, np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key, counter=[0, Stream.POLICY + 1, 4, 2])).random(5)
    np.testing.assert_array_equal(Episode(9, 4, 2).generator(Stream.POLICY + 1).random(5), expected)


# --- the laws


def test_quantiles_are_exact_to_the_far_tail() -> None:
    p = np.concatenate([np.geomspace(2.0**-65, TAIL * (1 - 1e-12), 4001), np.array([1e-300])])
    np.testing.assert_allclose([tail_quantile(x) for x in p.tolist()], -special.ndtri(p), rtol=2e-15)
    p = np.linspace(TAIL, 0.5, 4001)
    np.testing.assert_allclose(middle_quantile(p), -special.ndtri(p), rtol=3e-15, atol=1e-16)


def test_all_bits_of_a_number_count() -> None:
    """Each of the 53 bits of a uniform number is set half the time; a normal one's sign and size are unrelated."""
    count = 20_000
    bits = np.ldexp(drawn(fill_uniform, place(3), 1, count), 53).astype(np.uint64)
    assert (np.ldexp(bits.astype(np.float64), -53) == drawn(fill_uniform, place(3), 1, count)).all()
    shares = [(bits >> np.uint64(n) & np.uint64(1)).mean() for n in range(53)]
    assert np.abs(np.array(shares) - 0.5).max() < 4.5 * 0.5 / math.sqrt(count)
    normal = drawn(fill_normal, place(3), 1, count)
    assert abs(np.corrcoef(np.sign(normal), np.abs(normal))[0, 1]) < 4 / math.sqrt(count)


@pytest.mark.slow
def test_ten_million_normals_have_the_moments_and_tails_of_the_law() -> None:
    """Moments to the eighth, Kolmogorov and Smirnov's distance, and how many lie beyond 2 to 6 standard deviations."""
    count = 10_000_000
    numbers = drawn(fill_normal, place(1), Stream.PRICE, count)
    for power in range(1, 9):
        mean, square = (float(special.factorial2(n - 1)) if n % 2 == 0 else 0.0 for n in (power, 2 * power))
        assert abs((numbers**power).mean() - mean) < 4 * math.sqrt((square - mean**2) / count), power
    assert stats.kstest(numbers, "norm").pvalue > 1e-3
    for beyond in (2, 3, 4, 5, 6):
        expected = count * stats.norm.sf(beyond)
        for side in (numbers > beyond, numbers < -beyond):
            assert 1e-4 < stats.poisson.cdf(side.sum(), expected) <= 1.0, beyond
            assert stats.poisson.sf(side.sum() - 1, expected) > 1e-4, beyond


# --- nothing is shared


def places() -> dict[str, tuple[Episode, int]]:
    """All streams of an episode, and the same stream of neighbouring replicas, episodes and seeds, and of far ones."""
    own = {stream.name: (Episode(0, 0), int(stream)) for stream in Stream}
    others = {
        f"{Stream(stream).name} {episode}": (episode, stream)
        for stream in (Stream.PRICE, Stream.ARRIVAL)
        for episode in (Episode(0, 1), Episode(0, 2), Episode(0, 0, 1), Episode(0, 1, 1), Episode(1, 0), Episode(2**64, 0))
    }
    return own | others | {"PRICE and on": (Episode(0, 0), Stream.PRICE + 1), "POLICY and on": (Episode(0, 0), Stream.POLICY + 1)}


@compiled
def in_common(first, second):  # type: ignore[no-untyped-def]
    """How many bits two streams of 64-bit words (n,) have in common, and the sums of the products of their uniform numbers less
    1/2, the second one's lagging by -2 to 2 words."""
    count, alike = len(first), 0
    products = np.zeros(5)
    for n in range(2, count - 2):
        bits = ~(first[n] ^ second[n])
        bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
        bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
        bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        alike += np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))
        one = (first[n] >> np.uint64(11)) * 2.0**-53 - 0.5
        for lag in range(5):
            products[lag] += one * ((second[n + lag - 2] >> np.uint64(11)) * 2.0**-53 - 0.5)
    return alike, products


def scores(first: Any, second: Any) -> Any:
    """Standard deviations by which two streams differ from what chance gives: common bits, and correlations, (6,)."""
    count = len(first) - 4
    alike, products = in_common(first, second)
    return np.abs(np.append((alike - 32 * count) / math.sqrt(16 * count), products * 12 / math.sqrt(count)))


@pytest.mark.slow
def test_streams_replicas_episodes_and_seeds_share_nothing() -> None:
    """Ten million words of each pair; chance exceeds the bound in one of ten thousand runs of all these tests."""
    count, chosen = 10_000_000, list(places().values())

    def stream_of(at: tuple[Episode, int]) -> Any:
        out = np.empty(2 * count, np.uint32)
        fill_words(places_of([at[0]])[0], at[1], 0, out)
        return out.view(np.uint64)

    pairs = list(itertools.combinations(range(len(chosen)), 2))
    bound = float(stats.norm.isf(1e-4 / (2 * 6 * len(pairs))))
    worst = 0.0
    for a, with_a in itertools.groupby(pairs, key=lambda pair: pair[0]):
        first = stream_of(chosen[a])
        for _, b in with_a:
            worst = max(worst, scores(first, stream_of(chosen[b])).max())
    assert worst < bound


@pytest.mark.compiled
def test_what_is_shared_is_seen() -> None:
    """The streams of before, PCG64 moved on by 2^64 and its multiples, fail the test above, and so does a stream that lags."""

    def former(number: int) -> Any:
        return np.random.PCG64(np.random.SeedSequence(0, spawn_key=(0,))).advance(number << 64).random_raw(1_000_000)

    assert scores(former(0), former(1)).max() > 8
    same = former(0)
    assert scores(same[1:], same[:-1]).max() > 100
