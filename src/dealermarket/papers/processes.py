"""Studies of the dealer's process: its problem solved, and the process simulated under what is best."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from dealermarket.control.dealer import DealerProblem, simulate, solve
from dealermarket.digests import digest_of
from dealermarket.papers.parts import PartedStudy
from dealermarket.runs.executors import Progress
from dealermarket.study.labelled import Measures
from dealermarket.version import __version__


@dataclass(frozen=True)
class ProcessStudy(PartedStudy):
    """The process of a problem, simulated for a day in each of some replicas, which start as in the long run."""

    name: str
    problem: DealerProblem
    replicas: int

    @property
    def market_steps(self) -> int:
        """A day of a replica counts as one."""
        return self.replicas

    def key(self, seed: int) -> str:
        parts = (__version__, str(seed), str(self.replicas), repr(self.problem), digest_of(Process.measured))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def parts(self, seed: int) -> list[Process]:
        return [Process(self.problem, self.replicas, seed, self.market_steps)]


@dataclass(frozen=True)
class Process:
    """All replicas of a problem's process."""

    problem: DealerProblem
    replicas: int
    seed: int
    market_steps: int

    def measured(self, report: Progress) -> Measures:
        """By replica: the `reward` (mean P&L less the penalty for risk), `spread_income`, `client_volume`, `hedged_volume`,
        `inventory` and `variance`, in the units of `Simulated`; and `pnl`."""
        found = simulate(solve(self.problem), replicas=self.replicas, seed=self.seed)
        penalty = 0.5 * self.problem.risk_aversion * found.variance
        report(self.market_steps)
        return Measures(
            others={
                "reward": found.spread_income - found.hedging_expense - penalty,
                "spread_income": found.spread_income,
                "client_volume": np.asarray(found.client_volume.sum(axis=1)),
                "hedged_volume": found.hedged_volume,
                "inventory": found.inventory,
                "variance": found.variance,
                "pnl": found.pnl,
            }
        )
