"""The empirical game: every maker plays each of its strategies against all of the others', and what then is an equilibrium."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate, mean
from dealermarket.model.scenario import Scenario, check_scenario
from dealermarket.policies.named import maker_index
from dealermarket.questions.fields import Setting, Varied, path_of_maker
from dealermarket.questions.objective import Objective
from dealermarket.questions.payoffs import Payoffs
from dealermarket.questions.points import Point, check_paths, points_of
from dealermarket.runs.executors import Executor, Progress, running
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

REPLICAS, MOST_PROFILES = 1000, 10_000
_STEPS, _STARTS = 5_000, 16  # of the replicator dynamics
_STILL = 1e-12  # a change of no share by more ends them


@dataclass(frozen=True)
class Game:
    """Makers with a few strategies each, combinations of values of fields. All profiles, a strategy for each maker, are run on
    the same `replicas`.

    Paths in `fields` name every maker, "makers.*.hedging.kind", and each of `makers` then has these strategies; or a single one,
    who has them to itself. Raises ParameterError for what cannot be played."""

    scenario: Scenario
    fields: tuple[Varied, ...]
    objective: Objective
    makers: tuple[str, ...] = ()
    replicas: int = REPLICAS
    seed: int = 0

    def __post_init__(self) -> None:
        check_scenario(self.scenario)
        names = self.scenario.maker_names
        makers = tuple(dict.fromkeys(names[maker_index(self.scenario, maker)] for maker in self.makers)) or names
        object.__setattr__(self, "fields", tuple(self.fields))
        object.__setattr__(self, "makers", makers)
        object.__setattr__(self, "replicas", whole_number("replicas", self.replicas, 2, 1_000_000))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        check_paths(self.fields)
        count = int(np.prod([float(len(own)) for own in self.strategies.values()]))
        if count > MOST_PROFILES:
            raise ParameterError(f"game: {count:,} profiles, at most {MOST_PROFILES:,} are played; take fewer values or makers")
        _ = self.points  # fails here, before anything is run

    @cached_property
    def strategies(self) -> Mapping[str, tuple[tuple[Setting, ...], ...]]:
        """By maker, its strategies: settings of its own fields."""
        found = {}
        for maker in self.makers:
            paths = [(path_of_maker(self.scenario, field.path, maker), field) for field in self.fields]
            own = [replace(field, path=path) for path, field in paths if path is not None]
            if not own:
                raise ParameterError(f"over: {maker} has no strategies; give makers.*.FIELD=v1,v2, or leave it out of the makers")
            found[maker] = tuple(itertools.product(*(each.settings for each in own)))
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        """How many strategies each of the makers has."""
        return tuple(map(len, self.strategies.values()))

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The market at every profile, the last maker's strategy the quickest to change."""
        profiles = itertools.product(*self.strategies.values())
        return points_of(self.scenario, [[setting for own in profile for setting in own] for profile in profiles])

    def labels(self, maker: str) -> tuple[str, ...]:
        """A maker's strategies as texts."""
        return tuple(", ".join(setting.label for setting in own) for own in self.strategies[maker])

    @property
    def market_steps(self) -> int:
        """Steps of markets in all."""
        return self.scenario.steps * self.replicas * len(self.points)

    def run(
        self, threads: int = 1, progress: Progress | None = None, keep: Path | None = None, executor: Executor | str | None = None
    ) -> Played:
        """Plays all profiles; `keep` is a folder for what is done, so that what is interrupted can go on."""
        numbers = [self.scenario.maker_names.index(maker) for maker in self.makers]
        with running(executor, threads) as where:
            payoffs = Payoffs(self.objective, self.seed, where, progress, keep)
            found = payoffs.of([point.scenario for point in self.points], range(self.replicas))[:, :, numbers]
        return Played(self, np.moveaxis(found, 1, 0).reshape(self.replicas, *self.shape, len(self.makers)))


