"""The best prices of a step, given what is left to be earned later: the inner problem of the optimum.

With E(b, s) the value to go where a share b of the orders of clients who buy, and s of those who sell, comes to the maker, the
prices a and c maximise

    m_b (1 + a) p_b d_b + m_s (1 + c) p_s d_s + E[E(B, S)],

where B is d_b with probability p_b, else 0, and S is d_s with probability p_s, else 0, independently. E is known at some shares;
where clients may refuse it is interpolated between them by a polynomial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.control.competition import Competition

Floats = NDArray[np.float64]

_ROUNDS = 4  # in which the best of the candidates is refined


class Income(NamedTuple):
    """What all orders of clients who buy and who sell bring: at eps = -1 + 1, and besides. In units of the reward."""

    buy: Any
    sell: Any
    extra_buy: float
    extra_sell: float


class Quotes(NamedTuple):
    """Best prices, and the value of what is earned now and to go."""

    value: Floats
    eps_buy: Floats
    eps_sell: Floats


@dataclass(frozen=True)
class Quoting:
    """The prices of a maker against its competition on both sides."""

    buying: Competition
    selling: Competition

    def best(self, income: Income, to_go: Floats) -> Quotes:
        """`to_go` (kb, ks, ...) holds E at the shares of both sides; `income.buy` and `income.sell` broadcast with its rest."""
        if self.buying.uniform is not None and self.selling.uniform is not None:
            return self._closed_form(income, to_go)
        return self._searched(income, to_go)

    def value(self, income: Income, to_go: Floats, eps_buy: Any, eps_sell: Any) -> Floats:
        """What given prices are worth."""
        wins_buy, share_buy = self.buying.chances(eps_buy)
        wins_sell, share_sell = self.selling.chances(eps_sell)
        earned = (income.buy * (1.0 + eps_buy) + income.extra_buy) * wins_buy * share_buy
        earned = earned + (income.sell * (1.0 + eps_sell) + income.extra_sell) * wins_sell * share_sell
        weights_buy = weights_of(self.buying, wins_buy, share_buy)
        weights_sell = weights_of(self.selling, wins_sell, share_sell)
        for k, first in enumerate(weights_buy):
            for n, second in enumerate(weights_sell):
                earned = earned + first * second * to_go[k, n]
        return np.asarray(earned)

    def _closed_form(self, income: Income, to_go: Floats) -> Quotes:
        """Against one rival with uniform prices on each side: bilinear-quadratic in the probabilities to win p and r,
        a p - k p^2 + b r - n r^2 + c p r. Where it is not concave the maximum is on an edge."""
        none, sell, buy, both = to_go[0, 0], to_go[0, 1], to_go[1, 0], to_go[1, 1]
        top_buy, k = _line(self.buying, income.buy)
        top_sell, n = _line(self.selling, income.sell)
        a = top_buy + income.extra_buy + buy - none
        b = top_sell + income.extra_sell + sell - none
        c = both - buy - sell + none
        best = np.full(np.broadcast_shapes(a.shape, b.shape), -np.inf)
        p, r = np.zeros_like(best), np.zeros_like(best)
        determinant = 4.0 * k * n - c * c
        inside = determinant > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            corners: list[tuple[Any, Any]] = [
                (_bounded((2.0 * n * a + c * b) / determinant), _bounded((2.0 * k * b + c * a) / determinant)),
                *((edge, _top(b + c * edge, n)) for edge in (0.0, 1.0)),
                *((_top(a + c * edge, k), edge) for edge in (0.0, 1.0)),
            ]
        for number, (first, second) in enumerate(corners):
            value = (a - k * first) * first + (b - n * second) * second + c * first * second
            better = (value > best) & inside if number == 0 else value > best
            best, p, r = np.where(better, value, best), np.where(better, first, p), np.where(better, second, r)
        return Quotes(best + none, _eps(self.buying, p), _eps(self.selling, r))

    def _searched(self, income: Income, to_go: Floats) -> Quotes:
        """The best pair of candidates; where laws are smooth between them, refined one side after the other."""
        sides = [(side, side.candidates) for side in (self.buying, self.selling)]
        (rates_buy, weights_buy), (rates_sell, weights_sell) = (_at(side, eps) for side, eps in sides)
        shape = np.broadcast_shapes(np.shape(income.buy), to_go.shape[2:])
        best = np.full(shape, -np.inf)
        chosen = np.zeros((2, *shape), np.int64)
        for i, (rate, won) in enumerate(zip(rates_buy, weights_buy, strict=True)):
            earned = income.buy * (1.0 + sides[0][1][i]) * rate + income.extra_buy * rate
            given = np.tensordot(won, to_go, 1)
            for j, (other, lost) in enumerate(zip(rates_sell, weights_sell, strict=True)):
                value = earned + (income.sell * (1.0 + sides[1][1][j]) + income.extra_sell) * other + np.tensordot(lost, given, 1)
                better = value > best
                best = np.where(better, value, best)
                chosen[0][better], chosen[1][better] = i, j
        eps = [candidates[place] for (_, candidates), place in zip(sides, chosen, strict=True)]
        found = Quotes(best, eps[0], eps[1])
        if all(side.discrete for side, _ in sides):
            return found
        return self._refined(income, to_go, found, [candidates for _, candidates in sides])

    def _refined(self, income: Income, to_go: Floats, found: Quotes, candidates: list[Floats]) -> Quotes:
        """Climbs from the best pair of candidates, on one side after the other."""
        value, *eps = found
        sides, both = (self.buying, self.selling), (to_go, np.moveaxis(to_go, 1, 0))
        for round_ in range(_ROUNDS):
            for n, side in enumerate(sides):
                if side.discrete:
                    continue
                other = sides[1 - n]
                wins, share = other.chances(eps[1 - n])
                earned = _earned(income, 1 - n, eps[1 - n], wins * share)
                given = [earned] * len(both[n])  # whose weights sum to 1
                for weight, rest in zip(weights_of(other, wins, share), np.moveaxis(both[n], 1, 0), strict=True):
                    given = [before + weight * each for before, each in zip(given, rest, strict=True)]

                def worth(trial: Floats, n: int = n, side: Competition = side, given: list[Floats] = given) -> Floats:
                    wins, share = side.chances(trial)
                    weights = weights_of(side, wins, share)
                    return _earned(income, n, trial, wins * share) + sum(
                        weight * each for weight, each in zip(weights, given, strict=True)
                    )

                step = 0.5 * float(np.diff(candidates[n]).max(initial=0.0)) * 0.5**round_
                value, eps[n] = _climbed(worth, eps[n], value, step, candidates[n][[0, -1]])
        return Quotes(value, eps[0], eps[1])


def _earned(income: Income, side: int, eps: Any, rate: Any) -> Floats:
    """The income of a side (0: clients who buy) of whose orders a share `rate` comes at eps."""
    all_of, extra = (income.buy, income.extra_buy) if side == 0 else (income.sell, income.extra_sell)
    return np.asarray((all_of * (1.0 + eps) + extra) * rate)


def weights_of(side: Competition, wins: Floats, share: Floats) -> list[Floats]:
    """What E at each of the side's shares counts, where the maker wins with probability `wins`, and an order then is its with
    probability `share`."""
    nodes = side.shares
    found = []
    for n, node in enumerate(nodes):
        others = np.delete(nodes, n)
        weight = wins * np.prod([(share - other) / (node - other) for other in others], axis=0)
        found.append(weight + (1.0 - wins) if n == 0 else weight)
    return found


def _at(side: Competition, eps: Floats) -> tuple[Floats, Floats]:
    """For eps (m,): the share of orders that comes in the mean (m,), and the weights of E (m, k)."""
    wins, share = side.chances(eps)
    return wins * share, np.stack(weights_of(side, wins, share), axis=1)


def _climbed(worth: Callable[[Floats], Floats], at: Floats, value: Floats, step: float, bounds: Floats) -> tuple[Floats, Floats]:
    """A better place within one step, by a parabola through three, and its value; the old one where there is none."""
    low, high = worth(np.maximum(at - step, bounds[0])), worth(np.minimum(at + step, bounds[1]))
    bend = low - 2.0 * value + high
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.where(bend < 0, 0.5 * step * (low - high) / bend, np.where(high > low, step, -step))
    trial = np.clip(at + np.clip(np.nan_to_num(move), -step, step), bounds[0], bounds[1])
    reached = worth(trial)
    better = reached > value
    return np.where(better, reached, value), np.where(better, trial, at)


def _line(side: Competition, income: Any) -> tuple[Any, Any]:
    """Income at probability p to win is `first` p - `second` p^2."""
    law = side.uniform
    assert law is not None
    return income * (1.0 + law.high) / side.ratio, income * (law.high - law.low) / side.ratio


def _eps(side: Competition, wins: Floats) -> Floats:
    """The eps that wins with a probability."""
    law = side.uniform
    assert law is not None
    return np.asarray((1.0 + law.high - (law.high - law.low) * wins) / side.ratio - 1.0)


def _top(slope: Any, bend: Any) -> Any:
    """Where slope p - bend p^2 is largest in [0, 1]."""
    return np.where(bend > 0, _bounded(0.5 * slope / bend), slope > 0)


def _bounded(value: Any) -> Any:
    return np.clip(value, 0.0, 1.0)
