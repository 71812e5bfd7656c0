"""Requests among recorded mids: at which step each came, and how the mid moved after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.log import Mapped, RequestLog, read_requests
from dealermarket.errors import DataError
from dealermarket.reading.prices import Recording
from dealermarket.reading.times import Times

Array = NDArray[Any]

MOST_APART = 5.0
"""Steps' moves by which the mids of a log may lie from those of the file of mids, in the median."""
LONGEST_GAP = 4.0
"""Steps without a mid after which a session ends."""
LONGEST_GAP_OF_REQUESTS = 20.0
"""The same where the mids are those of the requests themselves, between which four usual times are nothing rare."""
LATEST = 96
"""Steps up to which markouts are looked at for where they flatten."""
DEFAULT_HORIZON = 4
"""The reward horizon, in steps, where requests tell nothing of the moves after them."""


def read_placed(
    rfqs: str | Path, mapped: Mapped | None, instrument: str | None, recording: Recording, seconds: float
) -> tuple[RequestLog, Array]:
    """The requests of a file that lie within the mids' sessions, in order of time, and the place of each one's step in the
    recording, (requests,).

    A log without mids gets those of the recording. Raises DataError for what cannot be read."""

    def mid_at(times: Times) -> Array:
        place, inside = _places(times, recording, seconds)
        return np.where(inside, recording.mid[place], np.nan)

    return placed(rfqs, read_requests(rfqs, mapped, instrument, mid_at), recording, seconds)


def placed(rfqs: str | Path, log: RequestLog, recording: Recording, seconds: float) -> tuple[RequestLog, Array]:
    """The requests of a log, read from the file `rfqs`, that lie within the mids' sessions, and the place of each one's step in
    the recording, (requests,). Raises DataError where none lies there, and where the log's mids are others."""
    place, inside = _places(log.time, recording, seconds)
    if not inside.any():
        raise DataError(f"{rfqs}: no request lies within the times of the mids; do both files count time alike?")
    outside = [] if inside.all() else [f"left out {int((~inside).sum()):,} requests at times without mids"]
    kept, place = log.chosen(inside, outside), place[inside]
    _check_mids(rfqs, kept.mid, recording, place)
    return kept, place


def _check_mids(rfqs: str | Path, mid: Array, recording: Recording, place: Array) -> None:
    """Raises DataError where the log's mids are far from those of the file of mids."""
    apart = float(np.median(np.abs(mid / recording.mid[place] - 1.0)))
    returns = recording.log_returns
    usual = float(np.std(returns)) if len(returns) else 0.0
    if recording.spread is not None:
        usual = max(usual, float(np.median(recording.spread / recording.mid)))
    if apart > MOST_APART * max(usual, 1e-12):
        raise DataError(
            f"{rfqs}: its mids are {1e4 * apart:,.1f} bp from those of the file of mids, in the median, which move by "
            f"{1e4 * usual:,.1f} bp a step; do both count time and prices alike?"
        )


def _places(times: Times, recording: Recording, seconds: float) -> tuple[Array, Array]:
    """The place in the recording of the step at each time, and whether there is one, (times,)."""
    step = np.floor(times.values / (seconds if times.is_clock else 1.0) + 1e-6)
    place = np.clip(np.searchsorted(recording.at, step), 0, len(recording.at) - 1)
    return place, recording.at[place] == step


def moves_after(recording: Recording, place: Array, horizon: int) -> Array:
    """How the mid moves over some steps after each request, (requests,); NaN where its session ends before."""
    ends = recording.sessions[np.searchsorted(recording.sessions, place, side="right")]
    later = place + horizon
    known = later < ends
    moves = recording.mid[np.minimum(later, len(recording.mid) - 1)] - recording.mid[place]
    return np.where(known, moves, np.nan)


def longest_horizon(recording: Recording) -> int:
    """The most steps over which a move is known."""
    return int(np.diff(recording.sessions).max()) - 1


def flat_after(side: Array, recording: Recording, place: Array) -> int | None:
    """After how many steps markouts flatten; None where requests tell nothing of the moves after them."""
    horizons = range(1, min(LATEST, longest_horizon(recording)) + 1)
    mean, error = np.full((2, len(horizons)), np.nan)
    for n, horizon in enumerate(horizons):  # one after the other: all at once are a hundred arrays as long as the log
        signed = side * moves_after(recording, place, horizon)
        signed = signed[np.isfinite(signed)]
        if len(signed):
            mean[n], error[n] = signed.mean(), signed.std() / np.sqrt(len(signed))
    known = np.isfinite(mean) & (np.abs(mean) > 3.0 * error)
    if not known[:8].any():
        return None
    level = float(np.nanmean(mean[: LATEST // 4]))
    return int(np.argmax(mean >= 0.95 * max(level, float(mean[known].min())))) + 1