@dataclass(frozen=True, eq=False)
class Mixed:
    """Strategies played with probabilities, by maker (strategies,), and what the makers get, (makers,); `gain` is the most that
    any of them gets more by another strategy, 0 in an equilibrium."""

    shares: tuple[Array, ...]
    value: Array
    gain: float


@dataclass(frozen=True, eq=False)
class Played:
    """Payoffs of all profiles, (replicas, strategies of the first maker, ..., makers)."""

    game: Game
    by_replica: Array

    @cached_property
    def payoffs(self) -> Estimate:
        """The objective of every maker in every profile, (strategies of the first maker, ..., makers)."""
        return mean(self.by_replica)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether the makers are alike: they have the same strategies, and the payoffs of profiles in which makers have changed
        places differ by no more than their 95 % intervals, all at once, allow."""
        shape = self.game.shape
        labels = {self.game.labels(maker) for maker in self.game.makers}
        if len(shape) < 2 or len(labels) > 1:
            return False
        compared = []
        for one in range(len(shape) - 1):
            order = list(range(len(shape)))
            order[one], order[one + 1] = order[one + 1], order[one]
            swapped = self.by_replica.transpose(0, *(n + 1 for n in order), len(shape) + 1)[..., order]
            compared.append(self.by_replica - swapped)
        apart = np.stack(compared, axis=1)
        wide = mean(apart, 1 - 0.05 / max(apart[0].size, 1))
        return bool(np.all((wide.low <= 0) & (wide.high >= 0) | (wide.value == 0)))

    # --- pure equilibria

    def regret(self, profile: Sequence[int]) -> Estimate:
        """What each maker gains by its best other strategy, the others staying, (makers,), paired; below 0 where it loses."""
        gains = []
        for n in range(len(self.game.shape)):
            alone = self._alone(self.by_replica, profile, n)  # (replicas, strategies)
            others = np.delete(alone - alone[:, [profile[n]]], profile[n], axis=1)
            best = int(np.argmax(others.mean(axis=0))) if others.shape[1] else 0
            gains.append(mean(others[:, best] if others.shape[1] else np.zeros(len(others))))  # 0 where there is nowhere to go
        return Estimate.stacked(gains)

    @cached_property
    def equilibria(self) -> tuple[tuple[int, ...], ...]:
        """The profiles from which nobody gains by moving alone, as the means tell: numbers of strategies, by maker."""
        return tuple(profile for profile in self._profiles() if np.all(self._gains(profile) <= 0))

    def is_sure(self, profile: Sequence[int]) -> bool:
        """Whether the 95 % interval of every maker's regret lies below 0, so that the replicas leave no doubt."""
        return bool(np.all(self.regret(profile).high < 0))

    @cached_property
    def joint_optimum(self) -> tuple[int, ...]:
        """The profile with the largest sum of all makers' payoffs: what they would choose together."""
        total = self.payoffs.value.sum(axis=-1)
        return tuple(int(n) for n in np.unravel_index(int(np.argmax(total)), total.shape))

    def price_of_anarchy(self, profile: Sequence[int]) -> Estimate:
        """What all makers together lose at a profile against their joint optimum, paired, in units of the objective: a
        difference, since payoffs may have any sign (Koutsoupias and Papadimitriou, STACS 1999, take the ratio)."""
        total = self.by_replica.sum(axis=-1)
        together, there = (total[(slice(None), *map(int, each))] for each in (self.joint_optimum, profile))
        return mean(together - there)

    # --- mixed ones

    @cached_property
    def mixed(self) -> Mixed:
        """A mixed equilibrium by replicator dynamics (Taylor and Jonker, Mathematical Biosciences 40, 1978) from 16 starts: that
        with the least `gain`, at the end or as the average over time. Each maker has shares of its own."""
        return self._mixed(symmetric=False)

    @cached_property
    def symmetric(self) -> Mixed | None:
        """The same with equal shares for all makers; None where they are not alike."""
        return self._mixed(symmetric=True) if self.is_symmetric else None

    def _mixed(self, symmetric: bool) -> Mixed:
        payoffs = self.payoffs.value
        scale = float(np.ptp(payoffs)) or 1.0
        generator, found = np.random.default_rng(self.game.seed), list[Mixed]()
        for start in range(_STARTS):
            shares = [
                np.full(count, 1.0 / count) if start == 0 else generator.dirichlet(np.ones(count)) for count in self.game.shape
            ]
            shares = [shares[0]] * len(shares) if symmetric else shares
            passed = [shares]
            for _ in range(_STEPS):
                fitness = [_expected(payoffs[..., n], shares, n) for n in range(len(shares))]
                if symmetric:
                    fitness = [np.mean(fitness, axis=0)] * len(shares)
                grown = [each * np.exp((own - own.max()) / scale) for each, own in zip(shares, fitness, strict=True)]
                after = [each / each.sum() for each in grown]
                moved = max(float(np.max(np.abs(b - a))) for a, b in zip(shares, after, strict=True))
                shares = after
                passed.append(shares)
                if moved < _STILL:
                    break
            found += [self._judged(shares), self._judged([np.mean(each, axis=0) for each in zip(*passed, strict=True)])]
        return min(found, key=lambda mixed: mixed.gain)

    def _judged(self, shares: Sequence[Array]) -> Mixed:
        payoffs = self.payoffs.value
        fitness = [_expected(payoffs[..., n], shares, n) for n in range(len(shares))]
        value = np.array([float(own @ each) for own, each in zip(fitness, shares, strict=True)])
        gain = max(float(own.max()) - each for own, each in zip(fitness, value.tolist(), strict=True))
        return Mixed(tuple(shares), value, max(gain, 0.0))

    # --- as a table

    def frame(self) -> pd.DataFrame:
        """A row a profile and maker: the strategies under the makers' names, `maker`, `payoff` with `low` and `high`, the
        `regret` with `regret_low` and `regret_high`, and whether the profile is an `equilibrium`."""
        import pandas as pd

        rows = []
        for profile in self._profiles():
            chosen = {maker: self.game.labels(maker)[s] for maker, s in zip(self.game.makers, profile, strict=True)}
            own, regret = self.payoffs[profile], self.regret(profile)
            for n, maker in enumerate(self.game.makers):
                numbers = {"payoff": own.value[n], "low": own.low[n], "high": own.high[n], "regret": regret.value[n]}
                numbers |= {"regret_low": regret.low[n], "regret_high": regret.high[n]}
                rows.append({**chosen, "maker": maker, **numbers, "equilibrium": profile in self.equilibria})
        return pd.DataFrame(rows)

    def _profiles(self) -> list[tuple[int, ...]]:
        return list(itertools.product(*map(range, self.game.shape)))

    def _gains(self, profile: Sequence[int]) -> Array:
        """What each maker gains at most by moving alone, as the means tell, 0 or more, (makers,)."""
        own = [self._alone(self.payoffs.value[np.newaxis], profile, n)[0] for n in range(len(self.game.shape))]
        return np.array([alone.max() - alone[profile[n]] for n, alone in enumerate(own)])

    @staticmethod
    def _alone(payoffs: Array, profile: Sequence[int], maker: int) -> Array:
        """A maker's payoff by its own strategy, (replicas, strategies), the others staying at a profile."""
        index: list[Any] = [slice(None), *profile, maker]
        index[maker + 1] = slice(None)
        return np.asarray(payoffs[tuple(index)])


def _expected(payoff: Array, shares: Sequence[Array], maker: int) -> Array:
    """What each of a maker's strategies brings, (strategies,), against the others' shares; `payoff` is that maker's."""
    for n in reversed(range(len(shares))):
        if n != maker:
            payoff = np.tensordot(payoff, shares[n], axes=(n, 0))
    return np.asarray(payoff)
