"""Which decision problems are solved exactly, and which exact one is nearest to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dealermarket.control.competition import hedgers, laws_of
from dealermarket.control.numbers import Lattice, clients_of, curve_ratios, relative_levels, surcharges
from dealermarket.errors import ParameterError
from dealermarket.model.investors.agent import InvestorAgent
from dealermarket.model.investors.demand import AlwaysTrades, NormalDemand
from dealermarket.model.investors.sizes import LadderSize, LogNormalSize
from dealermarket.model.makers.policies import AdaptiveMaker, NormalMaker, PersistentMaker, SkewMaker
from dealermarket.model.makers.reward import Reward
from dealermarket.model.market.impact import NoImpact
from dealermarket.model.market.mid_price import GeometricBrownianMotion, JumpDiffusion, OrnsteinUhlenbeck
from dealermarket.model.market.reference_spread import ClippedNormal, ConstantSpread, LogAR1
from dealermarket.model.scenario import Scenario

_SAME = 1e-9
_NEVER = 1e-6
_ROUNDS = 4
WAY_OUT = "Decision.of(..., approximate=True) solves the nearest exact problem, from which no regret follows"


class Problem(NamedTuple):
    """Why a decision problem is not solved exactly, and the settings that lead to one that is; None where none do."""

    reason: str
    settings: tuple[str, ...] | None = None


def nearest(scenario: Scenario, index: int, reward: Reward, approximate: bool) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario itself, where its optimum is exact, or with `approximate` the nearest one of which it is; and what was
    replaced.

    Raises ParameterError with all reasons."""
    replaced: list[str] = []
    for _ in range(_ROUNDS):
        problems = [*_reward_problems(reward), *_market_problems(scenario), *_maker_problems(scenario, index)]
        problems += [*_client_problems(scenario, index), *_curve_problems(scenario, index), *_lattice_problems(scenario, index)]
        if not problems:
            return scenario, tuple(replaced)
        hopeless = [problem for problem in problems if problem.settings is None]
        if hopeless or not approximate:
            way_out = "" if approximate or hopeless else f"\n{WAY_OUT}"
            raise ParameterError("\n".join(problem.reason for problem in (hopeless if approximate else problems)) + way_out)
        replaced += [f"{problem.reason}: replaced by {', '.join(problem.settings or ())}" for problem in problems]
        scenario = scenario.with_settings(*(setting for problem in problems for setting in problem.settings or ()))
    raise ParameterError("\n".join(problem.reason for problem in problems))


def _reward_problems(reward: Reward) -> Iterator[Problem]:
    for name in ("spread_revenue", "hedging_cost"):
        weight = reward.component_weights[name]
        if weight < 0:
            yield Problem(f"reward.weights.{name}: must be >= 0, got {weight:g}; what costs would be wanted")


def _market_problems(scenario: Scenario) -> Iterator[Problem]:
    mid, spread = scenario.market.mid_price, scenario.market.reference_spread
    if isinstance(mid, OrnsteinUhlenbeck):
        yield Problem(
            "market.mid_price.kind: 'ornstein_uhlenbeck' prices drift, and the mid would be part of the state",
            ("market.mid_price.kind=gbm", "market.mid_price.drift=0.0"),
        )
    elif not isinstance(mid, (GeometricBrownianMotion, JumpDiffusion)):
        yield Problem(f"market.mid_price.kind: must be 'gbm' or 'jump_diffusion', got {mid.kind!r}")
    elif mid.drift != 0:
        yield Problem(
            f"market.mid_price.drift: must be 0, got {mid.drift:g}; the mid would be part of the state",
            ("market.mid_price.drift=0.0",),
        )
    if not isinstance(scenario.market.impact, NoImpact):
        yield Problem(
            f"market.impact.kind: must be 'none', got {scenario.market.impact.kind!r}; what hedges added to the mid would be "
            "part of the state",
            ("market.impact.kind=none",),
        )
    if isinstance(spread, LogAR1) and spread.autocorrelation != 0:
        yield Problem(
            f"market.reference_spread.autocorrelation: must be 0, got {spread.autocorrelation:g}; the last s0 would be "
            "part of the state",
            ("market.reference_spread.autocorrelation=0.0",),
        )
    elif not isinstance(spread, (ClippedNormal, ConstantSpread, LogAR1)):
        yield Problem(f"market.reference_spread.kind: must be 'clipped_normal', 'constant' or 'log_ar1', got {spread.kind!r}")
    if scenario.orders is not None:
        yield Problem("orders: recorded orders have no law; the optimum needs drawn ones")


