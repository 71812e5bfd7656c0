"""What is compared: scenarios, which are run on common tapes, or two runs, of which the replicas that both have are paired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.pairing import unlike_tapes
from dealermarket.errors import ParameterError
from dealermarket.model.changes import shown
from dealermarket.model.scenario import Scenario
from dealermarket.runs.executors import Executor, Progress
from dealermarket.runs.result import SimulationResult
from dealermarket.runs.runner import SimulationRunner
from dealermarket.runs.tables import Chunk, tables_of
from dealermarket.study.comparison import BY_CLIENT, Comparison
from dealermarket.study.labelled import Measures
from dealermarket.study.measures import client_trades, sums_by_client, totals
from dealermarket.study.study import Study, measure
from dealermarket.values import whole_number

Array = NDArray[Any]

REPLICAS = 1000
"""How many replicas of scenarios are compared where nobody says."""
MOST_REPLICAS = 1_000_000


@dataclass(frozen=True)
class Pair:
    """Two scenarios on common tapes, to be run.

    Parameters
    ----------
    a, b : Scenario
        The markets. All that the tape is drawn from must be the same in both (steps, reward_horizon, exchange, market, investors
        and number of makers), and their makers must have the same names.
    replicas : int
        On how many replicas each is run, from 1 to 1,000,000.
    seed : int
        The seed of both, 0 or more.

    Raises
    ------
    ParameterError
        The scenarios have no common tapes, their makers have other names, a number is out of its range, or one cannot be run.
    """

    a: Scenario
    b: Scenario
    replicas: int = REPLICAS
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "replicas", whole_number("replicas", self.replicas, 1, MOST_REPLICAS))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0))
        check_paired(self.a, self.b)
        for scenario in (self.a, self.b):
            SimulationRunner(scenario, self.replicas)  # fails here, before anything is run

    @cached_property
    def _study(self) -> Study:
        return Study("comparison", {"a": self.a, "b": self.b}, self.replicas, _observed, "trades")

    @property
    def market_steps(self) -> int:
        """Steps of markets in all; what is the same in both is run once."""
        return self._study.market_steps

    def run(self, threads: int = 1, progress: Progress | None = None, executor: Executor | str | None = None) -> Comparison:
        """Runs both.

        Parameters
        ----------
        threads : int
            How many threads to run on, from 1 to 1024.
        progress : callable, optional
            Called with the number of market steps done since the last call, from any thread.
        executor : Executor or str, optional
            Where to run instead of on threads: an executor, or a text as `executor_on` takes it.

        Returns
        -------
        Comparison
            Every number of both, and the differences.

        Raises
        ------
        ParameterError
            `threads` is not in 1..1024, or the text names no executor.
        ExecutorError
            The executor is not installed, or nobody answers there.
        """
        measured = measure([self._study], self.seed, threads, progress, executor=executor)["comparison"]
        return Comparison(self.a, self.b, self.replicas, self.seed, (measured["a"], measured["b"]))


def compare(
    a: Scenario | SimulationResult,
    b: Scenario | SimulationResult,
    replicas: int | None = None,
    seed: int | None = None,
    threads: int = 1,
) -> Comparison:
    """Two markets on common tapes: scenarios, which are run here, or results, of which the replicas that both have are taken.

    They can be paired where the tape is the same: same seed, steps, reward_horizon, exchange, market, investors and number of
    makers, who must have the same names. Policies may be values of any class.

    Parameters
    ----------
    a, b : Scenario or SimulationResult
        Both scenarios, or both results.
    replicas : int, optional
        Of scenarios, on how many replicas each is run, from 1 to 1,000,000; 1000 where left out.
    seed : int, optional
        Of scenarios, the seed of both, 0 or more; 0 where left out.
    threads : int
        How many threads to run on, from 1 to 1024.

    Returns
    -------
    Comparison
        Every number of both, and the differences b - a with their paired intervals.

    Raises
    ------
    ParameterError
        The two cannot be paired, a number is out of its range, or `replicas` or `seed` is given for results.
    """
    if isinstance(a, SimulationResult) and isinstance(b, SimulationResult):
        for name, given in (("replicas", replicas), ("seed", seed)):
            if given is not None:
                raise ParameterError(f"{name}: the runs are done, got {given}; leave it out, or compare the scenarios")
        return _of_results(a, b)
    if not (isinstance(a, Scenario) and isinstance(b, Scenario)):
        kinds = f"{type(a).__name__} and {type(b).__name__}"
        raise ParameterError(f"a, b: must be two scenarios, or two results of runs, got {kinds}")
    return Pair(a, b, REPLICAS if replicas is None else replicas, 0 if seed is None else seed).run(threads)


def check_paired(a: Scenario, b: Scenario) -> None:
    """Raises ParameterError, with a line for each field, where two scenarios have no common tapes or other makers."""
    problems = [
        f"{change.path}: must be the same in both, is {shown(change.before)} in a, got {shown(change.after)} in b"
        for change in unlike_tapes(a, b)
    ]
    if problems:
        problems.append("Prices and orders follow from this, so there are no common ones: change makers alone")
    elif a.maker_names != b.maker_names:
        problems = [
            f"makers: must have the same names in the same order in both, are {', '.join(a.maker_names)} in a, got "
            f"{', '.join(b.maker_names)} in b; each is compared with the one of its name"
        ]
    if problems:
        raise ParameterError("\n".join(problems))


def _observed(scenario: Scenario, chunk: Chunk) -> Measures:
    """Every statistic, and the sums by client."""
    return _together(totals(scenario, chunk), client_trades(scenario, chunk), scenario)


def _together(by_maker: Mapping[str, Array], by_client: Mapping[str, Array], scenario: Scenario) -> Measures:
    named = {f"{BY_CLIENT}{name}": values for name, values in by_client.items()}
    return Measures({**by_maker, **named}, scenario.maker_names)


# --- of results


def _of_results(a: SimulationResult, b: SimulationResult) -> Comparison:
    for name, result in (("a", a), ("b", b)):
        if result.meta.get("tape"):
            raise ParameterError(
                f"{name}: ran on a tape that was handed in, of which it keeps nothing to tell whether the other's is the same; "
                "compare runs on drawn tapes"
            )
    check_paired(a.scenario, b.scenario)
    seeds = a.meta["seed"], b.meta["seed"]
    if seeds[0] != seeds[1]:
        raise ParameterError(f"seed: must be the same in both, is {seeds[0]} in a, got {seeds[1]} in b; run one again")
    common = np.intersect1d(a.summary["replica"].to_numpy(), b.summary["replica"].to_numpy())
    if not len(common):
        raise ParameterError("replicas: there is none that both have")
    both = a, b
    recorded = all("trades" in tables_of(result.record) for result in both)
    measures = tuple(_measures_of(result, common, recorded) for result in both)
    return Comparison(a.scenario, b.scenario, len(common), seeds[0], (measures[0], measures[1]))


def _measures_of(result: SimulationResult, replicas: Array, with_clients: bool) -> Measures:
    """What `_observed` measures, of some replicas of a result, which has them in order."""
    makers, summary = len(result.scenario.makers), result.summary
    rows = np.isin(summary["replica"].to_numpy().reshape(-1, makers)[:, 0], replicas)
    values = {
        name: summary[name].to_numpy().reshape(-1, makers)[rows] for name in summary.columns if name not in ("replica", "maker")
    }
    by_client = sums_by_client(result.scenario, len(replicas), _orders_of(result, replicas)) if with_clients else {}
    return _together(values, by_client, result.scenario)


def _orders_of(result: SimulationResult, replicas: Array) -> dict[str, Array]:
    """The orders of some replicas as `sums_by_client` takes them."""
    import pandas as pd

    trades = result.trades
    orders = trades[(trades["kind"] == "order").to_numpy() & np.isin(trades["replica"].to_numpy(), replicas)]
    participants = pd.Index(result.scenario.participants)
    return {
        "replica": np.searchsorted(replicas, orders["replica"].to_numpy()),
        "taker": participants.get_indexer(pd.Index(orders["taker"])),
        "maker": participants.get_indexer(pd.Index(orders["maker"])),
        "volume": orders["size"].to_numpy(),
        "trade_yield": orders["yield"].to_numpy(),
    }
