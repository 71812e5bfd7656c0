"""The empirical game: every maker plays each of its strategies against all of the others', and what then is an equilibrium."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import LEVEL, Estimate, joint, mean
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.questions.fields import Setting, Varied, path_of_maker
from dealermarket.questions.objective import Objective
from dealermarket.questions.payoffs import check_values
from dealermarket.questions.points import Point, check_paths, points_of
from dealermarket.runs.executors import Executor, Progress
from dealermarket.study import measures as observe
from dealermarket.study.labelled import Measures
from dealermarket.study.study import Study, measure
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
State = TypeVar("State")

REPLICAS, MOST_PROFILES = 1000, 10_000
_STEPS, _STARTS = 5_000, 16  # of the replicator dynamics
_STILL = 1e-12  # a change of no share by more ends them


@dataclass(frozen=True)
class Game:
    """Makers with a few strategies each, which are combinations of values of fields.

    All profiles, a strategy for each maker, are run on the same prices and orders.

    Parameters
    ----------
    scenario : Scenario
        The market.
    fields : tuple of Varied
        The fields and values that strategies are made of. A path that names every maker, such as "makers.*.hedging.kind", gives
        each of `makers` these strategies; one that names a single maker is for that one alone.
    objective : Objective
        What each maker makes as large as it can: the payoffs.
    makers : tuple of str
        The names of the makers that play; all of them where empty.
    replicas : int
        On how many replicas each profile is run, from 2 to 1,000,000.
    seed : int
        The seed of all markets, 0 or more.

    Raises
    ------
    ParameterError
        A field has a range, a number is out of its range, a maker has no strategies, there are more than 10,000 profiles, or the
        scenario cannot have one of them.
    """

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
        for field in self.fields:
            if not isinstance(field, Varied):
                raise ParameterError(f"{field.path}: is a range, and a strategy is one of a few values; give {field.path}=v1,v2")
        if not self.fields:
            check_paths(self.scenario, self.fields)
        count = int(np.prod([float(len(own)) for own in self.strategies.values()]))
        if count > MOST_PROFILES:
            raise ParameterError(f"game: {count:,} profiles, at most {MOST_PROFILES:,} are played; take fewer values or makers")
        _ = self.study  # fails here, before anything is run

    @cached_property
    def strategies(self) -> Mapping[str, tuple[tuple[Setting, ...], ...]]:
        """By maker, its strategies: settings of its own fields."""
        found = {}
        for maker in self.makers:
            paths = [(path_of_maker(self.scenario, field.path, maker), field) for field in self.fields]
            own = [replace(field, path=path) for path, field in paths if path is not None]
            check_paths(self.scenario, own or self.fields)
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
        return self.study.market_steps

    @cached_property
    def study(self) -> Study:
        """What is measured: the market at each of the points, by its number, on common tapes."""
        return Study("game", {str(n): point.scenario for n, point in enumerate(self.points)}, self.replicas, observe.totals)

    def run(
        self,
        threads: int = 1,
        progress: Progress | None = None,
        keep: str | Path | None = None,
        executor: Executor | str | None = None,
    ) -> Played:
        """Plays all profiles.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        keep : str or Path, optional
            A folder for what is done, so that an interrupted game can go on.
        executor : Executor or str, optional
            Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Played
            The payoffs of all profiles.

        Raises
        ------
        ParameterError
            The objective has no value in some profile, `threads` is not in 1..1024, or the text names no executor.
        RunFolderError
            The folder cannot be written.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        return self.played(measure([self.study], self.seed, threads, progress, keep, executor)[self.study.name])

    def played(self, measures: Mapping[str, Measures]) -> Played:
        """The game by what was measured of `study`, also of other numbers of replicas."""
        numbers = [self.scenario.maker_names.index(maker) for maker in self.makers]
        payoffs = [self.objective.by_replica(measures[label])[:, numbers] for label in self.study.variants]
        by_replica = np.stack(payoffs, axis=1)
        check_values(str(self.objective), by_replica.mean(axis=0).reshape(len(self.points), -1).sum(axis=1))
        return Played(self, by_replica.reshape(-1, *self.shape, len(numbers)))


