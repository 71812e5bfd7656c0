"""Folders of work: what a run, a report or a training leaves on disk, so that what is interrupted can be finished.

From its first moment to its last a folder has `meta.json`: which version works in it, on which inputs (their digests), and
whether all is done. The inputs, TOML files, stand beside it. Everything is written whole or not at all, by one process at a
time, which holds the folder's lock. `meta.json` has checksums of what was written and a digest of itself: what is damaged is
refused, with its name.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, ClassVar, Self

from dealermarket import interrupt
from dealermarket.checksums import problem_of
from dealermarket.disk import errors_of, remove_leftovers, try_writing, write_text
from dealermarket.errors import RunFolderError
from dealermarket.lock import LOCK, FolderLock
from dealermarket.model.scenario import read_source
from dealermarket.runs.statistics import registered_statistics
from dealermarket.slots import from_outside
from dealermarket.version import __version__

META, SCENARIO = "meta.json", "scenario.toml"
_DIGEST = "digest"  # of all else in meta.json


class WithMeta:
    """What is described by `meta`, the content of a `meta.json`."""

    meta: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        """Whether all was done."""
        return bool(self.meta["complete"])


class WorkFolder(WithMeta):
    """What the folders of all kinds of work have in common; each kind adds the reading and writing of its own files.

    Who makes one with `create` or `taken` works in it, and nobody else does, until it is closed: use it in a `with`. Every
    failure is a RunFolderError that names the file.
    """

    meta: dict[str, Any]

    noun: ClassVar[str]  # what the work is called
    example: ClassVar[str]  # a folder of this kind
    again: ClassVar[str]  # how to do the work anew; {path} is the folder
    wanted: ClassVar[dict[str, type | tuple[type, ...]]]  # what meta.json must hold
    wanted_when_complete: ClassVar[dict[str, type | tuple[type, ...]]] = {}
    written: ClassVar[tuple[str, ...]] = ()  # patterns of the files that are written while the work goes on
    scratch: ClassVar[str | None] = None  # the folder of what is needed until all is done

    def __init__(self, path: Path, meta: dict[str, Any]) -> None:
        self.path, self.meta = path, meta
        self._lock: FolderLock | None = None

    # --- being alone in it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Others may work in it from now on."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @classmethod
    def taken(cls, path: Path) -> Self:
        """The folder, as `open` gives it, for work. Raises RunFolderError, too, where another process works in it."""
        cls.open(path)  # nothing is written into a folder that is not ours
        lock = FolderLock(path)
        try:
            folder = cls.open(path)  # as whoever had it before has left it
        except BaseException:
            lock.release()
            raise
        folder._lock = lock
        return folder

    # --- making and finding

    @classmethod
    @abstractmethod
    def open(cls, path: Path) -> Self:
        """The folder of work, complete or not; refuses what is not one, was changed or was made by another version."""

    @staticmethod
    def check_free(path: Path) -> None:
        """Raises RunFolderError unless `path` is free for a new folder: not there, or an empty folder."""
        with errors_of(path):
            if path.exists() and (not path.is_dir() or any(file.name != LOCK for file in path.iterdir())):
                raise RunFolderError(f"{path}: exists and is not an empty folder; choose another --out{_way_on(path)}")

    def _begin(self, inputs: Mapping[str, str]) -> None:
        """Makes the folder, takes it and writes `meta.json` and the inputs, name -> text. Refuses one that is not empty."""
        self.check_free(self.path)
        self.meta = {"version": __version__, "complete": False, "registered": registered_names(), "files": {}, **self.meta}
        with interrupt.held(), errors_of(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.path)
            try:
                self.check_free(self.path)  # another process may have been quicker
                self._write_meta()  # first, so that whatever is there says that it is incomplete
                for name, text in inputs.items():
                    (self.path / name).parent.mkdir(exist_ok=True)
                    write_text(self.path / name, text)
                self._make_scratch()
            except BaseException:
                self.close()
                raise

    @classmethod
    def _read_meta(cls, path: Path) -> dict[str, Any]:
        """What `meta.json` says. Refuses a folder of something else, of another version, or with a damaged `meta.json`."""
        if not path.is_dir():
            problem = "is not a folder" if path.exists() else "does not exist"
            raise RunFolderError(f"{path}: {problem}; give the folder of a {cls.noun}, such as {cls.example}")
        try:
            meta: dict[str, Any] = json.loads((path / META).read_text(encoding="utf-8"))
            made_by, kept = meta["version"], meta.pop(_DIGEST, None)
            if kept is not None and kept != digest_of_meta(meta):
                raise cls._damaged(path)
        except FileNotFoundError:
            raise RunFolderError(f"{path}: is not the folder of a {cls.noun}, it has no {META}") from None
        except OSError as error:
            raise RunFolderError(f"{path / META}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise cls._damaged(path) from None
        if made_by != __version__:
            raise RunFolderError(
                f"{path}: was made by dealermarket {made_by}, this is {__version__}, and numbers may differ; "
                f"{cls.again.format(path=path)}"
            )
        wanted = {"complete": bool, "registered": list, "files": dict} | cls.wanted
        wanted |= cls.wanted_when_complete if meta.get("complete") else {}
        if kept is not None and any(name not in meta for name in cls.wanted):  # whole, as its digest says, but of other work
            raise RunFolderError(f"{path}: is the folder of other work, not of a {cls.noun}; give one such as {cls.example}")
        if kept is None or any(not isinstance(meta.get(name), kind) for name, kind in wanted.items()):
            raise cls._damaged(path)
        return meta

    @classmethod
    def _read_input(cls, path: Path, name: str, sha256: str, anew: str, complete: bool) -> str:
        """The text of an input whose digest was `sha256` when the work began; `anew` is how to work on a changed one."""
        file = path / name
        if complete and not file.is_file():
            raise RunFolderError(f"{file}: is missing, so that nothing says what was done; bring it back from a copy")
        if not file.is_file():
            raise RunFolderError(f"{path}: has no {name}, its {cls.noun} was stopped before it began; delete it and begin again")
        text = read_source(file)
        if digest(text) != sha256:
            raise RunFolderError(
                f"{file}: was changed after the {cls.noun} began, so that it no longer says what was done; undo the change, or "
                f"{anew.format(file=file)}"
            )
        return text

    @classmethod
    def _damaged(cls, path: Path) -> RunFolderError:
        return RunFolderError(
            f"{path}: is not the folder of a {cls.noun}, its {META} is damaged or not ours; bring that back from a copy, or "
            f"{cls.again.format(path=path)}"
        )

    def check_files(self, *, thorough: bool = True) -> None:
        """Raises RunFolderError where a file is missing or is not what was written; without `thorough`, where its size is not."""
        for name in self.meta["files"]:
            self._check_file(name, thorough=thorough)

    def _check_file(self, name: str, *, thorough: bool = True) -> None:
        problem = problem_of(self.path / name, self.meta["files"][name], thorough=thorough)
        if problem is not None:
            raise RunFolderError(f"{self.path / name}: {problem}; {self._anew()}")

    def _anew(self) -> str:
        """How to do all of the work again, in words."""
        return self.again.format(path=self.path)

    # --- writing

    def make_ready(self) -> None:
        """For more work: removes what interrupted writing left of our own files. Raises RunFolderError where other
        statistics or kinds are registered than when the work began."""
        if self.meta["registered"] != registered_names():
            raise RunFolderError(
                f"{self.path}: was begun with {self.meta['registered']} registered; register the same, unchanged, to finish it"
            )
        with errors_of(self.path):
            self._make_scratch()
            for pattern in (META, *self.written):
                remove_leftovers(self.path, pattern)

    def _make_scratch(self) -> None:
        if self.scratch is not None:
            (self.path / self.scratch).mkdir(exist_ok=True)

    def _complete(self, **facts: Any) -> None:
        """Says that all is done, with what is known by now, and removes what is needed no more."""
        self.meta |= {"complete": True, **facts}
        self._write_meta()
        if self.scratch is not None:
            shutil.rmtree(self.path / self.scratch, ignore_errors=True)

    def _write_meta(self) -> None:
        write_text(self.path / META, json.dumps(self.meta | {_DIGEST: digest_of_meta(self.meta)}, indent=2) + "\n")


@contextmanager
def new_folder(out: Path | None, parent: Path, name: str) -> Iterator[Path]:
    """The path of a new folder: `out`, which must be free, or an empty folder NAME-1, or the next number that nobody has.

    It is made, and written into for a trial, before anybody waits for what is to stand in it; folders that nothing was put into
    are gone afterwards. Raises RunFolderError."""
    made: list[Path] = []
    try:
        if out is not None:
            WorkFolder.check_free(out)
            path = _made(out, made)
        else:
            path = _next_folder(parent, name, made)
        with errors_of(path):
            try_writing(path)
        yield path
    finally:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def _made(path: Path, made: list[Path]) -> Path:
    """The folder, there now; those that were not there before, the inner ones first, are added to `made`."""
    with errors_of(path):
        made += [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    return path


def _next_folder(parent: Path, name: str, made: list[Path]) -> Path:
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "run"
    _made(parent, made)
    with errors_of(parent):
        for number in itertools.count(1):
            with suppress(FileExistsError):
                (path := parent / f"{plain}-{number}").mkdir()
                made.insert(0, path)
                return path
    raise AssertionError


def registered_names() -> list[str]:
    """What was registered from outside the package: statistics in the order of their columns, and kinds of parts."""
    return [*(statistic.name for statistic in registered_statistics()), *from_outside()]


def digest(text: str) -> str:
    """What tells whether a text was changed."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_meta(meta: Mapping[str, Any]) -> str:
    """What tells whether the content of a `meta.json` was changed, however it is laid out."""
    return digest(json.dumps(meta, sort_keys=True))


def installed(libraries: Iterable[str]) -> dict[str, str]:
    """The versions of those of the libraries that are installed, for `meta.json`."""
    versions = {}
    for name in libraries:
        with suppress(PackageNotFoundError):
            versions[name] = installed_version(name)
    return versions


def _way_on(path: Path) -> str:
    """For a message: how to go on with what an interruption left in a folder."""
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        return "" if meta["complete"] else f", or finish what was begun there with --resume {path}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
