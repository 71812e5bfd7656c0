"""What a log holds, beside what the scenario that was fitted to it says: the frames that show where the fit is good, and where
it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.blocks import Blocks
from dealermarket.data.calibration import Calibration
from dealermarket.data.desk_tables import LONGEST, Groups, bounds, in_bins
from dealermarket.data.market import realised_volatility
from dealermarket.data.outcomes import OUTCOMES, WON
from dealermarket.estimates import Estimate
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.group import InvestorGroup
from dealermarket.model.investors.sizes import LadderSize, OrderSize
from dealermarket.model.part import Clock

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

QUOTES, SIZES, BARS, WINDOWS = 20, 10, 40, 40
"""Bins of quotes and of sizes, bars of a histogram, and windows of time."""
_DRAWS, _EXTREME = 200_000, 0.002  # of a fitted law that is drawn from; the share of numbers that a histogram leaves out
_SECONDS_PER_HOUR, _HOURS = 3600.0, 24


class Beside:
    """The requests of a calibration beside its scenario; intervals are by blocks of time, as those of an analysis."""

    def __init__(self, found: Calibration) -> None:
        self.found, self.log, self.recording = found, found.desk.log, found.desk.recording
        self.scenario = found.scenario
        self.blocks = Blocks.cut(found.desk.place, LONGEST * self.scenario.reward_horizon)
        self.investors = self.scenario.investors
        self.by_client = Groups("client", [investor.name for investor in self.investors], found.members.of_request)
        self.requests = self.by_client.sums(np.ones(len(self.log)))

    def clients(self) -> pd.DataFrame:
        """A row for each investor of the scenario, who may be a group, the one with most requests first.

        `stands_for` clients; `requests` in the log; `arrival`: the fitted requests a day of one client; `size`: the mean; `buys`
        and `hit_ratio`: shares of the requests; `oracle`: the fitted probability. With `_low` and `_high` where there is an
        interval."""
        import pandas as pd

        one = np.ones(len(self.log))
        table = pd.DataFrame(
            {
                "client": self.by_client.names,
                "stands_for": [_members(investor) for investor in self.investors],
                "requests": self.requests.astype(np.int64),
                **bounds("arrival", self._estimates("trade_probability").scaled(self.scenario.market.steps_per_day)),
                "size": self.by_client.sums(self.log.size) / np.maximum(self.requests, 1.0),
                **bounds("buys", self._ratio(self.by_client, (self.log.side > 0).astype(np.float64), one)),
                **bounds("oracle", self._estimates("oracle_probability")),
                **bounds("hit_ratio", self._ratio(self.by_client, (self.log.outcome == WON).astype(np.float64), one)),
            }
        )
        return table.sort_values("requests", ascending=False, kind="stable", ignore_index=True)

    def arrivals(self) -> pd.DataFrame:
        """Requests a day of each client, as `observed`, and as fitted; those with most requests first."""
        table = self.clients()
        days = len(self.recording.mid) / self.scenario.market.steps_per_day
        return table.assign(observed=table["requests"] / days / table["stands_for"])

    def outcomes(self) -> pd.DataFrame:
        """How many requests had each outcome, and how many were to be expected at their quotes: by `quote` (in bins, in units of
        the reference curve), `client`, `hour` of the day (UTC) and `size` (in bins).

        A row a group and outcome, with `at`, the mean of what requests are grouped by; `observed`, with bounds, `predicted`, and
        their difference `residual`, with bounds. NaN where nothing was fitted. No hours where times count steps."""
        import pandas as pd

        every = [
            (in_bins("quote", np.round(self.found.quote, 9), QUOTES), self.found.quote),
            (self.by_client, self.found.members.of_request),
            (in_bins("size", self.log.size, SIZES), self.log.size),
        ]
        if self.log.time.is_clock:
            hour = _hours(self.log.time.values)
            every.append((Groups("hour", range(_HOURS), hour), hour))
        return pd.concat([frame for groups, at in every for frame in self._by(groups, at)], ignore_index=True)

    def _by(self, groups: Groups, at: Array) -> Iterator[pd.DataFrame]:
        import pandas as pd

        one = np.ones(len(self.log))
        count = groups.sums(one)
        for number, outcome in enumerate(OUTCOMES):
            happened, expected = (self.log.outcome == number).astype(np.float64), self.found.predicted[:, number]
            with np.errstate(invalid="ignore", divide="ignore"):
                columns = {"at": groups.sums(at) / count, "predicted": groups.sums(expected) / count}
            known = np.isfinite(expected).all()
            nothing = Estimate(*[np.full(len(count), np.nan)] * 4)
            table = pd.DataFrame(
                {
                    "by": groups.by,
                    "name": [str(name) for name in groups.names],
                    "outcome": outcome,
                    "requests": count.astype(np.int64),
                    **columns,
                    **bounds("observed", self._ratio(groups, happened, one)),
                    **bounds("residual", self._ratio(groups, happened - expected, one) if known else nothing),
                }
            )
            yield table[table["requests"] > 0]

    def hours(self) -> pd.DataFrame | None:
        """Requests an hour, by `hour` of the day (UTC): `observed` with bounds, and `fitted`; None where times count steps."""
        import pandas as pd

        if not self.log.time.is_clock:
            return None
        seconds = self.found.desk.seconds
        steps = np.arange(len(self.recording.mid))
        hour = np.concatenate([_hours(self.log.time.values), _hours(self.recording.at * seconds)])
        place = np.concatenate([self.found.desk.place, steps])
        asked = np.concatenate([np.ones(len(self.log)), np.zeros(len(steps))])
        blocks = Blocks.cut(place, LONGEST * self.scenario.reward_horizon)
        observed = blocks.ratio(hour, _HOURS, asked, (1.0 - asked) * seconds / _SECONDS_PER_HOUR)
        often = sum(_members(investor) * np.mean(investor.trade_probability) for investor in self.investors)
        fitted = float(often) * _SECONDS_PER_HOUR / seconds * _activity(self.scenario.market.activity)
        table = pd.DataFrame({"hour": range(_HOURS), **bounds("observed", observed), "fitted": fitted})
        return table[table["observed"].notna()].reset_index(drop=True)

    def sizes(self) -> pd.DataFrame:
        """Shares of the requests by size, as `observed` and as `fitted`, each client's law as often as it asked: at each `size`
        of a ladder, else from `low` to `high`, which are equally far apart in logarithms."""
        import pandas as pd

        laws = [investor.size for investor in self.investors]
        known = [(law, weight) for law, weight in zip(laws, self.requests / self.requests.sum(), strict=True) if law is not None]
        if all(isinstance(law, LadderSize) for law, _ in known):
            at = np.unique(np.concatenate([law.sizes for law, _ in known if isinstance(law, LadderSize)]))
            edges = np.concatenate([[0.0], at])
            nearest = np.argmin(np.abs(np.log(np.unique(self.log.size))[:, np.newaxis] - np.log(at)), axis=1)
            place = nearest[np.unique(self.log.size, return_inverse=True)[1]]
            columns = {"size": at, "observed": np.bincount(place, minlength=len(at)) / len(self.log)}
        else:
            low, high = np.quantile(self.log.size, [_EXTREME / 2, 1 - _EXTREME / 2])
            edges = np.geomspace(low, max(high, low * 1.01), BARS + 1)
            columns = {"low": edges[:-1], "high": edges[1:], "observed": np.histogram(self.log.size, edges)[0] / len(self.log)}
        return pd.DataFrame({**columns, "fitted": -np.diff(_above(known, edges))})

    def spreads(self) -> pd.DataFrame | None:
        """Shares of the steps by the reference spread, in bp of the mid from `low` to `high`: `observed` and `fitted`, which is
        drawn from the law; None where the mids have no bids and asks, or spreads do not vary."""
        import pandas as pd

        if self.recording.spread is None:
            return None
        market = self.scenario.market
        spread = 1e4 * self.recording.spread / self.recording.mid
        law = market.reference_spread
        drawn = 1e4 * law.sample(np.random.default_rng(0), 1, _DRAWS, Clock(market.dt, 1.0 / market.steps_per_day)).ravel()
        low, high = np.quantile(spread, [_EXTREME / 2, 1 - _EXTREME / 2])
        if not high > low * (1 + 1e-6):
            return None
        edges = np.linspace(low, high, BARS + 1)
        share = {name: np.histogram(values, edges)[0] / len(values) for name, values in (("observed", spread), ("fitted", drawn))}
        return pd.DataFrame({"low": edges[:-1], "high": edges[1:], **share})

    def volatility(self) -> pd.DataFrame:
        """The annual volatility of the mids over time, in windows of as many steps each: `day` since the first price, or the step
        where times count steps; `volatility` with bounds, and `fitted`."""
        import pandas as pd

        returns = self.recording.log_returns
        steps = np.setdiff1d(np.arange(len(self.recording.mid) - 1), self.recording.sessions[1:-1] - 1)  # within sessions
        since = np.asarray(self.recording.at - np.min(self.recording.at), dtype=np.float64)
        windows = min(WINDOWS, max(len(returns) // WINDOWS, 1))
        parts = np.array_split(np.arange(len(returns)), windows)
        estimates = Estimate.stacked(realised_volatility(returns[part], self.scenario.market.dt) for part in parts)
        step = self.found.desk.seconds / (_HOURS * _SECONDS_PER_HOUR) if self.log.time.is_clock else 1.0
        days = [step * since[steps[part]].mean() for part in parts]
        fitted = getattr(self.scenario.market.mid_price, "volatility", np.nan)
        return pd.DataFrame({"day": days, **bounds("volatility", estimates), "fitted": fitted})

    def _estimates(self, field: str) -> Estimate:
        """What was found of a field of each investor, (investors,); its value without an interval where there is none."""
        found = {finding.field: finding.estimate for finding in self.found.findings}
        rows = []
        for investor in self.investors:
            value = np.asarray(float(np.mean(getattr(investor, field))))
            nothing = np.asarray(np.nan)
            rows.append(found.get(f"investors.{investor.name}.{field}") or Estimate(value, nothing, nothing, nothing))
        return Estimate.stacked(rows)

    def _ratio(self, groups: Groups, part: Array, whole: Array) -> Estimate:
        return self.blocks.ratio(groups.member, len(groups.names), part, whole)


def _members(investor: InvestorAgent | InvestorGroup) -> int:
    return investor.count if isinstance(investor, InvestorGroup) else 1


def _activity(weights: Sequence[float]) -> Array:
    """By how much more is asked in each hour than in the mean one, (24,), from weights of the hours; none: in all alike."""
    return np.asarray(weights) / np.mean(weights) if weights else np.ones(_HOURS)


def _hours(seconds: Array) -> Array:
    """The hour of the day (UTC) of times in seconds since 1970."""
    return (seconds // _SECONDS_PER_HOUR % _HOURS).astype(np.int64)


def _above(laws: list[tuple[OrderSize, Any]], sizes: Array) -> Array:
    """The probability of more than each size (sizes,), over laws with their weights."""
    return np.array(
        [sum(weight * law.share_above(float(size)) if size > 0 else weight for law, weight in laws) for size in sizes]
    )
