"""Tapes: everything exogenous of a run, drawn before it starts or recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket import laws
from dealermarket.arrays import HoldsArrays
from dealermarket.draws.checks import (
    are_prices,
    check_draws,
    check_orders,
    check_prices,
    check_tie_order,
    numbers,
    order_rows,
    panels_of,
    reservations,
)
from dealermarket.draws.files import Recorded
from dealermarket.draws.streams import Episode, first_episodes, places_of
from dealermarket.errors import ParameterError, TapeError
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import DEMANDS, AlwaysTrades
from dealermarket.model.investors.sizes import SIZES
from dealermarket.model.market.mid_price import MID_PRICES
from dealermarket.model.market.reference_spread import REFERENCE_SPREADS, RecordedSpread
from dealermarket.model.part import Draw
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
    "reservation": (1, np.float64),
    "asked": (2, np.bool_),
    "hedge_tie": (3, np.float64),
    "tie_order": (3, np.int32),
    "capped": (1, np.int64),
}
"""Axes and type of the arrays of a tape, of those that have not two axes and float64."""
_OF_ORDERS = ("investor", "side", "size", "log_curve", "tie", "reservation", "asked")


@dataclass(frozen=True, eq=False, repr=False)
class Tape(HoldsArrays):
    """What happens to B replicas of a market of N investors, M makers and J = N + M participants in T steps.

    `Tape.draw` draws one, `Tape.from_orders` makes one of market data. Orders stand one after the other, replica by replica,
    step by step: those of replica b and step t are `order_start[b, t]` to `order_start[b, t + 1]`. Arrays are read-only; tapes
    are equal where all of their arrays are. What they hold is checked when they are run.

    Parameters
    ----------
    mid : array of float64, (B, T + t_m)
        Mid-prices, price units; the last t_m are seen by oracles alone, and by the last trades when they mature.
    reference_spread : array of float64, (B, T)
        Bid-ask spreads of the smallest trade, price units.
    order_start : array of int64, (B, T + 1)
        Where the orders of each step begin.
    investor : array of int32, (orders,)
        Whose order it is: the number of the investor.
    side : array of int8, (orders,)
        +1 buys, -1 sells.
    size : array of float64, (orders,)
        Units of the asset.
    log_curve : array of float64, (orders,)
        log(S_ref(size) / S_ref(0)).
    tie : array of float64, (orders,)
        Uniform draws on [0, 1): which of equally cheap makers gets the order.
    reservation : array of float64, (orders,) or (0,)
        The dearest best quote that trades, in units of S_ref(size); (0,) where every order trades.
    asked : array of bool, (orders, M) or (0, M)
        Which makers are asked; (0, M) where every order asks all.
    hedge_tie : array of float64, (B, T, M)
        Uniform draws for hedges, as `tie` for orders.
    tie_order : array of int32, (B, M, J)
        Participants, in the order in which a maker ranks those of equal metric.
    capped : array of int64, (B,)
        How many orders had their size capped at 0.99 v_max.

    Raises
    ------
    TapeError
        If an array is not of this type.

    Examples
    --------
    >>> from dealermarket import Scenario, Tape
    >>> Tape.draw(Scenario.load("paper"), seed=0, replicas=2).mid.shape
    (2, 504)

    """

    mid: Array
    reference_spread: Array
    order_start: Array
    investor: Array
    side: Array
    size: Array
    log_curve: Array
    tie: Array
    reservation: Array
    asked: Array
    hedge_tie: Array
    tie_order: Array
    capped: Array

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
        return f"<Tape: {self.replicas:,} replicas, {self.steps:,} steps, {self.hedge_tie.shape[2]:,} makers, {orders:,} orders>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # without the engine's second view

    @property
    def replicas(self) -> int:
        """How many replicas it holds, B."""
        return int(self.reference_spread.shape[0])

    @property
    def steps(self) -> int:
        """How many steps each has, T."""
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
        return TapeArrays(**kept)

    @classmethod
    def draw(
        cls,
        scenario: Scenario,
        seed: int = 0,
        replicas: int | range = 1,
        *,
        mid: ArrayLike | None = None,
        reference_spread: ArrayLike | None = None,
    ) -> Tape:
        """The tape of `replicas` (a number, or a range of replica numbers) for a seed.

        Prices may be given, the same for all replicas or a row for each: `mid` (T + t_m,) or (B, T + t_m), and
        `reference_spread` (T,) or (B, T), price units. Orders are drawn, and oracles know the given mids. Raises TapeError.
        """
        which = replicas if isinstance(replicas, range) else range(whole_number("replicas", replicas, 1))
        whole_number("replicas", min(which, default=0), 0)
        whole_number("seed", seed, 0)
        check_scenario(scenario)
        steps, prices = scenario.steps, {"mid": mid, "reference_spread": reference_spread}
        lengths = {"mid": steps + scenario.reward_horizon, "reference_spread": steps}
        given = {
            name: numbers(name, array, [(lengths[name],), (len(which), lengths[name])])
            for name, array in prices.items()
            if array is not None
        }
        for name, array in given.items():
            check_prices(name, array)
        return TapeSource(scenario).draw(first_episodes(seed, which), given)

    @classmethod
    def from_orders(
        cls,
        scenario: Scenario,
        mid: ArrayLike,
        reference_spread: ArrayLike,
        orders: Iterable[Sequence[float]],
        *,
        reservation: ArrayLike | None = None,
        asked: ArrayLike | None = None,
        hedge_tie: ArrayLike | None = None,
        tie_order: ArrayLike | None = None,
    ) -> Tape:
        """A tape of one replica made by hand or from market data.

        `mid` (T + t_m,) or (T,) if nobody has an oracle to ask, `reference_spread` (T,); `orders` rows of (step,
        investor number, side, size) or (step, investor number, side, size, tie draw), in any order of steps; those of a step
        are executed in the order of the rows, also where an investor has several.
        `reservation` (orders,) and `asked` (orders, M) belong to the rows of `orders`; where left out, every order trades and
        asks all makers. `hedge_tie` (T, M) is 0 and `tie_order` (M, J) the order of the participants' numbers where left out.
        Raises TapeError.
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
        by_step = np.argsort(rows[:, 0], kind="stable")
        step, investor, side, size, tie = rows[by_step].T
        limits = np.empty(0) if reservation is None else reservations(reservation, len(rows))[by_step]
        panels = np.empty((0, makers), np.bool_) if asked is None else panels_of(asked, (len(rows), makers))[by_step]
        exchange, sizes = scenario.exchange, np.ascontiguousarray(size)
        hedge_draws = numbers("hedge_tie", np.zeros((steps, makers)) if hedge_tie is None else hedge_tie, [(steps, makers)])
        check_draws("hedge_tie", hedge_draws)
        as_listed = np.tile(np.arange(participants), (makers, 1))
        order = numbers("tie_order", as_listed if tie_order is None else tie_order, [(makers, participants)])
        check_tie_order("tie_order", order)
        return cls(
            mid=mids[None],
            reference_spread=spreads[None],
            order_start=np.searchsorted(step, np.arange(steps + 1)).astype(np.int64)[None],
            investor=investor.astype(np.int32),
            side=side.astype(np.int8),
            size=sizes,
            log_curve=log_curves(sizes, exchange.v_max, laws.curve_exponent(exchange.lam)),
            tie=np.ascontiguousarray(tie),
            reservation=limits,
            asked=panels,
            hedge_tie=hedge_draws[None],
            tie_order=order.astype(np.int32)[None],
            capped=np.zeros(1, np.int64),
        )


