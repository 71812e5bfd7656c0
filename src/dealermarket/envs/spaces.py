"""The spaces that all environments share, and what they report of a step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from dealermarket.model.makers.reward import COMPONENTS
from dealermarket.policies.controls import Controls
from dealermarket.policies.features import FEATURES
from dealermarket.runs.statistics import ASSET, statistic_named


class InfoEntry(NamedTuple):
    """One entry of an environment's info: a number of the step for each maker that learns."""

    name: str
    meaning: str
    unit: str


def _info_entries() -> tuple[InfoEntry, ...]:
    """The statistics that rewards are made of, in a step, and what else is said of it."""
    components = (statistic_named(name) for name in COMPONENTS)
    return (
        *(InfoEntry(statistic.name, statistic.meaning, statistic.unit) for statistic in components),
        InfoEntry("position", "the position after the step", ASSET),
        InfoEntry("penalty", "what was taken off the reward", "unit of the reward"),
    )


INFO = _info_entries()
"""What `info` holds after a step, in the order of FEEDBACK; the reward, which comes last there, has a place of its own."""


def observation_space() -> spaces.Box:
    """Of one maker: an entry for each of FEATURES."""
    low, high = (np.array([getattr(feature, bound) for feature in FEATURES], np.float32) for bound in ("low", "high"))
    return spaces.Box(low, high, dtype=np.float32)


def action_space(controls: Controls) -> spaces.Box:
    """Of one maker: a number in [-1, 1] for each of its controls."""
    return spaces.Box(-1.0, 1.0, (len(controls.names),), np.float32)


def info_of(feedback: NDArray[Any]) -> dict[str, float]:
    """The feedback of one maker besides its reward, (FEEDBACK,): the entries of INFO by name."""
    return {entry.name: value for entry, value in zip(INFO, feedback.tolist(), strict=False)}
