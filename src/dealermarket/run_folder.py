"""Run folders: what a run leaves on disk, written chunk by chunk so that an interruption costs one chunk at most.

While a run goes on, `meta.json` says `"complete": false` and `parts/` holds a file per table and chunk of replicas,
each whole or not there; the part of the summary comes last and makes the chunk count. At the end the parts are merged
in replica order into one Parquet file a table, `meta.json` says `"complete": true`, and `parts/` goes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket.errors import RunFolderError
from dealermarket.frames import RECORD_LEVELS, Chunk, RecordLevel, arrow_table, columns_of, tables_of
from dealermarket.scenario import Scenario
from dealermarket.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

META, SCENARIO, PARTS = "meta.json", "scenario.toml", "parts"
_CAPPED = b"capped_orders"
_LIBRARIES = ("numpy", "numba", "pandas", "pyarrow", "scipy")


class RunFolder:
    """One run on disk. Make one with `create` or `open`; every failure is a RunFolderError that names the file."""

    def __init__(self, path: Path, scenario: Scenario, meta: dict[str, Any]) -> None:
        self.path, self.scenario, self.meta = path, scenario, meta

    # --- making and finding

    @classmethod
    def create(cls, path: Path, scenario: Scenario, meta: dict[str, Any]) -> RunFolder:
        """A new folder; refuses one that exists and is not empty."""
        with _errors_of(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RunFolderError(
                    f"{path}: exists and is not an empty folder; choose another --out, or finish an interrupted run with "
                    f"run --resume {path}"
                )
            (path / PARTS).mkdir(parents=True)
            folder = cls(path, scenario, {"version": __version__, "complete": False, **meta})
            folder._write_text(SCENARIO, scenario.to_toml())
            folder._write_meta()
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run, complete or not; refuses what is not one or was made by another version."""
        if not path.is_dir():
            found = "is not a folder" if path.exists() else "does not exist"
            raise RunFolderError(f"{path}: {found}; give the folder of a run, such as runs/paper-1")
        try:
            meta = json.loads((path / META).read_text(encoding="utf-8"))
            made_by = meta["version"]
        except FileNotFoundError:
            raise RunFolderError(f"{path}: is not a run folder, it has no {META}") from None
        except OSError as error:
            raise RunFolderError(f"{path / META}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise RunFolderError(f"{path}: is not a run folder, its {META} is damaged or not ours") from None
        if made_by != __version__:
            raise RunFolderError(
                f"{path}: was made by dealermarket {made_by}, this is {__version__}, and numbers may differ; "
                f"run it again: dealermarket run {path / SCENARIO}"
            )
        wanted = {"complete": bool, "replicas": int, "seed": int, "record": str, "steps": int, "policies": list}
        if any(not isinstance(meta.get(name), kind) for name, kind in wanted.items()) or meta["record"] not in RECORD_LEVELS:
            raise RunFolderError(f"{path}: is not a run folder, its {META} is damaged or not ours")
        return cls(path, Scenario.load(path / SCENARIO), meta)

    @property
    def complete(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.meta["complete"])

    @property
    def record(self) -> RecordLevel:
        """How much was recorded."""
        level: RecordLevel = self.meta["record"]
        return level

    # --- writing

    def chunks_done(self) -> set[int]:
        """First replicas of the chunks whose parts are all there; leftovers of interrupted writing are removed."""
        with _errors_of(self.path):
            for leftover in self.path.glob("**/*.tmp"):
                leftover.unlink()
            (self.path / PARTS).mkdir(exist_ok=True)
            return {int(part.stem.rpartition("-")[2]) for part in (self.path / PARTS).glob("summary-*.parquet")}

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

        with _errors_of(self.path):
            capped = 0
            for first in chunks:
                capped += int(pq.read_schema(self._part("summary", first)).metadata[_CAPPED])
            for table in tables_of(self.record):
                parts = (pq.read_table(self._part(table, first)) for first in chunks)
                self._write_table(self.path / f"{table}.parquet", parts)
            self.meta |= {
                "complete": True,
                "capped_orders": capped,
                "libraries": {name: installed_version(name) for name in _LIBRARIES},
                "seconds": round(seconds, 3),
            }
            self._write_meta()
            shutil.rmtree(self.path / PARTS, ignore_errors=True)

    def _part(self, table: str, first: int) -> Path:
        return self.path / PARTS / f"{table}-{first:010d}.parquet"

    def _write_table(self, path: Path, parts: Any) -> None:
        import pyarrow.parquet as pq

        with _replacing(path) as temporary:
            writer = None
            for part in parts:
                content = part if path.parent.name == PARTS else part.replace_schema_metadata(None)
                writer = writer or pq.ParquetWriter(temporary, content.schema, compression="zstd")
                writer.write_table(content)
            assert writer is not None
            writer.close()

    def _write_meta(self) -> None:
        self._write_text(META, json.dumps(self.meta, indent=2) + "\n")

    def _write_text(self, name: str, text: str) -> None:
        with _replacing(self.path / name) as temporary:
            temporary.write_text(text, encoding="utf-8")

    # --- reading

    def read(self, table: RecordLevel) -> pa.Table:
        """One table; of an incomplete run, its whole chunks. Raises RunFolderError if it was not recorded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if table not in tables_of(self.record):
            raise RunFolderError(
                f"{self.path}: holds no {table}, only {', '.join(tables_of(self.record))}; run again with --record {table}"
            )
        try:
            if self.complete:
                return pq.read_table(self.path / f"{table}.parquet")
            parts = [
                pq.read_table(self._part(table, first)).replace_schema_metadata(None) for first in sorted(self.chunks_done())
            ]
        except (OSError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise RunFolderError(f"{self.path}: {table} cannot be read, the folder is damaged: {reason}") from None
        if not parts:
            raise RunFolderError(f"{self.path}: was interrupted before its first chunk; finish it with run --resume {self.path}")
        return pa.concat_tables(parts)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when all went well: what is there is always whole."""
    temporary = path.with_name(path.name + ".tmp")
    with _errors_of(path):
        yield temporary
        os.replace(temporary, path)


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunFolderError(
            f"{error.filename or path}: cannot be written: {reason}; free space or choose a folder you may write to with --out"
        ) from None
