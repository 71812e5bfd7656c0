"""Policies that are functions of the state, as functions: what is evaluated without simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dealermarket.errors import ParameterError
from dealermarket.model.makers.agent import MarketMakerAgent
from dealermarket.model.makers.hedging import ConstantFraction, FullHedge, NoHedge
from dealermarket.model.makers.policies import HeuristicMaker, OptimalMaker, PersistentMaker, Policy, SkewMaker
from dealermarket.model.scenario import Scenario
from dealermarket.values import short

Floats = NDArray[np.float64]
Function = Callable[[int, Floats, Floats], tuple[ArrayLike, ArrayLike, ArrayLike]]


@dataclass(frozen=True)
class PlainPolicy:
    """A function of step, positions (n,) and s0 (n,) that gives eps_buy, eps_sell and the fraction to hedge."""

    function: Function
    sees_spread: bool = True

    def act(self, step: int, position: Floats, s0: Floats) -> tuple[Floats, Floats, Floats]:
        """The action, (n,) each. Raises ParameterError where it is none."""
        try:
            parts = self.function(step, position, s0)
            eps_buy, eps_sell, fraction = (np.broadcast_to(np.asarray(part, np.float64), position.shape) for part in parts)
        except (TypeError, ValueError) as error:
            raise ParameterError(
                f"policy: must return eps_buy, eps_sell and a hedge fraction, each of shape {position.shape}: {error}"
            ) from None
        for name, part, low, high in (
            ("eps_buy", eps_buy, -1.0, 1e6),
            ("eps_sell", eps_sell, -1.0, 1e6),
            ("hedge", fraction, 0.0, 1.0),
        ):
            if not ((part >= low) & (part <= high)).all():
                raise ParameterError(f"policy: {name} must be in [{low:g}, {high:g}], got {short(part.tolist())}")
        return eps_buy, eps_sell, fraction


def plain_policy(policy: Policy | Function, scenario: Scenario, index: int) -> PlainPolicy:
    """A policy of this maker as a function. Raises ParameterError for one that is none."""
    maker = scenario.makers[index]
    match policy:
        case HeuristicMaker():
            eps_buy, eps_sell, hedge = maker.pricing.eps_buy, maker.pricing.eps_sell, _fraction(maker)
            return PlainPolicy(lambda *_: (eps_buy, eps_sell, hedge), sees_spread=False)
        case PersistentMaker() if policy.low == policy.high:
            level, hedge = policy.low, _fraction(maker)
            return PlainPolicy(lambda *_: (level, level, hedge), sees_spread=False)
        case SkewMaker():
            hedge = _fraction(maker) if policy.hedge_fraction is None else policy.hedge_fraction
            return PlainPolicy(lambda _, position, __: (*policy.prices(position), hedge), sees_spread=False)
        case OptimalMaker():
            from dealermarket.control.decision import Decision

            return PlainPolicy(Decision.of(scenario, index, policy.reward, approximate=policy.approximate).solve().quotes)
        case Policy():
            kind = getattr(policy, "kind", type(policy).__name__)
            raise ParameterError(f"policy: {kind!r} is no function of step, position and s0; simulate it instead")
        case _ if callable(policy):
            return PlainPolicy(policy)
    raise ParameterError(f"policy: must be a policy or a function of step, position and s0, got {short(policy)}")


def _fraction(maker: MarketMakerAgent) -> float:
    match maker.hedging:
        case NoHedge():
            return 0.0
        case FullHedge():
            return 1.0
        case ConstantFraction():
            return maker.hedging.fraction
    raise ParameterError(f"hedging.kind: {maker.hedging.kind!r} is planned, and not evaluated without simulation; use 'fraction'")
