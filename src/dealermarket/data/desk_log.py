"""A desk's two files, its log of requests and its mids, read together."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from dealermarket.data.log import Mapped, RequestLog
from dealermarket.data.moves import LONGEST_GAP, flat_after, longest_horizon, read_placed
from dealermarket.errors import DataError, ParameterError
from dealermarket.reading.prices import Recording, read_prices, usual_spacing
from dealermarket.values import short, whole_number

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]


class DeskLog(NamedTuple):
    """A desk's requests among the mids of the same time."""

    log: RequestLog
    recording: Recording
    place: Array  # (requests,) of each request's step in the recording
    seconds: float  # that a step takes


def read_desk(
    rfqs: str | Path | pd.DataFrame,
    mids: str | Path | pd.DataFrame,
    mapped: Mapped | None = None,
    instrument: str | None = None,
    step_seconds: float | None = None,
) -> DeskLog:
    """A log of requests and mids, files or frames with the same columns; a step takes `step_seconds`, the usual time between
    two mids where left out.

    Raises DataError for what cannot be read and for mids of which no session has two steps, ParameterError for what is no file
    and for what is no length of a step."""
    if step_seconds is not None and not (step_seconds > 0 and math.isfinite(step_seconds)):
        raise ParameterError(f"step_seconds: must be a number of seconds above 0, got {step_seconds!r}")
    with tempfile.TemporaryDirectory() as folder:
        given = {"rfqs": rfqs, "mids": mids}
        files = {name: _file(name, one, Path(folder) / f"{name}.parquet") for name, one in given.items()}
        try:
            seconds = usual_spacing(files["mids"], {}) if step_seconds is None else step_seconds
            recording = read_prices(files["mids"], {}, seconds, LONGEST_GAP)
            _check_moves(files["mids"], recording)
            log, place = read_placed(files["rfqs"], mapped, instrument, recording, seconds)
        except DataError as error:
            raise DataError(str(error).replace(f"{folder}/", "")) from None
    told = [tuple(note.replace(f"{folder}/", "") for note in one.notes) for one in (log, recording)]
    return DeskLog(replace(log, notes=told[0]), replace(recording, notes=told[1]), place, seconds)


def _check_moves(mids: str, recording: Recording) -> None:
    if longest_horizon(recording) < 1:
        raise DataError(f"{mids}: no session has two steps, so nothing is known of moves; give more mids, or longer steps")


def _file(name: str, given: str | Path | pd.DataFrame, path: Path) -> str:
    """The path of a file, or of that which a frame is written to: all logs are read the same way."""
    if isinstance(given, (str, Path)):
        return str(given)
    if not hasattr(given, "to_parquet"):
        raise ParameterError(f"{name}: must be a file or a pandas frame, got {short(given)}")
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
