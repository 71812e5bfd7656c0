"""Folders of work: what a run, a report or a training leaves on disk, so that what is interrupted can be finished.

From its first moment to its last a folder has `meta.json`: which version works in it, on which inputs (their digests), and
whether all is done. The inputs, TOML files, stand beside it. Everything is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, ClassVar

from dealermarket import interrupt
from dealermarket.disk import errors_of, write_text
from dealermarket.errors import RunFolderError
from dealermarket.model.scenario import read_source
from dealermarket.runs.statistics import registered_statistics
from dealermarket.slots import from_outside
from dealermarket.version import __version__

META, SCENARIO = "meta.json", "scenario.toml"


class WithMeta:
    """What is described by `meta`, the content of a `meta.json`."""

    meta: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        """Whether all was done."""
        return bool(self.meta["complete"])


class WorkFolder(WithMeta):
    """What the folders of all kinds of work have in common; each kind adds the reading and writing of its own files.

    Every failure is a RunFolderError that names the file.
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

    # --- making and finding

    @staticmethod
    def check_free(path: Path) -> None:
        """Raises RunFolderError unless `path` is free for a new folder: not there, or an empty folder."""
        with errors_of(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RunFolderError(f"{path}: exists and is not an empty folder; choose another --out{_way_on(path)}")

    def _begin(self, inputs: Mapping[str, str]) -> None:
        """Makes the folder and writes `meta.json` and the inputs, name -> text. Refuses a folder that is not empty."""
        self.check_free(self.path)
        self.meta = {"version": __version__, "complete": False, "registered": registered_names(), **self.meta}
        with interrupt.held(), errors_of(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._write_meta()  # first, so that whatever is there says that it is incomplete
            for name, text in inputs.items():
                (self.path / name).parent.mkdir(exist_ok=True)
                write_text(self.path / name, text)
            self._make_scratch()

    @classmethod
    def _read_meta(cls, path: Path) -> dict[str, Any]:
        """What `meta.json` says. Refuses a folder of something else, of another version, or with a damaged `meta.json`."""
        if not path.is_dir():
            problem = "is not a folder" if path.exists() else "does not exist"
            raise RunFolderError(f"{path}: {problem}; give the folder of a {cls.noun}, such as {cls.example}")
        try:
            meta: dict[str, Any] = json.loads((path / META).read_text(encoding="utf-8"))
            made_by = meta["version"]
        except FileNotFoundError:
            raise RunFolderError(f"{path}: is not the folder of a {cls.noun}, it has no {META}") from None
        except OSError as error:
            raise RunFolderError(f"{path / META}: cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise cls._damaged(path) from None
        if made_by != __version__:
            raise RunFolderError(
                f"{path}: was made by dealermarket {made_by}, this is {__version__}, and numbers may differ; "
                f"{cls.again.format(path=path)}"
            )
        wanted = cls.wanted | (cls.wanted_when_complete if meta.get("complete") else {})
        if any(not isinstance(meta.get(name), kind) for name, kind in ({"complete": bool, "registered": list} | wanted).items()):
            raise cls._damaged(path)
        return meta

    @classmethod
    def _read_input(cls, path: Path, name: str, sha256: str, anew: str) -> str:
        """The text of an input whose digest was `sha256` when the work began; `anew` is how to work on a changed one."""
        file = path / name
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
        return RunFolderError(f"{path}: is not the folder of a {cls.noun}, its {META} is damaged or not ours")

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
                for leftover in self.path.glob(f"{pattern}.tmp"):
                    leftover.unlink()

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
        write_text(self.path / META, json.dumps(self.meta, indent=2) + "\n")


def next_folder(parent: Path, name: str) -> Path:
    """NAME-1, or the next number that is free."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "run"
    number = 1
    while (parent / f"{plain}-{number}").exists():
        number += 1
    return parent / f"{plain}-{number}"


def registered_names() -> list[str]:
    """What was registered from outside the package: statistics in the order of their columns, and kinds of parts."""
    return [*(statistic.name for statistic in registered_statistics()), *from_outside()]


def digest(text: str) -> str:
    """What tells whether a text was changed."""
    return hashlib.sha256(text.encode()).hexdigest()


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
