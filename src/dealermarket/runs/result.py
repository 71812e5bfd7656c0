"""The outcome of a run: frames, statistics, and the folder it is kept in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dealermarket.errors import RunFolderError
from dealermarket.estimates import Estimate, mean
from dealermarket.frozen import FrozenMapping
from dealermarket.model.scenario import RESERVED_NAME, Scenario
from dealermarket.runs.folder import RunFolder, RunMeta, WrittenChunk
from dealermarket.runs.statistics import statistics
from dealermarket.runs.tables import KINDS, OUTCOMES, Chunk, RecordLevel, arrow_table, columns_of, tables_of
from dealermarket.runs.trace import StepTrace, trace
from dealermarket.values import listed, whole_number

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class SimulationResult(RunMeta):
    """The outcome of a run, as `SimulationRunner.run` returns it and `SimulationResult.load` reads it from a folder.

    Frames are read or built when asked for; `summary` has a row per replica and maker. Results are equal where their scenarios
    and all recorded tables are, wherever they are kept.

    Parameters
    ----------
    scenario : Scenario
        What was run.
    meta : mapping
        What `meta.json` of a run folder says: seed, replicas, what was recorded, and so on.
    source : sequence of chunks, or RunFolder
        Where the tables are: in memory, or in a run folder.

    """

    def __init__(self, scenario: Scenario, meta: Mapping[str, Any], source: Sequence[Chunk] | RunFolder) -> None:
        self.scenario, self.meta, self._source = scenario, FrozenMapping(meta), source

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimulationResult):
            return NotImplemented
        return self._content() == other._content() and all(
            self._frame(table).equals(other._frame(table)) for table in tables_of(self.record)
        )

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        state = "" if self.complete else ", incomplete"
        return (
            f"<SimulationResult of {self.scenario.name!r}: {self.meta['replicas']:,} replicas, seed {self.meta['seed']}, "
            f"{' and '.join(tables_of(self.record))}{state}>"
        )

    def _content(self) -> tuple[object, ...]:
        """What tells results apart without reading the tables."""
        return self.scenario, self.record, self.meta["replicas"]

    @classmethod
    def load(cls, path: str | Path) -> SimulationResult:
        """The result kept in a run folder; of an interrupted run, what is there. Raises RunFolderError.

        Tables are compared with their checksums when they are read; `check` does so with all of them."""
        folder = RunFolder.open(Path(path))
        return cls(folder.scenario, folder.meta, folder)

    def check(self) -> SimulationResult:
        """The same result. Raises RunFolderError where a file that it is kept in is not what was written."""
        if isinstance(self._source, RunFolder):
            self._source.check_files()
        return self

    def save(self, path: str | Path) -> RunFolder:
        """Writes a run folder, the same that the run would have written itself. Raises RunFolderError."""
        if isinstance(self._source, RunFolder):
            raise RunFolderError(f"{self._source.path}: is on disk already; copy the folder instead")
        meta = {name: value for name, value in self.meta.items() if name not in ("complete", "capped_orders", "seconds")}
        with RunFolder.create(Path(path), self.scenario, meta) as folder:
            for chunk in self._source:
                folder.write(WrittenChunk.of(self.scenario, folder.record, chunk))
            folder.finish([chunk.first for chunk in self._source], self.meta["seconds"])
        return folder

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row per replica and maker: `replica`, `maker`, and a column per statistic (`dealermarket.runs.statistics`)."""
        return self._frame("summary")

    @cached_property
    def steps(self) -> pd.DataFrame:
        """A row per replica, step and maker. Raises RunFolderError if the run did not record steps."""
        return self._frame("steps")

    @cached_property
    def trades(self) -> pd.DataFrame:
        """A row per trade. Raises RunFolderError if the run did not record trades."""
        return self._frame("trades")

    @cached_property
    def requests(self) -> pd.DataFrame:
        """A row per request of an investor. Raises RunFolderError if the run did not record requests."""
        return self._frame("requests")

    def statistics(self) -> dict[str, dict[str, Estimate]]:
        """For every maker, the average of each statistic of the summary over the replicas, with its 95 % interval.

        Columns of a loaded run that are no statistics here, since nobody registered them, are left out."""
        table, makers = self._table("summary"), self.scenario.maker_names
        names = set(table.column_names)
        averages: dict[str, dict[str, Estimate]] = {maker: {} for maker in makers}
        for statistic in statistics():
            if not statistic.columns <= names:
                continue
            columns = {name: table[name].to_numpy().astype(np.float64).reshape(-1, len(makers)) for name in statistic.columns}
            average = mean(statistic.by_replica(columns))
            for number, maker in enumerate(makers):
                averages[maker][statistic.name] = average[number]
        return averages

    def arrays(self, table: RecordLevel, columns: Sequence[str], replicas: int | None = None) -> dict[str, NDArray[Any]]:
        """Columns of a table as arrays (rows,), of the first `replicas` or of all: far quicker than a frame.

        Names are numbers: participants as they stand in `scenario.participants`, the exchange after the last; kinds of trades
        in `KINDS`, outcomes of requests in `OUTCOMES`. Raises RunFolderError if the table was not recorded."""
        import pyarrow as pa
        import pyarrow.compute as pc

        read, arrays = self._table(table, list(columns), replicas), {}
        for name in columns:
            values = read[name]
            if pa.types.is_string(values.type):
                names = {"kind": KINDS, "outcome": OUTCOMES}.get(name, (*self.scenario.participants, RESERVED_NAME))
                values = pc.index_in(values, pa.array(names))
            arrays[name] = values.to_numpy()
        return arrays

    @property
    def can_run_again(self) -> bool:
        """Whether its replicas can be run once more: scenario and seed say all that happened in them."""
        return not self.meta["policies"] and "tape" not in self.meta

    def check_can_run_again(self) -> None:
        """Raises RunFolderError where scenario and seed do not say what happened: of a run on a tape that was handed in, or with
        policies that are not the scenario's."""
        if self.can_run_again:
            return
        where = self._source.path if isinstance(self._source, RunFolder) else self.scenario.name
        if "tape" in self.meta:
            why = "on a tape that was handed in, whose prices and orders are not kept, so that it cannot be run again"
        else:
            why = (
                f"with policies for {listed(self.meta['policies'])} that its scenario does not have, so that it cannot be run "
                "again; give them to the scenario, with Scenario.with_policies"
            )
        raise RunFolderError(f"{where}: was run {why}")

    def trace(self, replica: int = 0, step: int = 0) -> StepTrace:
        """One step of one replica told in order, with every quote: `dealermarket.trace`. It is worked out again, whatever was
        recorded.

        Raises ParameterError for a replica or step that the run has not, and RunFolderError where scenario and seed do not say
        what happened: of a run on a tape that was handed in, or with policies that are not the scenario's."""
        whole_number("replica", replica, 0, self.meta["replicas"] - 1)
        self.check_can_run_again()
        return trace(self.scenario, self.meta["seed"], replica, step)

    def _table(self, table: RecordLevel, columns: list[str] | None = None, replicas: int | None = None) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(self._source, RunFolder):
            return self._source.read(table, columns, replicas)
        if table not in tables_of(self.record):
            raise RunFolderError(f"{table}: was not recorded; run with record={table!r}")
        chunks = [chunk for chunk in self._source if replicas is None or chunk.first < replicas]
        whole = pa.concat_tables([arrow_table(columns_of(table, self.scenario, chunk)) for chunk in chunks])
        if replicas is not None:
            whole = whole.filter(pc.field("replica") < replicas)
        return whole if columns is None else whole.select(columns)

    def _frame(self, table: RecordLevel) -> pd.DataFrame:
        frame: pd.DataFrame = self._table(table).to_pandas()
        return frame
