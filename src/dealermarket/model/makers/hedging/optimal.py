"""The optimal schedule."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dealermarket.model.makers.hedging.base import CostCurve, Floats, PlannedHedging, checked_size


class AlmgrenChriss(PlannedHedging):
    """The `optimal` policy: minimises E[C] + gamma sqrt(Var[C]) over all schedules, trades the first piece, and solves
    again at the next step (section 3.3, eq. 7; Almgren and Chriss 2000)."""

    kind: Literal["optimal"] = "optimal"

    @staticmethod
    def law(situation: Any, rule: Any, plan: Any) -> Any:
        """x_0 of the schedule with the rival whose own optimum is the cheapest."""
        return plan(situation, rule.risk_aversion * situation.volatility * situation.mid)

    def schedule(self, position: float, cost: CostCurve, step_volatility: float, largest: float = np.inf) -> Floats:
        from dealermarket.model.makers.hedging.schedule import optimal_schedule

        size = checked_size(position, step_volatility, largest)
        return optimal_schedule(size, cost, self.risk_aversion * step_volatility, self.horizon, largest)
