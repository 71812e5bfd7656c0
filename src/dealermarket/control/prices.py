"""What the optimum needs to know of the market's prices: the law of s0, and how far the mid moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dealermarket.model.market.environment import MarketEnvironment
from dealermarket.model.market.mid_price import GeometricBrownianMotion, JumpDiffusion
from dealermarket.model.market.mid_price.jump_diffusion import largest_count
from dealermarket.model.market.reference_spread import ClippedNormal, ConstantSpread, LogAR1

Floats = NDArray[np.float64]

_NODES = 64
_FAR = 6.5  # standard deviations


def reference_spreads(market: MarketEnvironment) -> tuple[Floats, Floats]:
    """Nodes (n,), rising, and weights (n,) of a quadrature over the s0 of a step, as drawn.

    A normal law that is clipped has atoms at its bounds, which are nodes of their own, and Gauss-Legendre nodes in between."""
    from scipy.special import ndtr

    law = market.reference_spread
    if isinstance(law, ConstantSpread) or (isinstance(law, (ClippedNormal, LogAR1)) and law.std == 0):
        mean = law.mean if not isinstance(law, ClippedNormal) else min(max(law.mean, law.minimum), law.maximum)
        return np.array([mean]), np.ones(1)
    nodes, weights = (np.asarray(each, np.float64) for each in np.polynomial.legendre.leggauss(_NODES))
    if isinstance(law, LogAR1):
        rule = law.rule(market.clock)
        normal = _FAR * nodes
        weights = weights * np.exp(-0.5 * normal**2)
        return np.exp(rule["log_mean"] + rule["log_std"] * normal), weights / weights.sum()
    assert isinstance(law, ClippedNormal)
    low, high = (law.minimum - law.mean) / law.std, (law.maximum - law.mean) / law.std
    first, last = max(low, -_FAR), min(high, _FAR)
    below, above = float(ndtr(low)), float(ndtr(-high))
    if first >= last:  # all but next to nothing is clipped
        return np.array([law.minimum, law.maximum]), np.array([below, above]) / (below + above)
    normal = 0.5 * (first + last) + 0.5 * (last - first) * nodes
    weights = weights * np.exp(-0.5 * normal**2)
    weights *= (1.0 - below - above) / weights.sum()
    return np.concatenate([[law.minimum], law.mean + law.std * normal, [law.maximum]]), np.array([below, *weights, above])


def moves(market: MarketEnvironment, steps: int) -> tuple[float, Floats]:
    """E|P_t - P_{t-1}| and E[(P_t - P_{t-1})^2], the latter for t = 1..`steps` (steps,), of a mid without drift.

    With growth factors X of mean 1, independent of each other, the first is P_0 E|X - 1| and the second
    P_0^2 E[X^2]^(t - 1) Var[X]: the mid does not drift, but its square does."""
    mid = market.mid_price
    assert isinstance(mid, (GeometricBrownianMotion, JumpDiffusion))
    rule = mid.rule(market.clock)
    counts = np.arange(largest_count(rule["jumps"]) + 1 if isinstance(mid, JumpDiffusion) else 1)
    jumps, jump_mean, jump_std = (rule.get(name, 0.0) for name in ("jumps", "jump_mean", "jump_std"))
    chance = np.exp(-jumps) * np.cumprod(np.concatenate([[1.0], jumps / counts[1:]]))
    mean = rule["mean"] + counts * jump_mean
    variance = rule["std"] ** 2 + counts * jump_std**2
    size = float(chance @ _mean_distance(np.asarray(mean), np.asarray(np.sqrt(variance))))
    second = float(chance @ np.exp(2.0 * mean + 2.0 * variance))
    spread = float(chance @ np.expm1(2.0 * mean + 2.0 * variance)) - 2.0 * float(chance @ np.expm1(mean + 0.5 * variance))
    start = mid.initial
    return start * size, np.asarray(start**2 * max(spread, 0.0) * second ** np.arange(steps))


def _mean_distance(mean: Floats, std: Floats) -> Floats:
    """E|exp(N(mean, std)) - 1|, by the formula of Black and Scholes."""
    from scipy.special import ndtr

    certain = np.abs(np.expm1(mean))
    drawn = np.where(std > 0, std, 1.0)
    growth = np.exp(mean + 0.5 * drawn**2)
    upper, lower = mean / drawn + drawn, mean / drawn
    value = growth * (2.0 * ndtr(upper) - 1.0) - (2.0 * ndtr(lower) - 1.0)
    return np.asarray(np.where(std > 0, value, certain))
