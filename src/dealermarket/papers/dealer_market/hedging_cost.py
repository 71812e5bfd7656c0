"""What hedging and risk cost the maker whose risk aversion is moved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dealermarket.study import Array, Measures

STUDIED = 0  # the maker that is looked at


def cost(measures: Measures) -> Array:
    """Hedging and risk cost of the studied maker in each run, (replicas,), above 0."""
    own = measures.of(STUDIED)
    return np.asarray(-(own["hedging_cost"] + own["risk_cost"]))


def costs(variants: Mapping[str, Measures]) -> Array:
    """The same for every γ, (replicas, γ)."""
    return np.stack([cost(measures) for measures in variants.values()], axis=1)
