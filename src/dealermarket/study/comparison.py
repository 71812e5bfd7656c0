"""A comparison of two markets on common tapes: every number of both, and the differences with their paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.arrays import HoldsArrays
from dealermarket.errors import RunFolderError
from dealermarket.estimates import Estimate, decimals_of, fixed, mean, plus_minus, ratio_by_replica
from dealermarket.model.changes import Change, changes
from dealermarket.model.scenario import Scenario, maker_index
from dealermarket.runs.statistics import in_one_line, statistic_named, statistics
from dealermarket.study.labelled import Measures

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

SHOWN = ("pnl", "market_share", "mean_abs_position")
"""The statistics that a comparison prints as a text."""
DIFFERENCE = "b − a"
"""The heading of a difference."""
BY_CLIENT = "by_client."  # what measures by client are called begins with this, which no statistic's name does


@dataclass(frozen=True, eq=False)
class Paired(HoldsArrays):
    """A number of each side of a comparison, and their difference; arrays of one shape.

    Parameters
    ----------
    a : array
        Of the first side.
    b : array
        Of the second side.
    difference : Estimate
        What b has more of than a, with the interval of the paired replicas.
    """

    a: Array
    b: Array
    difference: Estimate

    @classmethod
    def of(cls, a: Array, b: Array) -> Paired:
        """Both sides and their difference, from numbers by replica.

        Parameters
        ----------
        a, b : array, (replicas, ...)
            Those of each side. A replica in which one side has none (NaN) counts for the other side alone.

        Returns
        -------
        Paired
            Of shape (...); where fewer than two replicas have both, the difference has no interval.
        """
        middle_a, middle_b, difference = mean(a).value, mean(b).value, mean(b - a)
        few = np.count_nonzero(~np.isnan(b - a), axis=0) < 2
        value = np.where(few, middle_b - middle_a, difference.value)
        return cls(middle_a, middle_b, Estimate(value, difference.error, difference.low, difference.high))

    def __getitem__(self, index: Any) -> Paired:
        return Paired(self.a[index], self.b[index], self.difference[index])

    @property
    def leaves_out_zero(self) -> Array:
        """Whether the interval of the difference leaves out 0."""
        return np.asarray((self.difference.low > 0) | (self.difference.high < 0))

    @property
    def certainty(self) -> Array:
        """The difference in standard errors, how sure it is that there is one; 0 where there is none, or no interval."""
        size = np.abs(np.nan_to_num(self.difference.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(np.where(size > 0, size / self.difference.error, 0.0), posinf=np.inf)

    def fields(self) -> dict[str, float]:
        """One of them as the fields of a frame's row."""
        low, high = float(self.difference.low), float(self.difference.high)
        return {"a": float(self.a), "b": float(self.b), "difference": float(self.difference.value), "low": low, "high": high}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two markets, a and b, on common tapes: the same prices and orders in both.

    Every difference is b - a; its 95 % interval is that of the replicas' own differences, so that what both sides share does not
    count. `print` shows P&L, share and position of each maker; `frame` and `clients` have all numbers.

    Parameters
    ----------
    a, b : Scenario
        The markets, whose makers have the same names.
    replicas : int
        How many replicas both have.
    seed : int
        The seed of both.
    measures : tuple of two Measures
        Those of a and of b: every statistic, (replicas, makers) each, and where trades were recorded sums by client,
        (replicas, clients, makers) each.
    """

    a: Scenario
    b: Scenario
    replicas: int
    seed: int
    measures: tuple[Measures, Measures]

    @property
    def makers(self) -> tuple[str, ...]:
        """Names of the makers, in order."""
        return self.a.maker_names

    @cached_property
    def changes(self) -> list[Change]:
        """What differs between the scenarios, field by field."""
        return changes(self.a, self.b)

    @cached_property
    def changed_makers(self) -> tuple[str, ...]:
        """The makers whose own fields or policies differ."""
        pairs = zip(self.a.makers, self.b.makers, strict=True)
        return tuple(one.name for one, other in pairs if one != other)

    @cached_property
    def affected_makers(self) -> tuple[str, ...]:
        """The makers of whom any statistic differs in any replica."""
        a, b = self.measures
        alike = [np.all((a[name] == b[name]) | (np.isnan(a[name]) & np.isnan(b[name])), axis=0) for name in self.by_statistic]
        return tuple(name for name, same in zip(self.makers, np.all(alike, axis=0), strict=True) if not same)

    @cached_property
    def focus(self) -> str:
        """The maker to look at first: of those that were changed, or else of all, the one whose P&L differs most surely."""
        surest = dict(zip(self.makers, self.by_statistic["pnl"].certainty, strict=True))
        return max(self.changed_makers or self.makers, key=lambda maker: surest[maker])

    @cached_property
    def named_clients(self) -> tuple[str, ...]:
        """The participants whose tiers were fixed by hand in one of the scenarios, and otherwise in the other."""
        paths = [change.path.split(".") for change in self.changes]
        return tuple(
            dict.fromkeys(".".join(path[4:]) for path in paths if path[2:4] in (["tiering", "pins"], ["tiering", "table"]))
        )

    # --- numbers

    @cached_property
    def by_statistic(self) -> Mapping[str, Paired]:
        """Every statistic, each of the makers (M,)."""
        a, b = self.measures
        known = [each for each in statistics() if each.columns <= {*a} & {*b}]
        return {each.name: Paired.of(each.by_replica(a), each.by_replica(b)) for each in known}

    def of(self, maker: str) -> dict[str, Paired]:
        """Every statistic of one maker.

        Parameters
        ----------
        maker : str
            The name or the number of the maker.

        Returns
        -------
        dict of str to Paired
            By the name of the statistic, single numbers in its unit.

        Raises
        ------
        ParameterError
            There is no such maker.
        """
        number = maker_index(self.a, maker)
        return {name: paired[number] for name, paired in self.by_statistic.items()}

    @property
    def has_clients(self) -> bool:
        """Whether trades were recorded, so that there are numbers by client."""
        return all(f"{BY_CLIENT}traded_volume" in side for side in self.measures)

    @cached_property
    def by_client(self) -> Mapping[str, Paired]:
        """Of every client and maker, (N, M): `volume` that they traded in a replica, the maker's `share` of the client's volume,
        and the client's `yield`: spread and position revenue over size, of the trades that matured, in price units, and as
        `yield_bp` in basis points of the initial price. Raises RunFolderError where trades were not recorded."""
        return self._of_clients(lambda values: values)

    @cached_property
    def of_all_clients(self) -> Mapping[str, Paired]:
        """The same of each maker's clients together, (M,)."""
        return self._of_clients(lambda values: values.sum(axis=1))

    def _of_clients(self, grouped: Callable[[Array], Array]) -> dict[str, Paired]:
        if not self.has_clients:
            raise RunFolderError("trades: numbers by client need them; run both with record='trades' (--record trades)")
        sides = [self._client_numbers(side, grouped) for side in self.measures]
        return {name: Paired.of(sides[0][name], sides[1][name]) for name in sides[0]}

    def _client_numbers(self, side: Measures, grouped: Callable[[Array], Array]) -> dict[str, Array]:
        """Numbers by replica (replicas, ..., M) of which the means are those of `by_client`."""
        sums = ("traded_volume", "matured_volume", "revenue")
        volume, matured, revenue = (grouped(side[f"{BY_CLIENT}{name}"]) for name in sums)
        share = ratio_by_replica(volume, np.broadcast_to(volume.sum(axis=-1, keepdims=True), volume.shape))
        earned = ratio_by_replica(revenue, matured)
        points = 1e4 / self.a.market.initial_price
        return {"volume": volume, "share": share, "yield": earned, "yield_bp": points * earned}

    # --- as frames and text

    def frame(self) -> pd.DataFrame:
        """A row per maker and statistic: `maker`, `statistic`, `a`, `b`, `difference` (b - a), and `low` and `high`, the bounds
        of its paired 95 % interval."""
        import pandas as pd

        rows = [
            {"maker": maker, "statistic": name, **paired.fields()}
            for maker in self.makers
            for name, paired in self.of(maker).items()
        ]
        return pd.DataFrame(rows)

    def clients(self) -> pd.DataFrame:
        """Numbers by client, as `by_client` has them.

        Returns
        -------
        pandas.DataFrame
            A row for each maker, client and measure, with the columns of `frame`.

        Raises
        ------
        RunFolderError
            Trades were not recorded.
        """
        import pandas as pd

        names = [agent.name for agent in self.a.agents]
        parts = []
        for name, paired in self.by_client.items():
            columns = {"a": paired.a, "b": paired.b, "difference": paired.difference.value}
            columns |= {"low": paired.difference.low, "high": paired.difference.high}
            labels = {"maker": np.repeat(self.makers, len(names)), "client": np.tile(names, len(self.makers)), "measure": name}
            parts.append(pd.DataFrame(labels | {column: values.T.ravel() for column, values in columns.items()}))
        return pd.concat(parts, ignore_index=True)

    def __repr__(self) -> str:
        return f"<Comparison of {self.a.name!r} with {self.b.name!r}: {self.replicas:,} replicas, seed {self.seed}>"

    def __str__(self) -> str:
        """P&L, share and position of each maker."""
        import pandas as pd

        columns: dict[tuple[str, str], list[str]] = {}
        for name in SHOWN:
            statistic, paired = statistic_named(name), self.by_statistic[name]
            label = in_one_line(statistic.column_heading)
            for heading, texts in zip(("a", "b", DIFFERENCE), texts_of(paired, statistic.scale), strict=True):
                columns[label, heading] = texts
        table = pd.DataFrame(columns, index=list(self.makers)).to_string()
        return "\n".join([*self.heading(), table, *([MARKED] if self.replicas > 1 else [])])

    def heading(self) -> list[str]:
        """What is compared, in lines."""
        names = self.a.name if self.a.name == self.b.name else f"{self.a.name} and {self.b.name}"
        count = f"{self.replicas:,} {'replica' if self.replicas == 1 else 'replicas'} of {self.a.steps:,} steps"
        if not self.changes:
            other = ", and so is every number" if not self.affected_makers else ""
            return [f"{names}, {count}: the scenarios of a and b are the same{other}"]
        what = "mean ± half of its 95 % interval, paired" if self.replicas > 1 else "without intervals, which need two replicas"
        return [f"{names}, {DIFFERENCE}: {what}, {count}", *(f"in b, {change}" for change in self.changes)]


MARKED = "*: the 95 % interval leaves out 0"
"""What a star behind a difference means."""


def texts_of(paired: Paired, scale: float = 1.0) -> tuple[list[str], list[str], list[str]]:
    """The columns a, b and b - a of paired numbers (n,), each with the decimals of the differences, which have a star where
    their interval leaves out 0."""
    differences = [paired.difference[n] for n in range(len(paired.a))]
    decimals = decimals_of(differences, scale)

    def plain(values: Array) -> list[str]:
        shown = (f"{scale * value:.4g}" if decimals is None else fixed(scale * value, decimals) for value in values.tolist())
        return [text if np.isfinite(value) else "-" for text, value in zip(shown, values, strict=True)]

    marks = ["*" if marked else " " for marked in paired.leaves_out_zero]
    shown = [f"{text} {mark}" for text, mark in zip(plus_minus(differences, scale), marks, strict=True)]
    return plain(paired.a), plain(paired.b), shown
