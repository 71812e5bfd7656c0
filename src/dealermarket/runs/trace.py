"""One step of one market as data: what `dealermarket.trace` returns.

Sizes in units of the asset; prices, spreads and yields in price units; money in price units times units. Names are those of the
scenario, the exchange is called "exchange".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from dealermarket.draws.streams import Episode
from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario, check_scenario
from dealermarket.values import suggestion, whole_number

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Impact:
    """What makers' trades at the exchange have added to the mid, price units."""

    permanent: float
    transient: float

    @property
    def total(self) -> float:
        """Both parts."""
        return self.permanent + self.transient


@dataclass(frozen=True)
class Parts:
    """What a spread is made of: the quote of the best tier without skew (`curve`), what the skew adds to that, and what the
    tier adds to both. Their sum is the spread, but for rounding."""

    curve: float
    skew: float
    tier: float

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.curve - other.curve, self.skew - other.skew, self.tier - other.tier)


@dataclass(frozen=True)
class Quote:
    """What a maker, or the exchange, charges per unit. `tier` is that in which it holds who asks; the exchange has none."""

    maker: str
    tier: int | None
    spread: float
    parts: Parts


@dataclass(frozen=True)
class Gap:
    """How much dearer a quote was than the best one, and what of that comes from curve, skew and tier."""

    spread: float
    parts: Parts


@dataclass(frozen=True)
class Quoted:
    """Who was asked for quotes, and what they were."""

    side: int  # +1 buys, -1 sells
    size: float
    quotes: tuple[Quote, ...]  # in the order of the scenario

    def quote_of(self, maker: str) -> Quote | None:
        """The quote of one of them; None of who was not asked."""
        return next((quote for quote in self.quotes if quote.maker == maker), None)

    def _gap(self, maker: str, winner: str | None) -> Gap | None:
        own, best = self.quote_of(maker), self.quote_of(winner or "")
        return Gap(own.spread - best.spread, own.parts - best.parts) if own and best else None


@dataclass(frozen=True)
class TracedRequest(Quoted):
    """A client's request for quotes, the quotes of all makers asked, and what became of it.

    `best_spread` is the least, `cover` the second best quote (None where one maker was asked), `reservation` the dearest best
    quote at which the client trades (None where it takes any); `reference` is S_ref(size)."""

    client: str
    reference: float
    reservation: float | None
    best_maker: str
    best_spread: float
    cover: float | None
    traded: bool

    @property
    def winner(self) -> str | None:
        """The maker that the client traded with; None where it did not trade."""
        return self.best_maker if self.traded else None

    @property
    def ahead(self) -> float | None:
        """By how much the best quote was below the cover, 0 where a draw decided; None where one maker was asked."""
        return None if self.cover is None else self.cover - self.best_spread

    @property
    def tied(self) -> tuple[str, ...]:
        """The makers whose quote was the best, where several were: a draw decided among them."""
        equal = tuple(quote.maker for quote in self.quotes if quote.spread == self.best_spread)
        return equal if len(equal) > 1 else ()

    def outcome_of(self, maker: str) -> str:
        """What it was for a maker: "won", "traded away", "not traded" or "not asked"."""
        if self.quote_of(maker) is None:
            return "not asked"
        return "not traded" if not self.traded else "won" if maker == self.best_maker else "traded away"

    def behind(self, maker: str) -> Gap | None:
        """How far a maker's quote was behind the best one; None of who was not asked."""
        return self._gap(maker, self.best_maker)


@dataclass(frozen=True)
class TracedHedge(Quoted):
    """What a maker did with the `position` that it held into the step: the `fraction` traded away, of `size` and `side`; both
    and the side are 0 where it did not trade.

    `quotes` are those of all rivals and of the exchange for this size, whatever the maker's venue. `schedule` (H,) are the
    fractions that the maker planned to trade now and in the next steps, where its kind of hedging plans: for `optimal` worked
    out anew on the best quotes of its venue, so that its first may differ from `fraction`, which the engine takes from tables
    (docs/model.md, "Hedging"). A policy's own fraction has none."""

    maker: str
    position: float
    fraction: float
    schedule: tuple[float, ...] | None
    venue: str | None  # None of who never trades
    winner: str | None  # who got it; None where it did not trade, as
    spread: float | None  # that it paid

    def behind(self, rival: str) -> Gap | None:
        """How much dearer a rival, or the exchange, was than who got the hedge; below 0 where that was cheaper, but is not of
        the venue."""
        return self._gap(rival, self.winner)


@dataclass(frozen=True)
class MaturedTrade:
    """A trade of t_m steps ago, whose revenue is known now; `side` is that of the taker, `kind` "order" or "hedge", `tier` that
    in which it was quoted. Position revenue and yield are those of the quoting maker, None of the exchange."""

    step: int
    taker: str
    maker: str
    kind: str
    side: int
    size: float
    spread: float
    tier: int
    position_revenue: float | None
    trade_yield: float | None


@dataclass(frozen=True)
class ChangedStanding:
    """A participant with which trades of a maker have matured, or whose tier has changed: the metric by which the maker ranks
    it, None where it ranks nobody, and the tier in which it quotes to it, before this step and in it."""

    maker: str
    participant: str
    metric_before: float | None
    metric: float | None
    tier_before: int
    tier: int


