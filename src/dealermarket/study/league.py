"""A contest of policies for one maker's seat, and the league that comes out of it.

Policies share every price and every order (common random numbers), so differences between them are paired.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.papers.findings import with_interval
from dealermarket.policies import BuiltInPolicy
from dealermarket.policies.baselines import check_seats
from dealermarket.policies.named import maker_index, with_policy
from dealermarket.runs.chunks import Progress
from dealermarket.runs.tables import Chunk, quotient
from dealermarket.study.estimates import FEWEST_RUNS, Estimate, joint, mean
from dealermarket.study.study import Measures, Study, measure
from dealermarket.values import suggestion, whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

By = Literal[
    "total_reward",
    "pnl",
    "spread_revenue",
    "position_revenue",
    "hedging_cost",
    "risk_cost",
    "inventory_pnl",
    "market_share",
]
RANKED: tuple[By, ...] = get_args(By)
"""What policies can be ranked by: more of it is better (costs are below 0)."""
MEASURES = (*RANKED, "hedge_volume", "mean_abs_position", "last_abs_position")
"""What is measured of each replica. Money in price units times units of the asset, volume and positions in units of the
asset; `inventory_pnl` is P&L less spread revenue and hedging cost: the sum of position times the mid's move."""
MOST_REPLICAS = 1_000_000


def seat_totals(scenario: Scenario, chunk: Chunk, maker: int) -> dict[str, Array]:
    """MEASURES of one maker, each (B,)."""
    from dealermarket.study.measures import totals

    found = totals(scenario, chunk)
    clients = found["client_volume"]
    found["market_share"] = quotient(clients, clients.sum(axis=1, keepdims=True))
    found["inventory_pnl"] = found["pnl"] - found["spread_revenue"] - found["hedging_cost"]
    return {name: found[name][:, maker].copy() for name in MEASURES}


class Contest:
    """`policies`, by label, that take the seat of one maker of a scenario in turn, `replicas` markets each.

    `maker` is a name or a number, by default the first. A replica's numbers are those of a run of the scenario with that
    policy and the same seed. Raises ParameterError or PolicyError for what cannot be run.
    """

    def __init__(
        self,
        scenario: Scenario,
        policies: Mapping[str, BuiltInPolicy],
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
        variants = {label: with_policy(scenario, self.maker, policy) for label, policy in policies.items()}
        for variant in variants.values():
            check_seats(variant, variant.policies)
        self._study = Study("league", variants, self.replicas, partial(seat_totals, maker=index))

    @property
    def market_steps(self) -> int:
        """Steps of markets in all; what two labels have in common is run once."""
        return self._study.market_steps

    def run(self, threads: int = 1, progress: Progress | None = None) -> League:
        """Runs every policy."""
        return League(self, measure([self._study], self.seed, threads, progress)["league"])


@dataclass(frozen=True)
class Standing:
    """One policy in the league: of each of MEASURES the mean over the replicas, its standard deviation between replicas, and
    the paired difference to the reference, which is above 0 where this policy has more.

    `rank` is 1 plus the number of policies that are ahead beyond doubt; it is `shared` where others have it, too.
    """

    label: str
    policy: BuiltInPolicy
    rank: int
    shared: bool
    mean: Mapping[str, Estimate]
    deviation: Mapping[str, float]
    difference: Mapping[str, Estimate]


@dataclass(frozen=True)
class League:
    """What was measured: label -> MEASURES -> an array (B,). Intervals of means are at 95 %; those of differences are wider,
    so that all of them, between any two policies, hold at once at 95 % (Bonferroni): the best is known only afterwards."""

    contest: Contest
    samples: Mapping[str, Measures]

    @cached_property
    def level(self) -> float:
        """The level of the interval of each difference."""
        return joint(math.comb(len(self.samples), 2))

    def standings(self, by: By = "total_reward", against: str | None = None) -> list[Standing]:
        """The policies, those with the highest mean first; differences are to the first one, or to that `against`.

        Raises ParameterError for another label, or a measure of which more is not better."""
        if by not in RANKED:
            raise ParameterError(f"by: {by!r} is not one of {', '.join(RANKED)}")
        if against is not None and against not in self.samples:
            raise ParameterError(f"against: {against!r} is none of the policies{suggestion(against, self.samples)}")
        order = self._order(by)
        reference = order[0] if against is None else against
        ranks = self._ranks(by)
        return [self._standing(label, ranks, reference) for label in order]

    def frame(self, by: By = "total_reward", against: str | None = None) -> pd.DataFrame:
        """The standings as a frame with a row per policy and measure: rank, policy, measure, mean with its interval, standard
        deviation between replicas, difference with its interval."""
        import pandas as pd

        rows = [
            {"rank": standing.rank, "policy": standing.label, "measure": name}
            | with_interval("mean", standing.mean[name])
            | {"standard_deviation": standing.deviation[name]}
            | with_interval("difference", standing.difference[name])
            for standing in self.standings(by, against)
            for name in MEASURES
        ]
        return pd.DataFrame(rows)

    def difference(self, first: str, second: str, name: str) -> Estimate:
        """What the first policy has more of than the second: the mean of the replicas' differences."""
        return mean(self.samples[first][name] - self.samples[second][name], self.level)

    def _order(self, by: str) -> list[str]:
        means = {label: float(mean(found[by]).value) for label, found in self.samples.items()}
        return sorted(means, key=lambda label: -math.inf if math.isnan(means[label]) else means[label], reverse=True)

    def _ranks(self, by: str) -> dict[str, int]:
        ranks = dict.fromkeys(self.samples, 1)
        for first, second in itertools.combinations(self.samples, 2):
            found = self.difference(first, second, by)
            ranks[second] += bool(found.low > 0)
            ranks[first] += bool(found.high < 0)
        return ranks

    def _standing(self, label: str, ranks: Mapping[str, int], reference: str) -> Standing:
        found, rank = self.samples[label], ranks[label]
        return Standing(
            label,
            self.contest.policies[label],
            rank,
            list(ranks.values()).count(rank) > 1,
            {name: mean(found[name]) for name in MEASURES},
            {name: _deviation(found[name]) for name in MEASURES},
            {name: self.difference(label, reference, name) for name in MEASURES},
        )


def _deviation(values: Array) -> float:
    there = values[~np.isnan(values)]
    return float(there.std(ddof=1)) if len(there) > 1 else math.nan
