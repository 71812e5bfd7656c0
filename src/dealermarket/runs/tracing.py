"""One step of one replica, worked out again: the market is run up to it, and every quote of the step is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket import interrupt
from dealermarket.compiled import among
from dealermarket.draws.arithmetic import TapeArrays
from dealermarket.draws.streams import Episode
from dealermarket.draws.tape import TapeSource
from dealermarket.engine.every_quote import read_hedge_quotes, read_quotes, read_standings
from dealermarket.engine.quotes import Orders
from dealermarket.engine.recorder import Record, empty_record
from dealermarket.engine.records import HEDGE
from dealermarket.engine.rules import Rules, rules_of
from dealermarket.engine.state import State
from dealermarket.model.makers.hedging import PlannedHedging
from dealermarket.model.scenario import RESERVED_NAME, Scenario
from dealermarket.runs.session import Session, acting_policies
from dealermarket.runs.tables import KINDS
from dealermarket.runs.trace import (
    ChangedStanding,
    Impact,
    MakerStep,
    MaturedTrade,
    Parts,
    Quote,
    StepTrace,
    TracedHedge,
    TracedRequest,
)

Array = NDArray[Any]


def traced(scenario: Scenario, episode: Episode, step: int, plans: bool) -> StepTrace:
    """One step of the market of an episode, at the end of which it stands; with the `plans` of hedges, or without."""
    policies, rules = acting_policies(scenario, {}), rules_of(scenario)
    tape = TapeSource(scenario).draw([episode]).arrays()
    orders = tape.order_start[:, -1] - tape.order_start[:, 0]
    record = empty_record(rules, orders, scenario.steps, ("steps", "requests"))
    session = Session(scenario, rules, record, policies, 1)
    session.restart([episode])
    session.use(tape)
    for _ in range(step):
        interrupt.check()
        session.begin()
        session.act()
        session.finish()
    before = _copy(session.state)
    session.begin()
    if step == 0:
        before = _copy(session.state)  # who has not begun has no tiers yet
    session.act()
    acting = _copy(session.state)
    session.finish()
    return _Step(scenario, rules, tape, record, episode, step, before, acting, session.state).told(plans)


def _copy(state: State) -> State:
    return State(*(array.copy() for array in state))


def _known(value: Any) -> float | None:
    """A number; None of what is none, or has no bound."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, eq=False)
