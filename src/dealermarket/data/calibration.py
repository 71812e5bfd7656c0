"""From a log of requests to a scenario: the desk, its rivals and its clients, as far as the log tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import laws
from dealermarket.data.arrivals import Arrivals, DayProfile, day_profile, fit_arrivals, said_of_clusters, said_of_hours
from dealermarket.data.clients import investors_of
from dealermarket.data.competition import fit_competition
from dealermarket.data.desk_log import DeskLog, horizon_of, read_desk
from dealermarket.data.findings import Finding, Findings, rounded
from dealermarket.data.log import Mapped, RequestLog
from dealermarket.data.makers import desk_maker, rival_makers
from dealermarket.data.market import annual_volatility, spread_law
from dealermarket.data.members import Members, members_of, won_beyond
from dealermarket.data.moves import DEFAULT_HORIZON, longest_horizon, moves_after
from dealermarket.data.pricing import DeskPricing, fit_pricing
from dealermarket.errors import DataError, ParameterError
from dealermarket.model.exchange import Exchange
from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price import GeometricBrownianMotion
from dealermarket.model.market.reference_spread import ConstantSpread
from dealermarket.model.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

OTHER_DEPTHS = (0.5, 2.0)  # of the exchange, beside the one that is taken, for which alpha is said
REPEATED = 0.01  # the share of requests after the first of a client and step, from which on it is said
_SOME = 100_000  # requests that are enough for that
FEWEST_REQUESTS = 50
DEEPEST = 10.0  # v_max, in largest sizes
_SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Calibration:
    """A scenario that a log describes, what was found, and what was not.

    Parameters
    ----------
    scenario : Scenario
        The market; `scenario.choices` says of each field where its value comes from.
    findings : tuple of Finding
        What was found, a field each.
    unknown : tuple of str
        What the log does not tell, and what stands there instead: `FIELD: why`.
    notes : tuple of str
        What was read, and what was left out.
    desk : DeskLog
        The requests among the mids.
    quote : array, (requests,)
        The desk's quotes, in units of the exchange's curve at the size.
    predicted : array, (requests, 3)
        The fitted probability that a request is won, traded away or not traded; NaN where none was fitted.
    members : Members
        The clients of the scenario, or groups of them.
    arrivals : Arrivals
        How often each of them asks, and whether in clusters.
    profile : DayProfile or None
        How requests are spread over the hours of a day; None where the log does not tell.
    """

    scenario: Scenario
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
    desk: DeskLog
    quote: Array
    predicted: Array
    members: Members
    arrivals: Arrivals
    profile: DayProfile | None

    @property
    def log(self) -> RequestLog:
        """The requests."""
        return self.desk.log


def calibrate(
    rfqs: str | Path | pd.DataFrame,
    mids: str | Path | pd.DataFrame | None = None,
    *,
    name: str = "desk",
    step_seconds: float | None = None,
    reward_horizon: int | None = None,
    mapped: Mapped | None = None,
    instrument: str | None = None,
    v_max: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """The market that a log of requests and mids describe: the desk, its rivals and its clients.

    Parameters
    ----------
    rfqs : str, Path or pandas.DataFrame
        The log of requests: a CSV or Parquet file, or a frame with the same columns.
    mids : str, Path or pandas.DataFrame, optional
        The mids of the same time. Where left out, those in the log.
    name : str
        The name of the scenario.
    step_seconds : float, optional
        The length of a step in seconds, above 0. Where left out, the usual time between two mids.
    reward_horizon : int, optional
        After how many steps trades are judged, 1 or more. Where left out, when markouts flatten.
    mapped : Mapped, optional
        What the files call their columns, values and times, where that is not clear.
    instrument : str, optional
        Which instrument to choose; needed where the log holds several.
    v_max : float, optional
        The depth of the exchange, in units of size. No log tells it: where left out, ten times the largest size.
    tell : callable
        Is told in a few words what is being done.

    Returns
    -------
    Calibration
        The scenario, with what was found and what was not.

    Raises
    ------
    DataError
        A file cannot be read or does not hold what it must, fewer than 50 requests or 50 moves of the mid are left, or nothing
        tells the market's spread.
    ParameterError
        `step_seconds` is not above 0, no session is as long as `reward_horizon`, `v_max` is below the largest size over 0.99, or
        what is given is neither a file nor a frame.

    Notes
    -----
    How each field is found, with the sources: docs/own-data.md, "From a log to a market".
    """
    tell("reading the requests and the mids")
    desk = read_desk(rfqs, mids, mapped, instrument, step_seconds)
    _check_enough(desk)
    tell(f"estimating from {len(desk.log):,} requests")
    return _Fit(desk, name, reward_horizon, v_max).calibration()


def _check_enough(desk: DeskLog) -> None:
    """Raises DataError where there is too little to learn from."""
    count, moves, left = len(desk.log), len(desk.recording.log_returns), "".join(f"; {note}" for note in desk.log.notes[1:])
    if count < FEWEST_REQUESTS:
        raise DataError(f"rfqs: {count:,} requests are left, {FEWEST_REQUESTS} or more are needed{left}")
    if moves < FEWEST_REQUESTS:
        raise DataError(
            f"mids: {moves:,} steps from one mid to the next, {FEWEST_REQUESTS} or more are needed; take steps of about the time "
            "between two mids"
        )


class _Fit:
    """All estimates of one log."""

    def __init__(self, desk: DeskLog, name: str, reward_horizon: int | None, v_max: float | None) -> None:
        self.desk = desk
        self.log, self.recording, self.place, seconds = desk
        self.name, log = name, self.log
        self.steps_per_day = max(round(_SECONDS_PER_DAY / seconds), 1)
        there, self.client = np.unique(log.client, return_inverse=True)
        self.clients = tuple(log.clients[number] for number in there)
        if v_max is not None and not v_max * laws.LARGEST_TRADE >= log.size.max():
            least = float(log.size.max()) / laws.LARGEST_TRADE
            raise ParameterError(f"v_max: must be at least {least:.6g}, the largest size over 0.99, got {v_max:g}")
        self.exchange = Exchange(v_max=DEEPEST * float(log.size.max()) if v_max is None else v_max)
        self.told = Findings()
        self.guessed_depth = v_max is None
        if self.guessed_depth:
            self.told.unknown.append(f"exchange.v_max: no log of a desk tells; {DEEPEST:g} times the largest size")
        self.told.unknown.append(
            "makers.desk.hedging: the log has no hedges; the optimal one at the exchange, with the default risk aversion"
        )
        self.half_spread = self._half_spread()
        self.reward_horizon = self._horizon(desk, reward_horizon)

    def calibration(self) -> Calibration:
        """The scenario and what is said of it."""
        curve = self._curve(1.0)
        relative, cover = self.log.spread / self.log.mid, self.log.cover / self.log.mid
        reference = self.half_spread * np.exp(curve)
        rivals = np.nan_to_num(self.log.asked, nan=2.0).astype(np.int64) - 1
        if np.isnan(self.log.asked).any():
            self.told.unknown.append("makers: the log does not say how many dealers were asked; one rival stands for all")
        pricing = fit_pricing(relative, self.half_spread, curve, self.log.tier, self.client)
        together = 2 * self.place + (self.log.side > 0)  # the same step and side
        quote = relative / reference
        rivalry = fit_competition(quote, self.log.outcome, rivals, cover / reference, together)
        self.told.unknown += [*pricing.unknown, *rivalry.unknown]
        moves = moves_after(self.recording, self.place, self.reward_horizon)
        surcharge = relative / self.half_spread - pricing.level(curve)
        members = members_of(
            self.log, self.clients, self.client, surcharge, won_beyond(self.log.outcome, rivalry.predicted), moves
        )
        others = rival_makers(rivalry, int(rivals.max(initial=0)), self.told)
        depths = self._at_other_depths(pricing, relative)
        desk = desk_maker(pricing, members, self.client, len(self.clients) + len(others), depths, self.told)
        makers = (desk, *others)
        profile, arrivals = self._arrivals(members)
        market = self._market(profile)
        investors = investors_of(self.log, members, rivalry, rivals, len(makers), moves, arrivals, market.busiest, self.told)
        scenario = Scenario(
            name=self.name,
            description="calibrated on a log of requests",
            steps=max(self.steps_per_day if market.activity else min(self.steps_per_day, 1000), self.reward_horizon + 1),
            reward_horizon=self.reward_horizon,
            exchange=self.exchange,
            market=market,
            investors=investors,
            makers=makers,
        )
        chosen = scenario.replace(choices={path: why for path, why in self.told.choices().items() if _stands(scenario, path)})
        return Calibration(
            chosen,
            tuple(self.told.of_fields),
            tuple(self.told.unknown),
            (*self.recording.notes, *self.log.notes, *self.told.notes),
            self.desk,
            quote,
            rivalry.predicted,
            members,
            arrivals,
            self.profile,
        )

    def _curve(self, deeper: float) -> Array:
        """log(S_ref(v) / S_ref(0)) at the size of each request, (requests,), on an exchange that is so many times as deep."""
        exchange = self.exchange
        share = self.log.size / (deeper * exchange.v_max)
        return np.asarray(np.log(laws.relative_spread(share, laws.curve_exponent(exchange.lam))))

    # --- market

    def _half_spread(self) -> Array:
        """Half the reference spread at each request, as a share of the mid, (requests,)."""
        spread = self.recording.spread
        if spread is not None:
            return np.asarray(0.5 * spread[self.place] / self.recording.mid[self.place])
        best = float(np.quantile(self.log.spread / self.log.mid, 0.05))
        if not best > 0:
            raise DataError("mids: hold no bids and asks, and the desk's quotes do not tell the market's spread; give both")
        self.told.unknown.append("market.reference_spread: the mids have no bids and asks; the desk's best quotes stand for them")
        return np.full(len(self.log), best)

    def _market(self, profile: DayProfile | None) -> MarketEnvironment:
        clock = MarketEnvironment(steps_per_day=self.steps_per_day)
        volatility, note = annual_volatility(self.recording, clock.dt)
        self.told.found("market.mid_price.volatility", volatility, f"realised variance at the step; {note}")
        if self.recording.spread is not None:
            law, found, why = spread_law(self.recording)
            for field, estimate in found.items():
                self.told.found(f"market.reference_spread.{field}", estimate, f"bids and asks, over the mid; {why}")
        else:
            law = ConstantSpread(mean=2.0 * float(self.half_spread[0]))
        return clock.replace(
            mid_price=GeometricBrownianMotion(initial=float(self.recording.mid[0]), volatility=rounded(volatility.value)),
            reference_spread=law,
            spreads_scale_with_price=True,
            activity=() if profile is None else [rounded(value, 4) for value in profile.factor.value / profile.over_a_day],
        )

    def _horizon(self, desk: DeskLog, given: int | None) -> int:
        horizon = horizon_of(desk, given)
        if horizon is None:
            horizon = min(DEFAULT_HORIZON, longest_horizon(desk.recording))
            self.told.unknown.append(
                f"reward_horizon: requests tell nothing of the moves after them; the default of {horizon} steps"
            )
        elif given is None:
            self.told.found("reward_horizon", None, f"markouts have risen to what they stay at after {horizon} steps")
        return horizon

    # --- makers

    def _at_other_depths(self, pricing: DeskPricing, relative: Array) -> str:
        """What alpha would be on exchanges of other depths than the one that was guessed."""
        if pricing.alpha is None or not self.guessed_depth:
            return ""
        some = slice(None, None, -(-len(relative) // _SOME))
        known = (relative[some], self.half_spread[some])
        alphas = [
            fit_pricing(*known, self._curve(deeper)[some], pricing.tier[some], self.client[some]).alpha for deeper in OTHER_DEPTHS
        ]
        said = [
            f"{float(alpha.value):.3g} at {deeper:g} times the depth"
            for deeper, alpha in zip(OTHER_DEPTHS, alphas, strict=True)
            if alpha is not None
        ]
        return f"; the interval holds for this v_max, which no log of a desk tells: {', '.join(said)}"

    # --- clients

    def _arrivals(self, members: Members) -> tuple[DayProfile | None, Arrivals]:
        """The profile of a day, None where hours are not told apart, and how often clients ask."""
        steps = len(self.recording.mid)
        _, first = np.unique(self.client * steps + self.place, return_index=True)  # a client asks once a step, or more often
        again = len(self.log) - len(first)
        if again > REPEATED * len(self.log):
            self.told.notes.append(
                f"{again:,} requests ({100 * again / len(self.log):.1f} %) came in a step in which their client had asked "
                "before; the market draws one a step: shorter steps tell them apart"
            )
        self.profile, why = day_profile(self.recording, self.place[first])
        profile = self.profile if self.profile is not None and self.profile.significant else None
        if self.profile is None:
            self.told.unknown.append(f"market.activity: {why}; the same all day")
        else:
            self.told.found("market.activity", None, said_of_hours(self.profile))
        arrivals = fit_arrivals(self.recording, members.of_request[first], self.place[first], members.counts, profile)
        self.told.notes += said_of_clusters(members.names, arrivals)
        return profile, arrivals


def _stands(scenario: Scenario, path: str) -> bool:
    """Whether a path is one of the scenario's."""
    from dealermarket.errors import ScenarioError

    try:
        scenario.values_at(path)
    except ScenarioError:
        return False
    return True
