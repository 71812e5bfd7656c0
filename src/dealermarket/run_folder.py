"""Run folders: what a run leaves on disk, written chunk by chunk so that an interruption costs one chunk at most.

While a run goes on, `meta.json` says `"complete": false` and `parts/` holds a file per table and chunk of replicas,
each whole or not there; a chunk counts when all its parts are there. At the end the parts are merged
in replica order into one Parquet file a table, `meta.json` says `"complete": true`, and `parts/` goes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermarket import interrupt
from dealermarket.disk import errors_of, replacing, write_text
from dealermarket.errors import RunFolderError
from dealermarket.frames import RECORD_LEVELS, Chunk, RecordLevel, arrow_table, columns_of, tables_of
from dealermarket.scenario import Scenario, read_source
from dealermarket.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

META, SCENARIO, PARTS = "meta.json", "scenario.toml", "parts"
_CAPPED = b"capped_orders"
LIBRARIES = ("numpy", "numba", "pandas", "pyarrow", "scipy")


class RunMeta:
    """What is said of a run: how it was made and how far it came."""

    meta: dict[str, Any]

    @property
    def complete(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.meta["complete"])

    @property
    def record(self) -> RecordLevel:
        """How much was recorded: "summary", "steps" or "trades"."""
        level: RecordLevel = self.meta["record"]
        return level


class RunFolder(RunMeta):
    """One run on disk. Make one with `create` or `open`; every failure is a RunFolderError that names the file."""

    def __init__(self, path: Path, scenario: Scenario, meta: dict[str, Any]) -> None:
        self.path, self.scenario, self.meta = path, scenario, meta

    # --- making and finding

    @classmethod
    def create(cls, path: Path, scenario: Scenario, meta: dict[str, Any]) -> RunFolder:
        """A new folder; refuses one that exists and is not empty."""
        cls.check_free(path)
        text = scenario.to_toml()
        with interrupt.held(), errors_of(path):
            path.mkdir(parents=True, exist_ok=True)
            folder = cls(path, scenario, {"version": __version__, "complete": False, **meta, "scenario_sha256": digest(text)})
            folder._write_meta()  # first, so that whatever is there says that it is incomplete
            write_text(path / SCENARIO, text)
            (path / PARTS).mkdir()
        return folder

    @staticmethod
    def check_free(path: Path) -> None:
        """Raises RunFolderError unless `path` is free for a new folder: not there, or an empty folder."""
        with errors_of(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RunFolderError(f"{path}: exists and is not an empty folder; choose another --out{_way_on(path)}")

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run, complete or not; refuses what is not one or was made by another version."""
        meta = read_meta(path, "a run", "runs/paper-1", f"run it again: dealermarket run {path / SCENARIO}")
        wanted: dict[str, type | tuple[type, ...]] = {
            "complete": bool,
            "replicas": int,
            "seed": int,
            "record": str,
            "policies": list,
        }
        if meta.get("complete"):
            wanted |= {"seconds": (int, float), "capped_orders": int}
        if any(not isinstance(meta.get(name), kind) for name, kind in wanted.items()) or meta["record"] not in RECORD_LEVELS:
            raise RunFolderError(f"{path}: is not the folder of a run, its {META} is damaged or not ours")
        if not (path / SCENARIO).is_file():
            raise RunFolderError(f"{path}: has no {SCENARIO}, its run was stopped before it began; delete it and run again")
        text = read_source(path / SCENARIO)
        if digest(text) != meta.get("scenario_sha256"):
            raise RunFolderError(
                f"{path / SCENARIO}: was changed after the run began, so that it no longer tells what was run; undo the change, "
                f"or run the changed scenario into a new folder: dealermarket run {path / SCENARIO}"
            )
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

    def clear_leftovers(self) -> None:
        """Removes what interrupted writing left of our own files; before a run is resumed."""
        with errors_of(self.path):
            (self.path / PARTS).mkdir(exist_ok=True)
            for leftover in (*(self.path / PARTS).glob("*.parquet.tmp"), *self.path.glob("*.parquet.tmp")):
                leftover.unlink()

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
            self.meta |= {
                "complete": True,
                "capped_orders": capped,
                "libraries": {name: installed_version(name) for name in LIBRARIES},
                "seconds": round(seconds, 3),
            }
            self._write_meta()
            shutil.rmtree(self.path / PARTS, ignore_errors=True)

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

    def _write_meta(self) -> None:
        write_text(self.path / META, json.dumps(self.meta, indent=2) + "\n")

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
            reason = (str(error).splitlines() or ["it is missing"])[0]
            raise RunFolderError(f"{self.path}: {table} cannot be read, the folder is damaged: {reason}") from None
        if not parts:
            raise RunFolderError(f"{self.path}: was interrupted before its first chunk; finish it with run --resume {self.path}")
        return pa.concat_tables(parts)


def read_meta(path: Path, what: str, example: str, way_out: str) -> dict[str, Any]:
    """What `meta.json` says in the folder of `what`. Raises RunFolderError, with the way out where another version wrote it."""
    if not path.is_dir():
        found = "is not a folder" if path.exists() else "does not exist"
        raise RunFolderError(f"{path}: {found}; give the folder of {what}, such as {example}")
    try:
        meta: dict[str, Any] = json.loads((path / META).read_text(encoding="utf-8"))
        made_by = meta["version"]
    except FileNotFoundError:
        raise RunFolderError(f"{path}: is not the folder of {what}, it has no {META}") from None
    except OSError as error:
        raise RunFolderError(f"{path / META}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise RunFolderError(f"{path}: is not the folder of {what}, its {META} is damaged or not ours") from None
    if made_by != __version__:
        raise RunFolderError(
            f"{path}: was made by dealermarket {made_by}, this is {__version__}, and numbers may differ; {way_out}"
        )
    return meta


def next_folder(parent: Path, name: str) -> Path:
    """NAME-1, or the next number that is free."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "run"
    number = 1
    while (parent / f"{plain}-{number}").exists():
        number += 1
    return parent / f"{plain}-{number}"


def _way_on(path: Path) -> str:
    """For a message: how to go on with what an interruption left in a folder."""
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        return "" if meta["complete"] else f", or finish what was begun there with --resume {path}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def digest(text: str) -> str:
    """What tells whether a text was changed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_whole(part: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(part)
    except (OSError, pa.ArrowException):
        return False
    return True
