"""Probabilities of many, each from a few trials: shrunk towards what they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.estimates import LEVEL, Estimate

Array = NDArray[Any]

FEWEST = 5  # with fewer groups, there is little to be learned of what they have in common
JEFFREYS = (0.5, 0.5)


def shares(successes: Array, trials: Array) -> Estimate:
    """Each one's probability of a success, (n,), and its 95 % interval, from its successes in its trials.

    Beta-binomial: the probabilities of all come from one Beta law, whose parameters are those of the greatest likelihood
    (empirical Bayes; Gelman et al., Bayesian Data Analysis, section 5.1), so that who has few trials is drawn towards the
    others. For rare successes this is the gamma-Poisson law. With fewer than five the law of Jeffreys stands for it."""
    from scipy import stats

    a, b = _common(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    law = stats.beta(a + successes, b + trials - successes)
    tail = (1.0 - LEVEL) / 2.0
    return Estimate(np.asarray(law.mean()), np.asarray(law.std()), np.asarray(law.ppf(tail)), np.asarray(law.ppf(1.0 - tail)))


def _common(successes: Array, trials: Array) -> tuple[float, float]:
    """The parameters of the common Beta law."""
    from scipy import optimize, special

    tried = trials > 0
    if tried.sum() < FEWEST:
        return JEFFREYS
    k, n = successes[tried], trials[tried]

    def unlikely(parameters: Array) -> float:
        mean, size = special.expit(parameters[0]), np.exp(parameters[1])
        a, b = mean * size, (1.0 - mean) * size
        return -float(np.sum(special.betaln(a + k, b + n - k) - special.betaln(a, b)))

    overall = np.clip(k.sum() / n.sum(), 1e-6, 1.0 - 1e-6)
    begin = np.array([special.logit(overall), 2.0])
    best = optimize.minimize(unlikely, begin, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4, "maxiter": 400})
    mean, size = special.expit(best.x[0]), np.exp(min(best.x[1], 20.0))
    return float(mean * size), float((1.0 - mean) * size)
