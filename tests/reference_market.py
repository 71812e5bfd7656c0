"""The dealer market once more, slow and plain: what the compiled engine is tested against.

Written from the model's text alone (`docs/model.md`; Ganesh et al. 2019, *Multi-Agent Simulation for Pricing and Hedging
in a Dealer Market*, sections 3.1 to 3.4), one replica at a time, with lists, dicts and full sorts. From the package it
reads the parameters of a scenario and nothing else: no law, no method that computes anything. Readings the paper leaves
open are marked "our reading", as in `docs/model.md`.

Participants are numbered investors first, then makers; the exchange, where it is a counterparty, comes after all of them.
Makers are also numbered among themselves, in the order of the scenario; `hedge_tie`, `ranking`, `actions` and
`History.steps` use that number. "Side" is +1 for a taker who buys and -1 for one who sells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dealermarket.model.exchange import Exchange
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.fraction import ConstantFraction
from dealermarket.model.makers.hedging.full import FullHedge
from dealermarket.model.makers.hedging.linear import LinearSchedule
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing.ladder import LadderPricing
from dealermarket.model.makers.pricing.power import PowerPricing
from dealermarket.model.makers.tiering.fixed import FixedTiers
from dealermarket.model.makers.tiering.revenue_rate import RevenueRate
from dealermarket.model.market.impact.linear import LinearImpact
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.mid_price.jump_diffusion import JumpDiffusion
from dealermarket.model.market.mid_price.ornstein_uhlenbeck import OrnsteinUhlenbeck
from dealermarket.model.scenario import Scenario

# --- what goes in


@dataclass(frozen=True)
class Order:
    """An investor asks for quotes for `size` at one step; `tie` in [0, 1) decides among equally cheap makers."""

    investor: int
    side: int
    size: float
    tie: float
    reservation: float = math.inf
    """The request trades only if its best quote is at most so many times the reference curve at its size."""
    asked: tuple[int, ...] | None = None
    """The makers that are asked; all of them where None."""


@dataclass(frozen=True)
class ReplicaTape:
    """Everything random of one replica."""

    mid: list[float]
    """The mid without impact, for the steps and `reward_horizon` steps beyond; the market never looks beyond the last step."""
    reference_spread: list[float]
    """s0_t of each step, as drawn: not multiplied by P_t."""
    orders: list[list[Order]]
    """The orders of each step, in the order in which they are processed; sizes capped already."""
    hedge_tie: list[list[float]]
    """[step][maker]: in [0, 1), decides among equally cheap makers for the hedge of this maker."""
    ranking: list[list[float]]
    """[maker][participant]: equal metrics are ranked by this number, lowest first, lowest being best."""


@dataclass
class Action:
    """What a policy written in Python decided for one maker at one step; where None, the maker's own policy decides."""

    tiers: list[int] | None = None
    """A tier per participant, in place of the ranking, of a table and of the pins; the maker's own entry is ignored."""
    eps_buy: float | None = None
    eps_sell: float | None = None
    hedge_fraction: float | None = None
    """The fraction of the position to trade, in [0, 1]; clipped to the largest trade."""


# --- what comes out


@dataclass
class Trade:
    """One trade: an investor or a hedging maker (`taker`) trades `size` with the quoting `maker`, or with the exchange."""

    step: int
    taker: int
    maker: int
    side: int
    size: float
    spread: float
    tier: int
    kind: Literal["order", "hedge"]
    position_revenue: float = math.nan
    """Of the quoting maker; nan until the trade matures, and where the exchange is the counterparty."""
    yield_: float = math.nan
    """Of the quoting maker, likewise."""


@dataclass(frozen=True)
class Request:
    """What became of a request for quotes."""

    step: int
    order: Order
    asked: tuple[int, ...]
    best: float
    """The best quote of those asked, and who gave it, a maker's number."""
    maker: int
    cover: float
    """The second best quote; nan where one maker was asked."""
    traded: bool


@dataclass(frozen=True)
class MakerStep:
    """One maker at one step."""

    position: float
    """z_t, the position held into the step."""
    spread_revenue: float
    position_revenue: float
    hedging_cost: float
    risk_cost: float
    eps_buy: float
    """The skew of its curve in this step, for clients who buy."""
    eps_sell: float
    hedge_fraction: float
    """The fraction of the position traded away in this step; 0 without a trade."""
    hedge_size: float
    """Signed, from the maker's side: minus position times fraction."""
    step_volatility: float
    """s, price units; 0 for a maker who never hedges."""
    tiers: list[int]
    """The tier of each participant as quoted in this step; -1 for the maker itself."""
    psi: list[float]
    """The average yield of each participant after this step's maturation; 0 for the maker itself and with fixed tiers."""
    pnl: float
    """Mark-to-market profit and loss through this step: cash + z_{t+1} P_t."""


