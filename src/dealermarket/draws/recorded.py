"""Recorded prices as the prices of replicas: windows of a file, or blocks of its returns drawn with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.draws.streams import Episode, Stream
from dealermarket.errors import ParameterError
from dealermarket.model.market.mid_price import RecordedMid
from dealermarket.model.market.reference_spread import RecordedSpread
from dealermarket.model.scenario import Scenario
from dealermarket.reading.prices import Recording

Array = NDArray[Any]
_SECONDS_PER_DAY = 86_400


class RecordedPaths:
    """The prices of replicas of a scenario with recorded mids."""

    def __init__(self, scenario: Scenario, law: RecordedMid, recording: Recording) -> None:
        self._law, self._recording = law, recording
        self._steps, self._scaled = scenario.steps, scenario.market.spreads_scale_with_price
        self._initial, self._steps_per_day = scenario.market.initial_price, scenario.market.steps_per_day
        needed = law.block if law.bootstrap == "block" else scenario.steps + scenario.reward_horizon - 1
        self._starts = self._places(needed, 1 if law.bootstrap == "block" else scenario.steps)
        if not len(self._starts):
            what = f"block = {law.block}" if law.bootstrap == "block" else f"steps + reward_horizon - 1 = {needed}"
            longest = int(np.diff(recording.sessions).max()) - 1
            raise ParameterError(
                f"market.mid_price: the longest session of {law.file} has {longest:,} steps, and {what} are needed; take fewer, "
                "a larger longest_gap or step_seconds" + ("" if law.bootstrap == "block" else ", or bootstrap = 'block'")
            )

    @classmethod
    def of(cls, scenario: Scenario) -> RecordedPaths | None:
        """Those of a scenario; None where its prices are drawn.

        Raises DataError and ParameterError for a file that will not do."""
        recording, law = scenario.market.recording, scenario.market.mid_price
        if recording is None or not isinstance(law, RecordedMid):
            return None
        if isinstance(scenario.market.reference_spread, RecordedSpread) and recording.spread is None:
            raise ParameterError(
                f"market.reference_spread: {law.file} has no bids and asks, and recorded spreads are made of these; choose "
                "another kind"
            )
        return cls(scenario, law, recording)

    @property
    def windows(self) -> int | None:
        """How many windows there are; None where prices are made of blocks."""
        return None if self._law.bootstrap == "block" else len(self._starts)

    @property
    def block(self) -> int:
        """How many steps a block has."""
        return self._law.block

    @property
    def seconds(self) -> float | None:
        """How long a step of the file is; None where it counts steps."""
        return self._recording.seconds

    def steps_of_day(self, episodes: Sequence[Episode]) -> Array | None:
        """At which step of the day, from midnight UTC on, the window of each episode begins, (B, 1); None where the file's times
        do not tell, or prices are made of blocks: a day then begins at step 0."""
        seconds = self._recording.seconds
        if self.windows is None or seconds is None or round(seconds * self._steps_per_day) != _SECONDS_PER_DAY:
            return None
        starts = [self._start(episode) for episode in episodes]
        return np.asarray(self._recording.at[starts, np.newaxis].astype(np.int64) % self._steps_per_day)

    def windows_of(self, steps: Array) -> tuple[Array, Array]:
        """In which window each of these steps of the file lies, -1 where in none, and which of its steps it is, (steps,) each."""
        firsts = self._recording.at[self._starts]
        window = np.searchsorted(firsts, steps, side="right") - 1
        within = steps - firsts[window]
        return np.where(within < self._steps, window, -1), within.astype(np.int64)

    def between(self, first: int, last: int) -> RecordedPaths:
        """The same with the windows `first` to `last` alone."""
        paths = copy(self)
        paths._starts = self._starts[first : last + 1]
        return paths

    def write(self, episodes: Sequence[Episode], mid: Array, spread: Array | None) -> None:
        """Writes the mids (B, T + t_m) of episodes, and their reference spreads (B, T) where these are wanted."""
        recording = self._recording
        for b, episode in enumerate(episodes):
            places = self._blocks(episode, mid.shape[1]) if self.windows is None else self._window(episode, mid.shape[1])
            if self.windows is None:
                mid[b] = self._initial * np.exp(np.cumsum(self._returns(places)))
            else:
                mid[b] = recording.mid[places]
            if spread is not None and recording.spread is not None:
                now = places[: self._steps]
                spread[b] = recording.spread[now] / recording.mid[now] * (1.0 if self._scaled else mid[b, : self._steps])

    def _places(self, steps: int, every: int) -> Array:
        """Where stretches of so many steps can begin without crossing the end of a session, `every` so many steps."""
        sessions = self._recording.sessions
        return np.concatenate([np.arange(first, last - steps, every) for first, last in pairwise(sessions)])

    def _window(self, episode: Episode, prices: int) -> Array:
        return np.asarray(self._start(episode) + np.arange(prices))

    def _start(self, episode: Episode) -> int:
        """Where the window of an episode begins."""
        return int(self._starts[(episode.replica + episode.number) % len(self._starts)])

    def _blocks(self, episode: Episode, prices: int) -> Array:
        """The places of the prices at which steps end; that of step 0 is where the first block begins."""
        block = self._law.block
        draws = episode.generator(Stream.PRICE).random(-(-(prices - 1) // block))
        starts = self._starts[(draws * len(self._starts)).astype(np.int64)]
        ends = (starts[:, np.newaxis] + np.arange(1, block + 1)).ravel()[: prices - 1]
        return np.concatenate([starts[:1] if len(starts) else self._starts[:1], ends])

    def _returns(self, places: Array) -> Array:
        """The log returns that end at these places, 0 at step 0."""
        mid = self._recording.mid
        returns = np.log(mid[places]) - np.log(mid[places - 1])
        returns[0] = 0.0
        return np.asarray(returns)
