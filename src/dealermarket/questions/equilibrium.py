"""Equilibria by best responses: makers answer each other in turn until nobody gains by moving, as new replicas tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import Estimate, mean
from dealermarket.model.scenario import Scenario, check_scenario, maker_index
from dealermarket.questions.climb import best_of, climb
from dealermarket.questions.fields import Range, Setting, path_of_maker, value_now
from dealermarket.questions.objective import Objective
from dealermarket.questions.payoffs import Payoffs, check_values
from dealermarket.questions.points import Point, check_numbers, check_paths, points_of, setting_at
from dealermarket.runs.executors import Executor, Progress, running
from dealermarket.values import whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
Profile = Mapping[str, Array]
"""By maker, where in the unit cube its values stand, (fields,)."""

ROUNDS, EVALUATIONS, REPLICAS, FRESH = 20, 20, 200, 1000
DAMPING = 0.5
CURVE = 21
"""Values of a field at which the response of a maker is drawn."""
_SAME = 1e-3  # of the unit cube: profiles that are nowhere further apart are one
CONVERGED, STANDING, CYCLE, NOT_CONVERGED = "converged", "standing", "cycle", "not converged"


@dataclass(frozen=True)
class BestResponses:
    """Makers who answer each other in turn, until nobody gains by moving.

    In each round, each maker in turn looks for the values that are best against what the others have, and moves a share of the
    way to them where it gains more than `epsilon`. They end when nobody gained more than that in a whole round, on the replicas
    that all responses are measured on.

    Parameters
    ----------
    scenario : Scenario
        The market; makers start from what they have in it.
    ranges : tuple of Range
        The fields that makers move. A path that names every maker, such as "makers.*.pricing.alpha", gives each of `makers` a
        value of its own; one that names a single maker is for that one alone.
    objective : Objective
        What each maker makes as large as it can.
    makers : tuple of str
        The names of the makers that move; all of them where empty.
    epsilon : float
        The largest gain that counts as none, 0 or more, in units of the objective.
    damping : float
        The share of the way that a maker moves, above 0 and at most 1.
    rounds : int
        The most rounds, from 1 to 10,000.
    evaluations : int
        How many places are tried for each response: at least twice the number of a maker's fields plus 1.
    replicas : int
        On how many replicas responses are measured, from 2 to 1,000,000.
    fresh : int
        On how many further replicas the end is judged, from 2 to 1,000,000.
    seed : int
        The seed of all markets, 0 or more.

    Raises
    ------
    ParameterError
        A number is out of its range, a maker has nothing to move, a path names no field or a field that is not a number, or the
        scenario cannot have the ends of the ranges.
    """

    scenario: Scenario
    ranges: tuple[Range, ...]
    objective: Objective
    makers: tuple[str, ...] = ()
    epsilon: float = 0.0
    damping: float = DAMPING
    rounds: int = ROUNDS
    evaluations: int = EVALUATIONS
    replicas: int = REPLICAS
    fresh: int = FRESH
    seed: int = 0

    def __post_init__(self) -> None:
        check_scenario(self.scenario)
        names = self.scenario.maker_names
        makers = tuple(dict.fromkeys(names[maker_index(self.scenario, maker)] for maker in self.makers)) or names
        checked = {
            "ranges": tuple(self.ranges),
            "makers": makers,
            "rounds": whole_number("rounds", self.rounds, 1, 10_000),
            "replicas": whole_number("replicas", self.replicas, 2, 1_000_000),
            "fresh": whole_number("fresh", self.fresh, 2, 1_000_000),
            "seed": whole_number("seed", self.seed, 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        if not 0 < self.damping <= 1:
            raise ParameterError(f"damping: must be above 0 and at most 1, got {self.damping!r}")
        if not 0 <= self.epsilon < np.inf:
            raise ParameterError(f"epsilon: must be a finite number, 0 or more, got {self.epsilon!r}")
        for maker, own in self.own.items():
            if not own:
                raise ParameterError(
                    f"over: {maker} has nothing to move; give makers.*.FIELD=low:high, or leave it out of the makers"
                )
            check_paths(self.scenario, own)
            check_numbers(self.scenario, own)
        most = max(map(len, self.own.values()))
        whole_number("evaluations", self.evaluations, 2 * most + 1, 100_000)
        self.point(self.start)  # fails here, before anything is run
        for end in (0.0, 1.0):
            self.point({maker: np.full(len(own), end) for maker, own in self.own.items()})

    @cached_property
    def own(self) -> Mapping[str, tuple[Range, ...]]:
        """By maker, the ranges of its own fields."""
        found: dict[str, tuple[Range, ...]] = {}
        for maker in self.makers:
            paths = [(path_of_maker(self.scenario, each.path, maker), each) for each in self.ranges]
            found[maker] = tuple(replace(each, path=path) for path, each in paths if path is not None)
        return found

    @cached_property
    def start(self) -> Profile:
        """Where the scenario as it is stands; where it lies beyond a range, its nearest end. Joined fields begin where the first
        one stands."""
        return {
            maker: np.array([each.place(float(value_now(self.scenario, each.path))) for each in own])
            for maker, own in self.own.items()
        }

    @property
    def market_steps(self) -> int:
        """Steps of markets in all, at most."""
        makers = len(self.makers)
        responses = (self.rounds + 1) * makers * (self.evaluations + 1)
        curves = makers * CURVE if self.has_curves else 0
        return self.scenario.steps * ((responses + curves) * self.replicas + (makers + 1) * self.fresh)

    @property
    def has_curves(self) -> bool:
        """Whether every maker has a single field, so that its payoff against what the others have is a curve."""
        return all(len(own) == 1 for own in self.own.values())

    def settings(self, maker: str, place: Array) -> tuple[Setting, ...]:
        """A maker's values at a place."""
        return tuple(setting_at(self.scenario, each, where) for each, where in zip(self.own[maker], place.tolist(), strict=True))

    def point(self, profile: Profile) -> Point:
        """The market in which makers have the values of a profile."""
        (point,) = points_of(self.scenario, [[each for maker in self.makers for each in self.settings(maker, profile[maker])]])
        return point

    def run(
        self,
        threads: int = 1,
        progress: Progress | None = None,
        keep: str | Path | None = None,
        executor: Executor | str | None = None,
    ) -> Equilibrium:
        """Lets the makers answer each other, and judges where they ended.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        keep : str or Path, optional
            A folder for what is done, so that an interrupted run can go on.
        executor : Executor or str, optional
            Where markets run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Equilibrium
            Where they ended, and how near an equilibrium that is.

        Raises
        ------
        ParameterError
            The objective has no value at some place, `threads` is not in 1..1024, or the text names no executor.
        RunFolderError
            The folder cannot be written.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        with running(executor, threads) as where:
            return self._answered(Payoffs(self.objective, self.seed, where, progress, keep))

    def _answered(self, payoffs: Payoffs) -> Equilibrium:
        seen, again = range(self.replicas), range(self.replicas, 2 * self.replicas)
        profile, path, outcome, cycle = dict(self.start), list[Move](), NOT_CONVERGED, 0
        visited = [profile]
        for round_ in range(1, self.rounds + 1):
            gains, far = [], 0.0  # how far the best responses are
            for maker in self.makers:
                response, gain = self._response(payoffs, profile, maker, seen)
                moved = profile[maker] + self.damping * (response - profile[maker])
                gains.append(gain)
                far = max(far, float(np.max(np.abs(response - profile[maker]))))
                if gain > self.epsilon:
                    profile = profile | {maker: moved}
                held, best = (self.settings(maker, place) for place in (profile[maker], response))
                path.append(Move(round_, maker, held, best, gain))
            if max(gains) <= self.epsilon:
                outcome = CONVERGED
                break
            if far <= 2 * _SAME:
                outcome = STANDING
                break
            cycle = next((len(visited) - n for n, each in enumerate(visited) if _same(each, profile)), 0)
            visited.append(profile)
            if cycle:
                outcome = CYCLE
                break
        responses = {maker: self._response(payoffs, profile, maker, again)[0] for maker in self.makers}
        end = self.point(profile)
        moved_alone = [self.point(profile | {maker: place}).scenario for maker, place in responses.items()]
        unseen = range(again.stop, again.stop + self.fresh)
        judged = payoffs.of([end.scenario, *moved_alone], unseen)
        numbers = [self.scenario.maker_names.index(maker) for maker in self.makers]
        regret = {
            maker: mean(judged[n + 1, :, number] - judged[0, :, number])
            for n, (maker, number) in enumerate(zip(self.makers, numbers, strict=True))
        }
        value = {maker: mean(judged[0, :, number]) for maker, number in zip(self.makers, numbers, strict=True)}
        answers = {maker: self.settings(maker, place) for maker, place in responses.items()}
        curves = self._curves(payoffs, profile, seen) if self.has_curves else {}
        return Equilibrium(self, tuple(path), outcome, cycle, end, answers, regret, value, curves)

    def _response(self, payoffs: Payoffs, profile: Profile, maker: str, replicas: range) -> tuple[Array, float]:
        """Where a maker's objective is largest against what the others have, and what it gains by going there, 0 or more."""
        number = self.scenario.maker_names.index(maker)

        def value_of(place: Array) -> float:
            return float(np.mean(payoffs.of([self.point({**profile, maker: place}).scenario], replicas)[0, :, number]))

        here = value_of(profile[maker])
        check_values(str(self.objective), np.array([here]))
        best = best_of(climb(value_of, profile[maker], self.evaluations, self.seed))
        gain = best.value - here
        return (best.place, gain) if gain > 0 else (profile[maker], 0.0)

    def _curves(self, payoffs: Payoffs, profile: Profile, replicas: range) -> Mapping[str, Curve]:
        """By maker, what it gains over its only field, the others having what they ended with."""
        curves = {}
        for maker in self.makers:
            places = [np.array([where]) for where in np.linspace(0.0, 1.0, CURVE)]
            moved = [self.point({**profile, maker: place}).scenario for place in places]
            number = self.scenario.maker_names.index(maker)
            here, *there = payoffs.of([self.point(profile).scenario, *moved], replicas)[:, :, number]
            values = [self.settings(maker, place)[0].value for place in places]
            curves[maker] = Curve(np.array(values, dtype=np.float64), mean((np.array(there) - here).T))
        return curves


