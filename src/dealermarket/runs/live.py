"""A market driven live: prices and orders handed in as they come, with no knowledge of the future."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket import laws
from dealermarket.draws.checks import check_draws, check_orders, check_prices, numbers, order_rows
from dealermarket.draws.streams import Episode, Stream, places_of
from dealermarket.errors import TapeError
from dealermarket.model.scenario import RESERVED_NAME, Scenario, check_scenario
from dealermarket.policies import Policy
from dealermarket.runs.statistics import REWARDS
from dealermarket.runs.tables import KINDS
from dealermarket.values import whole_number

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays

Array = NDArray[Any]


class LiveTrade(NamedTuple):
    """A trade just done: `side` +1 the taker buys, `spread` paid per unit (price units), `kind` order or hedge."""

    taker: str
    maker: str
    side: int
    size: float
    spread: float
    tier: int
    kind: str


class LiveMarket:
    """One market, one step at a time: `begin` with the step's prices, then `finish` with its orders.

    The same engine as a run, and the same numbers as a run on a tape of the same prices, orders and draws. With `market.impact`
    the mids handed in are those that the market would have without these makers, and what their hedges add comes on top: see
    `mid`.

    Parameters
    ----------
    scenario : Scenario
        Investors, makers and exchange. Nothing limits the number of steps: the scenario's is ignored.
    seed : int, default 0
        Seed of the draws that break ties.
    policies : mapping of str to Policy, optional
        Policies that act in place of the scenario's, by name of the maker.

    Raises
    ------
    ParameterError
        If the scenario is none, or the seed is below 0.
    PolicyError
        If a policy is none, cannot act as its maker, or there is no such maker.

    Examples
    --------
    >>> from dealermarket import LiveMarket, Scenario
    >>> market = LiveMarket(Scenario.load("paper"))
    >>> market.begin(mid=1.0, reference_spread=1.5e-4)
    >>> trades = market.finish([(3, +1, 2.5)])  # investor 3 buys 2.5 units
    >>> trades[0].size, trades[0].kind
    (2.5, 'order')

    """

    def __init__(self, scenario: Scenario, seed: int = 0, policies: Mapping[str, Policy] | None = None) -> None:
        from dealermarket.draws.arithmetic import draw_orders_of_ties
        from dealermarket.engine.recorder import empty_record
        from dealermarket.engine.rules import rules_of
        from dealermarket.runs.session import Session, acting_policies

        check_scenario(scenario)
        whole_number("seed", seed, 0)
        acting = acting_policies(scenario, policies or {})
        self.scenario = scenario
        makers, participants = len(scenario.makers), len(scenario.participants)
        episode = Episode(seed, 0)
        self._tie_order = np.empty((1, makers, participants), np.int32)
        draw_orders_of_ties(places_of([episode])[0], self._tie_order[0])
        self._ties = episode.generator(Stream.LIVE_TIE)
        rules = rules_of(scenario)
        record = empty_record(rules, np.zeros(1, np.int64), 1)
        self._session = Session(scenario, rules, record, acting, 1)
        self._session.restart([episode])
        self._prices: tuple[float, float] | None = None

    def __repr__(self) -> str:
        return f"<LiveMarket of {self.scenario.name!r}: at step {self.step}>"

    @property
    def step(self) -> int:
        """The number of the next step, or of the step under way."""
        return self._session.step

    @property
    def position(self) -> dict[str, float]:
        """Every maker's position, units of the asset."""
        return dict(zip(self.scenario.maker_names, self._session.state.position[0].tolist(), strict=True))

    @property
    def mid(self) -> float | None:
        """The mid of the step under way, or of the last one, with the impact of makers' hedges; None before the first."""
        return float(self._session.state.price[0, 0]["mid"]) if self._prices is not None or self.step else None

    @property
    def tiers(self) -> dict[str, dict[str, int]]:
        """The tier in which every maker's own policy puts every other participant."""
        names = self.scenario.participants
        return {
            maker: {name: int(tier) for name, tier in zip(names, row, strict=True) if name != maker}
            for maker, row in zip(self.scenario.maker_names, self._session.state.tier[0].T, strict=True)
        }

    @property
    def rewards(self) -> dict[str, dict[str, float]]:
        """Every maker's sums so far of the four rewards, and its mark-to-market P&L."""
        totals = self._session.state.totals[0]
        return {
            maker: {name: float(totals[i][name]) for name in (*REWARDS, "pnl")}
            for i, maker in enumerate(self.scenario.maker_names)
        }

    def begin(self, mid: float, reference_spread: float) -> None:
        """The prices of the next step: risk is charged, trades mature, tiers change. Raises TapeError, and ParameterError where
        impact has moved the mid to 0 or below."""
        if self._prices is not None:
            raise TapeError(f"begin: step {self.step} has begun already; hand its orders to finish first")
        prices = {"mid": numbers("mid", mid, [()]), "reference_spread": numbers("reference_spread", reference_spread, [()])}
        for name, price in prices.items():
            check_prices(name, price)
        self._prices = (float(prices["mid"]), float(prices["reference_spread"]))
        self._session.use(self._tape(np.empty((0, 4)), np.zeros(len(self.scenario.makers))))
        self._session.begin()

    def finish(self, orders: Iterable[Sequence[float]] = (), hedge_tie: ArrayLike | None = None) -> list[LiveTrade]:
        """The orders of the step: they trade, makers hedge, positions move. Returns the trades, in order.

        `orders` are rows (investor number, side, size) or (investor number, side, size, tie draw), executed one after the
        other; `hedge_tie` (M,) the draws of the hedges. Draws left out come from the seed. Raises TapeError.
        """
        if self._prices is None:
            raise TapeError("finish: hand the step's prices to begin first")
        rows, drawn = order_rows(orders, "investor, side, size")
        check_orders(self.scenario, np.zeros(len(rows)), *rows.T)  # as those of one step
        draws = self._hedge_ties(hedge_tie)
        rows[~drawn, 3] = self._ties.random((~drawn).sum())
        self._session.use(self._tape(rows, draws))
        self._session.act()
        slot = self.step % self.scenario.reward_horizon
        self._session.finish()
        self._prices = None
        state, names = self._session.state, (*self.scenario.participants, RESERVED_NAME)
        done = state.pending[0, slot, : state.pending_count[0, slot]]
        return [
            LiveTrade(
                taker=names[trade["taker"]],
                maker=names[trade["maker"]],
                side=int(trade["side"]),
                size=float(trade["volume"]),
                spread=float(trade["spread"]),
                tier=int(trade["tier"]),
                kind=KINDS[trade["kind"]],
            )
            for trade in done
        ]

    def _hedge_ties(self, given: ArrayLike | None) -> Array:
        makers = len(self.scenario.makers)
        if given is None:
            return self._ties.random(makers)
        draws = numbers("hedge_tie", given, [(makers,)])
        check_draws("hedge_tie", draws)
        return draws

    def _tape(self, rows: Array, hedge_tie: Array) -> TapeArrays:
        """The current step as a tape: rows of (investor, side, size, tie), and the hedges' draws (M,)."""
        from dealermarket.draws.arithmetic import TapeArrays, log_curves

        assert self._prices is not None
        exchange = self.scenario.exchange
        size = np.ascontiguousarray(rows[:, 2])
        return TapeArrays(
            mid=np.array([[self._prices[0]]]),
            reference_spread=np.array([[self._prices[1]]]),
            order_start=np.array([[0, len(rows)]]),
            investor=rows[:, 0].astype(np.int32),
            side=rows[:, 1].astype(np.int8),
            size=size,
            log_curve=log_curves(size, exchange.v_max, laws.curve_exponent(exchange.lam)),
            tie=np.ascontiguousarray(rows[:, 3]),
            reservation=np.empty(0),
            asked=np.empty((0, len(self.scenario.makers)), np.bool_),
            hedge_tie=hedge_tie[None, None],
            tie_order=self._tie_order,
            capped=np.zeros(1, np.int64),
        )
