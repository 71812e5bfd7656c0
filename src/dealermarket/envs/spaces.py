"""The spaces that all environments share, and the names of what they report."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES, FEEDBACK

INFO = FEEDBACK[:-1]  # the reward has a place of its own


def observation_space() -> spaces.Box:
    """Of one maker: an entry for each of FEATURES."""
    low, high = (np.array([getattr(feature, bound) for feature in FEATURES], np.float32) for bound in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)


def action_space(controls: Controls) -> spaces.Box:
    """Of one maker: a number in [-1, 1] for each of its controls."""
    return spaces.Box(-1.0, 1.0, (len(controls.names),), np.float32)


def info_of(feedback: NDArray[Any]) -> dict[str, float]:
    """The feedback of one maker besides its reward: price units times units of the asset, but for position and penalty."""
    return dict(zip(INFO, feedback.tolist(), strict=False))