@dataclass(frozen=True)
class History:
    """A whole run: `steps[t][maker]`, all trades and requests in the order done, positions after the last step, and of each step
    the mid and what hedges have added to it."""

    steps: list[list[MakerStep]]
    trades: list[Trade]
    final_position: list[float]
    requests: list[Request]
    mid: list[float]
    impact: list[float]


# --- the laws of prices


def reference_curve(size: float, s0: float, exchange: Exchange) -> float:
    """S_ref(v), section 3.1: the cost per unit, relative to mid, of a trade of size v at the exchange, for both sides.

    The paper's two branches: at lam = 2, -(s0/2) ln(1 - vt) / vt; otherwise, with omega = (lam - 1) / (lam - 2),
    (s0/2) (omega / vt) (1 - (1 - vt)^(1/omega)). At size 0 it is s0/2.
    """
    vt = size / exchange.v_max
    if vt == 0:
        return s0 / 2
    log_left = math.log1p(-vt)  # ln(1 - vt), without losing the digits of a small vt
    if exchange.lam == 2:
        return -(s0 / 2) * log_left / vt
    omega = (exchange.lam - 1) / (exchange.lam - 2)
    one_minus_power = -math.expm1(log_left / omega)  # 1 - (1 - vt)^(1/omega), likewise
    return (s0 / 2) * (omega / vt) * one_minus_power


def largest_trade(exchange: Exchange) -> float:
    """Our reading: nothing at or above v_max can be traded at once, and 0.99 v_max is the most that can."""
    return 0.99 * exchange.v_max


@dataclass(frozen=True)
class PowerLaw:
    """What a maker with `power` pricing quotes by."""

    alpha: float
    delta: float
    """The tier penalty in price units of this step."""


@dataclass(frozen=True)
class PriceSheet:
    """What a maker with `ladder` pricing quotes by."""

    bounds: Sequence[float]
    rows: Sequence[Sequence[float]]
    """A row for each bucket of sizes, the last beyond all bounds; a number for each tier."""
    unit: float | None
    """What the numbers are multiples of: in price units of this step, or S_ref(0) where None."""

    def entry(self, size: float, tier: int) -> float:
        """What the sheet says. A bound belongs to the bucket below it, and to a size that exceeds it by rounding alone."""
        bucket = 0
        while bucket < len(self.bounds) and size * (1 - 1e-12) > self.bounds[bucket]:
            bucket += 1
        return self.rows[bucket][tier]


@dataclass(frozen=True)
class MakerTerms:
    """What one maker quotes by in one step."""

    participant: int
    law: PowerLaw | PriceSheet
    eps: dict[int, float]
    """The skew by the client's side: +1 the client buys, -1 it sells."""
    tiers: list[int]


@dataclass(frozen=True)
class Quote:
    """A cost per unit, and who asks it."""

    spread: float
    participant: int
    tier: int