def _maker_problems(scenario: Scenario, index: int) -> Iterator[Problem]:
    for number, maker in enumerate(scenario.makers):
        path, policy = f"makers.{number}", maker.policy
        if maker.tiering.ranks and maker.tiering.tiers > 1:
            yield Problem(
                f"{path}.tiering: {maker.tiering.kind!r} tiers change; must be fixed, or one", (f"{path}.tiering.tiers=1",)
            )
        if maker.pricing.power_of_reference is None:
            yield Problem(f"{path}.pricing.kind: must be a power of the reference curve, got {maker.pricing.kind!r}")
        if number == index:
            continue
        if laws_of(policy, maker.pricing.eps_buy, maker.pricing.eps_sell) is None:
            kind = getattr(policy, "kind", type(policy).__name__)
            settings: tuple[str, ...] | None = None
            if isinstance(policy, (AdaptiveMaker, PersistentMaker)):
                settings = (f"{path}.policy={{ kind = 'random', low = {policy.low}, high = {policy.high} }}",)
            elif isinstance(policy, SkewMaker):
                settings = (f"{path}.policy.strength=0.0",)
            yield Problem(
                f"{path}.policy: the prices of a {kind!r} rival remember, or depend on its state; they must be drawn anew at "
                "every step, as those of 'random' and 'normal', or be constant",
                settings,
            )
        if isinstance(policy, NormalMaker) and policy.std > 0:
            from scipy.special import ndtr

            if ndtr((-1.0 - policy.mean) / policy.std) > _NEVER:
                yield Problem(
                    f"{path}.policy: prices N({policy.mean:g}, {policy.std:g}) are often cut off at -1; raise mean or lower std"
                )
    for number in hedgers(scenario, index):
        path = f"makers.{number}"
        changes = [f"{path}.hedging.kind=none"]
        if getattr(scenario.makers[number].policy, "hedge_fraction", None):
            changes.append(f"{path}.policy.hedge_fraction=0.0")
        yield Problem(f"{path}.hedging.venue: must be 'exchange'; this rival hedges with other makers", tuple(changes))


def _client_problems(scenario: Scenario, index: int) -> Iterator[Problem]:
    clients = clients_of(scenario, index)
    if not clients:
        yield Problem(f"investors: nobody asks {scenario.maker_names[index]!r} for quotes")
    names = set(scenario.maker_names)
    if any(agent.oracle_probability > 0 for agent in clients):
        yield Problem(
            "investors.*.oracle_probability: must be 0; who trades would say where the mid goes",
            ("investors.*.oracle_probability=0.0",),
        )
    if any(agent.asks != "all" and (isinstance(agent.asks, int) or set(agent.asks) != names) for agent in clients):
        yield Problem("investors.*.asks: must be 'all'; who asks fewer has other rivals in mind", ("investors.*.asks=all",))
    for size in {type(agent.order_size) for agent in clients} - {LogNormalSize, LadderSize}:
        yield Problem(f"investors.*.size.kind: must be 'lognormal' or 'ladder', got {size.__name__}")
    demands = {agent.demand for agent in clients}
    if len(demands) > 1:
        yield Problem("investors.*.demand: must be the same for all, got several")
    for demand in demands:
        if isinstance(demand, NormalDemand) and demand.std == 0:
            yield Problem("investors.*.demand.std: must be above 0, got 0; give it a small one")
    if len(scenario.makers) == 1 and any(isinstance(demand, AlwaysTrades) for demand in demands):
        yield Problem("makers: a single maker whose clients always trade earns as much as it likes; add a rival, or a demand")


def _curve_problems(scenario: Scenario, index: int) -> Iterator[Problem]:
    """Whether all orders of a step compare the makers in the same way."""
    clients, own = clients_of(scenario, index), scenario.makers[index]
    if not _have_laws(clients) or any(maker.pricing.power_of_reference is None for maker in scenario.makers):
        return  # said already
    paid, first = surcharges(scenario, index, clients), None
    venue = getattr(own.hedging, "venue", "exchange")
    demand = not isinstance(clients[0].demand, AlwaysTrades)
    levels = relative_levels(scenario, index)
    if demand and np.ptp(levels) > _SAME * levels.max():
        yield Problem(
            f"makers.{index}.pricing.alpha: must be 1 where clients of several sizes may refuse, got "
            f"{own.pricing.power_of_reference:g}",
            ("makers.*.pricing.alpha=1.0",),
        )
    if demand and paid.any():
        yield Problem(
            f"makers.{index}.pricing.tier_penalty: must be 0 where clients may refuse and not all are in tier 0",
            ("makers.*.pricing.tier_penalty=0.0",),
        )
    for number, maker in enumerate(scenario.makers):
        if number == index:
            continue
        ratios = curve_ratios(scenario, index, number)
        first = float(ratios[0]) if first is None else first
        if np.ptp(ratios) > _SAME * ratios.max() or abs(ratios[0] - first) > _SAME * first:
            yield Problem(
                f"makers.{number}.pricing.alpha: must be that of {own.name!r}, {own.pricing.power_of_reference:g}, where there "
                f"are several sizes or rivals, got {maker.pricing.power_of_reference:g}; which orders are won would depend on "
                "their size",
                (f"makers.{number}.pricing.alpha={own.pricing.power_of_reference!r}",),
            )
        theirs = surcharges(scenario, number, clients)
        hedger = maker.tiering.fixed_tiers.get(own.name, 0) if venue != "exchange" else 0
        if (theirs != paid).any() or (hedger and getattr(maker.pricing, "tier_penalty", 0.0)):
            yield Problem(
                f"makers.{number}.pricing.tier_penalty: clients, or {own.name!r} as a hedger, must be in tiers that pay the "
                "same to all makers",
                ("makers.*.pricing.tier_penalty=0.0",),
            )


def _lattice_problems(scenario: Scenario, index: int) -> Iterator[Problem]:
    """Whether the positions are few enough."""
    clients = clients_of(scenario, index)
    if _have_laws(clients):
        try:
            Lattice.of(scenario, index, clients)
        except ParameterError as error:
            yield Problem(str(error))


def _have_laws(clients: Sequence[InvestorAgent]) -> bool:
    """Whether there are any, and the laws of their sizes are known."""
    return bool(clients) and all(isinstance(agent.order_size, (LogNormalSize, LadderSize)) for agent in clients)
