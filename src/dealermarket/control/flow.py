"""The orders of a step on a lattice of sizes: how they move the position of a maker who gets a share of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.sizes import LadderSize, LogNormalSize, OrderSize
from dealermarket.model.scenario import Scenario

Floats = NDArray[np.float64]

FINEST = 4
"""Into how many pieces the smallest size, or the mean of log-normal ones, is cut where sizes have no common divisor."""
_PIECES = 2  # of the common divisor: hedges end between the sizes, too
_TAIL = 1e-13


@dataclass(frozen=True)
class Investors:
    """`count` investors of one kind: the law of their sizes, (n,) for multiples of the lattice's step from 0 on, how often they
    trade in a step of mean activity, and how often they then buy."""

    count: int
    sizes: Floats
    trades: float
    buys: float


def lattice_step(agents: Sequence[InvestorAgent]) -> float:
    """The distance of the positions on which the optimum is worked out, units of the asset."""
    given = sorted({size for agent in agents for size in _sizes(agent.order_size)[0]})
    if given and all(_sizes(agent.order_size)[0] for agent in agents):
        divisor = given[0]
        for size in given[1:]:
            divisor = _common(divisor, size)
        if divisor >= given[0] / FINEST:
            return divisor / _PIECES
    return min(next(iter(_sizes(agent.order_size)[0]), agent.size_moment(1, math.inf)) for agent in agents) / FINEST


def investors_of(scenario: Scenario, agents: Sequence[InvestorAgent], step: float) -> list[Investors]:
    """The investors, those alike together."""
    largest = scenario.exchange.largest_trade
    kinds = Counter((agent.order_size, agent.trade_probability, agent.buy_probability) for agent in agents)
    laws = {size: on_lattice(size, step, largest) for size, _, _ in kinds}
    return [Investors(count, laws[size], trades, buys) for (size, trades, buys), count in kinds.items()]


def on_lattice(size: OrderSize, step: float, largest: float) -> Floats:
    """Probabilities (n,) of the multiples of `step` from 0 on: what lies between two of them is split so that the mean stays."""
    values, weights = size_nodes(size, largest)
    place = values / step
    below = np.floor(place + 1e-9).astype(np.int64)
    upper = np.clip(place - below, 0.0, 1.0)
    law = np.zeros(below.max() + 2)
    np.add.at(law, below, weights * (1.0 - upper))
    np.add.at(law, below + 1, weights * upper)
    return np.trim_zeros(law, "b")


def size_nodes(size: OrderSize, largest: float) -> tuple[Floats, Floats]:
    """Sizes and their probabilities, capped at the largest trade: of log-normal ones the means of 4,000 equal parts."""
    sizes, weights = _sizes(size)
    if sizes:
        return np.minimum(sizes, largest), np.array(weights)
    from scipy.special import ndtr, ndtri

    assert isinstance(size, LogNormalSize)
    count = 4000
    bounds = ndtri(np.arange(count + 1) / count)
    mean = math.exp(size.size_log_mean + 0.5 * size.log_std**2)
    values = count * mean * np.diff(ndtr(bounds - size.log_std))
    return np.minimum(values, largest), np.full(count, 1.0 / count)


def kernel(investors: Sequence[Investors], activity: float, bought: float, sold: float) -> Floats:
    """The law (2 n + 1,) of the change of the maker's position, in steps of the lattice from -n to n, where it gets each order of
    a client who buys with probability `bought`, and of one who sells with probability `sold`.

    The product of the investors' characteristic functions, which are independent."""
    reach = sum(kind.count * (len(kind.sizes) - 1) for kind in investors)
    width = 2 * reach + 1
    angle = 2j * np.pi * np.arange(width // 2 + 1) / width
    total = np.ones(len(angle), np.complex128)
    for kind in investors:
        up = np.exp(-angle[:, None] * np.arange(len(kind.sizes))) @ kind.sizes
        buy, sell = kind.trades * activity * kind.buys * bought, kind.trades * activity * (1.0 - kind.buys) * sold
        total *= (1.0 - buy - sell + buy * np.conj(up) + sell * up) ** kind.count
    law = np.fft.fftshift(np.fft.irfft(total, width))
    law[law < _TAIL] = 0.0
    kept = max(int(np.abs(np.flatnonzero(law) - reach).max()), 1)
    return np.asarray(law[reach - kept : reach + kept + 1] / law.sum())


def _sizes(size: OrderSize) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The sizes of a law that has few, and their probabilities."""
    if isinstance(size, LadderSize):
        return size.sizes, tuple(size.probabilities)
    if isinstance(size, LogNormalSize) and size.log_std == 0:
        return (round(math.exp(size.size_log_mean), 12),), (1.0,)
    return (), ()


def _common(first: float, second: float) -> float:
    """The largest number that both are multiples of, but for rounding."""
    while second > 1e-6 * first:
        first, second = second, math.fmod(first, second)
        if second > first * (1.0 - 1e-6):
            second = 0.0
    return first
