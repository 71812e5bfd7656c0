"""Prices from a sheet: size buckets and tiers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.model.exchange import Exchange
from dealermarket.model.makers.pricing.base import PricingRule

ROUNDING = 1e-12
"""By which part of itself a size may exceed a bound and is still in its bucket: hedges are fractions of positions."""

_Bound = Annotated[float, Field(ge=1e-20, le=1e12), Quantity("units of the asset", 0.1, 1000.0, log=True)]
_Spread = Annotated[float, Field(ge=1e-20, le=1e12), Quantity("S_ref(0), or price units where absolute", 0.5, 5.0)]
_Row = Annotated[tuple[_Spread, ...], Field(strict=False, min_length=1)]


class LadderPricing(PricingRule):
    """s(v, u) = S_ref(0) (1 + eps) `spreads[b][u]`, b being the size bucket of v and u the tier: a desk's price sheet."""

    kind: Literal["ladder"] = "ladder"
    bounds: Annotated[
        tuple[_Bound, ...],
        Field(
            strict=False,
            description="The largest size of each size bucket but the last, which is open; rising, each bound in its own bucket.",
        ),
    ] = ()
    spreads: Annotated[
        tuple[_Row, ...],
        Field(strict=False, min_length=1, description="A row for each size bucket, with a price for each tier, the best first."),
    ]
    absolute: Annotated[
        bool, Field(description="Whether spreads are in price units, and not multiples of the half spread S_ref(0).")
    ] = False
    parameters: ClassVar = ("buckets", "tiers")

    @model_validator(mode="after")
    def _matching(self) -> LadderPricing:
        problems = []
        if not all(low < high for low, high in pairwise(self.bounds)):
            problems.append(f"bounds: must rise, got {list(self.bounds)}")
        if len(self.spreads) != len(self.bounds) + 1:
            problems.append(
                f"spreads: must have {len(self.bounds) + 1} rows, one for each bound and one for larger sizes, "
                f"got {len(self.spreads)}"
            )
        for index, row in enumerate(self.spreads):
            if len(row) != self.tiers:
                problems.append(f"spreads.{index}: must have {self.tiers} numbers, one a tier, as the first row, got {len(row)}")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def buckets(self) -> int:
        """How many size buckets there are."""
        return len(self.spreads)

    @property
    def tiers(self) -> int:
        return len(self.spreads[0])

    @property
    def in_price_units(self) -> bool:
        return self.absolute

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The bounds, then the spreads row by row."""
        return np.concatenate([self.bounds, np.ravel(self.spreads)])

    @staticmethod
    def curve(size: Any, tier: Any, rule: Any, numbers: Any) -> Any:
        """What stands on the sheet."""
        bounds = int(rule.buckets) - 1
        bucket = np.searchsorted(numbers[:bounds], size * (1.0 - ROUNDING))
        return numbers[bounds + bucket * int(rule.tiers) + tier]

    @property
    def jumps(self) -> tuple[float, ...]:
        return self.bounds

    def problems(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        if self.bounds and not self.bounds[-1] < exchange.largest_trade:
            yield (
                "bounds",
                f"must be below the largest trade, 0.99 v_max = {exchange.largest_trade:g}, so that sizes fall into "
                f"the last bucket, got {self.bounds[-1]:g}; leave out the buckets beyond, or raise exchange.v_max",
            )
