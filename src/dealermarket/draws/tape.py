"""Tapes: everything exogenous of a run, drawn before it starts or recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket import laws
from dealermarket.draws.orders import check_draws, check_orders, order_rows
from dealermarket.draws.streams import Episode, Stream, first_episodes
from dealermarket.errors import ParameterError, TapeError
from dealermarket.model.scenario import Scenario
from dealermarket.values import short, whole_number

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays, TapeRules

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Tape:
    """What happens to B replicas of a market of N investors, M makers and J = N + M participants in T steps.

    Orders stand one after the other, replica by replica, step by step: those of replica b and step t are
    `order_start[b, t]` to `order_start[b, t + 1]`. Sizes in units of the asset, prices and spreads in price units.
    Arrays are read-only; tapes are equal where all of their arrays are.
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
        # The engine keeps arrays that can be written: read-only ones are of another type to Numba, which would compile the
        # market once more for them.
        kept = {field.name: np.require(getattr(self, field.name), requirements="W") for field in fields(self)}
        object.__setattr__(self, "_arrays", kept)
        for name, array in kept.items():
            shown = array.view()
            shown.flags.writeable = False
            object.__setattr__(self, name, shown)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tape):
            return NotImplemented
        return all(np.array_equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))

    __hash__ = None  # type: ignore[assignment]  # as that of an array

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

        steps, makers, participants = scenario.steps, len(scenario.makers), len(scenario.participants)
        horizon = scenario.reward_horizon
        mids = _checked("mid", mid, [(steps + horizon,), (steps,)], positive=True)
        mids = np.concatenate([mids, np.repeat(mids[-1:], steps + horizon - len(mids))])
        rows, _ = order_rows(orders, "step, investor, side, size")
        check_orders(scenario, rows)
        step, investor, side, size, tie = rows[np.argsort(rows[:, 0], kind="stable")].T
        exchange, sizes = scenario.exchange, np.ascontiguousarray(size)
        hedge_draws = _checked("hedge_tie", np.zeros((steps, makers)) if hedge_tie is None else hedge_tie, [(steps, makers)])
        check_draws("hedge_tie", hedge_draws)
        ranked = np.tile(np.arange(participants), (makers, 1)) if tie_break is None else tie_break
        return cls(
            mid=mids[None],
            reference_spread=_checked("reference_spread", reference_spread, [(steps,)], positive=True)[None],
            order_start=np.searchsorted(step, np.arange(steps + 1)).astype(np.int64)[None],
            investor=investor.astype(np.int32),
            side=side.astype(np.int8),
            size=sizes,
            log_curve=log_curves(sizes, exchange.v_max, laws.curve_exponent(exchange.lam)),
            tie=np.ascontiguousarray(tie),
            hedge_tie=hedge_draws[None],
            tie_break=_checked("tie_break", ranked, [(makers, participants)])[None],
            capped=np.zeros(1, np.int64),
        )


def _checked(name: str, values: ArrayLike, shapes: list[tuple[int, ...]], positive: bool = False) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TapeError(f"{name}: must hold numbers, got {short(values)}") from None
    if array.shape not in shapes:
        raise TapeError(f"{name}: must have shape {' or '.join(map(str, shapes))}, got {array.shape}")
    if not np.isfinite(array).all() or (positive and not (array > 0).all()):
        raise TapeError(f"{name}: must hold finite numbers{' above 0' if positive else ''}, got {short(array.tolist())}")
    return array


@dataclass(frozen=True)
class Draws:
    """The raw draws of some replicas, standard normal or uniform, waiting to be completed."""

    mid: Array
    reference_spread: Array
    order_start: Array
    investor: Array
    size: Array
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

        agents, mid, spread = scenario.agents, scenario.market.mid_price, scenario.market.reference_spread

        def of_agents(field: str) -> Array:
            return np.array([getattr(agent, field) for agent in agents], dtype=np.float64)

        self._steps, self._horizon = scenario.steps, scenario.reward_horizon
        self._makers, self._participants = len(scenario.makers), len(scenario.participants)
        self._rules: TapeRules = TapeRules(
            initial=mid.initial,
            drift=mid.drift,
            volatility=mid.volatility,
            dt=scenario.market.dt,
            spread_mean=spread.mean,
            spread_std=spread.std,
            spread_minimum=spread.minimum,
            spread_maximum=spread.maximum,
            largest=scenario.exchange.largest_trade,
            v_max=scenario.exchange.v_max,
            curve_exponent=laws.curve_exponent(scenario.exchange.lam),
            trade_probability=of_agents("trade_probability"),
            log_mean=of_agents("size_log_mean"),
            log_std=of_agents("log_std"),
            buy_probability=of_agents("buy_probability"),
            oracle_probability=of_agents("oracle_probability"),
        )

    def draw(self, episodes: Sequence[Episode]) -> Draws:
        """Raw draws of some markets, each from its own streams."""
        from dealermarket.draws.arithmetic import collect_orders

        count, steps, makers, probability = len(episodes), self._steps, self._makers, self._rules.trade_probability
        mid, spread = np.empty((count, steps + self._horizon)), np.empty((count, steps))
        order_start = np.empty((count, steps + 1), np.int64)
        hedge_tie, tie_break = np.empty((count, steps, makers)), np.empty((count, makers, self._participants))
        block = np.empty((min(steps, max(_BLOCK // len(probability), 1)), len(probability)))
        room = count * steps * len(probability) + 1  # never touched beyond the orders that arrive
        investor, size = np.empty(room, np.int32), np.empty(room)
        side, oracle, tie = np.empty(room), np.zeros(room), np.empty(room)
        last = 0
        for b, episode in enumerate(episodes):
            streams = episode.streams()
            arrivals, first = streams.at(Stream.ARRIVAL), last
            order_start[b, 0] = first
            for step in range(0, steps, len(block)):
                draws = arrivals.random(out=block[: steps - step])
                last = collect_orders(draws, probability, order_start[b, step + 1 : step + 1 + len(block)], investor, last)
            streams.uniform(Stream.SIDE, side[first:last])
            if self._rules.oracle_probability.any():
                streams.uniform(Stream.ORACLE, oracle[first:last])
            streams.uniform(Stream.TIE, hedge_tie[b], tie[first:last])
            streams.uniform(Stream.RANKING, tie_break[b])
            streams.normal(Stream.PRICE, mid[b])
            streams.normal(Stream.SPREAD, spread[b])
            streams.normal(Stream.SIZE, size[first:last])
        used = slice(0, last)
        return Draws(
            mid, spread, order_start, investor[used], size[used], side[used], oracle[used], tie[used], hedge_tie, tie_break
        )

    def complete(self, draws: Draws) -> Tape:
        """Prices and orders from draws, which it overwrites."""
        from dealermarket.draws.arithmetic import order_tape, price_tape

        price_tape(self._rules, draws.mid, draws.reference_spread)
        if not (np.min(draws.mid, initial=1.0) > 0 and np.max(draws.mid, initial=1.0) < np.inf):
            raise ParameterError("market.mid_price: with this drift and volatility prices reach 0 or infinity; lower them")
        count = len(draws.investor)
        side, log_curve, capped = np.empty(count, np.int8), np.empty(count), np.empty(len(draws.mid), np.int64)
        order_tape(
            self._rules,
            draws.mid,
            draws.order_start,
            draws.investor,
            draws.size,
            draws.side,
            draws.oracle,
            side,
            log_curve,
            capped,
        )
        return Tape(
            mid=draws.mid,
            reference_spread=draws.reference_spread,
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
