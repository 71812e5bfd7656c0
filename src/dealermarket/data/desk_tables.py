"""The tables of a desk: what became of its requests and what they were worth, by client, tier, side and quote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.blocks import Blocks
from dealermarket.data.log import RequestLog
from dealermarket.data.moves import moves_after
from dealermarket.data.outcomes import NOT_TRADED, SIDES, TRADED_AWAY, WON
from dealermarket.estimates import Estimate
from dealermarket.laws import position_revenue
from dealermarket.reading.prices import Recording
from dealermarket.runs.statistics import quotient

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

HORIZONS, LONGEST = 16, 4
"""Markouts are looked at up to four reward horizons, at 16 times at most, and at once."""
QUOTES = 10
"""Into so many bins, of as many requests each, quotes are put."""


def bounds(name: str, estimate: Estimate) -> dict[str, Any]:
    """Estimates, or a single one, as three columns."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


class Groups(NamedTuple):
    """Requests in groups."""

    by: str  # what they are grouped by
    names: Sequence[Any]
    member: Array  # (requests,) the number of each one's group; one beyond the last: it is in none

    def sums(self, values: Array) -> Array:
        """Sums of values (requests,) by group."""
        return np.bincount(self.member, values, len(self.names) + 1)[: len(self.names)]


def in_bins(by: str, values: Array, most: int) -> Groups:
    """Requests by a number of each, (requests,): bins of as many requests each, fewer where numbers repeat."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)))
    return Groups(by, range(max(len(edges) - 1, 1)), np.searchsorted(edges[1:-1], values, side="left"))


class DeskTables:
    """The requests of a log, judged by the mids after them."""

    def __init__(self, log: RequestLog, recording: Recording, place: Array, horizon: int) -> None:
        """From requests, the place of each one's step in the recording, (requests,), and a reward horizon in steps."""
        self.log, self.recording, self.place, self.horizon = log, recording, place, horizon
        self.horizons = np.unique(np.round(np.linspace(0, LONGEST * horizon, HORIZONS + 1)).astype(np.int64))
        self.blocks = Blocks.cut(place, int(self.horizons[-1]))
        self.worth = log.size * log.mid  # of a request
        self.won = log.outcome == WON
        self.by_client = Groups("client", log.clients, log.client)
        self.by_side = Groups("side", SIDES, (log.side < 0).astype(np.int64))
        self.by_tier = _tiers_of(log)
        self.as_one = Groups("total", ("all",), np.zeros(len(log), np.int64))

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be judged."""
        unknown = int(np.sum(np.isnan(self._markout(self.horizon))))
        return (f"{unknown:,} requests have no mid {self.horizon} steps later, and no markout",) if unknown else ()

    def clients(self) -> pd.DataFrame:
        """The table of clients, the most toxic first: by the upper end of the interval of `markout_bp`, so that a few bad trades
        do not lead the list; then those without an interval, by `markout_bp`."""
        keys = ["markout_bp_high", "markout_bp"]
        return self.table(self.by_client).sort_values(keys, kind="stable", na_position="last", ignore_index=True)

    def table(self, groups: Groups) -> pd.DataFrame:
        """A row for each group that has requests, (docs/own-data.md, "What a desk looks at first").

        In basis points of volume at the mid: `markout_bp` of all requests, won or not, at the reward horizon, seen from the desk
        and before spread: below 0 the mid moves against it. Of the won ones `won_markout_bp` and `spread_bp`, which add up to
        `yield_bp`; and as money `markout_revenue` and `spread_revenue`."""
        import pandas as pd

        size, worth, won, outcome = self.log.size, self.worth, self.won, self.log.outcome
        count, markout = np.ones(len(self.log)), self._markout(self.horizon)
        judged = np.isfinite(markout)
        moved = np.where(judged, markout, 0.0)
        both = won & judged
        earned = np.where(both, self.log.spread * size, 0.0)
        won_worth = groups.sums(won * worth)
        table = pd.DataFrame(
            {
                groups.by: pd.Series(groups.names, dtype=None if groups.by == "tier" else object),
                "requests": groups.sums(count).astype(np.int64),
                "judged": groups.sums(judged).astype(np.int64),
                "volume": groups.sums(size),
                "won_volume": groups.sums(won * size),
                "share": quotient(won_worth, np.full(len(won_worth), won_worth.sum())),
                **bounds("hit_ratio", self._ratio(groups, won, count)),
                **bounds("hit_ratio_volume", self._ratio(groups, won * size, size)),
                "traded_away": self._ratio(groups, outcome == TRADED_AWAY, count).value,
                "not_traded": self._ratio(groups, outcome == NOT_TRADED, count).value,
                **bounds("markout_bp", self._ratio(groups, 1e4 * moved, judged * worth)),
                **bounds("won_markout_bp", self._ratio(groups, 1e4 * moved * won, both * worth)),
                "spread_bp": self._ratio(groups, 1e4 * earned, both * worth).value,
                **bounds("yield_bp", self._ratio(groups, 1e4 * (earned + moved * won), both * worth)),
                "spread_revenue": groups.sums(earned),
                "markout_revenue": groups.sums(moved * won),
            }
        )
        return table[table["requests"] > 0].reset_index(drop=True)

    def quotes(self) -> pd.DataFrame:
        """The table by the desk's quote in bp of the mid: bins of as many requests each, fewer where quotes repeat."""
        import pandas as pd

        quote = np.round(1e4 * self.log.spread / self.log.mid, 6)  # what rounding leaves of equal quotes makes no bins
        groups = in_bins("bin", quote, QUOTES)
        bins = self.table(groups).set_index("bin")
        shown = (
            pd.Series(quote)
            .groupby(groups.member)
            .agg(["mean", "min", "max"])
            .set_axis(["quote_bp", "lowest_bp", "highest_bp"], axis=1)
        )
        return shown.join(bins).reset_index(drop=True)

    def markouts(self, every: Sequence[Groups] | None = None, kinds: Sequence[str] = ("asked", "won")) -> pd.DataFrame:
        """Markouts by horizon, of all requests and of the won ones, of each group: bp of their volume. Of all groupings if none
        are given."""
        import pandas as pd

        every = (self.as_one, self.by_side, self.by_tier, self.by_client) if every is None else every
        frames = []
        for horizon in self.horizons.tolist():
            markout = self._markout(horizon)
            known = np.isfinite(markout)
            for place, groups in enumerate(every):
                for of in kinds:
                    chosen = known & self.won if of == "won" else known
                    found = self._ratio(groups, np.where(chosen, 1e4 * markout, 0.0), chosen * self.worth)
                    columns = {
                        "place": place * len(self.log) + np.arange(len(groups.names)),
                        "by": groups.by,
                        "name": [str(name) for name in groups.names],
                        "of": of,
                        "horizon": horizon,
                        "requests": groups.sums(chosen).astype(np.int64),
                        **bounds("markout_bp", found),
                    }
                    frames.append(pd.DataFrame(columns))
        table = pd.concat([frame[frame["requests"] > 0] for frame in frames])
        return table.sort_values(["place", "of", "horizon"], ignore_index=True).drop(columns="place")

    def _markout(self, horizon: int) -> Array:
        """What the mid's move adds to each request if the desk wins it, (requests,) money; NaN where it is not known."""
        return np.asarray(position_revenue(-self.log.side * self.log.size, moves_after(self.recording, self.place, horizon)))

    def _ratio(self, groups: Groups, part: Array, whole: Array) -> Estimate:
        return self.blocks.ratio(groups.member, len(groups.names) + 1, part, whole)[: len(groups.names)]


def _tiers_of(log: RequestLog) -> Groups:
    """Requests by the tier that they were quoted in, best first; those whose tier is not known are in none."""
    known = ~np.isnan(log.tier)
    tiers = np.unique(log.tier[known])
    names = [int(tier) if tier.is_integer() else tier for tier in tiers.tolist()]
    return Groups("tier", names, np.where(known, np.searchsorted(tiers, log.tier), len(tiers)))
