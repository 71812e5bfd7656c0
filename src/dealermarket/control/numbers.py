"""A decision problem in numbers: lattice, laws and costs, in the units of the reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.control.competition import Competition, laws_of
from dealermarket.control.flow import Investors, investors_of, kernel, lattice_step, size_nodes
from dealermarket.control.prices import moves, reference_spreads
from dealermarket.control.quoting import Income, Quoting
from dealermarket.engine.learners import Scales
from dealermarket.engine.scales import scales_of
from dealermarket.errors import ParameterError
from dealermarket.laws import risk_penalty
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import AlwaysTrades
from dealermarket.model.makers.reward import Reward
from dealermarket.model.scenario import Scenario

Floats = NDArray[np.float64]

MOST_POSITIONS = 2001
"""On a finer or wider lattice a solution takes minutes."""
_REACH = 3  # the lattice goes as far as so many steps of nearly the most that clients trade on one side
_NEARLY = 1e-4
_STEEP = 0.0125  # how much dearer a hedge may get from one place of the lattice to the next: else the best one is between them
_HALVINGS = 4


def clients_of(scenario: Scenario, index: int) -> list[InvestorAgent]:
    """The investors who ask a maker for quotes."""
    name = scenario.maker_names[index]
    return [agent for agent in scenario.agents if agent.trade_probability > 0 and _asks(agent, name)]


def _asks(agent: InvestorAgent, name: str) -> bool:
    return name in agent.asks if isinstance(agent.asks, tuple) else True


def curve_ratios(scenario: Scenario, index: int, rival: int) -> Floats:
    """How much the maker's curve is above a rival's, at eps = 0 and the sizes of its clients: one number for each size."""
    own, other = (scenario.makers[n].pricing.power_of_reference for n in (index, rival))
    assert own is not None
    assert other is not None
    return np.asarray(_curve(scenario, _all_sizes(scenario, index)) ** (own - other))


def relative_levels(scenario: Scenario, index: int) -> Floats:
    """The maker's curve at eps = 0 over the reference curve, at the sizes of its clients."""
    own = scenario.makers[index].pricing.power_of_reference
    assert own is not None
    return np.asarray(_curve(scenario, _all_sizes(scenario, index)) ** (own - 1.0))


def surcharges(scenario: Scenario, maker: int, clients: Sequence[InvestorAgent]) -> Floats:
    """What each client pays a maker besides its curve, (clients,), price units at a price of 1: delta u."""
    agent, tiers = scenario.makers[maker], scenario.makers[maker].tiering.fixed_tiers
    penalty = getattr(agent.pricing, "tier_penalty", 0.0)
    return np.array([penalty * tiers.get(client.name, 0) for client in clients])


def _curve(scenario: Scenario, sizes: Floats) -> Floats:
    return scenario.exchange.relative_spread(sizes)


def _all_sizes(scenario: Scenario, index: int) -> Floats:
    laws = {agent.order_size for agent in clients_of(scenario, index)}
    return np.concatenate([size_nodes(size, scenario.exchange.largest_trade)[0] for size in laws])


