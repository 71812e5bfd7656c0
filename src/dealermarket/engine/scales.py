"""What features and rewards of a scenario's makers are measured in."""

from __future__ import annotations

import math

import numpy as np

from dealermarket.draws.files import volume_moment
from dealermarket.engine.learners import Scales
from dealermarket.model.makers.reward import Components, Reward
from dealermarket.model.scenario import Scenario


def scales_of(scenario: Scenario, reward: Reward) -> Scales:
    """What features and rewards are measured in."""
    market = scenario.market
    half_spread = market.mean_half_spread
    volume = volume_moment(scenario, 1) or 1.0  # where nobody ever trades nothing is ever measured in it
    return Scales(
        position=10.0 * math.sqrt(volume_moment(scenario, 2)) or 1.0,
        volume=volume,
        move=float(market.step_volatility(1.0)) or 1.0,
        spread=half_spread,
        reference_spread=market.mean_spread,
        money=half_spread * volume if reward.unit == "spread" else float(reward.unit),
        weights=Components(**reward.component_weights),
        penalties=np.array([reward.inventory_pnl_squared, reward.inventory_squared, reward.inventory_loss]),
    )
