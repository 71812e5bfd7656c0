"""What every pricing rule answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from dealermarket.describe import Quantity
from dealermarket.errors import ParameterError
from dealermarket.laws import quoted_spread, skewed_level
from dealermarket.model.exchange import Exchange
from dealermarket.model.part import Numbers, Part
from dealermarket.slots import applied
from dealermarket.values import short

LARGEST_SKEW = 1e6
Skew = Annotated[float, Field(ge=-1, le=LARGEST_SKEW), Quantity("", -1.0, 1.0)]


def no_surcharge() -> float:
    """A tier pays nothing besides."""
    return 0.0


class PricingRule(Part):
    """What a maker charges: level (1 + eps) curve + surcharge, cost per unit relative to mid (section 3.3).

    The level is S_ref(0), or one price unit where the curve is `in_price_units`; eps is the skew of the client's side.
    `curve(size, log_curve, tier, rule, numbers)` is the curve in units of the level, above 0: `size` in units of the asset,
    `log_curve` = log(S_ref(size) / S_ref(0)), `tier` 0 the best. `surcharge(tier, unit, rule, numbers)` is what a tier pays
    besides, price units; `unit` is 1, or P_t where spreads scale with the price.
    Rivals plan their hedges on this curve.
    """

    reserved: ClassVar = ("eps_buy", "eps_sell", "in_price_units")
    formulas: ClassVar = {
        "curve": ("size", "log_curve", "tier", "rule", "numbers"),
        "surcharge": ("tier", "unit", "rule", "numbers"),
    }
    curve: ClassVar[Callable[..., Any]]
    surcharge: ClassVar[Callable[..., Any]] = staticmethod(no_surcharge)
    actions: ClassVar[tuple[str, ...]] = ()  # further parts of an Action that act on this rule's parameters
    unplannable: ClassVar[str] = ""  # why nobody can plan a hedge on this curve, where that is so
    eps_buy: Annotated[
        Skew,
        Field(description="Skew of the price for clients who buy, epsilon of the follow-up paper: 0.1 is 10 % dearer."),
    ] = 0.0
    eps_sell: Annotated[Skew, Field(description="Skew of the price for clients who sell: 0.1 is 10 % dearer.")] = 0.0

    @property
    def tiers(self) -> int | None:
        """How many tiers have a price, or None where every tier has one."""
        return None

    @property
    def in_price_units(self) -> bool:
        """Whether the curve is in price units and not in units of S_ref(0)."""
        return False

    @property
    def power_of_reference(self) -> float | None:
        """The exponent, where the curve is a power of the reference curve; hedges against it are then planned exactly."""
        return None

    @property
    def jumps(self) -> tuple[float, ...]:
        """The sizes beyond which the curve jumps, in units of the asset, rising; hedges are planned to end there."""
        return ()

    def problems(self, exchange: Exchange) -> Iterable[tuple[str, str]]:
        """What is wrong with this rule at this exchange: field and reason of each problem."""
        return ()

    def wrong_price(self, exchange: Exchange, tiers: int) -> str | None:
        """Where the curve is not above 0 and finite, or None: looked at for 100 sizes in each of `tiers`."""
        sizes = exchange.largest_trade * np.arange(1, 101) / 100
        for tier in range(tiers):
            prices = self.relative_spread(sizes, tier, exchange)
            wrong = ~((prices > 0) & (prices < np.inf))
            if wrong.any():
                n = int(np.argmax(wrong))
                return f"in tier {tier} that of {sizes[n]:g} units is {prices[n]:g} levels"
        return None

    def relative_spread(self, size: ArrayLike, tier: ArrayLike, exchange: Exchange) -> NDArray[np.float64]:
        """The curve for sizes and tiers, which broadcast, in units of the level.

        Raises ParameterError for a size outside [0, v_max), or a tier below 0 or without a price.
        """
        sizes, tiers = np.broadcast_arrays(np.asarray(size, dtype=np.float64), np.asarray(tier))
        if not np.all(tiers >= 0):
            raise ParameterError(f"tier: must be >= 0, got {short(np.asarray(tier).tolist())}")
        if self.tiers is not None and not np.all(tiers < self.tiers):
            raise ParameterError(
                f"tier: must be below {self.tiers}, for which there are prices, got {short(np.asarray(tier).tolist())}"
            )
        log_curve = np.log(exchange.relative_spread(sizes))
        rule, numbers = Numbers(self), self.numbers
        return np.asarray(applied(self.curve, size=sizes, log_curve=log_curve, tier=tiers, rule=rule, numbers=numbers))

    def spread(self, size: ArrayLike, tier: ArrayLike, s0: ArrayLike, exchange: Exchange, side: int = 0) -> NDArray[np.float64]:
        """Cost per unit, relative to mid, that a client pays; price units.

        `size`, `tier` (0 is best) and `s0` broadcast; returns their shape. `side`: +1 the client buys, -1 it sells,
        0 without skew. Raises ParameterError for a size outside [0, v_max), a tier below 0 or without a price, or s0 below 0.
        """
        skew = {0: 0.0, 1: self.eps_buy, -1: self.eps_sell}.get(side)
        if skew is None:
            raise ParameterError(f"side: must be +1 (the client buys), -1 (sells) or 0, got {side!r}")
        relative = self.relative_spread(size, tier, exchange)
        level = skewed_level(1.0 if self.in_price_units else exchange.reference_spread(0.0, s0), skew)
        surcharge = applied(self.surcharge, tier=np.asarray(tier), unit=1.0, rule=Numbers(self), numbers=self.numbers)
        return np.asarray(quoted_spread(level, relative, surcharge))
