"""Equal trades."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dealermarket.laws import mean_plus_risk, uniform_variance
from dealermarket.model.makers.hedging.base import ROUNDING, CostCurve, Floats, PlannedHedging, checked_size


class LinearSchedule(PlannedHedging):
    """The `linear` heuristic: n equal trades in the next n steps, with the best n in 1..H (section 3.3)."""

    kind: Literal["linear"] = "linear"

    @staticmethod
    def law(situation: Any, rule: Any, cost: Any) -> Any:
        """1/n for the best n, at the best quotes of the venue."""
        risk = rule.risk_aversion * situation.volatility * situation.mid
        fraction, best = situation.largest / situation.size, np.inf
        for pieces in range(1, int(rule.horizon) + 1):
            if situation.size / pieces > situation.largest * (1.0 + ROUNDING):
                continue
            value = mean_plus_risk(cost(situation, situation.size / pieces), uniform_variance(pieces), risk)
            if value < best:
                fraction, best = 1.0 / pieces, value
        return fraction

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        from dealermarket.model.makers.hedging.schedule import checked_cost

        size = checked_size(position, step_volatility, largest)
        if size == 0:
            return np.zeros(self.horizon)
        pieces = np.arange(1, self.horizon + 1)
        pieces = pieces[size / pieces <= largest * (1 + ROUNDING)]
        if len(pieces) == 0:
            return np.full(self.horizon, largest / size)
        variance = step_volatility**2 * uniform_variance(pieces)
        value = mean_plus_risk(checked_cost(cost(size / pieces)), variance, self.risk_aversion)
        best = pieces[np.argmin(value)]
        return np.where(np.arange(self.horizon) < best, 1.0 / best, 0.0)
