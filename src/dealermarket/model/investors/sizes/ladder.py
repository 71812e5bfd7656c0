"""Sizes from a list."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dealermarket.describe import Quantity
from dealermarket.model.investors.sizes.base import OrderSize
from dealermarket.model.investors.sizes.lognormal import MeanSize
from dealermarket.model.part import Draw

_Sizes = Annotated[tuple[MeanSize, ...], Field(strict=False, min_length=1)]
_Weight = Annotated[float, Field(ge=1e-15, le=1e15), Quantity("", 0.01, 1.0)]
_Weights = Annotated[tuple[_Weight, ...], Field(strict=False, min_length=1)]


class LadderSize(OrderSize):
    """One of some given sizes, such as the round numbers of a desk."""

    kind: Literal["ladder"] = "ladder"
    sizes: Annotated[_Sizes, Field(description="The sizes that orders have, rising.")]
    weights: Annotated[
        _Weights, Field(description="How often each size comes: probabilities in proportion to these, which need not sum to 1.")
    ]
    parameters: ClassVar = ("rungs",)
    draw: ClassVar[Draw] = "uniform"

    @model_validator(mode="after")
    def _matching(self) -> LadderSize:
        problems = []
        if len(self.weights) != len(self.sizes):
            problems.append(f"weights: must be {len(self.sizes)}, one for each size, got {len(self.weights)}")
        if not all(low < high for low, high in pairwise(self.sizes)):
            problems.append(f"sizes: must rise, got {list(self.sizes)}")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def rungs(self) -> int:
        """How many sizes there are."""
        return len(self.sizes)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each size, shape (sizes,)."""
        return np.array(self.weights) / sum(self.weights)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Where the uniform numbers of all sizes but the first begin, and the sizes."""
        return np.concatenate([np.cumsum(self.probabilities)[:-1], self.sizes])

    @staticmethod
    def law(draw: Any, rule: Any, numbers: Any) -> Any:
        """For a uniform number."""
        others = int(rule.rungs) - 1
        return numbers[others + np.searchsorted(numbers[:others], draw, side="right")]

    def moment(self, order: int, largest: float) -> float:
        """Of the sizes as they are capped."""
        return float(self.probabilities @ np.minimum(self.sizes, largest) ** order)

    def share_above(self, largest: float) -> float:
        return float(self.probabilities @ (np.array(self.sizes) > largest))

    @property
    def typical_largest(self) -> float:
        return self.sizes[-1]
