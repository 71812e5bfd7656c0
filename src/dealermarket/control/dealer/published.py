"""The problems whose solutions are published, with the papers' parameters."""

from __future__ import annotations

from dealermarket.control.dealer.problem import ClientTier, DealerProblem

USDCNH = DealerProblem(
    sizes=(1.0, 5.0, 10.0, 20.0),
    tiers=(ClientTier(a=-1.0, b=10.0, rates=(760.0, 150.0, 75.0, 15.0)),),
    volatility=50.0,
    linear_cost=0.2,
    quadratic_cost=1e-5,
    impact=0.005,
    risk_aversion=5e-4,
    largest_inventory=100.0,
)
"""US dollar against offshore renminbi: arXiv 2106.06974, section 4."""

EURUSD = DealerProblem(
    sizes=(1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
    tiers=tuple(ClientTier(a=a, b=b, rates=(720.0, 450.0, 342.0, 180.0, 90.0, 18.0)) for a, b in ((-0.3, 5.0), (-1.9, 15.0))),
    volatility=50.0,
    linear_cost=0.1,
    quadratic_cost=1e-5,
    impact=0.005,
    risk_aversion=2e-3,
    largest_inventory=250.0,
)
"""Euro against US dollar, two tiers: arXiv 2112.02269, section 4."""