def _allowed(agents: Sequence[InvestorAgent], makers: Sequence[str]) -> Array:
    """Which makers each investor may ask, (N, M)."""
    allowed = np.ones((len(agents), len(makers)), np.bool_)
    for number, agent in enumerate(agents):
        if isinstance(agent.asks, tuple):
            allowed[number] = [maker in agent.asks for maker in makers]
    return allowed


def _typed(name: str, given: object) -> Array:
    """An array of a tape. Raises TapeError where it is not of the type that the engine reads."""
    axes, dtype = _KINDS.get(name, (2, np.float64))
    if not isinstance(given, np.ndarray) or isinstance(given, np.ma.MaskedArray) or (given.ndim, given.dtype) != (axes, dtype):
        found = f"{given.dtype} with {given.ndim}" if isinstance(given, np.ndarray) else short(given)
        raise TapeError(f"{name}: must be an array of {np.dtype(dtype)} with {axes} axes, got {found}")
    return given


class TapeSource:
    """Draws the tapes of a scenario, holding no lock."""

    def __init__(self, scenario: Scenario) -> None:
        from dealermarket.draws.arithmetic import TapeRules
        from dealermarket.draws.records import number_rows, rule_records

        market, agents = scenario.market, scenario.agents
        mid, spread = market.mid_price, market.reference_spread
        sizes, demands = [agent.order_size for agent in agents], [agent.demand for agent in agents]
        of_prices = MID_PRICES.of_the_papers([mid]) and REFERENCE_SPREADS.of_the_papers([spread])
        of_the_papers = of_prices and SIZES.of_the_papers(sizes) and DEMANDS.of_the_papers(demands)
        size = rule_records(SIZES, sizes, market.clock, of_the_papers)
        demand = rule_records(DEMANDS, demands, market.clock, of_the_papers)
        allowed = _allowed(agents, scenario.maker_names)
        panel = np.array([agent.asks if isinstance(agent.asks, int) else len(scenario.makers) for agent in agents])

        def of_agents(field: str) -> Array:
            return np.array([getattr(agent, field) for agent in agents], dtype=np.float64)

        def normal(draws: Sequence[Draw]) -> Array:
            return np.array([draw == "normal" for draw in draws], np.bool_)

        self._market = market
        self._steps, self._horizon = scenario.steps, scenario.reward_horizon
        self._recorded, self._replayed = Recorded.of(scenario)
        self._makers, self._participants = len(scenario.makers), len(scenario.participants)
        reserves = any(not isinstance(law, AlwaysTrades) for law in demands)
        chooses = bool((np.minimum(panel, allowed.sum(axis=1)) < self._makers).any())
        reserved, chosen = (self._replayed.has_reservations, self._replayed.has_panels) if self._replayed else (False, False)
        self._reserves, self._chooses = reserves or reserved, chooses or chosen
        self._v_max, self._curve_exponent = scenario.exchange.v_max, laws.curve_exponent(scenario.exchange.lam)
        self._rules: TapeRules = TapeRules(
            initial=market.initial_price,
            mid_is_there=self._recorded is not None,
            spread_is_there=isinstance(spread, RecordedSpread),
            orders_are_there=self._replayed is not None,
            reservations_are_there=reserved,
            panels_are_there=chosen,
            mid_price=rule_records(MID_PRICES, [mid], market.clock, of_the_papers),
            mid_numbers=number_rows([mid]),
            mid_normal=normal(mid.draws),
            reference_spread=rule_records(REFERENCE_SPREADS, [spread], market.clock, of_the_papers),
            spread_numbers=number_rows([spread]),
            spread_normal=normal(spread.draws),
            size=size,
            size_numbers=number_rows(sizes),
            uniform_sizes=bool(size["uniform"].any()),
            demand=demand,
            demand_numbers=number_rows(demands),
            uniform_demand=bool(demand["uniform"].any()) and reserves,
            panel=panel,
            allowed=allowed,
            largest=scenario.exchange.largest_trade,
            trade_probability=of_agents("trade_probability"),
            activity=market.activity_at(np.arange(scenario.steps if market.activity else 1))[np.newaxis],
            buy_probability=of_agents("buy_probability"),
            oracle_probability=of_agents("oracle_probability"),
            of_the_papers=of_the_papers,
        )

    def draw(self, episodes: Sequence[Episode], given: Mapping[str, Array] = MappingProxyType({})) -> Tape:
        """The tape of some markets, each from its own random numbers; prices that are `given`, by name, are not drawn."""
        from dealermarket.compiled import among
        from dealermarket.draws.arithmetic import draw_tapes, log_curves

        places = places_of(episodes)
        begin = None if self._recorded is None or not self._market.activity else self._recorded.steps_of_day(episodes)
        rules = self._rules._replace(
            mid_is_there=self._rules.mid_is_there or "mid" in given,
            spread_is_there=self._rules.spread_is_there or "reference_spread" in given,
            activity=self._rules.activity if begin is None else self._market.activity_at(begin + np.arange(self._steps)),
        )
        most = self._likely_orders(len(episodes), rules.activity) if self._replayed is None else self._replayed.count(episodes)
        while True:
            room = self._room(len(episodes), most)
            if self._recorded is not None:
                self._recorded.write(episodes, room.mid, room.reference_spread if rules.spread_is_there else None)
            if self._replayed is not None:
                self._replayed.write(episodes, room)
            for name, prices in given.items():
                getattr(room, name)[:] = prices
            count, sound_sizes = among(draw_tapes, rules.of_the_papers)(rules, places, room)
            if count >= 0:
                break
            most *= 2  # and the same numbers once more
        if not are_prices(room.mid):
            raise ParameterError("market.mid_price: with this drift and volatility prices reach 0 or infinity; lower them")
        if not are_prices(room.reference_spread):
            raise ParameterError("market.reference_spread: with these parameters spreads reach 0 or infinity; change them")
        if not sound_sizes:
            raise ParameterError("investors: a law of sizes gives sizes that are not above 0; change it")
        if np.isnan(room.reservation[:count]).any():
            raise ParameterError("investors: a law of demand gives reservations that are no numbers; change it")
        drawn = {name: array[:count] if name in _OF_ORDERS else array for name, array in room._asdict().items()}
        return Tape(**drawn | {"log_curve": log_curves(drawn["size"], self._v_max, self._curve_exponent)})

    def _room(self, episodes: int, orders: int) -> TapeArrays:
        from dealermarket.draws.arithmetic import TapeArrays

        def empty(name: str, *shape: int) -> Array:
            return np.empty(shape, _KINDS.get(name, (2, np.float64))[1])

        steps, makers = self._steps, self._makers
        shapes = dict.fromkeys(_OF_ORDERS, (orders,)) | {
            "log_curve": (0,),  # worked out when sizes are known
            "reservation": (orders if self._reserves else 0,),
            "asked": (orders if self._chooses else 0, makers),
            "mid": (episodes, steps + self._horizon),
            "reference_spread": (episodes, steps),
            "order_start": (episodes, steps + 1),
            "hedge_tie": (episodes, steps, makers),
            "tie_order": (episodes, makers, self._participants),
            "capped": (episodes,),
        }
        return TapeArrays(**{name: empty(name, *shape) for name, shape in shapes.items()})

    def _likely_orders(self, episodes: int, activity: Array) -> int:
        """Room for the orders of some episodes, which hardly ever is too little, and for one more step."""
        probability, often = self._rules.trade_probability, (float(np.mean(activity**power)) for power in (1, 2))
        first, second = (np.sum(probability**power) * mean for power, mean in zip((1, 2), often, strict=True))
        mean, variance = episodes * self._steps * first, max(episodes * self._steps * (first - second), 0.0)
        return int(mean + 8.0 * math.sqrt(variance)) + len(probability) + 1
