"""A desk's two files, its log of requests and its mids, read together."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from dealermarket.data.log import Mapped, RequestLog, read_requests
from dealermarket.data.moves import LONGEST_GAP, LONGEST_GAP_OF_REQUESTS, flat_after, longest_horizon, placed, read_placed
from dealermarket.errors import DataError, ParameterError
from dealermarket.reading.columns import PLAIN
from dealermarket.reading.prices import Recording, read_prices, recording_of, spacing_of, usual_spacing
from dealermarket.values import short, whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]


class DeskLog(NamedTuple):
    """A desk's requests among the mids of the same time.

    Parameters
    ----------
    log : RequestLog
        The requests, in order of time.
    recording : Recording
        The mids at the steps of their sessions.
    place : array, (requests,)
        At which step of the recording each request came.
    seconds : float
        How long a step is.
    """

    log: RequestLog
    recording: Recording
    place: Array
    seconds: float


def read_desk(
    rfqs: str | Path | pd.DataFrame,
    mids: str | Path | pd.DataFrame | None = None,
    mapped: Mapped | None = None,
    instrument: str | None = None,
    step_seconds: float | None = None,
) -> DeskLog:
    """Reads a log of requests and mids, and finds the step of each request among the mids.

    Parameters
    ----------
    rfqs : str, Path or pandas.DataFrame
        The log of requests: a CSV or Parquet file, or a frame with the same columns.
    mids : str, Path or pandas.DataFrame, optional
        The mids of the same time. Where left out, the log's own column of them stands for a file.
    mapped : Mapped, optional
        What the files call their columns, values and times, where that is not clear.
    instrument : str, optional
        Which instrument to choose; needed where the log holds several.
    step_seconds : float, optional
        The length of a step in seconds, above 0. Where left out, the usual time between two mids.

    Returns
    -------
    DeskLog
        The requests that lie within the mids' sessions, and the mids.

    Raises
    ------
    DataError
        A file cannot be read or does not hold what it must, no request lies within the times of the mids, or no session of the
        mids has two steps.
    ParameterError
        `step_seconds` is not above 0, or what is given is neither a file nor a frame.
    """
    if step_seconds is not None and not (step_seconds > 0 and math.isfinite(step_seconds)):
        raise ParameterError(f"step_seconds: must be a number of seconds above 0, got {step_seconds!r}")
    told = mapped or Mapped()
    with tempfile.TemporaryDirectory() as folder:
        log_file = _file("rfqs", rfqs, Path(folder))
        try:
            if mids is None:
                found = _with_own_mids(log_file, told, instrument, step_seconds)
            else:
                found = _with_mids(log_file, _file("mids", mids, Path(folder)), told, instrument, step_seconds)
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}/", "")) from None
    of_log, of_mids = (tuple(note.replace(f"{folder}/", "") for note in one.notes) for one in (found.log, found.recording))
    return found._replace(log=replace(found.log, notes=of_log), recording=replace(found.recording, notes=of_mids))


def _with_mids(rfqs: str, mids: str, mapped: Mapped, instrument: str | None, step_seconds: float | None) -> DeskLog:
    written = mapped.mids.format or mapped.format
    try:
        seconds = usual_spacing(mids, mapped.mids.columns, written) if step_seconds is None else step_seconds
        recording = read_prices(mids, mapped.mids.columns, seconds, LONGEST_GAP, written)
    except DataError as error:
        if mapped.mids.format is not None or written == PLAIN:
            raise
        other = "mids = { format = { time = 'ISO8601' } }, for example"
        raise DataError(
            f"{error}; where the mids are written otherwise than the log, the mapping file says so: {other}"
        ) from None
    _check_moves(mids, recording)
    log, place = read_placed(rfqs, mapped, instrument, recording, seconds)
    return DeskLog(log, recording, place, seconds)


def _with_own_mids(rfqs: str, mapped: Mapped, instrument: str | None, step_seconds: float | None) -> DeskLog:
    log = read_requests(rfqs, mapped, instrument)
    seconds = spacing_of(log.time) if step_seconds is None else step_seconds
    if seconds is None:
        raise DataError(f"{rfqs}: all requests have one time, so nothing is known of moves; give mids (--mids)")
    step = f"a step takes {seconds:.6g} s" if log.time.is_clock else "times count steps"
    own = f"no file of mids: the {len(log):,} mids of the requests themselves stand for one; {step}"
    recording = recording_of(log.time, log.mid, None, seconds, LONGEST_GAP_OF_REQUESTS)
    _check_moves(rfqs, recording)
    log, place = placed(rfqs, log, recording, seconds)
    return DeskLog(log, replace(recording, notes=(own, *recording.notes)), place, seconds)


def _check_moves(mids: str, recording: Recording) -> None:
    if longest_horizon(recording) < 1:
        raise DataError(f"{mids}: no session has two steps, so nothing is known of moves; give more mids, or longer steps")


def _file(name: str, given: str | Path | pd.DataFrame, folder: Path) -> str:
    """The path of a file, or of that in a folder which a frame is written to: all logs are read the same way."""
    if isinstance(given, (str, Path)):
        return str(given)
    if not hasattr(given, "to_parquet"):
        raise ParameterError(f"{name}: must be a file or a pandas frame, got {short(given)}")
    path = folder / f"{name}.parquet"
    given.to_parquet(path, index=False)
    return str(path)


def horizon_of(desk: DeskLog, given: int | None) -> int | None:
    """The reward horizon that was given, or after which markouts stay where they are; None where requests tell nothing of it.

    Raises ParameterError for a horizon that no session has."""
    longest = longest_horizon(desk.recording)
    if given is not None:
        return whole_number("reward_horizon", given, 1, longest)
    flat = flat_after(desk.log.side, desk.recording, desk.place)
    return None if flat is None else min(flat, longest)
