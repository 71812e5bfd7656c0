"""Run folders: what a run leaves on disk, written chunk by chunk so that an interruption costs one chunk at most.

While a run goes on, `meta.json` says `"complete": false` and `parts/` holds a file per table and chunk of replicas,
each whole or not there; a chunk counts when all its parts are there, as they were written. At the end the parts are merged
in replica order into one Parquet file a table, whose pages have checksums of their own for other readers, `meta.json` says
`"complete": true` and has the tables' checksums, and `parts/` goes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dealermarket.checksums import Checksum, Parts, writing
from dealermarket.errors import RunFolderError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.tables import RECORD_LEVELS, Chunk, RecordLevel, arrow_table, columns_of, tables_of
from dealermarket.runs.work_folder import SCENARIO, WithMeta, WorkFolder, digest, installed

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = "parts"
_CAPPED = b"capped_orders"
LIBRARIES = ("numpy", "numba", "pandas", "pyarrow", "scipy")


@dataclass(frozen=True)
class WrittenChunk:
    """A chunk as it stands in a folder: the content of a Parquet file for each table, the summary's last."""

    first: int
    parts: Mapping[RecordLevel, pa.Buffer]

    @classmethod
    def of(cls, scenario: Scenario, record: RecordLevel, chunk: Chunk) -> WrittenChunk:
        """The tables of a chunk, as many as are recorded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        parts = {}
        for table in reversed(tables_of(record)):
            content = arrow_table(columns_of(table, scenario, chunk))
            if table == "summary":
                content = content.replace_schema_metadata({_CAPPED: str(int(chunk.capped.sum())).encode()})
            stream = pa.BufferOutputStream()
            pq.write_table(content, stream, compression="lz4")  # a part is read once and soon: what is quickly done is best
            parts[table] = stream.getvalue()
        return cls(chunk.first, parts)


class RunMeta(WithMeta):
    """What is said of a run: how it was made and how far it came."""

    @property
    def record(self) -> RecordLevel:
        """How much was recorded: "summary", "steps", "trades" or "requests"."""
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
        self._parts = Parts(path / PARTS, meta.get("parts", ""))

    # --- making and finding

    @classmethod
    def create(cls, path: Path, scenario: Scenario, meta: dict[str, Any]) -> RunFolder:
        """A new folder; refuses one that exists and is not empty."""
        scenario = scenario.pinned()
        text = scenario.to_toml()
        # parts belong to this very run: another one of the same scenario may have had other policies, written in Python
        folder = cls(path, scenario, {**meta, "scenario_sha256": digest(text), "parts": secrets.token_hex(8)})
        folder._begin({SCENARIO: text})
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run, complete or not; refuses what is not one, was changed or was made by another version."""
        meta = cls._read_meta(path)
        if meta["record"] not in RECORD_LEVELS:
            raise cls._damaged(path)
        anew = "run the changed scenario into a new folder: dealermarket run {file}"
        text = cls._read_input(path, SCENARIO, meta["scenario_sha256"], anew, meta["complete"])
        folder = cls(path, Scenario.from_toml(text, where=str(path / SCENARIO)), meta)
        folder.check_files(thorough=False)
        return folder

    # --- writing

    def chunks_done(self) -> set[int]:
        """First replicas of the chunks whose parts are all there, as they were written."""
        matches = (re.fullmatch(r"summary-(\d{10})\.parquet", name) for name in self._parts)
        firsts = {int(match[1]) for match in matches if match}
        return {first for first in firsts if self._parts.are_whole(_part(table, first) for table in tables_of(self.record))}

    def write(self, chunk: WrittenChunk) -> None:
        """Writes the parts of a chunk, the summary's last."""
        for table, content in chunk.parts.items():
            self._parts.write(_part(table, chunk.first), memoryview(content))

    def finish(self, chunks: list[int], seconds: float) -> None:
        """Merges the parts in replica order and says that the run is complete."""
        import pyarrow.parquet as pq

        capped = sum(int(pq.read_schema(self._open_part("summary", first)).metadata[_CAPPED]) for first in chunks)
        files = {
            f"{table}.parquet": _write_table(self.path / f"{table}.parquet", (self._read_part(table, n) for n in chunks))
            for table in tables_of(self.record)
        }
        del self.meta["parts"]
        self._complete(files=files, capped_orders=capped, libraries=installed(LIBRARIES), seconds=round(seconds, 3))

    def _anew(self) -> str:
        options = " ".join(f"--{name} {self.meta[name]}" for name in ("replicas", "seed", "record"))
        return f"{self.again.format(path=self.path)} {options}"

    # --- reading

    def read(self, table: RecordLevel, columns: list[str] | None = None, replicas: int | None = None) -> pa.Table:
        """One table, or some of its columns, or the rows of its first replicas; of an incomplete run, its whole chunks.

        Raises RunFolderError if it was not recorded, or is damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if table not in tables_of(self.record):
            raise RunFolderError(
                f"{self.path}: holds no {table}, only {', '.join(tables_of(self.record))}; run again with --record {table}"
            )
        wanted: Any = {"columns": columns, "filters": None if replicas is None else [("replica", "<", replicas)]}
        if self.complete:
            self._check_file(f"{table}.parquet")
            try:
                return pq.read_table(self.path / f"{table}.parquet", page_checksum_verification=True, **wanted)
            except (OSError, pa.ArrowException) as error:
                raise RunFolderError(f"{self.path / table}.parquet: cannot be read: {error}") from None
        parts = [pq.read_table(self._open_part(table, first), **wanted) for first in sorted(self.chunks_done())]
        if not parts:
            problem = "none of its parts is what was written" if list(self._parts) else "was interrupted before its first chunk"
            raise RunFolderError(f"{self.path}: {problem}; finish it with run --resume {self.path}")
        return pa.concat_tables(part.replace_schema_metadata(None) for part in parts)

    def _read_part(self, table: str, first: int) -> pa.Table:
        import pyarrow.parquet as pq

        return pq.read_table(self._open_part(table, first))

    def _open_part(self, table: str, first: int) -> pa.BufferReader:
        """A part to read from. Raises RunFolderError where it is not what was written."""
        import pyarrow as pa

        content = self._parts.read(_part(table, first))
        if content is None:
            raise RunFolderError(
                f"{self.path / PARTS / _part(table, first)}: is not what was written; run --resume {self.path} makes it again"
            )
        return pa.BufferReader(content)


def _part(table: str, first: int) -> str:
    """The name of the part of a table with the chunk that begins with this replica."""
    return f"{table}-{first:010d}.parquet"


def _write_table(path: Path, parts: Iterable[Any]) -> Checksum:
    """One part after the other, as one file; returns its checksum."""
    import pyarrow.parquet as pq

    with writing(path) as file:
        writer = None
        for part in parts:
            content = part.replace_schema_metadata(None)
            writer = writer or pq.ParquetWriter(file, content.schema, compression="zstd", write_page_checksum=True)
            writer.write_table(content)
        assert writer is not None
        writer.close()
    return file.checksum
