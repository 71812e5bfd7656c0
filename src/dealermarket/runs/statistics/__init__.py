"""The statistics of a run: one declaration each, which tables, studies, plots, the league and environments read.

`statistics()` has all of them, in the order of the columns of `summary.parquet`. One of your own::

    from dealermarket.runs.statistics import ASSET, Statistic, register_statistic

    register_statistic(
        Statistic(
            name="traded",
            heading="traded",
            unit=ASSET,
            meaning="quoted and hedged volume",
            function=lambda scenario, sums: sums.totals["volume"] + sums.totals["hedge_volume"],
            more_is_better=True,
        )
    )
"""

from __future__ import annotations

from dealermarket.errors import ParameterError
from dealermarket.runs.statistics import positions, requests, rewards, volumes
from dealermarket.runs.statistics.base import ASSET, BASIS_POINTS, MONEY, PURE, Statistic, Sums, in_one_line, quotient
from dealermarket.runs.statistics.rewards import REWARDS, total_reward
from dealermarket.slots import takes_from_outside
from dealermarket.values import suggestion

__all__ = [
    "ASSET",
    "BASIS_POINTS",
    "MONEY",
    "PURE",
    "REWARDS",
    "SHIPPED",
    "Statistic",
    "Sums",
    "forget_statistics",
    "in_one_line",
    "quotient",
    "ranking_statistics",
    "register_statistic",
    "registered_statistics",
    "statistic_named",
    "statistics",
    "total_reward",
]

SHIPPED: tuple[Statistic, ...] = tuple(
    statistic for concept in (rewards, volumes, positions, requests) for statistic in concept.STATISTICS
)
_registered: dict[str, Statistic] = {}


def statistics() -> tuple[Statistic, ...]:
    """All statistics: those that ship, then those registered, in the order of the summary's columns."""
    return (*SHIPPED, *_registered.values())


def registered_statistics() -> tuple[Statistic, ...]:
    """The statistics from outside the package."""
    return tuple(_registered.values())


def ranking_statistics() -> tuple[str, ...]:
    """Names of the statistics that policies can be ranked by: more of them is better, or less is."""
    return tuple(statistic.name for statistic in statistics() if statistic.more_is_better is not None)


def statistic_named(name: str) -> Statistic:
    """The statistic of this name. Raises ParameterError where there is none."""
    for statistic in statistics():
        if statistic.name == name:
            return statistic
    raise ParameterError(f"statistic {name!r}: is not declared{suggestion(name, (each.name for each in statistics()))}")


def register_statistic(statistic: Statistic) -> Statistic:
    """Adds a statistic from outside the package; from then on runs, studies and leagues have it.

    One registered before under the same name is replaced, so that a notebook's cell can be run again. Raises ParameterError
    for the name of a statistic that ships, or a weight that is no statistic or weighted itself.
    """
    if statistic.name in {shipped.name for shipped in SHIPPED}:
        raise ParameterError(f"statistic {statistic.name!r}: ships with the package; choose another name")
    if statistic.weight is not None and statistic_named(statistic.weight).weight is not None:
        raise ParameterError(f"statistic {statistic.name!r}: its weight {statistic.weight!r} must not be weighted itself")
    _registered[statistic.name] = statistic
    return statistic


def forget_statistics() -> None:
    """Takes away what was registered: in a worker of a cluster, whom others used before."""
    _registered.clear()


class _Statistics:
    """What makes `dealermarket.register` take statistics."""

    name = "statistic"
    base: type = Statistic

    def add(self, thing: Statistic) -> None:
        register_statistic(thing)


takes_from_outside(_Statistics())
