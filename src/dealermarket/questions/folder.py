"""Folders of questions: what was asked, what has been measured so far, and in the end the answer.

While a question is worked at, `measured/` has what is done, chunk by chunk, so that an interruption costs the chunks under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from dealermarket.checksums import checksum
from dealermarket.disk import errors_of
from dealermarket.errors import RunFolderError
from dealermarket.model.scenario import Scenario
from dealermarket.runs.folder import LIBRARIES
from dealermarket.runs.work_folder import SCENARIO, WorkFolder, digest, installed

MEASURED = "measured"


class QuestionFolder(WorkFolder):
    """A question to a scenario on disk, answered or not. Make one with `create` or `open`; every failure is a RunFolderError."""

    noun, example = "question", "sweeps/paper-1"
    again = "ask it again"
    wanted: ClassVar = {"question": str, "asked": dict, "scenario_sha256": str}
    wanted_when_complete: ClassVar = {"seconds": (int, float)}
    written = (f"{MEASURED}/*", "*.csv", "*.parquet", "*.png", "*.toml", "answer.json")
    scratch = MEASURED

    def __init__(self, path: Path, scenario: Scenario, meta: dict[str, Any]) -> None:
        super().__init__(path, meta)
        self.scenario = scenario

    @classmethod
    def create(cls, path: Path, question: str, scenario: Scenario, asked: Mapping[str, Any]) -> Self:
        """A new folder of a question by the name of its command, with all that was asked as JSON has it; refuses one that exists
        and is not empty."""
        scenario = scenario.pinned()
        text = scenario.to_toml()
        folder = cls(path, scenario, {"question": question, "asked": dict(asked), "scenario_sha256": digest(text)})
        folder._begin({SCENARIO: text})
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """The folder of a question; refuses what is not one, was changed or was made by another version."""
        meta = cls._read_meta(path)
        text = cls._read_input(path, SCENARIO, meta["scenario_sha256"], "ask the changed scenario: {file}", meta["complete"])
        return cls(path, Scenario.from_toml(text, where=str(path / SCENARIO)), meta)

    @property
    def measured(self) -> Path:
        """The folder of what is done."""
        return self.path / MEASURED

    def check_question(self, question: str) -> None:
        """Raises RunFolderError where it is the folder of another question."""
        if self.meta["question"] != question:
            raise RunFolderError(f"{self.path}: is a folder of {self.meta['question']}, not of {question}")

    def finish(self, write: Callable[[Path], Iterable[Path]], seconds: float) -> list[Path]:
        """Has the answer written into the folder, and says that it is complete; returns the files."""
        written = list(write(self.path))
        with errors_of(self.path):
            files = {path.relative_to(self.path).as_posix(): checksum(path) for path in written}
        self._complete(files=files, libraries=installed(LIBRARIES), seconds=round(seconds, 1))
        return written
