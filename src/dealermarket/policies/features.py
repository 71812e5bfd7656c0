"""The numbers that a learner acts on: what they are, what they are measured in, and how they are read off a market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dealermarket.engine.learners import (
    FEATURES_RECORD,
    FEEDBACK_RECORD,
    RECENT,
    Learner,
    Memory,
)
from dealermarket.engine.scales import scales_of
from dealermarket.policies.observation import Observation

if TYPE_CHECKING:
    from dealermarket.draws.arithmetic import TapeArrays
    from dealermarket.model.makers.reward import Reward
    from dealermarket.model.scenario import Scenario

Array = NDArray[Any]

FEEDBACK: tuple[str, ...] = FEEDBACK_RECORD.names or ()
"""A learner's feedback after a step: money in price units times units of the asset, the position in units of the asset,
penalty and reward in the unit of its reward."""


class Feature(NamedTuple):
    """One entry of a learner's observation. Beyond its bounds it is clipped."""

    name: str
    meaning: str
    unit: str
    low: float = -10.0
    high: float = 10.0


def _recent(name: str, meaning: str, unit: str) -> list[Feature]:
    when = ["of this step", "of the step before", *(f"of {lag} steps ago" for lag in range(2, RECENT))]
    return [Feature(f"{name}_{lag}", f"{meaning} {when[lag]}", unit) for lag in range(RECENT)]


_DESCRIBED: Mapping[str, Sequence[Feature]] = {
    "position": [
        Feature(
            "position",
            "position held into the step",
            "10 standard deviations of what investors buy less what they sell in a step, each as likely to buy as to sell",
        )
    ],
    "position_pnl": [
        Feature(
            "position_pnl",
            "position times the mid's move of this step",
            "unit of position times the mid's step volatility at this price",
        )
    ],
    "returns": _recent("return", "log return of the mid", "the market's step volatility"),
    "yields": _recent(
        "yield", "revenue per unit of all trades that matured, as the quoting side (0 where none did),", "mean half spread"
    ),
    "reference_spread": [Feature("reference_spread", "reference spread s0 over its mean, less 1", "1")],
    "bought": [
        Feature("bought", "volume that investors bought from the maker in the last step", "all investors' mean volume in a step")
    ],
    "sold": [Feature("sold", "volume that investors sold to the maker in the last step", "all investors' mean volume in a step")],
    "share": [
        Feature("share", "the maker's share of all investors' volume in the last step; 0 where there was none", "1", 0.0, 1.0)
    ],
    "time_left": [Feature("time_left", "share of the run's steps still to come, this one included", "1", 0.0, 1.0)],
}

FEATURES = tuple(feature for name in FEATURES_RECORD.names or () for feature in _DESCRIBED[name])
"""What a learner sees, in this order.

After the last step, in the observation that comes with truncation, position and flow are those after that step, no new
price has come (return_0, yield_0 and position_pnl are 0, the older ones have moved on), and time_left is 0. Means are
the scenario's parameters; a volatility of 0 counts as 1, and so does the volume of investors who never trade."""


PLACES = {feature.name: place for place, feature in enumerate(FEATURES)}
"""Where each of them stands."""


class Sensor:
    """Reads the features of one maker off B markets, and what it earned; remembers what it needs of former steps.

    `place` is where the maker stands among the learners that share the arrays."""

    def __init__(self, scenario: Scenario, maker: str, markets: int, reward: Reward, place: int = 0) -> None:
        index = scenario.maker_names.index(maker)
        self._learner = Learner(index, len(scenario.agents) + index, place)
        self._scales = scales_of(scenario, reward)
        self._memory = Memory(np.zeros(markets), np.zeros((markets, RECENT)), np.zeros((markets, RECENT)))
        self._tape: TapeArrays | None = None
        self._read_features: Any = None

    def read(self, seen: Observation, features: Array, feedback: Array, ended: bool = False) -> None:
        """Writes features[:, place] and feedback[:, place], of arrays (B, learners, FEATURES) and (B, learners, FEEDBACK).

        To be called once a step: at its beginning, and once more after the last one, with `ended`."""
        changing = seen._moment(ended), self._memory, features.view(FEATURES_RECORD), feedback.view(FEEDBACK_RECORD)
        if seen._tape is not self._tape:
            self._use(seen, *changing)
        self._read_features(*self._fixed, *changing)

    def _use(self, seen: Observation, *changing: Any) -> None:
        """Remembers the arrays to read from, and the machine code that reads them."""
        from dealermarket.compiled import resolved
        from dealermarket.engine.features import read_features

        self._tape = seen._tape  # all tapes of a session are arrays of the same types
        self._fixed = (seen._source(), self._scales, self._learner)
        if self._read_features is None:
            self._read_features = resolved(read_features, *self._fixed, *changing)
