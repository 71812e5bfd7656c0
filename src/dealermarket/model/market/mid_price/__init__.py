"""Mid-price processes (section 3.1): what the market takes as `mid_price`."""

from __future__ import annotations

from dealermarket.model.market.mid_price.base import MidPrice
from dealermarket.model.market.mid_price.gbm import GeometricBrownianMotion
from dealermarket.model.market.mid_price.jump_diffusion import JumpDiffusion
from dealermarket.model.market.mid_price.ornstein_uhlenbeck import OrnsteinUhlenbeck
from dealermarket.model.market.mid_price.recorded import RecordedMid
from dealermarket.slots import Slot

MID_PRICES = Slot(
    "mid price",
    MidPrice,
    [GeometricBrownianMotion],
    beyond=[
        OrnsteinUhlenbeck,
        JumpDiffusion,
        RecordedMid,
    ],
    default="gbm",
)

__all__ = ["MID_PRICES", "GeometricBrownianMotion", "JumpDiffusion", "MidPrice", "OrnsteinUhlenbeck", "RecordedMid"]
