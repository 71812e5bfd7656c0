"""The dealer market as one would write it in Mesa: the general-purpose comparison of the benchmark.

Ganesh et al. (2019), *Multi-Agent Simulation for Pricing and Hedging in a Dealer Market*: one agent an investor, one an
agent a market maker, one market a model. Only parameters are read from the scenario; every law is written out here.
It covers average-yield tiering, power pricing without skew and optimal hedging with the other makers (or none), and
refuses what else a scenario may hold. Optimal hedging is solved in one of two ways, the same for all makers:

- "linear": the best n of n equal trades, a cheap heuristic;
- "scipy": SciPy's SLSQP over the whole schedule, from one start; what the model asks for, and slow. Time it with
  OPENBLAS_NUM_THREADS=1 in the environment: its small linear algebra is several times slower with BLAS threads.

Mesa 3.3 and later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeVar

import mesa  # type: ignore[import-untyped, unused-ignore]
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.sizes import LogNormalSize
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging.none import NoHedge
from dealermarket.model.makers.hedging.optimal import AlmgrenChriss
from dealermarket.model.makers.pricing import PowerPricing
from dealermarket.model.makers.tiering.average_yield import AverageYield
from dealermarket.model.market.mid_price import GeometricBrownianMotion
from dealermarket.model.market.reference_spread import ClippedNormal
from dealermarket.model.scenario import Scenario

HedgingMode = Literal["linear", "scipy"]
Floats = NDArray[np.float64]
Amount = TypeVar("Amount", float, Floats)  # a number, or many


class Trade(NamedTuple):
    """What a maker remembers of a trade it quoted until its position revenue is known; `side` is the client's."""

    client: Participant
    side: int
    size: float
    spread: float


class Participant(mesa.Agent):  # type: ignore[misc, unused-ignore]
    """Anyone who trades: has a name and a position."""

    model: DealerMarket

    def __init__(self, model: DealerMarket, name: str) -> None:
        super().__init__(model)
        self.name = name
        self.position = 0.0


class Investor(Participant):
    """A price taker (section 3.2)."""

    def __init__(self, model: DealerMarket, parameters: InvestorAgent) -> None:
        super().__init__(model, parameters.name)
        self.trade_probability = parameters.trade_probability
        size = parameters.order_size
        if not isinstance(size, LogNormalSize):
            raise TypeError(f"{self.name}: only log-normal sizes are written for Mesa")
        self.log_mean = size.size_log_mean
        self.log_std = size.log_std
        self.buy_probability = parameters.buy_probability
        self.oracle_probability = parameters.oracle_probability

    def step(self) -> None:
        """Trades with the cheapest maker, or does not trade."""
        if self.random.random() < self.trade_probability:
            size = min(self.random.lognormvariate(self.log_mean, self.log_std), self.model.largest_trade)
            side = self.choose_side()
            self.model.trade(self, self.model.makers, side, size)
            self.position += side * size

    def choose_side(self) -> int:
        """+1 to buy, -1 to sell: by the price move to come where the oracle tells it, else by a coin."""
        if self.oracle_probability > 0 and self.random.random() < self.oracle_probability:
            move = self.model.future_move
            if move != 0:
                return 1 if move > 0 else -1
        return 1 if self.random.random() < self.buy_probability else -1


