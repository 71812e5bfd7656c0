"""A market of ours that becomes the FX dealer's problem as its steps get shorter, and its optimum in the problem's units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from dealermarket.control import Decision, Optimum, Reward
from dealermarket.control.dealer import ClientTier, DealerProblem
from dealermarket.model.exchange import Exchange
from dealermarket.model.makers.policies import OptimalMaker
from dealermarket.model.scenario import Scenario

Floats = NDArray[np.float64]

BASIS_POINT = 1e-4  # at a price of 1
DAYS = 1.0  # of a run
DAYS_A_YEAR = 252
CLIENTS = 8
LAM = 1.1  # of the exchange: the nearer to 1, the nearer are its costs to a parabola

PROBLEM = DealerProblem(
    sizes=(1.0,),
    tiers=(ClientTier(a=-1.0, b=10.0, rates=(100.0,)),),
    volatility=50.0,
    linear_cost=0.05,
    quadratic_cost=5e-5,
    risk_aversion=4e-5,
    largest_inventory=20.0,
)
"""Clients of USDCNH, a tenth of them and of one size, whose dealer hedges one M in twenty; no impact."""


@dataclass(frozen=True)
class Limit:
    """One maker of ours, whose clients ask it alone and who hedges at the exchange, in `steps_per_day` steps a day.

    With h the length of a step, `problem` of one tier and one size z is met as follows: a step has 2 rate h requests on average;
    S_ref(0) = phi; S_ref(v) v = phi v + eta v^2 / h for small v; and reservations are logistic with mean -a / b and scale 1 / b
    in bp, which the market counts in units of S_ref(z). A mid that moves by volatility sqrt(h) and the reward P&L less
    gamma / 2 times the square of what the mid does to the position are those of the problem."""

    problem: DealerProblem
    steps_per_day: int

    @cached_property
    def scenario(self) -> Scenario:
        """The market, for `DAYS`, with the optimal maker."""
        problem, (tier,), (size,) = self.problem, self.problem.tiers, self.problem.sizes
        demand = {"kind": "logistic", "mean": -tier.a / (tier.b * self.unit_cost), "scale": 1.0 / (tier.b * self.unit_cost)}
        investors = {
            "name": "client",
            "count": CLIENTS,
            "trade_probability": 2.0 * tier.rates[0] / self.steps_per_day / CLIENTS,
            "size": {"kind": "ladder", "sizes": [size], "weights": [1.0]},
            "demand": demand,
        }
        maker = {
            "name": "dealer",
            "tiering": {"kind": "fixed", "tiers": 1},
            "pricing": {"alpha": 1.0, "tier_penalty": 0.0},
            "hedging": {"kind": "fraction", "fraction": 0.0, "venue": "exchange"},
            "policy": OptimalMaker(reward=self.reward).model_dump(mode="json"),
        }
        market = {
            "steps_per_day": self.steps_per_day,
            "days_per_year": DAYS_A_YEAR,
            "mid_price": {"kind": "gbm", "volatility": problem.volatility * BASIS_POINT * float(np.sqrt(DAYS_A_YEAR))},
            "reference_spread": {"kind": "constant", "mean": 2.0 * problem.linear_cost * BASIS_POINT},
        }
        return Scenario.model_validate(
            {
                "name": f"limit-{self.steps_per_day}",
                "steps": round(DAYS * self.steps_per_day),
                "exchange": {"lam": LAM, "v_max": self.exchange.v_max},
                "market": market,
                "investors": [investors],
                "makers": [maker],
            }
        )

    @property
    def reward(self) -> Reward:
        """What the maker wants, in bp M."""
        return Reward(weights="pnl", unit=BASIS_POINT, inventory_pnl_squared=0.5 * self.problem.risk_aversion)

    @property
    def exchange(self) -> Exchange:
        """S_ref(v) = S_ref(0) (1 + slope v / v_max + ...), where slope = 1 / (2 (lam - 1)) is that of g at 0."""
        problem = self.problem
        return Exchange(lam=LAM, v_max=problem.linear_cost * 0.5 / (LAM - 1.0) / self.steps_per_day / problem.quadratic_cost)

    @property
    def unit_cost(self) -> float:
        """S_ref at the size of the orders, bp."""
        return self.problem.linear_cost * float(self.exchange.relative_spread(np.array([self.problem.sizes[0]]))[0])

    @cached_property
    def optimum(self) -> Optimum:
        """The best that the maker can do."""
        return Decision.of(self.scenario, reward=self.reward).solve()

    @property
    def lattice(self) -> float:
        """The distance of positions at which the optimum is worked out, M."""
        positions = self.optimum.positions
        return float(positions[1] - positions[0])

    @cached_property
    def gain(self) -> float:
        """What is earned a day where neither the start nor the end is near, bp M: from one quarter of the run to its middle."""
        steps, flat = len(self.optimum.values) - 1, len(self.optimum.positions) // 2
        first, last = steps // 4, steps // 2
        values = self.optimum.values[:, flat]
        return float((values[first] - values[last]) / (last - first) * self.steps_per_day)

    @cached_property
    def zone(self) -> float:
        """The position at which one M more costs as much as the cheapest hedge of it, M: nothing is hedged up to there."""
        positions = self.optimum.positions
        held = positions >= 0
        cost = -np.diff(self.optimum.values[self.middle, held]) / self.lattice
        middles = positions[held][:-1] + 0.5 * self.lattice
        beyond = int(np.argmax(cost > self.problem.linear_cost))
        low, high = cost[beyond - 1], cost[beyond]
        return float(middles[beyond - 1] + (self.problem.linear_cost - low) / (high - low) * self.lattice)

    @property
    def middle(self) -> int:
        """A step that is far from both ends."""
        return self.scenario.steps // 2

    def quotes(self, inventory: Floats) -> tuple[Floats, Floats, Floats]:
        """By inventory (n,), M: markups over the mid at which the maker buys, and sells, bp, and how fast it hedges, M a day,
        below 0 for sales."""
        s0 = 2.0 * self.problem.linear_cost * BASIS_POINT
        eps_buy, eps_sell, fraction = self.optimum.quotes(self.middle, inventory, s0)
        rate = 0.0 - inventory * fraction * self.steps_per_day
        return self.unit_cost * (1.0 + eps_sell), self.unit_cost * (1.0 + eps_buy), rate

    @cached_property
    def spread(self) -> float:
        """What a client pays from one side to the other without inventory, bp."""
        buys, sells, _ = self.quotes(np.zeros(1))
        return float(buys[0] + sells[0])


@lru_cache(maxsize=16)
def limit(problem: DealerProblem, steps_per_day: int) -> Limit:
    """Solved once; claims, tables and figures ask for the same ones."""
    return Limit(problem, steps_per_day)
