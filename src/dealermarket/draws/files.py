"""What is read of a scenario's files: prices, orders, or both."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dealermarket.draws.recorded import RecordedPaths
from dealermarket.draws.replayed import ReplayedOrders
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario


class Recorded(NamedTuple):
    """The recorded prices and orders of a scenario; None where they are drawn."""

    paths: RecordedPaths | None
    orders: ReplayedOrders | None

    @classmethod
    def of(cls, scenario: Scenario) -> Recorded:
        """Those of a scenario. Raises DataError and ParameterError for files that will not do."""
        return cls(None, None) if scenario.market.recording is None and scenario.orders is None else _recorded(scenario.pinned())

    @property
    def replicas(self) -> int | None:
        """How many replicas have prices or orders of their own; None where there is no end of them."""
        return None if self.paths is None or self.orders is None else self.paths.windows

    def check_replicas(self, replicas: int) -> None:
        """Raises ParameterError for more replicas than have prices or orders of their own."""
        most = self.replicas
        if most is not None and replicas > most:
            raise ParameterError(
                f"replicas: must be at most {most}, the windows of recorded prices in which there are orders, got {replicas}: "
                "more repeat them. Take shorter windows (steps), or bootstrap = 'block' with orders by the number of the step"
            )


@lru_cache(maxsize=4)
def _recorded(scenario: Scenario) -> Recorded:
    """Those of a scenario that names the digests of its files: read into arrays once."""
    paths = RecordedPaths.of(scenario)
    orders = ReplayedOrders.of(scenario, paths)
    if paths is not None and orders is not None and orders.windows is not None:
        paths = paths.between(*orders.windows)
    return Recorded(paths, orders)


def replicas_there(scenario: Scenario, replicas: int) -> int:
    """So many replicas, or as many as the scenario's files have."""
    most = Recorded.of(scenario).replicas
    return replicas if most is None else min(replicas, most)


def orders_of_a_step(scenario: Scenario) -> float:
    """How many orders there are in a step on average; of recorded ones, in the replica that has the most."""
    replayed = Recorded.of(scenario).orders
    return scenario.volume_moment(0) if replayed is None else replayed.most / scenario.steps


def volume_moment(scenario: Scenario, order: int) -> float:
    """The sum of size^`order` of the orders of a step, in the mean: of order 0 their number, of order 1 their volume."""
    replayed = Recorded.of(scenario).orders
    return scenario.volume_moment(order) if replayed is None else replayed.volume_moment(order)


def read_from_files(scenario: Scenario, replicas: int | None = None) -> list[str]:
    """What is read of the scenario's files, and what of it was left out, in sentences; `replicas`: if so many are to be run.

    Raises DataError and ParameterError where that is not to be had."""
    (paths, orders), recording, steps = Recorded.of(scenario), scenario.market.recording, scenario.steps
    notes = [] if recording is None else [*recording.notes]
    if paths is not None:
        count = paths.windows
        if count is None:
            notes.append(f"prices are made of blocks of {paths.block:,} steps, drawn with replacement")
        else:
            again = "" if replicas is None or replicas <= count else "; each serves several replicas, with other orders"
            notes.append(f"{count:,} window{'s' if count != 1 else ''} of {steps:,} steps{again}")
    if orders is not None:
        notes += [*orders.notes, f"each replica replays {'them all' if orders.windows is None else 'those of its window'}"]
    return notes
