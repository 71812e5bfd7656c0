"""What the papers print, and the settings that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dealermarket.control.dealer import EURUSD, USDCNH, DealerProblem, Solution, solve

BASE, IMPACT, AVERSE, FRANCHISE, DEAR = "as given", "k = 0.01", "γ = 0.005", "three times the requests", "φ = 0.4"
DEAR_IMPACT = "φ = 0.4 and k = 0.01"
SECONDS = 86_400.0  # of a day


@dataclass(frozen=True)
class Setting:
    """A change of a published problem, and what the paper prints of it: the end of the zone (M, a node of its grid), and the
    hedging rate at the largest inventory (M a second)."""

    name: str
    problem: DealerProblem
    zone: float | None = None
    rate: float | None = None

    @property
    def solution(self) -> Solution:
        """Solved once."""
        return solved(self.problem)


def more_requests(problem: DealerProblem, factor: float) -> DealerProblem:
    """A problem with more requests of all sizes."""
    tiers = tuple(tier.replace(rates=tuple(factor * rate for rate in tier.rates)) for tier in problem.tiers)
    return problem.replace(tiers=tiers)


@lru_cache(maxsize=64)
def solved(problem: DealerProblem, step: float | None = None) -> Solution:
    """The solution of a problem; claims, tables and figures ask for the same ones."""
    return solve(problem, step)


USDCNH_SETTINGS = (
    Setting(BASE, USDCNH, 21.0, 0.239),
    Setting(IMPACT, USDCNH.replace(impact=0.01), 32.0, 0.208),
    Setting(AVERSE, USDCNH.replace(risk_aversion=0.005), 4.0, 0.88),
    Setting(FRANCHISE, more_requests(USDCNH, 3.0), 51.0, 0.140),
)
"""arXiv 2106.06974, section 4, all but the setting whose zone does not come out."""

DEAR_SETTING = Setting(DEAR, USDCNH.replace(linear_cost=0.4), 46.0)
"""The zone of which does not come out."""

TRIED = (
    DEAR_SETTING,
    Setting(DEAR_IMPACT, USDCNH.replace(linear_cost=0.4, impact=0.01)),
    Setting("φ = 0.4 and k = 0", USDCNH.replace(linear_cost=0.4, impact=0.0)),
    Setting("φ = 0.5", USDCNH.replace(linear_cost=0.5)),
    Setting("φ = 0.6", USDCNH.replace(linear_cost=0.6)),
    Setting("φ = 0.4 and η ten times as large", USDCNH.replace(linear_cost=0.4, quadratic_cost=1e-4)),
    Setting("φ = 0.4 and twice the requests", more_requests(USDCNH.replace(linear_cost=0.4), 2.0)),
    Setting("φ = 0.4 and half of γ", USDCNH.replace(linear_cost=0.4, risk_aversion=2.5e-4)),
    Setting("φ = 0.4 and Q = 200", USDCNH.replace(linear_cost=0.4, largest_inventory=200.0)),
)
"""What might be meant by it."""

EURUSD_SETTING = Setting(BASE, EURUSD, 15.0)
"""arXiv 2112.02269, section 4."""

SPREADS: tuple[tuple[str, DealerProblem, int, float], ...] = (
    ("USDCNH", USDCNH, 0, 0.32),
    ("EURUSD, tier 1", EURUSD, 0, 0.55),
    ("EURUSD, tier 2", EURUSD, 1, 0.26),
)
"""Of 1 M without inventory, bp: what of, the problem, the tier, and what is printed."""

EXTERNAL_SHARES: Mapping[float, float] = {1e-4: 0.0, 1e-3: 0.006, 1e-2: 0.10}
"""Of EURUSD by risk aversion: what is hedged of all that is traded (arXiv 2112.02269, section 4)."""
