# lean.py
"""A maker of our own: it leans its prices against its position, and hedges only what is beyond a limit."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from dealermarket import Action, MakerPolicy, register
from dealermarket.values import Value


@register
class Lean(Value, MakerPolicy):
    """Cheaper by `discount` for all, and by up to `strength` more for clients who take off its position: the others pay that."""

    kind: Literal["lean"] = "lean"
    discount: Annotated[float, Field(ge=0, le=1)] = 0.0
    strength: Annotated[float, Field(ge=0, le=1)] = 0.1
    limit: Annotated[float, Field(gt=0)] = 3.0  # millions that it keeps

    def act(self, observation):
        position = observation.position  # one number for each replica; above 0: long
        lean = self.strength * np.tanh(position / self.limit)
        beyond = np.maximum(np.abs(position) - self.limit, 0.0)
        return Action(
            eps_buy=-self.discount - lean,
            eps_sell=-self.discount + lean,
            hedge_fraction=beyond / np.maximum(np.abs(position), self.limit),
        )
