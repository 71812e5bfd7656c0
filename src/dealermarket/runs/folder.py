"""Run folders: what a run leaves on disk, written chunk by chunk so that an interruption costs one chunk at most.

While a run goes on, `meta.json` says `"complete": false` and `parts/` holds a file per table and chunk of replicas,
each whole or not there; a chunk counts when all its parts are there. At the end the parts are merged
in replica order into one Parquet file a table, `meta.json` says `"complete": true`, and `parts/` goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dealermarket.disk import errors_of, replacing
from dealermarket.errors import RunFolderError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.tables import RECORD_LEVELS, Chunk, RecordLevel, arrow_table, columns_of, tables_of
from dealermarket.runs.work_folder import SCENARIO, WithMeta, WorkFolder, digest, installed

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = "parts"
_CAPPED = b"capped_orders"
LIBRARIES = ("numpy", "numba", "pandas", "pyarrow", "scipy")


class RunMeta(WithMeta):
    """What is said of a run: how it was made and how far it came."""

    @property
    def record(self) -> RecordLevel:
        """How much was recorded: "summary", "steps" or "trades"."""
        level: RecordLevel = self.meta["record"]
        return level


class RunFolder(WorkFolder, RunMeta):
    """One run on disk. Make one with `create` or `open`; every failure is a RunFolderError that names the file."""

    noun, example = "run", "runs/paper-1"
    again = f"run it again: dealermarket run {{path}}/{SCENARIO}"
    wanted: ClassVar = {
        "replicas": int,
        "seed": int,
        "record": str,
        "policies": list,
        "scenario_sha256": str,
    }
    wanted_when_complete: ClassVar = {"seconds": (int, float), "capped_orders": int}
    written = ("*.parquet", f"{PARTS}/*.parquet")
    scratch = PARTS

    def __init__(self, path: Path, scenario: Scenario, meta: dict[str, Any]) -> None:
        super().__init__(path, meta)
        self.scenario = scenario

    # --- making and finding

    @classmethod
    def create(cls, path: Path, scenario: Scenario, meta: dict[str, Any]) -> RunFolder:
        """A new folder; refuses one that exists and is not empty."""
        text = scenario.to_toml()
        folder = cls(path, scenario, {**meta, "scenario_sha256": digest(text)})
        folder._begin({SCENARIO: text})
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run, complete or not; refuses what is not one, was changed or was made by another version."""
        meta = cls._read_meta(path)
        if meta["record"] not in RECORD_LEVELS:
            raise cls._damaged(path)
        anew = "run the changed scenario into a new folder: dealermarket run {file}"
        text = cls._read_input(path, SCENARIO, meta["scenario_sha256"], anew)
        return cls(path, Scenario.from_toml(text, where=str(path / SCENARIO)), meta)

    # --- writing

    def chunks_done(self) -> set[int]:
        """First replicas of the chunks whose parts are all there and whole."""
        numbers = (part.stem.removeprefix("summary-") for part in (self.path / PARTS).glob("summary-*.parquet"))
        firsts = {int(number) for number in numbers if number.isdigit()}
        return {first for first in firsts if all(_is_whole(self._part(table, first)) for table in tables_of(self.record))}

    def replicas_of(self, first: int) -> int:
        """How many replicas the chunk that begins with this one holds."""
        import pyarrow.parquet as pq

        return int(pq.read_metadata(self._part("summary", first)).num_rows) // len(self.scenario.makers)

    def write(self, chunk: Chunk) -> None:
        """Writes the parts of a chunk, the summary's last."""
        for table in reversed(tables_of(self.record)):
            content = arrow_table(columns_of(table, self.scenario, chunk))
            if table == "summary":
                content = content.replace_schema_metadata({_CAPPED: str(int(chunk.capped.sum())).encode()})
            self._write_table(self._part(table, chunk.first), [content])

    def finish(self, chunks: list[int], seconds: float) -> None:
        """Merges the parts in replica order and says that the run is complete."""
        import pyarrow.parquet as pq

        with errors_of(self.path):
            capped = 0
            for first in chunks:
                capped += int(pq.read_schema(self._part("summary", first)).metadata[_CAPPED])
            for table in tables_of(self.record):
                parts = (pq.read_table(self._part(table, first)) for first in chunks)
                self._write_table(self.path / f"{table}.parquet", parts)
        self._complete(capped_orders=capped, libraries=installed(LIBRARIES), seconds=round(seconds, 3))

    def _part(self, table: str, first: int) -> Path:
        return self.path / PARTS / f"{table}-{first:010d}.parquet"

    def _write_table(self, path: Path, parts: Any) -> None:
        import pyarrow.parquet as pq

        with replacing(path) as temporary:
            writer = None
            for part in parts:
                content = part if path.parent.name == PARTS else part.replace_schema_metadata(None)
                writer = writer or pq.ParquetWriter(temporary, content.schema, compression="zstd")
                writer.write_table(content)
            assert writer is not None
            writer.close()

    # --- reading

    def read(self, table: RecordLevel, columns: list[str] | None = None, replicas: int | None = None) -> pa.Table:
        """One table, or some of its columns, or the rows of its first replicas; of an incomplete run, its whole chunks.

        Raises RunFolderError if it was not recorded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if table not in tables_of(self.record):
            raise RunFolderError(
                f"{self.path}: holds no {table}, only {', '.join(tables_of(self.record))}; run again with --record {table}"
            )
        wanted: Any = {"columns": columns, "filters": None if replicas is None else [("replica", "<", replicas)]}
        try:
            if self.complete:
                return pq.read_table(self.path / f"{table}.parquet", **wanted)
            files = [self._part(table, first) for first in sorted(self.chunks_done())]
            parts = [pq.read_table(file, **wanted).replace_schema_metadata(None) for file in files]
        except (OSError, pa.ArrowException) as error:
            reason = (str(error).splitlines() or ["it is missing"])[0]
            raise RunFolderError(f"{self.path}: {table} cannot be read, the folder is damaged: {reason}") from None
        if not parts:
            raise RunFolderError(f"{self.path}: was interrupted before its first chunk; finish it with run --resume {self.path}")
        return pa.concat_tables(parts)


def _is_whole(part: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(part)
    except (OSError, pa.ArrowException):
        return False
    return True
