"""The paper's pricing: a power of the reference curve, and a penalty for each tier."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket import laws
from dealermarket.errors import ParameterError
from dealermarket.model.exchange import Exchange
from dealermarket.values import Value, short

Skew = Annotated[float, Field(ge=-1, le=1e6)]


class PowerPricing(Value):
    """s(v, u) = S_ref(0) (1 + eps) (S_ref(v) / S_ref(0))^alpha + delta u (section 3.3, eq. 5).

    `alpha` > 0 is the volume penalty, `tier_penalty` (delta, price units) what each tier below the best pays more;
    `eps_buy` and `eps_sell` >= -1 skew the curve for clients who buy and sell (follow-up paper; 0 is the heuristic maker).
    """

    kind: Literal["power"] = "power"
    alpha: Annotated[float, Field(gt=0, le=10)] = 1.5
    tier_penalty: Annotated[float, Field(ge=0, le=1e12)] = 1e-5
    eps_buy: Skew = 0.0
    eps_sell: Skew = 0.0

    def spread(self, size: ArrayLike, tier: ArrayLike, s0: ArrayLike, exchange: Exchange, side: int = 0) -> NDArray[np.float64]:
        """Cost per unit, relative to mid, that a client pays; price units.

        `size`, `tier` (0 is best) and `s0` broadcast; returns their shape. `side`: +1 the client buys, -1 it sells,
        0 without skew. Raises ParameterError for a size outside [0, v_max), a tier below 0 or s0 below 0.
        """
        tier = np.asarray(tier)
        if not np.all(tier >= 0):
            raise ParameterError(f"tier: must be >= 0, got {short(tier.tolist())}")
        skew = {0: 0.0, 1: self.eps_buy, -1: self.eps_sell}.get(side)
        if skew is None:
            raise ParameterError(f"side: must be +1 (the client buys), -1 (sells) or 0, got {side!r}")
        log_curve = np.log(exchange.relative_spread(size))
        half_spread = exchange.reference_spread(0.0, s0)
        return np.asarray(laws.quoted_spread(log_curve, half_spread, self.alpha, skew, self.tier_penalty * tier))