class MarketMaker(Participant):
    """Tiers the other participants, quotes to them, and hedges with the other makers (section 3.3)."""

    def __init__(self, model: DealerMarket, parameters: MarketMakerAgent) -> None:
        super().__init__(model, parameters.name)
        tiering, pricing, hedging = parameters.tiering, parameters.pricing, parameters.hedging
        if not isinstance(tiering, AverageYield) or tiering.pins:
            raise ValueError(f"{self.name}: only average_yield tiering without pins is written for Mesa")
        if not isinstance(pricing, PowerPricing) or pricing.eps_buy != 0 or pricing.eps_sell != 0:
            raise ValueError(f"{self.name}: only the paper's pricing without skew is written for Mesa")
        self.tiers = tiering.tiers
        self.weight = tiering.weight
        self.alpha = pricing.alpha
        self.tier_penalty = pricing.tier_penalty
        self.hedges = not isinstance(hedging, NoHedge)
        if self.hedges:
            if not isinstance(hedging, AlmgrenChriss) or hedging.venue != "makers":
                raise ValueError(f"{self.name}: only optimal hedging with the other makers, or none, is written for Mesa")
            volatility = model.volatility if hedging.volatility == "market" else hedging.volatility
            # gamma s: the price of one step's risk, per unit of the price
            self.risk_price = hedging.risk_aversion * volatility * model.dt**0.5
            self.pieces = np.arange(1, hedging.horizon + 1)
            # sqrt(sum y_k^2) of n equal trades, for each n
            self.pieces_risk = np.sqrt((self.pieces - 1) * (2 * self.pieces - 1) / (6 * self.pieces))

        # what has been traded and not settled yet, and the steps that have not matured yet
        self.trades: list[Trade] = []
        self.flow = 0.0
        self.open_steps: deque[tuple[float, list[Trade], float]] = deque()

        self.cash = 0.0
        self.spread_revenue = 0.0
        self.position_revenue = 0.0
        self.hedging_cost = 0.0
        self.risk_cost = 0.0

    def meet(self, participants: Iterable[Participant]) -> None:
        """Learns who there is, once everybody exists: nobody is known yet, ties are broken at random."""
        self.ranking = [other for other in participants if other is not self]
        self.random.shuffle(self.ranking)
        self.rivals = [other for other in self.ranking if isinstance(other, MarketMaker)]
        self.average_yield = dict.fromkeys(self.ranking, 0.0)
        self.has_traded: set[Participant] = set()
        self.tier_of_rank = [rank * self.tiers // len(self.ranking) for rank in range(len(self.ranking))]
        self.update_tiers()

    @property
    def total_reward(self) -> float:
        """The sum of the four rewards (section 3.4) so far."""
        return self.spread_revenue + self.position_revenue + self.hedging_cost + self.risk_cost

    @property
    def mark_to_market(self) -> float:
        """Profit so far, the position valued at mid."""
        return self.cash + self.position * self.model.mid

    # --- the phases of a step

    def observe_price(self) -> None:
        """Pays the risk cost on the position held, and learns the revenue of the trades made t_m steps ago."""
        self.risk_cost += min(self.position * self.model.last_move, 0.0)
        if len(self.open_steps) == self.model.reward_horizon:
            mid_then, trades, flow = self.open_steps.popleft()
            move = self.model.mid - mid_then
            self.position_revenue += move * flow
            for trade in trades:
                self.learn_yield(trade.client, trade.spread - trade.side * move)

    def learn_yield(self, client: Participant, new_yield: float) -> None:
        """Moves the client's average yield towards the yield of a matured trade; the first one sets it."""
        if client in self.has_traded:
            self.average_yield[client] += self.weight * (new_yield - self.average_yield[client])
        else:
            self.average_yield[client] = new_yield
            self.has_traded.add(client)

    def update_tiers(self) -> None:
        """Cuts the other participants into quantiles of average yield, 0 the best.

        The sort is stable, so that those who have not traded stay in their random order; and it is fast, for the ranking
        is nearly sorted from the last step.
        """
        self.ranking.sort(key=self.average_yield.__getitem__, reverse=True)
        self.tier = dict(zip(self.ranking, self.tier_of_rank, strict=True))

    def hedge(self) -> None:
        """Trades a part of the position held into the step with the cheapest other maker, dust left aside."""
        if self.hedges and abs(self.position) > self.model.dust:
            size = self.hedge_size(abs(self.position))
            side = -1 if self.position > 0 else 1
            spread = self.model.trade(self, self.rivals, side, size)
            self.flow += side * size
            self.cash -= (side * self.model.mid + spread) * size
            self.hedging_cost -= spread * size

    def settle(self) -> None:
        """Moves the position by the trades of the step and files them until they mature."""
        self.position += self.flow
        self.open_steps.append((self.model.mid, self.trades, self.flow))
        self.trades, self.flow = [], 0.0

    # --- quoting

    def quote(self, relative: Amount, client: Participant) -> Amount:
        """Cost per unit to a client (eq. 5), of a size for which the exchange asks `relative` = S_ref(v) / S_ref(0)."""
        curve: Amount = relative**self.alpha
        return self.model.half_spread * curve + self.tier_penalty * self.tier[client]

    def fill(self, client: Participant, side: int, size: float, spread: float) -> None:
        """Trades at its quote with a client who buys (+1) or sells (-1)."""
        self.trades.append(Trade(client, side, size, spread))
        self.flow -= side * size
        self.cash += (side * self.model.mid + spread) * size
        self.spread_revenue += spread * size

    # --- hedging

    def hedge_size(self, size: float) -> float:
        """How much of a position to trade now: the first piece of the schedule (section 3.3, eq. 7)."""
        largest = self.model.largest_trade
        if size >= largest * len(self.pieces):
            return largest
        first_piece = self.scipy_piece if self.model.hedging == "scipy" else self.linear_piece
        return min(first_piece(size), largest)

    def envelope(self, sizes: Floats) -> Floats:
        """Cost per unit of trades of these sizes with the cheapest other maker."""
        relative = self.model.relative_spread(sizes)
        quotes = [rival.quote(relative, self) for rival in self.rivals]
        return quotes[0] if len(quotes) == 1 else np.min(quotes, axis=0)

    def linear_piece(self, size: float) -> float:
        """One of n equal pieces, for the n that costs least."""
        fewest = int(np.ceil(size / self.model.largest_trade))
        sizes = size / self.pieces[fewest - 1 :]
        value = self.envelope(sizes) + self.risk_price * self.model.mid * self.pieces_risk[fewest - 1 :]
        return float(sizes[np.argmin(value)])

    def scipy_piece(self, size: float) -> float:
        """The first piece of the schedule that SLSQP finds, in units of S_ref(0) and from equal pieces."""
        horizon = len(self.pieces)
        half_spread = self.model.half_spread
        risk_price = self.risk_price * self.model.mid / half_spread

        def objective(fractions: Floats) -> float:
            left = 1.0 - np.cumsum(fractions)[:-1]
            cost = fractions @ self.envelope(size * np.maximum(fractions, 1e-9)) / half_spread
            # the kink where nothing is left misleads finite differences: round it off
            return float(cost + risk_price * np.sqrt(left @ left + 1e-12))

        solution = minimize(
            objective,
            np.full(horizon, 1.0 / horizon),
            method="SLSQP",
            bounds=[(0.0, min(1.0, self.model.largest_trade / size))] * horizon,
            constraints=LinearConstraint(np.ones(horizon), 1.0, 1.0),
            tol=1e-8,
        )
        return size * float(solution.x[0])


class DealerMarket(mesa.Model):  # type: ignore[misc, unused-ignore]
    """The market of a scenario; `hedging` is how makers look for the optimal hedge, "linear" or "scipy"."""

    def __init__(self, scenario: Scenario, seed: int = 0, hedging: HedgingMode = "linear") -> None:
        super().__init__(rng=seed)
        if hedging not in ("linear", "scipy"):
            raise ValueError(f"hedging: must be 'linear' or 'scipy', got {hedging!r}")
        if scenario.market.spreads_scale_with_price:
            raise ValueError("spreads_scale_with_price is not written for Mesa")
        # not self.scenario, a name that Mesa 3.5 keeps for itself
        self.hedging = hedging
        self.last_step = scenario.steps - 1
        self.reward_horizon = scenario.reward_horizon
        self.dt = scenario.market.dt
        law = scenario.market.mid_price
        if not isinstance(law, GeometricBrownianMotion):
            raise TypeError("only geometric Brownian motion is written for Mesa")
        self.volatility = law.volatility
        self.v_max = scenario.exchange.v_max
        self.lam = scenario.exchange.lam
        self.largest_trade = 0.99 * self.v_max
        self.dust = 1e-9 * self.v_max  # smaller positions are rounding, and S_ref loses its digits

        self.mids = self.sample_mids(scenario, law)
        self.half_spreads = self.sample_half_spreads(scenario)
        self.mid = self.mids[0]
        self.half_spread = self.half_spreads[0]
        self.last_move = self.future_move = 0.0

        self.investors = [Investor(self, parameters) for parameters in scenario.agents]
        self.makers = [MarketMaker(self, parameters) for parameters in scenario.makers]
        self.agents_by_type[MarketMaker].do("meet", [*self.investors, *self.makers])

    def sample_mids(self, scenario: Scenario, law: GeometricBrownianMotion) -> list[float]:
        """Geometric Brownian motion (section 3.1), t_m prices beyond the last step for the oracle."""
        normal = self.rng.standard_normal(scenario.steps + scenario.reward_horizon - 1)
        moves = (law.drift - law.volatility**2 / 2) * self.dt + law.volatility * self.dt**0.5 * normal
        mids: list[float] = (law.initial * np.exp(np.cumsum(np.concatenate(([0.0], moves))))).tolist()
        return mids

    def sample_half_spreads(self, scenario: Scenario) -> list[float]:
        """S_ref(0) = s0 / 2 of every step (section 3.1)."""
        law = scenario.market.reference_spread
        if not isinstance(law, ClippedNormal):
            raise TypeError("only clipped normal spreads are written for Mesa")
        spreads = self.rng.normal(law.mean, law.std, scenario.steps).clip(law.minimum, law.maximum)
        half_spreads: list[float] = (spreads / 2).tolist()
        return half_spreads

    def step(self) -> None:
        """One step of 15 minutes (section 3): the price moves, makers re-tier, investors trade, makers hedge."""
        t = self.steps - 1  # Mesa has counted this step already
        self.mid = self.mids[t]
        self.half_spread = self.half_spreads[t]
        self.last_move = self.mid - self.mids[t - 1] if t > 0 else 0.0
        self.future_move = self.mids[t + self.reward_horizon] - self.mid
        makers, investors = self.agents_by_type[MarketMaker], self.agents_by_type[Investor]
        makers.do("observe_price")
        makers.do("update_tiers")
        investors.do("step")
        makers.do("hedge")
        makers.do("settle")
        self.running = t < self.last_step

    def trade(self, client: Participant, makers: list[MarketMaker], side: int, size: float) -> float:
        """Trades with the cheapest of the makers, one of them at random on a tie; returns its spread."""
        relative = self.relative_spread(size)
        quotes = [maker.quote(relative, client) for maker in makers]
        spread = min(quotes)
        cheapest = [maker for maker, quote in zip(makers, quotes, strict=True) if quote == spread]
        maker = cheapest[0] if len(cheapest) == 1 else self.random.choice(cheapest)
        maker.fill(client, side, size, spread)
        return spread

    def relative_spread(self, size: Amount) -> Amount:
        """S_ref(v) / S_ref(0) of the exchange (section 3.1)."""
        fraction = size / self.v_max
        curve: Amount
        if self.lam == 2:
            curve = -np.log1p(-fraction) / fraction
        else:
            omega = (self.lam - 1) / (self.lam - 2)
            curve = omega / fraction * (1 - (1 - fraction) ** (1 / omega))
        return curve


def run(scenario: Scenario, steps: int, seed: int = 0, hedging: HedgingMode = "linear") -> dict[str, float]:
    """The total reward of every maker, by name, after `steps` steps of the scenario."""
    model = DealerMarket(scenario.replace(steps=steps), seed, hedging)
    for _ in range(steps):
        model.step()
    return {maker.name: maker.total_reward for maker in model.makers}
