"""A contest of policies for the place of one maker, and the league that comes out of it.

Policies share every price and every order (common random numbers), so differences between them are paired.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.estimates import FEWEST_RUNS, Estimate, deviation, joint, mean, tail, with_interval
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.policies import Policy
from dealermarket.runs.executors.base import Progress
from dealermarket.runs.statistics import Statistic, ranking_statistics, statistic_named
from dealermarket.runs.tables import Chunk
from dealermarket.study.labelled import Measures
from dealermarket.study.measures import totals
from dealermarket.study.study import Study, measure
from dealermarket.values import suggestion, whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

MOST_REPLICAS = 1_000_000
RANKED_BY = "pnl"
"""The statistic that policies are ranked by where nobody names another."""


def maker_totals(scenario: Scenario, chunk: Chunk, maker: int) -> dict[str, Array]:
    """Every statistic of one maker, each (B,)."""
    return {name: values.copy() for name, values in totals(scenario, chunk).of(maker).items()}


def ranking_statistic(by: str) -> Statistic:
    """The statistic of this name. Raises ParameterError unless policies can be ranked by it."""
    if by not in ranking_statistics():
        known = ranking_statistics()
        raise ParameterError(f"by: {by!r} is not one of {', '.join(known)}{suggestion(str(by), known)}")
    return statistic_named(by)


class Contest:
    """Policies that take the place of one maker of a scenario in turn, on the same prices and orders.

    A replica's numbers are those of a run of the scenario with that policy and the same seed.

    Parameters
    ----------
    scenario : Scenario
        The market.
    policies : mapping of str to Policy
        By label: policies that ship, or any `MakerPolicy`.
    maker : str, optional
        Whose place they take: a name or a number. Where left out, the first maker's.
    replicas : int
        In how many replicas each plays, from 10 to 1,000,000.
    seed : int
        The seed of all markets, 0 or more.

    Raises
    ------
    ParameterError
        There is no policy or no such maker, a number is out of its range, or a scenario cannot have a policy.
    PolicyError
        A policy cannot act there.
    """

    def __init__(
        self,
        scenario: Scenario,
        policies: Mapping[str, Policy],
        maker: str | None = None,
        replicas: int = 1000,
        seed: int = 0,
    ) -> None:
        if not policies:
            raise ParameterError("policies: at least one is needed")
        index = maker_index(scenario, maker) if maker is not None else 0
        self.scenario, self.policies, self.maker = scenario, dict(policies), scenario.maker_names[index]
        self.replicas = whole_number("replicas", replicas, FEWEST_RUNS, MOST_REPLICAS)
        self.seed = whole_number("seed", seed, 0)
        self._study = self._study_of(partial(maker_totals, maker=index))

    def __eq__(self, other: object) -> bool:
        return self._asked == other._asked if isinstance(other, Contest) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # policies may hold arrays

    @property
    def _asked(self) -> tuple[object, ...]:
        return self.scenario, self.policies, self.maker, self.replicas, self.seed

    def _study_of(self, observe: partial[dict[str, Array]]) -> Study:
        """A variant of the scenario for each policy."""
        from dealermarket.runs.session import acting_policies

        variants = {label: self.scenario.with_policies({self.maker: policy}) for label, policy in self.policies.items()}
        for variant in variants.values():
            acting_policies(variant, {})  # fails here, before anything is run
        return Study("league", variants, self.replicas, observe)

    @property
    def market_steps(self) -> int:
        """Steps of markets in all; what two labels have in common is run once."""
        return self._study.market_steps

    def run(self, threads: int = 1, progress: Progress | None = None) -> League:
        """Runs every policy.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.

        Returns
        -------
        League
            The policies, ranked.

        Raises
        ------
        ParameterError
            `threads` is not in 1..1024.
        PolicyError
            A policy returned an action that cannot be.
        """
        return League(self, measure([self._study], self.seed, threads, progress)["league"])


@dataclass(frozen=True)
class Standing:
    """One policy in a league.

    Parameters
    ----------
    label : str
        By which it is known.
    policy : Policy
        The policy.
    rank : int
        1 plus the number of policies that are better, the interval of the difference being on one side of 0.
    shared : bool
        Whether others have this rank, too.
    mean : mapping of str to Estimate
        Of each statistic, the average over the replicas.
    deviation : mapping of str to float
        Of each statistic, the standard deviation between replicas.
    tail : mapping of str to float
        Of each statistic, its 5 % quantile over the replicas.
    difference : mapping of str to Estimate
        Of each statistic, what this policy has more of than the reference, paired.
    """

    label: str
    policy: Policy
    rank: int
    shared: bool
    mean: Mapping[str, Estimate]
    deviation: Mapping[str, float]
    tail: Mapping[str, float]
    difference: Mapping[str, Estimate]

    @property
    def no_clients(self) -> bool:
        """Whether no investor traded with it in any replica."""
        return float(self.mean["client_volume"].value) == 0.0


@dataclass(frozen=True)
class League:
    """What was measured of the policies of a contest.

    Intervals of means are at 95 %. Those of differences are wider, so that all of them, between any two policies, hold at once at
    95 % (Bonferroni): the best is known only afterwards.

    Parameters
    ----------
    contest : Contest
        What was asked.
    samples : mapping of str to Measures
        By label, every statistic of the maker, (replicas,) each.
    """

    contest: Contest
    samples: Mapping[str, Measures]

    @cached_property
    def level(self) -> float:
        """The level of the interval of each difference."""
        return joint(math.comb(len(self.samples), 2))

    @cached_property
    def statistics(self) -> tuple[str, ...]:
        """Names of what was measured of each replica."""
        return tuple(next(iter(self.samples.values())))

    def standings(self, by: str = RANKED_BY, against: str | None = None) -> list[Standing]:
        """The policies, the best mean first.

        Parameters
        ----------
        by : str
            The statistic that they are ranked by.
        against : str, optional
            The label of the policy that differences are to. Where left out, the first one.

        Returns
        -------
        list of Standing
            One for each policy.

        Raises
        ------
        ParameterError
            There is no policy of this label, or policies cannot be ranked by this statistic.
        """
        statistic = ranking_statistic(by)
        if against is not None and against not in self.samples:
            raise ParameterError(f"against: {against!r} is none of the policies{suggestion(against, self.samples)}")
        order = self._order(statistic)
        reference = order[0] if against is None else against
        ranks = self._ranks(statistic)
        return [self._standing(label, ranks, reference) for label in order]

    def frame(self, by: str = RANKED_BY, against: str | None = None) -> pd.DataFrame:
        """The standings as a frame.

        Parameters
        ----------
        by : str
            The statistic that policies are ranked by.
        against : str, optional
            The label of the policy that differences are to. Where left out, the first one.

        Returns
        -------
        pandas.DataFrame
            A row for each policy and statistic: `rank`, `policy`, `measure`, `mean` with its bounds, `standard_deviation` between
            replicas, `tail`, their 5 % quantile, and `difference` with its bounds.

        Raises
        ------
        ParameterError
            There is no policy of this label, or policies cannot be ranked by this statistic.
        """
        import pandas as pd

        rows = [
            {"rank": standing.rank, "policy": standing.label, "measure": name}
            | with_interval("mean", standing.mean[name])
            | {"standard_deviation": standing.deviation[name], "tail": standing.tail[name]}
            | with_interval("difference", standing.difference[name])
            for standing in self.standings(by, against)
            for name in self.statistics
        ]
        return pd.DataFrame(rows)

    def difference(self, first: str, second: str, name: str) -> Estimate:
        """What one policy has more of than another: the mean of the replicas' differences.

        Parameters
        ----------
        first, second : str
            The labels of the policies.
        name : str
            The name of the statistic.

        Returns
        -------
        Estimate
            A single number at the level of the league, in the unit of the statistic.
        """
        return mean(self._by_replica(first, name) - self._by_replica(second, name), self.level)

    def _by_replica(self, label: str, name: str) -> Array:
        """Numbers (B,) whose mean is the average of a statistic."""
        return statistic_named(name).by_replica(self.samples[label])

    def _order(self, statistic: Statistic) -> list[str]:
        """The labels, the best first, those without a value last."""
        sign = 1.0 if statistic.more_is_better else -1.0
        values = {label: sign * float(mean(self._by_replica(label, statistic.name)).value) for label in self.samples}
        return sorted(values, key=lambda label: -math.inf if math.isnan(values[label]) else values[label], reverse=True)

    def _ranks(self, statistic: Statistic) -> dict[str, int]:
        ranks = dict.fromkeys(self.samples, 1)
        for first, second in itertools.combinations(self.samples, 2):
            estimate = self.difference(first, second, statistic.name)
            first_ahead, second_ahead = bool(estimate.low > 0), bool(estimate.high < 0)
            if not statistic.more_is_better:
                first_ahead, second_ahead = second_ahead, first_ahead
            ranks[second] += first_ahead
            ranks[first] += second_ahead
        return ranks

    def _standing(self, label: str, ranks: Mapping[str, int], reference: str) -> Standing:
        rank = ranks[label]
        return Standing(
            label,
            self.contest.policies[label],
            rank,
            list(ranks.values()).count(rank) > 1,
            {name: mean(self._by_replica(label, name)) for name in self.statistics},
            {name: deviation(self.samples[label][name]) for name in self.statistics},
            {name: tail(self.samples[label][name]) for name in self.statistics},
            {name: self.difference(label, reference, name) for name in self.statistics},
        )
