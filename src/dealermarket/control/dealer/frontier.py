"""The efficient frontier: what mean P&L a dealer has for which risk, as its risk aversion moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dealermarket.control.dealer.ergodic import solve
from dealermarket.control.dealer.problem import DealerProblem

if TYPE_CHECKING:
    import pandas as pd


def efficient_frontier(problem: DealerProblem, risk_aversions: Sequence[float], step: float | None = None) -> pd.DataFrame:
    """What mean P&L a dealer has for which risk, as its risk aversion moves.

    Parameters
    ----------
    problem : DealerProblem
        The dealer; its own risk aversion does not matter.
    risk_aversions : sequence of float
        Risk aversions, 1 / (bp M), above 0.
    step : float, optional
        The largest distance of inventories on the grid, M, as of `solve`.

    Returns
    -------
    pandas.DataFrame
        A row a `risk_aversion`: `mean_pnl` (bp M a day), `sd_pnl` and `inventory_risk` (bp M per square root of a day), `zone`
        (M), `external_share`, `holding_time` and `memory` (days).

    Raises
    ------
    ParameterError
        If a risk aversion or the step is not allowed.

    """
    import pandas as pd

    rows = []
    for gamma in risk_aversions:
        solution = solve(problem.replace(risk_aversion=gamma), step)
        found = solution.long_run
        rows.append(
            {
                "risk_aversion": gamma,
                "mean_pnl": found.mean_pnl,
                "sd_pnl": found.sd_pnl,
                "inventory_risk": found.inventory_risk,
                "zone": solution.controls.zone,
                "external_share": found.external_share,
                "holding_time": found.holding_time,
                "memory": found.memory,
            }
        )
    return pd.DataFrame(rows)
