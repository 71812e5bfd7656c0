"""Files that are written whole or not at all, and failures of the disk as errors that a user can read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dealermarket.errors import RunFolderError

TEMPORARY = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when all went well: what is there is always whole."""
    temporary = path.with_name(path.name + TEMPORARY)
    with errors_of(path):
        try:
            yield temporary
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Failures of the disk as RunFolderErrors."""
    try:
        yield
    except OSError as error:
        reason, file = error.strerror or str(error), str(error.filename or path).removesuffix(TEMPORARY)
        raise RunFolderError(
            f"{file}: cannot be written: {reason}; free space or choose a folder you may write to with --out"
        ) from None
