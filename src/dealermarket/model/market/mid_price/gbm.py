"""Geometric Brownian motion."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dealermarket.values import Value


class GeometricBrownianMotion(Value):
    """Mid-price process (section 3.1): annual `drift` and `volatility`, `initial` the price at step 0."""

    kind: Literal["gbm"] = "gbm"
    initial: Annotated[float, Field(gt=0, le=1e12)] = 1.0
    drift: Annotated[float, Field(ge=-100, le=100)] = 0.0
    volatility: Annotated[float, Field(ge=0, le=100)] = 0.1
