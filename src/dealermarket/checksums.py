"""Checksums: whether files are still what was written.

A finished file is known by its size and its SHA-256, which `meta.json` keeps and `sha256sum` shows. Parts of work that is under
way are many and are read soon: each has a CRC-32, which costs less, in its name.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dealermarket.disk import errors_of, replacing

Content = bytes | memoryview
Checksum = Mapping[str, Any]
"""`bytes`, the size of a file, and `sha256`, the digest of its content."""


class ChecksummedFile:
    """A file to write into, for who takes any object with the methods of one; `checksum` is that of what was written so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest, self._size = file, hashlib.sha256(), 0
        self.closed = False

    @property
    def checksum(self) -> Checksum:
        """Of what was written so far."""
        return {"bytes": self._size, "sha256": self._digest.hexdigest()}

    def write(self, content: Content) -> int:
        self._digest.update(content)
        self._size += len(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

    def tell(self) -> int:
        return self._size

    def close(self) -> None:
        self.closed = True  # who opened the file closes it


@contextmanager
def writing(path: Path) -> Iterator[ChecksummedFile]:
    """A file that takes the place of `path` when all went well."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield ChecksummedFile(file)


def checksum(path: Path) -> Checksum:
    """Of a file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return {"bytes": file.tell(), "sha256": digest.hexdigest()}


def checksum_of(content: bytes) -> Checksum:
    """Of a file with this content."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def problem_of(path: Path, kept: Checksum, *, thorough: bool = True) -> str | None:
    """What is wrong with a file, in words; None where it is what was written. Without `thorough` its content is not read."""
    try:
        size = path.stat().st_size
        if size != kept["bytes"]:
            return f"is damaged: it has {size:,} bytes, of {kept['bytes']:,} that were written"
        if thorough and checksum(path) != kept:
            return "is damaged: its content is not what was written"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return None


class Parts:
    """Files in a folder that count only while they are what was written.

    The name on disk has a checksum of the content, of the part's own name and of `owner`, what the parts belong to. A part that
    was damaged, renamed or brought from elsewhere is not there, and is made again.
    """

    def __init__(self, folder: str | Path, owner: str = "") -> None:
        self._folder, self._owner = Path(folder), owner
        self._whole: set[str] = set()
        self._paths: dict[str, list[Path]] = {}  # the files by the names of the parts that they say to be
        for path in sorted(self._folder.glob("*")):
            if match := re.fullmatch(r"(.+)\.[0-9a-f]{8}(\.\w+)", path.name):
                self._paths.setdefault(match[1] + match[2], []).append(path)

    def __iter__(self) -> Iterator[str]:
        """Names of parts, which may be damaged."""
        return iter(self._paths)

    def read(self, name: str) -> bytes | None:
        """The content of a part; None where there is none, or not as it was written."""
        for path in self._paths.get(name, ()):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            if self._path(name, content) == path:
                self._whole.add(name)
                return content
        self._whole.discard(name)
        return None

    def are_whole(self, names: Iterable[str]) -> bool:
        """Whether all of these are there and as they were written; those that were read are not read again."""
        return all(name in self._whole or self.read(name) is not None for name in names)

    def write(self, name: str, content: Content) -> None:
        """Writes a part, whole or not at all. Raises RunFolderError."""
        path = self._path(name, content)
        with errors_of(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        self._paths.setdefault(name, []).insert(0, path)
        self._whole.add(name)

    def _path(self, name: str, content: Content) -> Path:
        check = zlib.crc32(content, zlib.crc32(f"{self._owner}\0{name}\0".encode()))
        stem, dot, suffix = name.rpartition(".")
        return self._folder / f"{stem}.{check:08x}{dot}{suffix}"