class Lattice(NamedTuple):
    """Positions `step` apart, from -`reach` to `reach` of them, and the investors whose orders move on it."""

    step: float
    reach: int
    investors: tuple[Investors, ...]

    @classmethod
    def of(cls, scenario: Scenario, index: int, clients: Sequence[InvestorAgent]) -> Lattice:
        """That of a maker and its clients. Raises ParameterError for one that is too large."""
        busiest = float(scenario.market.activity_at(np.arange(scenario.steps)).max())
        step = _fine_step(scenario, index, clients, busiest)
        investors = investors_of(scenario, clients, step)
        reach = _typical_reach(clients, step, busiest)
        if 2 * reach + 1 <= 2 * MOST_POSITIONS:  # else not even worth counting
            reach = _reach(investors, busiest)
        if 2 * reach + 1 > MOST_POSITIONS:
            raise ParameterError(
                f"investors: the optimum needs {2 * reach + 1:,} positions {step:g} units apart, at most {MOST_POSITIONS:,} are "
                "possible; give orders sizes with a larger common divisor, or fewer investors"
            )
        return cls(step, reach, tuple(investors))


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the recursion reads. Positions are `step` apart and go from -`reach` to `reach` of them."""

    scenario: Scenario
    index: int
    reward: Reward
    step: float
    reach: int
    spreads: Floats  # (n,): nodes of s0
    weights: Floats  # (n,)
    level: float  # of the income and of hedging costs: half of it times s0 is S_ref(0) over the unit of money
    quoting: Quoting
    investors: tuple[Investors, ...]
    bought: tuple[float, float]  # the sum of v g(v)^alpha of clients who buy, and who sell, in a step of mean activity
    extra: tuple[float, float]  # the same of delta u v, over the unit of money
    activity: Floats  # (T,)
    hedges: bool

    @classmethod
    def of(cls, scenario: Scenario, index: int, reward: Reward) -> Numbers:
        """Of a scenario that can be solved, see `nearest`. Raises ParameterError for a lattice that is too large."""
        clients = clients_of(scenario, index)
        activity = scenario.market.activity_at(np.arange(scenario.steps))
        lattice = Lattice.of(scenario, index, clients)
        scales, market, maker = scales_of(scenario, reward), scenario.market, scenario.makers[index]
        unit = market.initial_price if market.spreads_scale_with_price else 1.0
        alpha = maker.pricing.power_of_reference
        assert alpha is not None
        largest = scenario.exchange.largest_trade
        nodes = [size_nodes(agent.order_size, largest) for agent in clients]
        volume = np.array([weights @ (sizes * _curve(scenario, sizes) ** alpha) for sizes, weights in nodes])
        plain = surcharges(scenario, index, clients) * np.array([weights @ sizes for sizes, weights in nodes])
        buys = np.array([agent.trade_probability * agent.buy_probability for agent in clients])
        sells = np.array([agent.trade_probability * (1.0 - agent.buy_probability) for agent in clients])
        extra = unit / scales.money * reward.component_weights["spread_revenue"]
        spreads, weights = reference_spreads(market)
        return cls(
            scenario,
            index,
            reward,
            lattice.step,
            lattice.reach,
            spreads,
            weights,
            0.5 * unit / scales.money,
            Quoting(*_competitions(scenario, index, clients)),
            lattice.investors,
            (float(buys @ volume), float(sells @ volume)),
            (extra * float(buys @ plain), extra * float(sells @ plain)),
            activity,
            getattr(maker.hedging, "venue", None) is not None,
        )

    @cached_property
    def positions(self) -> Floats:
        """The lattice, (2 reach + 1,), units of the asset."""
        return np.asarray(self.step * np.arange(-self.reach, self.reach + 1), dtype=np.float64)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.activity)

    @cached_property
    def symmetric(self) -> bool:
        """Whether buying and selling are the same but for the sign."""
        sides = self.quoting.buying == self.quoting.selling and self.extra[0] == self.extra[1]
        return sides and all(kind.buys == 0.5 for kind in self.investors)

    def income(self, step: int, s0: Floats) -> Income:
        """What all orders of a step bring at eps = 0."""
        factor = self.activity[step]
        level = self.reward.component_weights["spread_revenue"] * self.level * s0 * factor
        return Income(level * self.bought[0], level * self.bought[1], self.extra[0] * factor, self.extra[1] * factor)

    def hedging_cost(self, size: Floats, sells: bool) -> Floats:
        """What a hedge costs, units of the reward, for s0 = 1: `size` (n,) >= 0; infinite for more than can trade at once."""
        exchange, alphas = self.scenario.exchange, []
        tradable = size <= exchange.largest_trade * (1.0 + 1e-12)
        curve = exchange.relative_spread(np.minimum(size, exchange.largest_trade))
        venue = getattr(self.scenario.makers[self.index].hedging, "venue", "exchange")
        if venue != "exchange":
            for n, maker in enumerate(self.scenario.makers):
                if n != self.index:
                    alphas.append(maker.pricing.power_of_reference or 1.0)
            side = self.quoting.selling if sells else self.quoting.buying
            curve = side.cheapest_hedge(curve, alphas, venue == "best")
        cost = self.reward.component_weights["hedging_cost"] * self.level * size * curve
        return np.asarray(np.where(tradable, cost, np.inf))

    def penalty(self, step: int, position: Floats) -> Floats:
        """What holding `position` after a step costs in the mean, in the step's reward: risk penalties and risk cost. After the
        last step no price comes any more, and the position alone counts."""
        scales = self._scales
        squared = risk_penalty(0.0, position / scales.position, scales.penalties)
        if step + 1 == self.steps:
            return np.asarray(squared)
        distance, square = self._moves
        weights = self.reward
        losses = 0.5 * np.abs(position) * distance / scales.money
        risk = (weights.inventory_loss + weights.component_weights["risk_cost"]) * losses
        money = position / scales.money
        return np.asarray(squared + risk + weights.inventory_pnl_squared * money * money * square[step])

    @cached_property
    def _scales(self) -> Scales:
        return scales_of(self.scenario, self.reward)

    @cached_property
    def _moves(self) -> tuple[float, Floats]:
        return moves(self.scenario.market, self.steps)

    def to_go(self, step: int, later: Floats, reach: int) -> Floats:
        """E(b, s) at the shares of both sides, (kb, ks, 2 `reach` + 1), for the positions between the hedge and the orders of a
        step, after which `later` (2 self.reach + 1,) is still to be earned."""
        kernels = self._kernels(float(self.activity[step]))
        pad = max(len(law) // 2 for row in kernels for law in row)
        places = np.arange(-reach - pad, reach + pad + 1)
        positions = np.asarray(self.step * places, dtype=np.float64)
        values = extended(later, places + self.reach) - self.penalty(step, positions)
        found = np.empty((len(kernels), len(kernels[0]), 2 * reach + 1))
        for k, row in enumerate(kernels):
            for n, law in enumerate(row):
                spare = pad - len(law) // 2
                found[k, n] = np.convolve(values[spare : len(values) - spare], law[::-1], "valid")
        return found

    def _kernels(self, activity: float) -> list[list[Floats]]:
        if activity not in self._known:
            shares = [side.shares for side in (self.quoting.buying, self.quoting.selling)]
            self._known[activity] = [[kernel(self.investors, activity, b, s) for s in shares[1]] for b in shares[0]]
        return self._known[activity]

    @cached_property
    def _known(self) -> dict[float, list[list[Floats]]]:
        return {}


def extended(values: Floats, places: NDArray[np.int64]) -> Floats:
    """Values at whole places, those beyond the first and the last by the parabola through the last three."""
    last = len(values) - 1
    found = values[np.clip(places, 0, last)]
    for beyond, edge, inner, third in ((-places, 0, 1, 2), (places - last, last, last - 1, last - 2)):
        far = np.maximum(beyond, 0)
        slope, bend = values[edge] - values[inner], values[edge] - 2.0 * values[inner] + values[third]
        found = found + far * slope + 0.5 * far * (far + 1) * bend
    return np.asarray(found)


def _competitions(scenario: Scenario, index: int, clients: Sequence[InvestorAgent]) -> tuple[Competition, Competition]:
    laws = []
    ratio = 1.0
    for rival, maker in enumerate(scenario.makers):
        if rival != index:
            both = laws_of(maker.policy, maker.pricing.eps_buy, maker.pricing.eps_sell)
            assert both is not None
            laws.append(both)
            ratio = float(curve_ratios(scenario, index, rival)[0])
    demand = clients[0].demand
    given = None if isinstance(demand, AlwaysTrades) else demand
    relative = float(relative_levels(scenario, index)[0])
    buying, selling = (Competition(tuple(law[side] for law in laws), ratio, given, relative) for side in (0, 1))
    return buying, selling


def _fine_step(scenario: Scenario, index: int, clients: Sequence[InvestorAgent], activity: float) -> float:
    """The distance of positions by the sizes of orders, or less where the exchange is steep: small hedges are best there."""
    step = lattice_step(clients)
    if getattr(scenario.makers[index].hedging, "venue", "makers") == "makers":
        return step
    for _ in range(_HALVINGS):
        dearer = float(_curve(scenario, np.array([min(step, scenario.exchange.largest_trade)]))[0]) - 1.0
        if dearer <= _STEEP or 4 * _typical_reach(clients, step, activity) + 1 > MOST_POSITIONS:
            break
        step *= 0.5
    return step


def _typical_reach(clients: Sequence[InvestorAgent], step: float, activity: float) -> int:
    """About the same as `_reach`, from the mean of what is traded in a step and from its square."""
    mean, square = (sum(agent.trade_probability * agent.size_moment(n, np.inf) for agent in clients) for n in (1, 2))
    return int(_REACH * activity * (0.5 * mean + 4.0 * np.sqrt(square)) / step)


def _reach(investors: Sequence[Investors], activity: float) -> int:
    far = 1
    for bought, sold in ((1.0, 0.0), (0.0, 1.0)):
        law = kernel(investors, activity, bought, sold)
        middle = len(law) // 2
        moved = np.abs(np.arange(len(law)) - middle)
        tail = np.array([law[moved >= n].sum() for n in range(middle + 1)])
        far = max(far, int(np.argmax(tail < _NEARLY)) if (tail < _NEARLY).any() else middle)
    return _REACH * far
