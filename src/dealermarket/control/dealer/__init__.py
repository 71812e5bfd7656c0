"""The FX dealer's control problem: quotes for clients by tier and size, and how fast to hedge, as functions of inventory.

A dealer of a currency pair earns a markup from clients, holds what they leave with it, and may trade it away at a cost
(Barzykin, Bergault and Guéant, arXiv 2106.06974 and 2112.02269)::

    from dealermarket.control.dealer import USDCNH, solve

    solution = solve(USDCNH)
    print(solution.controls.zone)  # M: where it hedges nothing, up to this inventory
    print(solution.controls.quotes(5.0))  # bp, by side, tier and size
    print(solution.long_run.external_share, solution.long_run.mean_pnl, solution.long_run.sd_pnl)

`solve_horizon` answers the same until an end, `efficient_frontier` by risk aversion, and `simulate` plays the process.
"""

from dealermarket.control.dealer.controls import Controls
from dealermarket.control.dealer.ergodic import Solution, solve
from dealermarket.control.dealer.frontier import efficient_frontier
from dealermarket.control.dealer.horizon import HorizonSolution, solve_horizon
from dealermarket.control.dealer.long_run import LongRun
from dealermarket.control.dealer.problem import ClientTier, DealerProblem
from dealermarket.control.dealer.published import EURUSD, USDCNH
from dealermarket.control.dealer.simulation import Simulated, simulate

__all__ = [
    "EURUSD",
    "USDCNH",
    "ClientTier",
    "Controls",
    "DealerProblem",
    "HorizonSolution",
    "LongRun",
    "Simulated",
    "Solution",
    "efficient_frontier",
    "simulate",
    "solve",
    "solve_horizon",
]


def __dir__() -> list[str]:
    return sorted(__all__)
