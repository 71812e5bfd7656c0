"""What a learner's numbers in [-1, 1] mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.model.makers.pricing import Skew
from dealermarket.values import Value, short

if TYPE_CHECKING:
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]
NO_RANGE = "none"  # None in words, for TOML has no such value

Eps = Annotated[tuple[Skew, Skew], Field(strict=False)] | None
_Part = Annotated[float, Field(ge=0, le=1), Quantity("", 0.0, 1.0)]
Fraction = Annotated[tuple[_Part, _Part], Field(strict=False)] | None
_Exponent = Annotated[float, Field(gt=0, le=10), Quantity("", 1.0, 2.0)]
Alpha = Annotated[tuple[_Exponent, _Exponent], Field(strict=False)] | None
_Surcharge = Annotated[float, Field(ge=0, le=1e12), Quantity("price units", 1e-6, 1e-3, log=True)]
TierPenalty = Annotated[tuple[_Surcharge, _Surcharge], Field(strict=False)] | None


class Controls(Value):
    """What a learner decides and over which range: -1 stands for the first number of a range, 1 for the second.

    What has no range (None, in TOML "none") the maker's scenario decides.
    """

    eps_buy: Annotated[
        Eps, Field(description="Range of the skew for clients who buy, epsilon of the follow-up paper: 0.1 is 10 % dearer.")
    ] = (-1.0, 1.0)
    eps_sell: Annotated[Eps, Field(description="Range of the skew for clients who sell.")] = (-1.0, 1.0)
    hedge_fraction: Annotated[Fraction, Field(description="Range of the part of its position that it hedges in a step.")] = (
        0.0,
        1.0,
    )
    alpha: Annotated[Alpha, Field(description="Range of the volume penalty, alpha of eq. 5.")] = None
    tier_penalty: Annotated[TierPenalty, Field(description="Range of the tier penalty, delta of eq. 5.")] = None

    @field_validator("*", mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        if value == NO_RANGE:
            return None
        if value is not None and not (isinstance(value, (list, tuple)) and len(value) == 2):
            raise ValueError(f"must be a range [low, high], or none for what the scenario decides, got {short(value)}")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Controls:
        if not self.names:
            raise ValueError("at least one of " + ", ".join(type(self).model_fields) + " needs a range")
        for name in self.names:
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name}: must be a range [low, high] with low < high, got [{low:g}, {high:g}]")
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is decided, in the order of the numbers."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    @cached_property
    def ranges(self) -> tuple[Array, Array]:
        """Low and high of each, (actions,)."""
        both = np.array([getattr(self, name) for name in self.names]).T
        both.flags.writeable = False
        return both[0], both[1]

    def values(self, numbers: Array) -> Array:
        """What numbers (..., actions) in [-1, 1] stand for; the same shape."""
        low, high = self.ranges
        up = 0.5 * (numbers + 1.0)
        return low * (1.0 - up) + high * up  # exact at both ends

    def numbers(self, values: Mapping[str, float]) -> Array:
        """The numbers in [-1, 1] that stand for these values, or are nearest to them; the middle of a range without one."""
        low, high = self.ranges
        wanted = np.array(
            [values.get(name, 0.5 * (first + last)) for name, first, last in zip(self.names, low, high, strict=True)]
        )
        return np.asarray(np.clip(2.0 * (wanted - low) / (high - low) - 1.0, -1.0, 1.0))

    def check(self, scenario: Scenario, maker: str) -> None:
        """Raises ParameterError where this maker of the scenario cannot do what is to be decided."""
        agent = scenario.makers[scenario.maker_names.index(maker)]
        venue = getattr(agent.hedging, "venue", "makers")
        if self.hedge_fraction is not None and len(scenario.makers) == 1 and venue == "makers":
            raise ParameterError(
                f"controls: hedge_fraction: there is no other maker to hedge with; leave it out (None), or give {maker!r} "
                "hedging with venue = 'exchange'"
            )
        for name in ("alpha", "tier_penalty"):
            if getattr(self, name) is not None and name not in agent.pricing.actions:
                raise ParameterError(
                    f"controls: {name}: is no parameter of {agent.pricing.kind!r} pricing, which {maker!r} has; leave it out "
                    "(None)"
                )
        largest = scenario.exchange.largest_alpha
        if self.alpha is not None and self.alpha[1] > largest:
            raise ParameterError(
                f"controls: alpha: must be at most {largest:g} in this scenario, got {self.alpha[1]:g}; larger "
                "ones price the largest trade beyond what a computer holds"
            )
