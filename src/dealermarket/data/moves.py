"""Requests among recorded mids: at which step each came, and how the mid moved after it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.log import RequestLog
from dealermarket.errors import DataError
from dealermarket.reading.prices import Recording

Array = NDArray[Any]

LONGEST_GAP = 4.0
"""Steps without a mid after which a session ends."""
LATEST = 96
"""Steps up to which markouts are looked at for where they flatten."""
DEFAULT_HORIZON = 4
"""The reward horizon, in steps, where requests tell nothing of the moves after them."""


def placed(log: RequestLog, recording: Recording, seconds: float) -> tuple[RequestLog, Array]:
    """The requests that lie within the mids' sessions, and the place of each one's step in the recording.

    A request without a mid gets that of its step. Raises DataError where no request lies there, and where quotes are prices, or
    basis points, of a mid that the log does not have."""
    if np.isnan(log.spread).any():
        raise DataError("rfqs: has no column of mids, so nobody knows how far from them its quotes are; add a column 'mid'")
    step = np.floor(log.time.values / (seconds if log.time.is_clock else 1.0) + 1e-6)
    place = np.clip(np.searchsorted(recording.at, step), 0, len(recording.at) - 1)
    inside = recording.at[place] == step
    if not inside.any():
        raise DataError("rfqs: no request lies within the times of the mids; do both files count time alike?")
    outside = [] if inside.all() else [f"left out {int((~inside).sum()):,} requests at times without mids"]
    kept, place = log.chosen(inside, outside), place[inside]
    mid = np.where(np.isnan(kept.mid), recording.mid[place], kept.mid)
    return kept.__class__(**{**vars(kept), "mid": mid}), place


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
    signed = [side * moves_after(recording, place, horizon) for horizon in range(1, LATEST + 1)]
    mean = np.array([np.nanmean(each) if np.isfinite(each).any() else np.nan for each in signed])
    error = np.array([np.nanstd(each) / np.sqrt(max(np.isfinite(each).sum(), 1)) for each in signed])
    known = np.isfinite(mean) & (np.abs(mean) > 3.0 * error)
    if not known[:8].any():
        return None
    level = float(np.nanmean(mean[: LATEST // 4]))
    return int(np.argmax(mean >= 0.95 * max(level, float(mean[known].min())))) + 1