class _Step:
    """A step and the state of its market before it, when makers have acted, and after it."""

    scenario: Scenario
    rules: Rules
    tape: TapeArrays
    record: Record
    episode: Episode
    step: int
    before: State
    acting: State
    after: State

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the participants and the exchange, by number."""
        return (*self.scenario.participants, RESERVED_NAME)

    @cached_property
    def quoting(self) -> tuple[str, ...]:
        """Who quotes, in the order of the quotes: the makers and the exchange."""
        return (*self.scenario.maker_names, RESERVED_NAME)

    @cached_property
    def prices(self) -> tuple[float, float]:
        """The mid, and the reference spread as drawn."""
        return float(self.record.mid[0, self.step]), float(self.tape.reference_spread[0, self.step])

    @cached_property
    def tiers(self) -> Array:
        """In which makers hold participants now, (M, J)."""
        return self._standings(self.acting)[0]

    def told(self, plans: bool) -> StepTrace:
        """All of it; without `plans` none of what hedges plan."""
        mids, t, horizon = self.record.mid[0], self.step, self.scenario.reward_horizon
        mid, reference_spread = self.prices
        half_spread, requests = self._requests()
        return StepTrace(
            scenario=self.scenario.name,
            seed=self.episode.seed,
            replica=self.episode.replica,
            step=t,
            reward_horizon=horizon,
            mid=mid,
            move=mid - float(mids[t - 1]) if t > 0 else 0.0,
            matured_move=mid - float(mids[t - horizon]) if t >= horizon else None,
            impact=self._impact(self.acting),
            next_impact=self._impact(self.after),
            reference_spread=reference_spread,
            half_spread=half_spread,
            makers=tuple(self._maker(i) for i in range(len(self.scenario.makers))),
            matured=tuple(self._matured()),
            standings=tuple(self._changed()),
            requests=tuple(requests),
            hedges=tuple(self._hedge(i, plans) for i in range(len(self.scenario.makers))),
        )

    @staticmethod
    def _impact(state: State) -> Impact:
        price = state.price[0, 0]
        return Impact(float(price["permanent"]), float(price["transient"]))

    def _maker(self, i: int) -> MakerStep:
        earned = self.record.steps[0, self.step, i]
        rewards = {name: float(earned[name]) for name in ("risk_cost", "position_revenue", "spread_revenue", "hedging_cost")}
        return MakerStep(
            maker=self.quoting[i],
            position=float(earned["position"]),
            **rewards,
            position_after=float(self.after.position[0, i]),
        )

    def _trades(self, state: State) -> Array:
        """What stands in this step's place of the circular buffer: before its trades, those that mature; then its own."""
        slot = self.step % self.scenario.reward_horizon
        return state.pending[0, slot, : state.pending_count[0, slot]]

    def _matured(self) -> Sequence[MaturedTrade]:
        return [
            MaturedTrade(
                step=int(trade["step"]),
                taker=self.names[trade["taker"]],
                maker=self.names[trade["maker"]],
                kind=KINDS[trade["kind"]],
                side=int(trade["side"]),
                size=float(trade["volume"]),
                spread=float(trade["spread"]),
                tier=int(trade["tier"]),
                position_revenue=_known(trade["position_revenue"]),
                trade_yield=_known(trade["trade_yield"]),
            )
            for trade in self._trades(self.acting)
        ]

    def _standings(self, state: State) -> tuple[Array, Array]:
        """Tiers and metrics of all participants with all makers, (M, J)."""
        shape = len(self.scenario.makers), len(self.scenario.participants)
        tiers, metrics = np.empty(shape, np.int64), np.empty(shape)
        self._engine(read_standings)(self.rules, state, tiers, metrics)
        return tiers, metrics

    def _changed(self) -> Sequence[ChangedStanding]:
        (tiers_before, metrics_before), (tiers, metrics) = self._standings(self.before), self._standings(self.acting)
        changed = tiers != tiers_before
        for trade in self._trades(self.acting):
            i = trade["maker"] - self.rules.investors
            if i < len(changed) and self.rules.tiering[i]["ranks"]:
                changed[i, trade["taker"]] = True
        return [
            ChangedStanding(
                maker=self.quoting[i],
                participant=self.names[j],
                metric_before=_known(metrics_before[i, j]),
                metric=_known(metrics[i, j]),
                tier_before=int(tiers_before[i, j]),
                tier=int(tiers[i, j]),
            )
            for i, j in np.argwhere(changed)
        ]

    def _requests(self) -> tuple[float, Sequence[TracedRequest]]:
        """S_ref(0), and the requests of the step."""
        chosen = slice(self.tape.order_start[0, self.step], self.tape.order_start[0, self.step + 1])
        orders = Orders(*(getattr(self.tape, name)[chosen] for name in Orders._fields))
        half_spread, quotes = 0.0, []
        for state in self._split():
            quotes.append(np.empty((len(orders.investor), len(self.quoting))))
            half_spread = self._engine(read_quotes)(self.rules, state, orders, *self.prices, quotes[-1])
        rows = self.record.requests[chosen]
        return half_spread, [
            TracedRequest(
                side=int(row["side"]),
                size=float(row["volume"]),
                quotes=self._quotes(int(row["client"]), [spreads[n, :-1] for spreads in quotes]),
                client=self.names[row["client"]],
                reference=float(row["reference"]),
                reservation=_known(row["reservation"]),
                best_maker=self.quoting[row["maker"]],
                best_spread=float(row["best"]),
                cover=_known(row["cover"]),
                traded=bool(row["traded"]),
            )
            for n, row in enumerate(rows)
        ]

    def _split(self) -> tuple[State, State, State]:
        """The market as it is; with everybody in the best tier; and then without skews, too. What quotes differ by is what
        they are made of."""
        best_tier = self.acting._replace(
            tiers_given=np.ones_like(self.acting.tiers_given), given_tier=np.zeros_like(self.acting.given_tier)
        )
        pricing = self.acting.pricing.copy()
        pricing["eps_buy"], pricing["eps_sell"] = 0.0, 0.0
        return self.acting, best_tier, best_tier._replace(pricing=pricing)

    def _quotes(self, participant: int, spreads: Sequence[Array]) -> tuple[Quote, ...]:
        """Quotes to a participant from their spreads in the three markets of `_split`; NaN is none."""
        return tuple(
            Quote(
                maker=self.quoting[i],
                tier=int(self.tiers[i, participant]) if i < len(self.tiers) else None,
                spread=float(spread),
                parts=Parts(float(plain), float(skewed - plain), float(spread - skewed)),
            )
            for i, (spread, skewed, plain) in enumerate(zip(*spreads, strict=True))
            if not np.isnan(spread)
        )

    def _hedge(self, i: int, plans: bool) -> TracedHedge:
        hedging, earned = self.scenario.makers[i].hedging, self.record.steps[0, self.step, i]
        participant, position, signed = self.rules.investors + i, float(earned["position"]), float(earned["hedge_size"])
        trades = self._trades(self.after)
        own = trades[(trades["kind"] == HEDGE) & (trades["taker"] == participant)]
        sizes = np.array([abs(signed)] if signed else [])
        spreads = [self._hedge_quotes(state, i, signed, sizes)[0] for state in self._split()]
        schedule = None
        if plans and isinstance(hedging, PlannedHedging) and signed and np.isnan(self.acting.given_fraction[0, i]):

            def cost(sizes: Array) -> Array:
                return self._hedge_quotes(self.acting, i, signed, np.ravel(sizes))[1].reshape(sizes.shape)

            volatility, largest = float(earned["step_volatility"]), self.scenario.exchange.largest_trade
            schedule = tuple(hedging.schedule(position, cost, volatility, largest).tolist())
        return TracedHedge(
            side=int(np.sign(signed)),
            size=abs(signed),
            quotes=self._quotes(participant, [each[0] for each in spreads]) if signed else (),
            maker=self.quoting[i],
            position=position,
            fraction=float(earned["hedge_fraction"]),
            schedule=schedule,
            venue=getattr(hedging, "venue", None),
            winner=self.names[own[0]["maker"]] if len(own) else None,
            spread=float(own[0]["spread"]) if len(own) else None,
        )

    def _hedge_quotes(self, state: State, i: int, signed: float, sizes: Array) -> tuple[Array, Array]:
        """What all charge maker i for hedges of `sizes` (n,) on the side of `signed`, (n, M + 1), and the best of its venue."""
        quotes, costs = np.empty((len(sizes), len(self.quoting))), np.empty(len(sizes))
        side = 1 if signed > 0 else -1
        self._engine(read_hedge_quotes)(self.rules, state, i, side, sizes, *self.prices, quotes, costs)
        return quotes, costs

    def _engine(self, function: Any) -> Any:
        return among(function, self.rules.of_the_papers)