@dataclass(frozen=True)
class Quotes:
    """All quotes of one step."""

    s0: float
    exchange: Exchange
    makers: list[MakerTerms]
    exchange_participant: int

    def of_maker(self, maker: int, size: float, taker: int, side: int) -> Quote:
        """Section 3.3, pricing: s_i(v, u) = S_ref(0) (1 + eps) (S_ref(v) / S_ref(0))^alpha + delta u; or what a sheet says for
        the size and tier, times its unit and 1 + eps."""
        terms = self.makers[maker]
        tier, law = terms.tiers[taker], terms.law
        at_zero = reference_curve(0.0, self.s0, self.exchange)
        if isinstance(law, PriceSheet):
            unit = at_zero if law.unit is None else law.unit
            return Quote(unit * (1 + terms.eps[side]) * law.entry(size, tier), terms.participant, tier)
        curve = reference_curve(size, self.s0, self.exchange) / at_zero
        spread = at_zero * (1 + terms.eps[side]) * curve**law.alpha + law.delta * tier
        return Quote(spread, terms.participant, tier)

    def of_exchange(self, size: float) -> Quote:
        """Section 3.3, hedging at the exchange: its cost is S_ref(v), for any amount below v_max."""
        return Quote(reference_curve(size, self.s0, self.exchange), self.exchange_participant, 0)

    def cheapest(self, makers: list[int], size: float, taker: int, side: int, tie: float) -> Quote:
        """Section 3.2, maker choice: ask every maker and trade with the smallest.

        Our reading of a tie: of n exactly equal makers, in scenario order, number floor(U n) wins.
        """
        asked = [self.of_maker(maker, size, taker, side) for maker in makers]
        smallest = min(quote.spread for quote in asked)
        equal = [quote for quote in asked if quote.spread == smallest]
        return equal[math.floor(tie * len(equal))]

    def for_hedge(self, hedger: int, venue: str, size: float, side: int, tie: float) -> Quote:
        """Section 3.3: what a hedge of this size costs the maker at its venue, and from whom.

        `makers`: c(v) = min over the other makers j of s_j(v, u_ji). `exchange`: S_ref(v). `best`: the cheaper of the
        two, where a maker beats the exchange at equal price (our reading).
        """
        others = [maker for maker in range(len(self.makers)) if maker != hedger]
        at_exchange = self.of_exchange(size)
        if venue == "exchange" or (venue == "best" and not others):
            return at_exchange
        if not others:
            raise ValueError(f"maker {hedger}: venue {venue!r} leaves nobody to hedge with")
        at_maker = self.cheapest(others, size, self.makers[hedger].participant, side, tie)
        if venue == "best" and at_exchange.spread < at_maker.spread:
            return at_exchange
        return at_maker


# --- tiering


@dataclass
class MakerState:
    """What one maker carries from step to step; the lists are by participant."""

    position: float
    cash: float
    psi: list[float]
    """Average yield of the matured trades with each participant; 0 before the first (our reading)."""
    has_matured: list[bool]
    """Whether a trade with the participant has matured yet."""
    matured_volume: list[float]
    traded: float = 0.0
    """The sizes of all its trades, quoted and hedged, of the steps that are over."""


def learn_yield(state: MakerState, maker: MarketMakerAgent, trade: Trade) -> None:
    """Section 3.3, tiering: psi += w (yield - psi) for a matured trade; the first yield sets psi (our reading).

    Fixed tiers need no psi: it stays 0.
    """
    state.matured_volume[trade.taker] += trade.size
    if isinstance(maker.tiering, FixedTiers):
        return
    if state.has_matured[trade.taker]:
        state.psi[trade.taker] += maker.tiering.weight * (trade.yield_ - state.psi[trade.taker])
    else:
        state.psi[trade.taker] = trade.yield_
        state.has_matured[trade.taker] = True


def assigned_tiers(
    state: MakerState, maker: MarketMakerAgent, participant: int, names: Sequence[str], ranking: list[float]
) -> list[int]:
    """Section 3.3, tiering: sort the J - 1 other participants, best first; rank r gets tier floor(r K / (J - 1)).

    `average_yield` sorts by psi, `revenue_rate` by psi times the matured volume with the participant; equal ones by
    `ranking` (our reading). `fixed` takes its table, where who is not listed gets tier 0. A pin replaces the tier in the
    end, under every policy. The maker's own entry is -1.
    """
    tiering = maker.tiering
    others = [j for j in range(len(names)) if j != participant]
    tiers = [-1] * len(names)
    if isinstance(tiering, FixedTiers):
        for j in others:
            tiers[j] = tiering.table.get(names[j], 0)
    else:
        metric = list(state.psi)
        if isinstance(tiering, RevenueRate):
            metric = [psi * volume for psi, volume in zip(state.psi, state.matured_volume, strict=True)]
        best_first = sorted(others, key=lambda j: (-metric[j], ranking[j]))
        for rank, j in enumerate(best_first):
            tiers[j] = (rank * tiering.tiers) // len(others)
    for j in others:
        if names[j] in tiering.pins:
            tiers[j] = tiering.pins[names[j]]
    return tiers


# --- hedging


