"""Files that are written whole or not at all, and failures of the disk as errors that a user can read."""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dealermarket.errors import RunFolderError

if TYPE_CHECKING:
    import pandas as pd

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.tmp$")  # what the names of temporary files end with
_OUT = "choose a folder you may write to with --out"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def replacing(path: Path, way_out: str = _OUT) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when all went well: what is there is always whole.

    Its name is used once: two processes that write the same file do not write into each other's."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with errors_of(path, way_out):
        try:
            yield temporary
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_text(path: Path, text: str, way_out: str = _OUT) -> None:
    """Writes a text file, whole or not at all."""
    with replacing(path, way_out) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_frame(frame: pd.DataFrame, path: Path, way_out: str = _OUT) -> Path:
    """Writes a frame without its index, whole or not at all, as CSV or, by the name of the file, as Parquet; returns the path."""
    with replacing(path, way_out) as temporary:
        if path.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, index=False)
    return path


@contextmanager
def errors_of(path: Path, way_out: str = _OUT) -> Iterator[None]:
    """Failures of the disk as RunFolderErrors."""
    try:
        yield
    except OSError as error:
        reason, file = error.strerror or str(error), _TEMPORARY.sub("", str(error.filename or path))
        ways = f"free space or {way_out}" if error.errno in _FULL else way_out
        raise RunFolderError(f"{file}: cannot be written: {reason}; {ways}") from None


def check_new(path: Path, way_out: str = "give another name to --out") -> None:
    """Raises RunFolderError where a new file cannot be made, before anybody waits for what is to stand in it."""
    if path.exists():
        raise RunFolderError(f"{path}: exists already and is left as it is; {way_out}")
    if not path.parent.is_dir():
        raise RunFolderError(f"{path}: cannot be written: there is no folder {path.parent}; make it first, or {way_out}")
    with errors_of(path, way_out):
        try_writing(path.parent)


def try_writing(folder: Path, size: int = 4096) -> None:
    """Writes so many bytes into a folder, and removes them. Raises OSError, without the name of a file, where that fails."""
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(size))  # an empty file can be made on a full disk, too
    except OSError as error:
        raise OSError(error.errno, error.strerror) from None


def remove_leftovers(folder: Path, pattern: str) -> None:
    """Removes what interrupted writing left of files of these names; only where nobody writes them now."""
    for leftover in folder.glob(f"{pattern}.*.tmp"):
        if _TEMPORARY.search(leftover.name):
            leftover.unlink(missing_ok=True)
