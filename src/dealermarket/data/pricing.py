"""How a desk prices, from its own quotes: equation (5) of section 3.3 by least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from dealermarket.data.market import normal_estimate
from dealermarket.estimates import Estimate

Array = NDArray[Any]

ALPHA = 1.5
UNSURE = 0.5  # standard error of alpha from which on sizes tell nothing of it
WELL = 0.1  # root of the mean square of what the rule leaves of a quote, as a share of it


@dataclass(frozen=True)
class DeskPricing:
    """The fitted rule; None where the log does not tell, and `unknown` says why."""

    alpha: Estimate | None
    tier_penalty: Estimate | None
    eps: Estimate
    tiers: int
    unknown: tuple[str, ...]
    residual: float  # root of the mean square, as a share of the mean quote


def fit_pricing(spread: Array, half_spread: Array, curve: Array, tier: Array) -> DeskPricing:
    """From quotes (requests,), half the reference spread at each, log(S_ref(v) / S_ref(0)), and the tier, NaN where not known;
    spreads as a share of the mid.

    S = h (1 + eps) exp(alpha log curve) + delta u, by non-linear least squares of S / h; eps is the same for both sides."""
    unknown: list[str] = []
    tiered = bool(np.isfinite(tier).all()) and len(np.unique(tier)) > 1
    if not tiered:
        unknown.append("tier penalty: the log says no tiers, or one; the desk has one tier")
    usual = float(np.median(half_spread))
    rises = usual * np.where(np.isfinite(tier), tier, 0.0) / half_spread
    values, errors, left = _least_squares(spread / half_spread, curve, rises, np.array([True, tiered, True]))
    curved = bool(errors[2] < UNSURE)
    if not curved:
        unknown.append(f"alpha: sizes are so small a part of v_max that it does not show; left at {ALPHA:g}")
        values, errors, left = _least_squares(spread / half_spread, curve, rises, np.array([True, tiered, False]))
    residual = float(np.sqrt(np.mean((left * half_spread) ** 2)) / np.mean(np.abs(spread)))
    if residual > WELL:
        unknown.append(
            f"the rule leaves {100 * residual:.0f} % of a quote unexplained: the desk prices by more than size and tier"
        )
    eps, penalty, alpha = (normal_estimate(float(value), float(error)) for value, error in zip(values, errors, strict=True))
    tiers = int(np.nanmax(tier)) + 1 if tiered else 1
    return DeskPricing(alpha if curved else None, penalty.scaled(usual) if tiered else None, eps, tiers, tuple(unknown), residual)


def _least_squares(quote: Array, curve: Array, rises: Array, free: Array) -> tuple[Array, Array, Array]:
    """eps, the penalty in usual half spreads, and alpha, of which some are `free`; their standard errors; and what is left."""
    begin = np.array([0.0, 0.0, ALPHA])

    def left(parameters: Array) -> Array:
        eps, penalty, alpha = np.where(free, 0.0, begin) + _filled(parameters, free)
        return np.asarray((1.0 + eps) * np.exp(alpha * curve) + penalty * rises - quote)

    best = optimize.least_squares(left, begin[free], x_scale=0.1)
    jacobian = np.asarray(best.jac)
    variance = 2.0 * best.cost / max(len(quote) - int(free.sum()), 1)
    spread = np.sqrt(np.maximum(np.diag(np.linalg.pinv(jacobian.T @ jacobian) * variance), 0.0))
    sure = np.linalg.norm(jacobian, axis=0) > 1e-9 * np.sqrt(len(quote))  # else quotes do not depend on it
    return np.where(free, _filled(best.x, free), begin), _filled(np.where(sure, spread, np.inf), free), np.asarray(best.fun)


def _filled(values: Array, free: Array) -> Array:
    whole = np.zeros(len(free))
    whole[free] = values
    return whole
