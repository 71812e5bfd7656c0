"""The best price of a maker's rivals on one side: its law, and what a maker wins against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.makers.policies import HeuristicMaker, NormalMaker, PersistentMaker, Policy, RandomMaker, SkewMaker
from dealermarket.model.scenario import Scenario

Floats = NDArray[np.float64]

UNDERCUT = 1e-9
"""By how much an eps is below a rival's that it undercuts: against a constant price there is no largest eps that wins."""

_POINTS = 17
_SHARES = 6


@dataclass(frozen=True)
class Law:
    """The law of one rival's eps in a step: uniform on [`low`, `high`], a constant where they are equal, or N(mean, std) cut off
    at -1 where `std` is given, whose mean is `low`."""

    low: float
    high: float
    std: float | None = None

    @property
    def constant(self) -> bool:
        """Whether it is the same at every step."""
        return self.low == self.high and self.std is None

    def above(self, price: Any) -> Any:
        """P(1 + eps > price) of the rival; for a constant one P(>=): who ties wins a share, see `Competition.chances`."""
        if self.std is not None:
            from scipy.special import ndtr

            return ndtr((1.0 + self.low - price) / self.std)
        if self.constant:
            return (price <= 1.0 + self.low) * 1.0
        return np.clip((1.0 + self.high - price) / (self.high - self.low), 0.0, 1.0)

    @property
    def range(self) -> tuple[float, float]:
        """Below the first number the rival is never to be found, above the second hardly ever."""
        if self.std is None:
            return self.low, self.high
        return max(self.low - 8.0 * self.std, -1.0), self.low + 8.0 * self.std


def laws_of(policy: Policy, eps_buy: float, eps_sell: float) -> tuple[Law, Law] | None:
    """The laws of a rival's eps for clients who buy and who sell, drawn anew at every step or constant; None where it has none.

    `eps_buy` and `eps_sell` are those of its pricing."""
    match policy:
        case HeuristicMaker():
            return Law(eps_buy, eps_buy), Law(eps_sell, eps_sell)
        case RandomMaker() | PersistentMaker() if isinstance(policy, RandomMaker) or policy.low == policy.high:
            law = Law(policy.low, policy.high)
        case NormalMaker():
            law = Law(policy.mean, policy.mean, policy.std) if policy.std else Law(policy.mean, policy.mean)
        case SkewMaker() if policy.strength == 0:
            law = Law(policy.eps, policy.eps)
        case _:
            return None
    return law, law


@dataclass(frozen=True)
class Competition:
    """The rivals of a maker on one side of the clients.

    Clients compare (1 + eps) `ratio` of the maker with 1 + eps of a rival: `ratio` is the maker's curve over the rivals' at the
    size of the orders. `demand` (None where requests always trade) says which requests trade at `relative` (1 + eps) times
    the reference curve."""

    laws: tuple[Law, ...]
    ratio: float = 1.0
    demand: Any = None
    relative: float = 1.0

    def chances(self, eps: Any) -> tuple[Floats, Floats]:
        """For eps of any shape: the probability that no rival is cheaper, which holds for all orders of a step at once, and the
        probability that an order then trades with the maker, which is drawn for each order."""
        price = (1.0 + np.asarray(eps, dtype=np.float64)) * self.ratio
        wins, equals = np.ones_like(price), np.zeros_like(price)
        for law in self.laws:
            wins = wins * law.above(price)
            if law.constant:
                equals = equals + (price == 1.0 + law.low)
        share = 1.0 / (1.0 + equals)
        if self.demand is not None:
            share = share * self.demand.trade_share(self.relative * (1.0 + np.asarray(eps)))
        return wins, share

    @property
    def uniform(self) -> Law | None:
        """The one rival, where its law is uniform or constant and every request trades: the optimum has a closed form then."""
        alone = len(self.laws) == 1 and self.laws[0].std is None and not self.laws[0].constant and self.demand is None
        return self.laws[0] if alone else None

    @property
    def shares(self) -> Floats:
        """Shares of the orders between 0 and 1 from which what any share brings is interpolated, rising, 0 and 1 included."""
        if self.demand is not None:
            return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(_SHARES) / (_SHARES - 1)))
        most = sum(law.constant for law in self.laws)
        values = sorted({0.0, *(1.0 / (1.0 + n) for n in range(most + 1))})
        return np.array(values)

    @property
    def candidates(self) -> Floats:
        """Values of eps (m,), rising, beside which the best is looked for; between them all is smooth."""
        ends = [np.array(law.range) for law in self.laws if not law.constant]
        beside = [law.low + np.array([-UNDERCUT, UNDERCUT]) for law in self.laws if law.constant]
        bounds = (1.0 + np.concatenate([np.empty(0), *ends, *beside])) / self.ratio - 1.0
        high = float(bounds.max(initial=-1.0))
        low = float(bounds.min(initial=high))
        if self.demand is not None:
            low, high = -1.0, min(high, self._dear()) if self.laws else self._dear()
        even = np.linspace(low, high, _POINTS) if low < high and not self.discrete else np.empty(0)
        return np.unique(np.maximum(np.concatenate([bounds, even]), -1.0))

    @property
    def discrete(self) -> bool:
        """Whether only the candidates themselves can be best."""
        return self.demand is None and all(law.constant for law in self.laws)

    def _dear(self) -> float:
        """An eps at which hardly any request trades."""
        high = 0.0
        while self.demand.trade_share(self.relative * (1.0 + high)) > 1e-7 and high < 1e6:
            high = 2.0 * high + 0.25
        return high

    def cheapest_hedge(self, curve: Floats, alphas: Sequence[float], exchange: bool) -> Floats:
        """The mean of the best quote for a hedge, in units of S_ref(0), on the reference `curve` g (n,): each rival charges
        (1 + eps) g^alpha, the exchange g."""
        tops = [(1.0 + law.range[1]) * curve**alpha for law, alpha in zip(self.laws, alphas, strict=True)]
        highest = np.min([*tops, *([curve] if exchange else [])], axis=0)
        nodes, weights = _quadrature()
        price = highest[:, None] * (0.5 + 0.5 * nodes)
        left = np.ones_like(price)
        for law, alpha in zip(self.laws, alphas, strict=True):
            left *= law.above(price / curve[:, None] ** alpha)
        return np.asarray(0.5 * highest * (left @ weights))


@cache
def _quadrature() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(400)
    return nodes, weights


def hedgers(scenario: Scenario, index: int) -> list[int]:
    """The rivals that may hedge with the maker: those that trade at a venue with makers."""
    found = []
    for other, maker in enumerate(scenario.makers):
        hedging, policy = maker.hedging, maker.policy
        venue, fraction = getattr(hedging, "venue", None), getattr(policy, "hedge_fraction", None)
        never = hedging.kind == "none" or (hedging.kind == "fraction" and getattr(hedging, "fraction", 1.0) == 0.0)
        if other != index and venue != "exchange" and not (never and not fraction):
            found.append(other)
    return found
