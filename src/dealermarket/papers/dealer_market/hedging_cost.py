"""What hedging and risk cost the maker whose risk aversion is moved, and which values of it are tried at which volatilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dealermarket.study import INFINITE, Array, Measures

STUDIED = 0  # the maker that is looked at
GAMMAS = ("0", "0.05", "0.25", "0.5", "1", "2", INFINITE)
LOW, HIGH = "10 %", "30 %"
VOLATILITIES = {LOW: 0.1, HIGH: 0.3}


def cost(measures: Measures) -> Array:
    """Hedging and risk cost of the studied maker in each run, (replicas,), above 0."""
    own = measures.of(STUDIED)
    return np.asarray(-(own["hedging_cost"] + own["risk_cost"]))


def costs(variants: Mapping[str, Measures]) -> Array:
    """The same for every γ, (replicas, γ)."""
    return np.stack([cost(measures) for measures in variants.values()], axis=1)
