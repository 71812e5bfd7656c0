"""Tapes: everything exogenous of a run, drawn before it starts or recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket import laws
from dealermarket.arrays import HoldsArrays
from dealermarket.draws.checks import are_prices, check_draws, check_orders, check_prices, check_ranks, numbers, order_rows
from dealermarket.draws.streams import Episode, Stream, draw_into, first_episodes
from dealermarket.errors import ParameterError, TapeError
from dealermarket.model.investors.sizes import SIZES
from dealermarket.model.market.mid_price import MID_PRICES
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS
from dealermarket.model.scenario import Scenario, check_scenario
from dealermarket.values import short, whole_number

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays, TapeRules

Array = NDArray[Any]

_KINDS: Mapping[str, tuple[int, type]] = {
    "order_start": (2, np.int64),
    "investor": (1, np.int32),
    "side": (1, np.int8),
    "size": (1, np.float64),
    "log_curve": (1, np.float64),
    "tie": (1, np.float64),
    "hedge_tie": (3, np.float64),
    "tie_break": (3, np.float64),
    "capped": (1, np.int64),
}
"""Axes and type of the arrays of a tape, of those that have not two axes and float64."""


@dataclass(frozen=True, eq=False, repr=False)
class Tape(HoldsArrays):
    """What happens to B replicas of a market of N investors, M makers and J = N + M participants in T steps.

    Orders stand one after the other, replica by replica, step by step: those of replica b and step t are
    `order_start[b, t]` to `order_start[b, t + 1]`. Sizes in units of the asset, prices and spreads in price units.
    Arrays are read-only; tapes are equal where all of their arrays are. Raises TapeError for arrays of other types; what they
    hold is checked when they are run.
    """

    mid: Array  # (B, T + t_m); the last t_m only the oracle and the last trades' horizon reach for
    reference_spread: Array  # (B, T)
    order_start: Array  # (B, T + 1) int64
    investor: Array  # (orders,) int32
    side: Array  # (orders,) int8: +1 buys, -1 sells
    size: Array  # (orders,)
    log_curve: Array  # (orders,) log(S_ref(size) / S_ref(0))
    tie: Array  # (orders,) uniform draws: which of equally cheap makers gets the order
    hedge_tie: Array  # (B, T, M) the same for hedges
    tie_break: Array  # (B, M, J) uniform draws that order participants of equal metric in a maker's ranking
    capped: Array  # (B,) int64: orders whose size was capped at 0.99 v_max

    def __post_init__(self) -> None:
        # The engine keeps arrays that can be written and lie in one piece: others are of another type to Numba, which would
        # compile the market once more for them.
        kept = {
            field.name: np.require(_typed(field.name, getattr(self, field.name)), None, ["C", "A", "W"]) for field in fields(self)
        }
        object.__setattr__(self, "_arrays", kept)
        for name, array in kept.items():
            shown = array.view()
            shown.flags.writeable = False
            object.__setattr__(self, name, shown)

    def __repr__(self) -> str:
        orders = len(self.investor)
        return f"<Tape: {self.replicas:,} replicas, {self.steps:,} steps, {self.tie_break.shape[1]:,} makers, {orders:,} orders>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # without the engine's second view

    @property
    def replicas(self) -> int:
        return int(self.reference_spread.shape[0])

    @property
    def steps(self) -> int:
        return int(self.reference_spread.shape[1])

    @property
    def orders(self) -> Array:
        """Replica and step of every order, shape (orders, 2)."""
        counts = np.diff(self.order_start, axis=1)
        replica, step = np.indices(counts.shape)
        return np.stack([np.repeat(replica, counts.ravel()), np.repeat(step, counts.ravel())], axis=1)

    def arrays(self) -> TapeArrays:
        """The same for the engine."""
        from dealermarket.draws.arithmetic import TapeArrays

        kept: dict[str, Array] = vars(self)["_arrays"]
        ranking = np.argsort(self.tie_break, axis=-1).astype(np.int32)
        return TapeArrays(ranking=ranking, **{name: kept[name] for name in TapeArrays._fields[:-1]})

    @classmethod
    def draw(cls, scenario: Scenario, seed: int = 0, replicas: int | range = 1) -> Tape:
        """The tape of `replicas` (a number, or a range of replica numbers) for a seed."""
        numbers = replicas if isinstance(replicas, range) else range(whole_number("replicas", replicas, 1))
        whole_number("seed", seed, 0)
        check_scenario(scenario)
        source = TapeSource(scenario)
        return source.complete(source.draw(first_episodes(seed, numbers)))

    @classmethod
    def from_orders(
        cls,
        scenario: Scenario,
        mid: ArrayLike,
        reference_spread: ArrayLike,
        orders: Iterable[Sequence[float]],
        *,
        hedge_tie: ArrayLike | None = None,
        tie_break: ArrayLike | None = None,
    ) -> Tape:
        """A tape of one replica made by hand or from market data.

        `mid` (T + t_m,) or (T,) if nobody has an oracle to ask, `reference_spread` (T,); `orders` rows of (step,
        investor number, side, size) or (step, investor number, side, size, tie draw), in any order of steps.
        `hedge_tie` (T, M) and `tie_break` (M, J) are 0 and the participants' numbers where left out. Raises TapeError.
        """
        from dealermarket.draws.arithmetic import log_curves

        check_scenario(scenario)
        steps, makers, participants = scenario.steps, len(scenario.makers), len(scenario.participants)
        horizon = scenario.reward_horizon
        mids = numbers("mid", mid, [(steps + horizon,), (steps,)])
        spreads = numbers("reference_spread", reference_spread, [(steps,)])
        check_prices("mid", mids)
        check_prices("reference_spread", spreads)
        mids = np.concatenate([mids, np.repeat(mids[-1:], steps + horizon - len(mids))])
        rows, _ = order_rows(orders, "step, investor, side, size")
        check_orders(scenario, *rows.T)
        step, investor, side, size, tie = rows[np.argsort(rows[:, 0], kind="stable")].T
        exchange, sizes = scenario.exchange, np.ascontiguousarray(size)
        hedge_draws = numbers("hedge_tie", np.zeros((steps, makers)) if hedge_tie is None else hedge_tie, [(steps, makers)])
        check_draws("hedge_tie", hedge_draws)
        as_listed = np.tile(np.arange(participants), (makers, 1))
        ranks = numbers("tie_break", as_listed if tie_break is None else tie_break, [(makers, participants)])
        check_ranks("tie_break", ranks)
        return cls(
            mid=mids[None],
            reference_spread=spreads[None],
            order_start=np.searchsorted(step, np.arange(steps + 1)).astype(np.int64)[None],
            investor=investor.astype(np.int32),
            side=side.astype(np.int8),
            size=sizes,
            log_curve=log_curves(sizes, exchange.v_max, laws.curve_exponent(exchange.lam)),
            tie=np.ascontiguousarray(tie),
            hedge_tie=hedge_draws[None],
            tie_break=ranks[None],
            capped=np.zeros(1, np.int64),
        )


def _typed(name: str, given: object) -> Array:
    """An array of a tape. Raises TapeError where it is not of the type that the engine reads."""
    axes, dtype = _KINDS.get(name, (2, np.float64))
    if not isinstance(given, np.ndarray) or isinstance(given, np.ma.MaskedArray) or (given.ndim, given.dtype) != (axes, dtype):
        found = f"{given.dtype} with {given.ndim}" if isinstance(given, np.ndarray) else short(given)
        raise TapeError(f"{name}: must be an array of {np.dtype(dtype)} with {axes} axes, got {found}")
    return given


@dataclass(frozen=True)
class Draws:
    """The raw draws of some replicas, standard normal or uniform, waiting to be completed."""

    mid: Array  # (n, B, T + t_m)
    reference_spread: Array  # (n, B, T)
    order_start: Array
    investor: Array
    size: Array
    uniform_size: Array  # (0,) where no law of sizes takes a uniform number
    side: Array
    oracle: Array
    tie: Array
    hedge_tie: Array
    tie_break: Array


_BLOCK = 1 << 19  # arrivals drawn at a time: long runs of many investors need no more room than this


class TapeSource:
    """Draws the tapes of a scenario, in two halves: the generators' with the interpreter lock, the rest without it."""

    def __init__(self, scenario: Scenario) -> None:
        from dealermarket.draws.arithmetic import TapeRules
        from dealermarket.draws.records import number_rows, rule_records

        market, agents = scenario.market, scenario.agents
        mid, spread, sizes = market.mid_price, market.reference_spread, [agent.order_size for agent in agents]
        of_the_papers = (
            MID_PRICES.of_the_papers([mid]) and REFERENCE_SPREADS.of_the_papers([spread]) and SIZES.of_the_papers(sizes)
        )
        size = rule_records(SIZES, sizes, market.clock, of_the_papers)

        def of_agents(field: str) -> Array:
            return np.array([getattr(agent, field) for agent in agents], dtype=np.float64)

        self._steps, self._horizon = scenario.steps, scenario.reward_horizon
        self._makers, self._participants = len(scenario.makers), len(scenario.participants)
        self._mid_draws, self._spread_draws, self._uniform_sizes = mid.draws, spread.draws, bool(size["uniform"].any())
        self._rules: TapeRules = TapeRules(
            initial=mid.initial,
            mid_price=rule_records(MID_PRICES, [mid], market.clock, of_the_papers),
            mid_numbers=number_rows([mid]),
            reference_spread=rule_records(REFERENCE_SPREADS, [spread], market.clock, of_the_papers),
            spread_numbers=number_rows([spread]),
            size=size,
            size_numbers=number_rows(sizes),
            largest=scenario.exchange.largest_trade,
            v_max=scenario.exchange.v_max,
            curve_exponent=laws.curve_exponent(scenario.exchange.lam),
            trade_probability=of_agents("trade_probability"),
            buy_probability=of_agents("buy_probability"),
            oracle_probability=of_agents("oracle_probability"),
            of_the_papers=of_the_papers,
        )

    def draw(self, episodes: Sequence[Episode]) -> Draws:
        """Raw draws of some markets, each from its own streams."""
        from dealermarket.draws.arithmetic import collect_orders

        count, steps, makers, probability = len(episodes), self._steps, self._makers, self._rules.trade_probability
        mid = np.empty((len(self._mid_draws), count, steps + self._horizon))
        spread = np.empty((len(self._spread_draws), count, steps))
        order_start = np.empty((count, steps + 1), np.int64)
        hedge_tie, tie_break = np.empty((count, steps, makers)), np.empty((count, makers, self._participants))
        block = np.empty((min(steps, max(_BLOCK // len(probability), 1)), len(probability)))
        room = count * steps * len(probability) + 1  # never touched beyond the orders that arrive
        investor, size = np.empty(room, np.int32), np.empty(room)
        side, oracle, tie = np.empty(room), np.zeros(room), np.empty(room)
        uniform_size = np.empty(room if self._uniform_sizes else 0)
        last = 0
        for b, episode in enumerate(episodes):
            streams = episode.streams()
            first, order_end = last, order_start[b, 1:]
            order_start[b, 0] = first
            starts = range(0, steps, len(block))
            blocks = (block[: steps - step] for step in starts)
            for step, draws in zip(starts, streams.uniform_blocks(Stream.ARRIVAL, blocks), strict=True):
                last = collect_orders(draws, probability, order_end[step : step + len(block)], investor, last)
            streams.uniform(Stream.SIDE, side[first:last])
            if self._rules.oracle_probability.any():
                streams.uniform(Stream.ORACLE, oracle[first:last])
            streams.uniform(Stream.TIE, hedge_tie[b], tie[first:last])
            streams.uniform(Stream.RANKING, tie_break[b])
            draw_into(streams, Stream.PRICE, Stream.MORE_PRICE, self._mid_draws, mid[:, b])
            draw_into(streams, Stream.SPREAD, Stream.MORE_SPREAD, self._spread_draws, spread[:, b])
            streams.normal(Stream.SIZE, size[first:last])
            if self._uniform_sizes:
                streams.uniform(Stream.UNIFORM_SIZE, uniform_size[first:last])
        used = slice(0, last)
        return Draws(
            mid,
            spread,
            order_start,
            investor[used],
            size[used],
            uniform_size[used],
            side[used],
            oracle[used],
            tie[used],
            hedge_tie,
            tie_break,
        )

    def complete(self, draws: Draws) -> Tape:
        """Prices and orders from draws, which it overwrites."""
        from dealermarket.compiled import among
        from dealermarket.draws.arithmetic import order_tape, price_tape

        replicas, steps = draws.order_start.shape[0], self._steps
        # what is drawn first is written over
        mid = draws.mid[0] if len(draws.mid) else np.empty((replicas, steps + self._horizon))
        spread = draws.reference_spread[0] if len(draws.reference_spread) else np.empty((replicas, steps))
        among(price_tape, self._rules.of_the_papers)(self._rules, draws.mid, mid, draws.reference_spread, spread)
        if not are_prices(mid):
            raise ParameterError("market.mid_price: with this drift and volatility prices reach 0 or infinity; lower them")
        if not are_prices(spread):
            raise ParameterError("market.reference_spread: with these parameters spreads reach 0 or infinity; change them")
        count = len(draws.investor)
        side, log_curve, capped = np.empty(count, np.int8), np.empty(count), np.empty(replicas, np.int64)
        sound_sizes = among(order_tape, self._rules.of_the_papers)(
            self._rules,
            mid,
            draws.order_start,
            draws.investor,
            draws.size,
            draws.uniform_size,
            draws.side,
            draws.oracle,
            side,
            log_curve,
            capped,
        )
        if not sound_sizes:
            raise ParameterError("investors: a law of sizes gives sizes that are not above 0; change it")
        return Tape(
            mid=mid,
            reference_spread=spread,
            order_start=draws.order_start,
            investor=draws.investor,
            side=side,
            size=draws.size,
            log_curve=log_curve,
            tie=draws.tie,
            hedge_tie=draws.hedge_tie,
            tie_break=draws.tie_break,
            capped=capped,
        )