def step_volatility(scenario: Scenario, maker: MarketMakerAgent, price: float) -> float:
    """s = sigma sqrt(dt) P_t, section 3.3, with the maker's own sigma or the market's; dt in years, section 3.1.

    Of another process than a geometric Brownian motion: the standard deviation of its log return over a step, times P_t.
    """
    if isinstance(maker.hedging, NoHedge):
        return 0.0
    believed = maker.hedging.volatility
    dt = 1 / (scenario.market.days_per_year * scenario.market.steps_per_day)
    if believed != "market":
        return believed * math.sqrt(dt) * price
    process = scenario.market.mid_price
    if isinstance(process, OrnsteinUhlenbeck):
        # the integral of sigma^2 exp(-2 rate u) over the step
        forgotten = -math.expm1(-2 * process.rate * dt)
        return math.sqrt(process.volatility**2 / (2 * process.rate) * forgotten) * price
    assert isinstance(process, GeometricBrownianMotion | JumpDiffusion)
    variance = process.volatility**2 * dt
    if isinstance(process, JumpDiffusion):
        # a Poisson number of jumps: their mean number times the mean of a jump's square
        variance += process.intensity / scenario.market.steps_per_day * (process.jump_mean**2 + process.jump_std**2)
    return math.sqrt(variance) * price


def pricing_law(maker: MarketMakerAgent, scale: float) -> PowerLaw | PriceSheet:
    """What the maker quotes by; `scale` is the unit of price of this step."""
    pricing = maker.pricing
    if isinstance(pricing, LadderPricing):
        return PriceSheet(pricing.bounds, pricing.spreads, scale if pricing.absolute else None)
    assert isinstance(pricing, PowerPricing)
    return PowerLaw(pricing.alpha, pricing.tier_penalty * scale)


def linear_fraction(policy: LinearSchedule, quotes: Quotes, hedger: int, position: float, s: float) -> float:
    """Section 3.3, the heuristic: the best n in 1..H of the uniform schedule x_k = 1/n; returns x_0.

    Minimises E[C] + gamma sqrt(Var[C]) per unit of |z|, with E[C] = sum_k x_k c(|z| x_k) and
    Var[C] = s^2 sum_{k < H-1} y_k^2, y_k the fraction left after x_k; the smallest such n. No trade may exceed the
    largest; where even |z| / H does, the largest trade is done (our reading).
    """
    size, side = abs(position), -1 if position > 0 else 1
    largest = largest_trade(quotes.exchange)
    best_n, least = 0, math.inf
    for n in range(1, policy.horizon + 1):
        if size / n > largest * (1 + 1e-12):  # beyond rounding
            continue
        # which of two equally cheap makers it would be does not matter to the cost: any draw will do
        expected = quotes.for_hedge(hedger, policy.venue, size / n, side, tie=0.0).spread  # n terms of 1/n times c(|z|/n)
        left_after = [(n - 1 - k) / n for k in range(n)]  # y_0 .. y_{n-1}; nothing is left from then on
        variance = s**2 * sum(y**2 for y in left_after[: policy.horizon - 1])
        objective = expected + policy.risk_aversion * math.sqrt(variance)
        if objective < least:
            best_n, least = n, objective
    return 1 / best_n if best_n > 0 else largest / size


def hedged_fraction(
    maker: MarketMakerAgent,
    quotes: Quotes,
    hedger: int,
    position: float,
    traded: float,
    s: float,
    optimal: float | None,
    action: Action,
) -> float:
    """Section 3.3: the fraction x of the position that the maker trades now.

    `full` and `fraction`, and what an action asks for, are clipped to the largest trade (our reading); a position of
    zero is not traded, nor is what rounding leaves of the volume `traded` so far. `optimal` is the fraction of the optimal
    policy, handed in and taken as it is.
    """
    policy = maker.hedging
    if abs(position) <= 1e-12 * traded:
        return 0.0
    most = largest_trade(quotes.exchange) / abs(position)
    if action.hedge_fraction is not None:
        if not 0 <= action.hedge_fraction <= 1:
            raise ValueError(f"hedge_fraction: must be in [0, 1], got {action.hedge_fraction!r}")
        return min(action.hedge_fraction, most)
    if isinstance(policy, NoHedge):
        return 0.0
    if isinstance(policy, FullHedge):
        return min(1.0, most)
    if isinstance(policy, ConstantFraction):
        return min(policy.fraction, most)
    if isinstance(policy, LinearSchedule):
        return linear_fraction(policy, quotes, hedger, position, s)
    assert isinstance(policy, AlmgrenChriss)
    if optimal is None:
        raise ValueError(f"hedge_fractions: maker {hedger} hedges optimally, its fraction must be given")
    return optimal


# --- the market


