"""How a desk prices, from its own quotes: equation (5) of section 3.3 by least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from dealermarket.data.market import normal_estimate
from dealermarket.data.tiers import MOST_TIERS, find_tiers
from dealermarket.estimates import Estimate

Array = NDArray[Any]

ALPHA = 1.5
ALPHAS = (0.01, 10.0)
"""Those that a scenario may have, about."""
DIGITS = 12  # behind the point: beyond them is what rounding leaves, and an eps of 1e-15 is 0
UNSURE = 0.5  # standard error of alpha from which on sizes tell nothing of it
WELL = 0.1  # root of the mean square of what the rule leaves of a quote, as a share of it
STAYS = 0.95  # the share of requests in their client's usual tier from which on clients are said to stay in it


@dataclass(frozen=True)
class DeskPricing:
    """The fitted rule; None where the log does not tell, and `unknown` says why."""

    used: float  # alpha of the fit
    alpha: Estimate | None
    tier_penalty: Estimate | None
    eps: Estimate
    tiers: int
    tier: Array  # (requests,) as the log says, or as found, from 0 on
    tier_of: Array | None  # (clients,) the tier in which each one stays; None where clients move between tiers
    levels: Estimate | None  # how many tiers quotes tell of, with a 95 % interval; None where the log says the tiers
    unknown: tuple[str, ...]
    residual: float  # root of the mean square, as a share of the mean quote

    def level(self, curve: Array) -> Array:
        """The quotes of the best tier in half reference spreads, at these log(S_ref(v) / S_ref(0))."""
        return np.asarray((1.0 + float(self.eps.value)) * np.exp(self.used * curve))


def fit_pricing(spread: Array, half_spread: Array, curve: Array, tier: Array, client: Array) -> DeskPricing:
    """From quotes (requests,), half the reference spread at each, log(S_ref(v) / S_ref(0)), the tier, NaN where not known, and
    whose each request is, counted from 0; spreads as a share of the mid.

    S = h (1 + eps) exp(alpha log curve) + delta u, by non-linear least squares of S / h; eps is the same for both sides. Where
    not all tiers are known, they are found from the quotes: see `find_tiers`."""
    unknown: list[str] = []
    usual, levels = float(np.median(half_spread)), None
    if np.isfinite(tier).all():
        tier = _from_0(tier)
        tier_of = _usual_tiers(tier, client)
    else:
        found = find_tiers(spread / half_spread, curve, usual / half_spread, client)
        tier_of, levels, tier = found.tier, found.levels, found.tier[client]
    tiered = len(np.unique(tier)) > 1
    if not tiered:
        unknown.append("tier penalty: there are no tiers in which clients stay; the desk has one")
    rises = usual * tier / half_spread
    values, errors, left = _least_squares(spread / half_spread, curve, rises, np.array([True, tiered, True]))
    curved = bool(errors[2] < UNSURE)
    if not curved:
        unknown.append(f"alpha: sizes are so small a part of v_max that it does not show; left at {ALPHA:g}")
    at = ALPHA if not curved else float(np.clip(values[2], *ALPHAS))
    if curved and at != values[2]:
        unknown.append(
            f"alpha: {values[2]:.3g} fits best, which no scenario has; left at {at:g}. It is about in proportion to v_max: give "
            "another one"
        )
        curved = False
    if not curved:
        values, errors, left = _least_squares(spread / half_spread, curve, rises, np.array([True, tiered, False]), at)
    residual = float(np.sqrt(np.mean((left * half_spread) ** 2)) / np.mean(np.abs(spread)))
    if residual > WELL:
        unknown.append(
            f"the rule leaves {100 * residual:.0f} % of a quote unexplained: the desk prices by more than size and tier"
        )
    rounded = (np.round(values, DIGITS) + 0.0, np.round(errors, DIGITS))  # no -0 either
    eps, penalty, alpha = (normal_estimate(float(value), float(error)) for value, error in zip(*rounded, strict=True))
    return DeskPricing(
        at if not curved else float(alpha.value),
        alpha if curved else None,
        penalty.scaled(usual) if tiered else None,
        eps,
        int(tier.max()) + 1 if tiered else 1,
        tier,
        tier_of,
        levels,
        tuple(unknown),
        residual,
    )


def _from_0(tier: Array) -> Array:
    """Tiers as whole numbers from 0 on; by their order, where they are no whole numbers or leave too many out."""
    kinds, which = np.unique(tier, return_inverse=True)
    whole = np.round(kinds - kinds[0]).astype(np.int64)
    fine = np.array_equal(whole, kinds - kinds[0]) and whole[-1] < MOST_TIERS
    return np.asarray(whole[which] if fine else which)


def _usual_tiers(tier: Array, client: Array) -> Array | None:
    """The tier in which each client mostly is, (clients,); None where these are not where nearly all requests are quoted."""
    tiers, clients = int(tier.max()) + 1, int(client.max()) + 1
    table = np.bincount(client * tiers + tier, minlength=clients * tiers).reshape(clients, tiers)
    return np.argmax(table, axis=1) if table.max(axis=1).sum() >= STAYS * len(tier) else None


def _least_squares(quote: Array, curve: Array, rises: Array, free: Array, at: float = ALPHA) -> tuple[Array, Array, Array]:
    """eps, the penalty in usual half spreads, and alpha, of which some are `free`, alpha being `at` this where it is not; their
    standard errors; and what is left."""
    begin = np.array([0.0, 0.0, at])

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
