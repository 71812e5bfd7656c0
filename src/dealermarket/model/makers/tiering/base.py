"""What every tiering answers: a metric to rank by, or a table of tiers (section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field

from dealermarket import laws
from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.frozen import Frozen, FrozenMapping
from dealermarket.model.part import Part

RELATIVE = {"better": -1, "worse": 1}
"""Words for a tier beside the one that a participant mostly trades in, and how far it is from that: `dealermarket compare`."""


def _absolute(tier: Any) -> Any:
    """Says where words are understood."""
    if isinstance(tier, str) and tier in RELATIVE:
        raise ValueError(
            f"must be a tier, a whole number >= 0, got {tier!r}; it is relative to what a run shows: give it to "
            "dealermarket compare SCENARIO --set, which runs the scenario as it is first"
        )
    return tier


Tier = Annotated[int, Field(ge=0), BeforeValidator(_absolute), Quantity("", 0, 9)]
TierTable = Frozen[str, Tier]


def no_metric() -> float:
    """Nobody is ranked."""
    return 0.0


class TieringPolicy(Part):
    """What all tierings share: a number of tiers, of which 0 is the best, and tiers that are fixed by hand.

    `law(average_yield, volume, trades, rule, numbers)` is the metric that a participant is ranked by, highest first, from what
    its matured trades with the maker say: the average of their yields (`psi`, price units), their volume (units of the asset)
    and their number, all 0 before the first has matured: see RankedTiering. Who `ranks` nobody keeps no averages.
    """

    reserved: ClassVar = ("tiers", "ranks", "weight")
    formulas: ClassVar = {"law": ("average_yield", "volume", "trades", "rule", "numbers")}
    law: ClassVar[Callable[..., Any]] = staticmethod(no_metric)
    ranks: ClassVar[bool] = False
    tiers: Annotated[
        int,
        Field(ge=1, le=100_000, description="How many tiers there are, K of section 3.3; 1 treats everybody alike."),
        Quantity("tiers", 1, 10),
    ] = 5
    pins: Annotated[
        TierTable,
        Field(
            description="Tiers fixed by hand, by name of the participant: it is ranked like the rest, only its tier is replaced."
        ),
    ] = FrozenMapping()

    @property
    def fixed_tiers(self) -> TierTable:
        """The tiers that no ranking moves, by participant."""
        return self.pins

    def assign(self, metric: ArrayLike, tie_break: ArrayLike | None = None) -> NDArray[np.int64]:
        """Tiers of participants by quantile of `metric`, highest first; both (..., participants), tier 0 the best.

        Rank r of n gets tier floor(r K / n). Equal metrics are ordered by `tie_break`, lowest first, or as they stand.
        Raises ParameterError where there are more tiers than participants or a metric is NaN.
        """
        metric = np.asarray(metric, dtype=np.float64)
        ranked = metric.shape[-1]
        if self.tiers > ranked:
            raise ParameterError(f"tiers: must be at most the number of participants ranked, {ranked}, got {self.tiers}")
        if np.isnan(metric).any():
            raise ParameterError("metric: must hold numbers, got NaN")
        ties = np.broadcast_to(np.arange(ranked) if tie_break is None else np.asarray(tie_break), metric.shape)
        order = np.lexsort((ties, -metric), axis=-1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(ranked), order.shape), axis=-1)
        return np.asarray(laws.tier_of_rank(rank, self.tiers, ranked), dtype=np.int64)


class RankedTiering(TieringPolicy):
    """A tiering by ranking."""

    law: ClassVar[Any] = None  # every kind has one
    ranks: ClassVar[bool] = True
    weight: Annotated[
        float,
        Field(
            gt=0, le=1, description="Weight of the newest trade in the moving average of yields: 0.05 remembers about 20 trades."
        ),
        Quantity("", 0.01, 1.0, log=True),
    ] = 0.05