@dataclass(frozen=True)
class Move:
    """A maker's turn: the values that it has from then on, those that were best, and what these gained it, on the replicas of
    the search."""

    round: int
    maker: str
    held: tuple[Setting, ...]
    best: tuple[Setting, ...]
    gain: float


@dataclass(frozen=True, eq=False)
class Curve:
    """What a maker gains, paired, (n,), at values of its field (n,), on the replicas that responses are measured on."""

    at: Array
    value: Estimate


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Where makers ended who answered each other, and how near an equilibrium that is.

    `regret` is what each maker gains by moving alone to its best response, found on replicas that nobody had seen and judged on
    fresh others. Its interval is all that says how near an equilibrium this is, converged or not.

    Parameters
    ----------
    asked : BestResponses
        What was asked.
    path : tuple of Move
        Every turn, in order: round, maker, the values that it had from then on, those that were best, and what these gained.
    outcome : str
        "converged"; "standing" where moves fell below a thousandth of the ranges though gains were left; "cycle"; or "not
        converged".
    cycle : int
        How many rounds the cycle has; 0 where there is none.
    end : Point
        The market at the end.
    best : mapping of str to tuple of Setting
        By maker, its best response to the end.
    regret : mapping of str to Estimate
        By maker, what it gains by that response, paired, in units of the objective.
    value : mapping of str to Estimate
        By maker, its objective at the end, on fresh replicas.
    curves : mapping of str to Curve
        By maker, what it gains over its field, `value` (n,) at `at` (n,); where each has a single field.
    """

    asked: BestResponses
    path: tuple[Move, ...]
    outcome: str
    cycle: int
    end: Point
    best: Mapping[str, tuple[Setting, ...]]
    regret: Mapping[str, Estimate]
    value: Mapping[str, Estimate]
    curves: Mapping[str, Curve]

    @property
    def scenario(self) -> Scenario:
        """The market at the end."""
        return self.end.scenario

    def history(self) -> pd.DataFrame:
        """A row a turn: `round`, `maker`, under the path of each field its value and that of the best response, and `gain`."""
        import pandas as pd

        rows = []
        for move in self.path:
            fields = {each.path: each.value for each in move.held}
            fields |= {f"best {each.path}": each.value for each in move.best}
            rows.append({"round": move.round, "maker": move.maker, **fields, "gain": move.gain})
        return pd.DataFrame(rows)


def _same(one: Profile, other: Profile) -> bool:
    return all(np.allclose(one[maker], other[maker], rtol=0.0, atol=_SAME) for maker in one)