@dataclass(frozen=True, eq=False)
class Mixed:
    """Strategies that makers play with probabilities.

    Parameters
    ----------
    shares : tuple of array, each (strategies,)
        By maker, the probability of each of its strategies.
    value : array, (makers,)
        What each maker gets, in units of the objective.
    gain : float
        The most that any maker gets more by another strategy; 0 in an equilibrium.
    """

    shares: tuple[Array, ...]
    value: Array
    gain: float


@dataclass(frozen=True, eq=False)
class Played:
    """The payoffs of all profiles of a game, and what follows from them.

    A profile is a tuple with the number of each maker's strategy, in the order of `game.makers`; a maker is its place in that
    order.

    Parameters
    ----------
    game : Game
        What was played.
    by_replica : array, (replicas, strategies of the first maker, ..., makers)
        The payoffs, in units of the objective.

    Notes
    -----
    Mixed equilibria come from replicator dynamics (Taylor and Jonker, Mathematical Biosciences 40, 1978). What makers lose
    together is a difference, since payoffs may have any sign; Koutsoupias and Papadimitriou (STACS 1999) take the ratio.
    """

    game: Game
    by_replica: Array

    @cached_property
    def payoffs(self) -> Estimate:
        """The objective of every maker in every profile, (strategies of the first maker, ..., makers)."""
        return mean(self.by_replica)

    def at(self, profile: Sequence[int]) -> Array:
        """The payoffs at a profile, (replicas, makers)."""
        index: tuple[Any, ...] = (slice(None), *map(int, profile))
        return np.asarray(self.by_replica[index])

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

    def gains(self, profile: Sequence[int], maker: int, level: float = LEVEL) -> Estimate:
        """What a maker gains by each of its other strategies, the others staying.

        Parameters
        ----------
        profile : sequence of int
            The profile that it leaves.
        maker : int
            Its place among the makers.
        level : float
            The level of the intervals, from 0 to 1.

        Returns
        -------
        Estimate
            Of shape (strategies - 1,), paired, in units of the objective.
        """
        alone = self._alone(self.by_replica, profile, maker)  # (replicas, strategies)
        return mean(np.delete(alone - alone[:, [profile[maker]]], profile[maker], axis=1), level)

    def regret(self, profile: Sequence[int]) -> Estimate:
        """What each maker gains by its best other strategy, the others staying.

        Parameters
        ----------
        profile : sequence of int
            The profile that it leaves.

        Returns
        -------
        Estimate
            Of shape (makers,), paired, in units of the objective; below 0 where a maker loses.
        """
        nowhere = mean(np.zeros(len(self.by_replica)))  # to go, of a single strategy
        every = [self.gains(profile, n) for n in range(len(self.game.shape))]
        return Estimate.stacked(gains[int(np.argmax(gains.value))] if gains.value.size else nowhere for gains in every)

    @cached_property
    def equilibria(self) -> tuple[tuple[int, ...], ...]:
        """The profiles from which nobody gains by moving alone, as the means tell: numbers of strategies, by maker."""
        return tuple(profile for profile in self._profiles() if np.all(self._gains(profile) <= 0))

    def is_sure(self, profile: Sequence[int]) -> bool:
        """Whether the replicas show that nobody gains by moving alone: the intervals of all gains by all other strategies, which
        hold at once at 95 % (Bonferroni), lie below 0."""
        level = joint(sum(count - 1 for count in self.game.shape))
        return all(bool(np.all(self.gains(profile, n, level).high < 0)) for n in range(len(self.game.shape)))

    def answer(self, profile: Sequence[int], maker: int) -> int:
        """The strategy of a maker, by its place, with the highest mean against those of the others; its own where none is
        better."""
        alone = self._alone(self.payoffs.value[np.newaxis], profile, maker)[0]
        best = int(np.argmax(alone))
        return best if alone[best] > alone[profile[maker]] else profile[maker]

    def answers(self, start: Sequence[int]) -> list[tuple[int, ...]]:
        """The profiles that follow a start where makers answer in turn, the first one first, until they come to where they were.

        Parameters
        ----------
        start : sequence of int
            The first profile.

        Returns
        -------
        list of tuple of int
            The profiles, in order. Where nobody moves any more, the last is an equilibrium by the means; else they go in a
            circle.
        """

        def turn(state: tuple[tuple[int, ...], int]) -> tuple[tuple[int, ...], int]:
            profile, maker = state
            moved = (*profile[:maker], self.answer(profile, maker), *profile[maker + 1 :])
            return moved, (maker + 1) % len(profile)

        states = until_again((tuple(start), 0), turn)
        profiles = [profile for profile, _ in states]
        return [profiles[0], *(after for before, after in itertools.pairwise(profiles) if after != before)]

    @cached_property
    def joint_optimum(self) -> tuple[int, ...]:
        """The profile with the largest sum of all makers' payoffs: what they would choose together."""
        total = self.payoffs.value.sum(axis=-1)
        return tuple(int(n) for n in np.unravel_index(int(np.argmax(total)), total.shape))

    def price_of_anarchy(self, profile: Sequence[int]) -> Estimate:
        """What all makers together lose at a profile against their joint optimum.

        Parameters
        ----------
        profile : sequence of int
            The profile.

        Returns
        -------
        Estimate
            A single number, paired, in units of the objective; 0 at the joint optimum.
        """
        together, there = (self.at(each).sum(axis=-1) for each in (self.joint_optimum, profile))
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
        payoffs, counts = self.payoffs.value, self.game.shape
        scale = float(np.ptp(payoffs)) or 1.0
        generator, makers = np.random.default_rng(self.game.seed), range(len(counts))
        begun = [[generator.dirichlet(np.ones(count)) for count in counts] for _ in range(_STARTS - 1)]
        starts = [[np.full(count, 1.0 / count) for count in counts], *begun]
        shares = [np.stack([start[0 if symmetric else n] for start in starts]) for n in makers]  # each (starts, strategies)
        passed, steps = shares, 1
        for _ in range(_STEPS):
            fitness = [_expected(payoffs[..., n], shares, n) for n in makers]
            if symmetric:
                fitness = [np.mean(fitness, axis=0)] * len(fitness)
            grown = [
                each * np.exp((own - own.max(axis=1, keepdims=True)) / scale) for each, own in zip(shares, fitness, strict=True)
            ]
            after = [each / each.sum(axis=1, keepdims=True) for each in grown]
            moved = max(float(np.max(np.abs(b - a))) for a, b in zip(shares, after, strict=True))
            shares = after
            passed, steps = [one + other for one, other in zip(passed, shares, strict=True)], steps + 1
            if moved < _STILL:
                break
        ends = [np.concatenate([end, total / steps]) for end, total in zip(shares, passed, strict=True)]
        fitness = [_expected(payoffs[..., n], ends, n) for n in makers]
        values = np.stack([np.sum(own * each, axis=1) for own, each in zip(fitness, ends, strict=True)], axis=1)
        gains = np.max([own.max(axis=1) - values[:, n] for n, own in enumerate(fitness)], axis=0)
        best = int(np.argmin(gains))
        return Mixed(tuple(each[best] for each in ends), values[best], max(float(gains[best]), 0.0))

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


def until_again(start: State, following: Callable[[State], State]) -> list[State]:
    """What follows a start, and what follows that, until something comes again; each once."""
    states = [start]
    while (after := following(states[-1])) not in states:
        states.append(after)
    return states


def _expected(payoff: Array, shares: Sequence[Array], maker: int) -> Array:
    """What each of a maker's strategies brings, (n, strategies), against the others' shares, each (n, strategies); `payoff` is
    that maker's, (strategies of the first maker, ...)."""
    payoff = np.broadcast_to(payoff, (len(shares[0]), *payoff.shape))
    for n in reversed(range(len(shares))):
        if n != maker:
            payoff = np.einsum("k...s,ks->k...", np.moveaxis(payoff, n + 1, -1), shares[n])
    return payoff
