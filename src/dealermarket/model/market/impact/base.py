"""What every law of market impact answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from dealermarket.model.part import Part


class MarketImpact(Part):
    """How makers' trades at the exchange move the mid: P_t = M_t + I_t + J_t, where M_t is the mid of the tape.

    The permanent impact I and the transient impact J are 0 at step 0. `next_permanent(before, volume, rule, numbers)` and
    `next_transient(before, volume, rule, numbers)` are those of the step after `before`, given the net `volume` that all makers
    bought at the exchange in between (below 0: sold). Impact is in price units, volume in units of the asset. Trades between
    makers and with investors have no impact.
    """

    formulas: ClassVar = {
        "next_permanent": ("before", "volume", "rule", "numbers"),
        "next_transient": ("before", "volume", "rule", "numbers"),
    }
    next_permanent: ClassVar[Callable[..., Any]]
    next_transient: ClassVar[Callable[..., Any]]

    @property
    def round_trip_gain(self) -> float:
        """The most that a round trip at the exchange brings before its spread, over the sum of its squared volumes, in price
        units per unit of the asset; 0 where it is not known."""
        return 0.0