def maker_signed_sizes(trade: Trade, investors: int, makers: int) -> list[tuple[int, float]]:
    """The makers among the two sides of a trade, by maker number, with the signed volume from each one's side.

    The taker gets side * size, the quoting side the opposite; investors and the exchange are left out.
    """
    both = [(trade.maker, -trade.side * trade.size), (trade.taker, trade.side * trade.size)]
    return [(participant - investors, signed) for participant, signed in both if investors <= participant < investors + makers]


@dataclass
class Earned:
    """The four rewards of one maker in one step (section 3.4), all signed."""

    spread_revenue: float = 0.0
    position_revenue: float = 0.0
    hedging_cost: float = 0.0
    risk_cost: float = 0.0


@dataclass
class Hedged:
    """What one maker hedged in one step."""

    fraction: float = 0.0
    signed_size: float = 0.0


@dataclass
class Books:
    """Everything that changes while the market runs."""

    makers: list[MakerState]
    trades: list[Trade] = field(default_factory=list)
    steps: list[list[MakerStep]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    permanent: float = 0.0
    transient: float = 0.0
    mid: list[float] = field(default_factory=list)
    """P_t of the steps so far."""
    impact: list[float] = field(default_factory=list)
    """Of these, what makers' trades at the exchange have added."""


def simulate(
    scenario: Scenario,
    tape: ReplicaTape,
    hedge_fractions: Sequence[Sequence[float]] | None = None,
    actions: Sequence[Mapping[int, Action]] | None = None,
) -> History:
    """Runs one replica of the scenario on a tape.

    `hedge_fractions[step][maker]` are the fractions actually traded by makers whose hedging is `optimal`; others' are
    not looked at. `actions[step]` holds what policies written in Python decided, by maker number.
    """
    books = Books(
        makers=[
            MakerState(
                position=0.0,
                cash=0.0,
                psi=[0.0] * len(scenario.participants),
                has_matured=[False] * len(scenario.participants),
                matured_volume=[0.0] * len(scenario.participants),
            )
            for _ in scenario.makers
        ]
    )
    for t in range(scenario.steps):
        optimal = None if hedge_fractions is None else hedge_fractions[t]
        _one_step(scenario, tape, books, t, optimal, {} if actions is None else actions[t])
    positions = [state.position for state in books.makers]
    return History(books.steps, books.trades, positions, books.requests, books.mid, books.impact)


def _one_step(
    scenario: Scenario,
    tape: ReplicaTape,
    books: Books,
    t: int,
    optimal: Sequence[float] | None,
    actions: Mapping[int, Action],
) -> None:
    """One step, in the order of our reading (`docs/model.md`, "One step")."""
    investors, makers = len(scenario.agents), len(scenario.makers)
    t_m = scenario.reward_horizon
    price = tape.mid[t] + books.permanent + books.transient
    books.mid.append(price)
    books.impact.append(books.permanent + books.transient)
    earned = [Earned() for _ in scenario.makers]
    held = [state.position for state in books.makers]  # z_t: the positions held into the step, the sum over t' < t

    # 1. Risk cost: min(z_i (P_t - P_{t-1}), 0) on the position held into the step, 0 at t = 0.
    if t > 0:
        for i in range(makers):
            earned[i].risk_cost = min(held[i] * (price - books.mid[t - 1]), 0.0)

    # 2. Trades made at t - t_m mature, in the order in which they were done.
    if t >= t_m:
        move = price - books.mid[t - t_m]
        for trade in books.trades:
            if trade.step != t - t_m:
                continue
            # Position revenue counts for both makers of a hedge: all trades of a maker, its own hedges included.
            for i, signed in maker_signed_sizes(trade, investors, makers):
                earned[i].position_revenue += move * signed
            # Yield and psi are the quoting maker's alone.
            if trade.maker < investors + makers:
                quoting = trade.maker - investors
                trade.position_revenue = move * (-trade.side * trade.size)
                revenue = trade.spread * trade.size + trade.position_revenue
                trade.yield_ = revenue / trade.size
                learn_yield(books.makers[quoting], scenario.makers[quoting], trade)
    psi = [list(state.psi) for state in books.makers]

    # 3. Tiers are recomputed.  3b. Policies written in Python act.
    # For assets with another price level s0_t and every delta are multiplied by P_t.
    scale = price if scenario.market.spreads_scale_with_price else 1.0
    decided = [actions.get(i, Action()) for i in range(makers)]
    terms: list[MakerTerms] = []
    for i, maker in enumerate(scenario.makers):
        tiers = assigned_tiers(books.makers[i], maker, investors + i, scenario.participants, tape.ranking[i])
        asked = decided[i]
        if asked.tiers is not None:
            tiers = list(asked.tiers)
            tiers[investors + i] = -1
        eps_buy = maker.pricing.eps_buy if asked.eps_buy is None else asked.eps_buy
        eps_sell = maker.pricing.eps_sell if asked.eps_sell is None else asked.eps_sell
        terms.append(
            MakerTerms(
                participant=investors + i,
                law=pricing_law(maker, scale),
                eps={+1: eps_buy, -1: eps_sell},
                tiers=tiers,
            )
        )
    quotes = Quotes(tape.reference_spread[t] * scale, scenario.exchange, terms, exchange_participant=investors + makers)
    done: list[Trade] = []

    # 4. Every request trades with the cheapest of the makers that it asked, unless even that is above its reservation.
    for order in tape.orders[t]:
        panel = list(range(makers)) if order.asked is None else list(order.asked)
        quote = quotes.cheapest(panel, order.size, order.investor, order.side, order.tie)
        traded = quote.spread <= order.reservation * quotes.of_exchange(order.size).spread
        answers = sorted(quotes.of_maker(i, order.size, order.investor, order.side).spread for i in panel)
        cover = answers[1] if len(answers) > 1 else math.nan
        books.requests.append(Request(t, order, tuple(panel), quote.spread, quote.participant - investors, cover, traded))
        if traded:
            done.append(Trade(t, order.investor, quote.participant, order.side, order.size, quote.spread, quote.tier, "order"))

    # 5. Every maker hedges the position it held into the step, all at once, with the quotes of this step.
    hedged = [Hedged() for _ in scenario.makers]
    volatility = [step_volatility(scenario, maker, price) for maker in scenario.makers]
    for i, maker in enumerate(scenario.makers):
        given = None if optimal is None else optimal[i]
        traded = books.makers[i].traded + sum(
            trade.size for trade in done for party, _ in maker_signed_sizes(trade, investors, makers) if party == i
        )
        fraction = hedged_fraction(maker, quotes, i, held[i], traded, volatility[i], given, decided[i])
        size = abs(held[i]) * fraction
        if size == 0:
            continue
        side = -1 if held[i] > 0 else 1  # a maker with z > 0 sells
        venue = "makers" if isinstance(maker.hedging, NoHedge) else maker.hedging.venue
        quote = quotes.for_hedge(i, venue, size, side, tape.hedge_tie[t][i])
        done.append(Trade(t, investors + i, quote.participant, side, size, quote.spread, quote.tier, kind="hedge"))
        hedged[i] = Hedged(fraction, -held[i] * fraction)

    # Section 3.4. Spread revenue is the quoting maker's, from orders and hedges alike; a hedger pays its hedging cost.
    for trade in done:
        if trade.maker < investors + makers:
            earned[trade.maker - investors].spread_revenue += trade.spread * trade.size
        if trade.kind == "hedge":
            earned[trade.taker - investors].hedging_cost -= trade.spread * trade.size

    # 6. Positions move by all trades of the step, and so does cash: a taker who buys pays P_t + s, one who sells gets P_t - s.
    for trade in done:
        trade_price = price + trade.side * trade.spread
        for i, signed in maker_signed_sizes(trade, investors, makers):
            books.makers[i].position += signed
            books.makers[i].traded += abs(signed)
            books.makers[i].cash -= signed * trade_price

    # Impact: what makers bought at the exchange, less what they sold, moves the mid from the next step on.
    impact = scenario.market.impact
    if isinstance(impact, LinearImpact):
        net = sum(trade.side * trade.size for trade in done if trade.maker == investors + makers)
        books.permanent += impact.permanent * net
        books.transient = impact.decay * books.transient + impact.transient * net

    books.trades.extend(done)
    books.steps.append(
        [
            MakerStep(
                position=held[i],
                spread_revenue=earned[i].spread_revenue,
                position_revenue=earned[i].position_revenue,
                hedging_cost=earned[i].hedging_cost,
                risk_cost=earned[i].risk_cost,
                eps_buy=terms[i].eps[+1],
                eps_sell=terms[i].eps[-1],
                hedge_fraction=hedged[i].fraction,
                hedge_size=hedged[i].signed_size,
                step_volatility=volatility[i],
                tiers=terms[i].tiers,
                psi=psi[i],
                pnl=books.makers[i].cash + books.makers[i].position * price,
            )
            for i in range(makers)
        ]
    )