@dataclass(frozen=True)
class MakerStep:
    """What one maker held and earned in the step: the paper's four rewards, and positions before and after its trades."""

    maker: str
    position: float
    risk_cost: float
    position_revenue: float
    spread_revenue: float
    hedging_cost: float
    position_after: float


@dataclass(frozen=True)
class StepTrace:
    """One step of one replica, told in order: prices, risk, what matured, tiers, requests, hedges, positions.

    `dealermarket.trace` and `SimulationResult.trace` make one.

    Parameters
    ----------
    scenario : str
        Name of the scenario.
    seed, replica, step : int
        Which step of which market it is.
    reward_horizon : int
        t_m, steps.
    mid : float
        P_t, price units.
    move : float
        The mid's move since the step before, price units; 0 at step 0.
    matured_move : float or None
        The mid's move in the last `reward_horizon` steps, price units; None in the first ones.
    impact : Impact
        What former hedges have added to the mid.
    next_impact : Impact
        What they and those of this step add to the next one.
    reference_spread : float
        s0 as it was drawn.
    half_spread : float
        S_ref(0), price units.
    makers : tuple of MakerStep
        What each maker held and earned.
    matured : tuple of MaturedTrade
        The trades of t_m steps ago, whose revenue is known now.
    standings : tuple of ChangedStanding
        Participants whose trades have matured, or whose tier has changed.
    requests : tuple of TracedRequest
        Clients' requests, with all quotes.
    hedges : tuple of TracedHedge
        What each maker did with its position, with all quotes.

    """

    scenario: str
    seed: int
    replica: int
    step: int
    reward_horizon: int
    mid: float
    move: float
    matured_move: float | None
    impact: Impact
    next_impact: Impact
    reference_spread: float
    half_spread: float
    makers: tuple[MakerStep, ...]
    matured: tuple[MaturedTrade, ...]
    standings: tuple[ChangedStanding, ...]
    requests: tuple[TracedRequest, ...]
    hedges: tuple[TracedHedge, ...]

    def of(self, maker: str) -> StepTrace:
        """What concerns one maker: its own trades and tiers, the requests and hedges that it was asked to quote for, and its
        own hedge. Raises ParameterError where there is no such maker."""
        names = [each.maker for each in self.makers]
        if maker not in names:
            raise ParameterError(f"maker: there is no maker {maker!r}{suggestion(maker, names)}")
        return replace(
            self,
            makers=tuple(each for each in self.makers if each.maker == maker),
            matured=tuple(trade for trade in self.matured if maker in (trade.taker, trade.maker)),
            standings=tuple(each for each in self.standings if each.maker == maker),
            requests=tuple(request for request in self.requests if request.quote_of(maker)),
            hedges=tuple(hedge for hedge in self.hedges if maker == hedge.maker or hedge.quote_of(maker)),
        )

    def frame(self) -> pd.DataFrame:
        """A row per quote, for clients and for hedgers alike: `number` counts the requests and then the hedges, `behind` is how
        much dearer it was than the best one, or than that of who got the hedge."""
        import pandas as pd

        return pd.DataFrame(list(self._rows()), columns=_COLUMNS)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        asked: Iterable[tuple[str, str, TracedRequest | TracedHedge]] = (
            *(("order", request.client, request) for request in self.requests),
            *(("hedge", hedge.maker, hedge) for hedge in self.hedges if hedge.quotes),
        )
        for number, (kind, taker, each) in enumerate(asked):
            for quote in each.quotes:
                parts = (getattr(quote.parts, field.name) for field in fields(Parts))
                gap, won = each.behind(quote.maker), quote.maker == each.winner
                behind = gap.spread if gap else None
                yield (number, kind, taker, each.side, each.size, quote.maker, quote.tier, *parts, quote.spread, behind, won)


_COLUMNS = [
    "number",
    "kind",
    "taker",
    "side",
    "size",
    "maker",
    "tier",
    *(f"{field.name}_part" for field in fields(Parts)),
    "spread",
    "behind",
    "won",
]


def trace(scenario: Scenario, seed: int = 0, replica: int = 0, step: int = 0, plans: bool = True) -> StepTrace:
    """One step of one replica told in order: prices, what matured, tiers, every quote for every request and hedge, positions.

    To the bit the step of that replica in a run of the scenario with this seed, run again up to there: nothing needs to have been
    recorded. Policies written in Python act where they are the scenario's (`Scenario.with_policies`). Of a run that is kept,
    `SimulationResult.trace` does the same.

    Parameters
    ----------
    scenario : Scenario
        What is simulated.
    seed : int, default 0
        Seed of the run.
    replica : int, default 0
        Number of the replica.
    step : int, default 0
        Number of the step, below `scenario.steps`.
    plans : bool, default True
        Whether hedges tell what they plan for the next steps (`TracedHedge.schedule`), which takes most of the time.

    Returns
    -------
    StepTrace
        The step.

    Raises
    ------
    ParameterError
        If there is no such replica or step; and what a run of the scenario raises.

    Examples
    --------
    >>> from dealermarket import Scenario, trace
    >>> step = trace(Scenario.load("paper"), seed=7, replica=0, step=20)
    >>> [maker.maker for maker in step.makers]
    ['maker-1', 'maker-2']

    """
    from dealermarket.runs.tracing import traced

    check_scenario(scenario)
    whole_number("seed", seed, 0)
    whole_number("replica", replica, 0)
    whole_number("step", step, 0, scenario.steps - 1)
    return traced(scenario, Episode(seed, replica), step, plans)
