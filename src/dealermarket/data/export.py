"""What one maker of a run would have in its files: the requests that it was asked for, and mids; nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.data.outcomes import OUTCOMES, SIDES, outcome_codes
from dealermarket.disk import replacing
from dealermarket.draws.streams import first_episodes
from dealermarket.draws.tape import TapeSource
from dealermarket.errors import DataError, ParameterError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.chunks import Simulator, chunks_of
from dealermarket.runs.executors.base import Progress
from dealermarket.runs.tables import Chunk
from dealermarket.values import suggestion, whole_number

if TYPE_CHECKING:
    import pandas as pd

    from dealermarket.runs.result import SimulationResult

Array = NDArray[Any]

START = np.datetime64("2024-01-01T00:00:00", "ns")
"""When the first replica begins; each later one begins some whole days after it, with a day of rest in between."""
_REST = 8  # steps at least, so that a session ends with its replica however short days are
_DAY = 24 * 60 * 60 * 1_000_000_000  # nanoseconds


@dataclass(frozen=True)
class DeskFiles:
    """The requests in which a maker was asked, and the mids of the market, as a desk has them.

    Parameters
    ----------
    rfqs : pandas.DataFrame
        A row for each request: `time`, `client`, `side`, `size`, `quote`, `mid`, `outcome`, `dealers_asked`, `cover`, `tier`.
        Quotes and covers are prices; a cover is there where the maker won.
    mids : pandas.DataFrame
        A row for each step: `time`, `mid`, `bid`, `ask`.
    """

    rfqs: pd.DataFrame
    mids: pd.DataFrame

    def write(self, folder: str | Path, parquet: bool = False) -> list[Path]:
        """Writes both tables into a folder, which is made where there is none.

        Parameters
        ----------
        folder : str or Path
            Where `rfqs` and `mids` are written to.
        parquet : bool
            As Parquet; otherwise as CSV.

        Returns
        -------
        list of Path
            The two files.

        Raises
        ------
        DataError
            A file is there already, or the folder cannot be made.
        RunFolderError
            A file cannot be written.
        """
        folder, written = Path(folder), []
        paths = {name: folder / f"{name}.{'parquet' if parquet else 'csv'}" for name in ("rfqs", "mids")}
        for path in paths.values():
            if path.exists():
                raise DataError(f"{path}: exists already and is left as it is; give another folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, frame in (("rfqs", self.rfqs), ("mids", self.mids)):
                path = paths[name]
                with replacing(path) as unfinished:
                    if parquet:
                        frame.to_parquet(unfinished, index=False)
                    else:
                        frame.assign(time=_as_texts(frame["time"])).to_csv(unfinished, index=False)
                written.append(path)
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror or error}") from None
        return written


def export(
    run: SimulationResult | Scenario | str | Path, maker: str, replicas: int = 1, seed: int = 0, progress: Progress | None = None
) -> DeskFiles:
    """The files that one maker of a market would have.

    The replicas of a run are run again; those of a scenario are run. They follow each other as sessions, days apart.

    Parameters
    ----------
    run : SimulationResult, Scenario, str or Path
        A run, the folder of one, or a scenario.
    maker : str
        The name of the maker.
    replicas : int
        Of a scenario, how many replicas, from 1 to 1,000,000. A run has its own number.
    seed : int
        Of a scenario, the seed, 0 or more. A run has its own.
    progress : callable, optional
        Called with the number of market steps done since the last call, from any thread.

    Returns
    -------
    DeskFiles
        The requests that the maker was asked, and the mids of the market.

    Raises
    ------
    ParameterError
        There is no such maker, or `replicas` or `seed` cannot be.
    RunFolderError
        The folder holds no run, or the run cannot be run again.
    """
    if isinstance(run, (str, Path)):
        from dealermarket.runs.result import SimulationResult

        run = SimulationResult.load(run)
    scenario, count, seed = _source(run, replicas, seed)
    if maker not in scenario.maker_names:
        raise ParameterError(f"maker: there is no {maker!r}{suggestion(maker, scenario.maker_names)}")
    index, report = scenario.maker_names.index(maker), progress or (lambda _: None)
    simulator, source = Simulator(scenario, "requests", {}, seed, quotes=True), TapeSource(scenario)
    simulator.load(source)
    report(0)
    parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for chunk in chunks_of(scenario, range(count), bool(scenario.policies)):
        done = simulator.run(chunk, source.draw(first_episodes(seed, chunk)), report)
        parts.append((_rfqs(scenario, done, index), _mids(scenario, done)))
    import pandas as pd

    rfqs, mids = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    return DeskFiles(rfqs, mids)


def _source(run: SimulationResult | Scenario, replicas: int, seed: int) -> tuple[Scenario, int, int]:
    if isinstance(run, Scenario):
        return run, whole_number("replicas", replicas, 1, 1_000_000), whole_number("seed", seed, 0)
    run.check_can_run_again()
    return run.scenario, run.meta["replicas"], run.meta["seed"]


def _rfqs(scenario: Scenario, chunk: Chunk, index: int) -> pd.DataFrame:
    import pandas as pd

    record = chunk.record
    replica = np.repeat(np.arange(len(record.request_start) - 1) + chunk.first, np.diff(record.request_start))
    quotes = record.quotes[:, index]
    asked = ~np.isnan(quotes)
    requests, quotes = record.requests[asked], quotes[asked]
    side, mid = requests["side"], requests["mid"]
    won = (requests["traded"] == 1) & (requests["maker"] == index)
    names = np.array([agent.name for agent in scenario.agents], dtype=object)
    return pd.DataFrame(
        {
            "time": _times(scenario, replica[asked], requests["step"]),
            "client": names[requests["client"]],
            "side": np.array(SIDES, dtype=object)[(side < 0).astype(int)],
            "size": requests["volume"],
            "quote": mid + side * quotes,
            "mid": mid,
            "outcome": np.array(OUTCOMES, dtype=object)[outcome_codes(requests["traded"] == 1, won)],
            "dealers_asked": requests["asked"],
            "cover": np.where(won, mid + side * requests["cover"], np.nan),  # the winner is told
            "tier": record.quoted_tiers[asked, index],
        }
    )


def _mids(scenario: Scenario, chunk: Chunk) -> pd.DataFrame:
    import pandas as pd

    mid, spread = chunk.record.mid, chunk.reference_spread
    replica, step = np.indices(mid.shape)
    half = 0.5 * spread * (mid if scenario.market.spreads_scale_with_price else 1.0)
    return pd.DataFrame(
        {
            "time": _times(scenario, (replica + chunk.first).ravel(), step.ravel()),
            "mid": mid.ravel(),
            "bid": (mid - half).ravel(),
            "ask": (mid + half).ravel(),
        }
    )


def _times(scenario: Scenario, replica: Array, step: Array) -> Array:
    per_day = scenario.market.steps_per_day
    days = -(-(scenario.steps + _REST) // per_day) + 1  # of a replica, with the day of rest
    nanoseconds = replica.astype(np.int64) * days * _DAY + np.round(step * (_DAY / per_day)).astype(np.int64)
    return np.asarray(START + nanoseconds.astype("timedelta64[ns]"))


def _as_texts(times: pd.Series[Any]) -> pd.Series[Any]:
    whole = (times.astype("int64") % 1_000_000_000 == 0).all()
    texts: pd.Series[Any] = times.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("Z" if whole else ".%fZ"))
    return texts
