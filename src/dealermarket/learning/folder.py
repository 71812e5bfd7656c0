"""Folders of trainings: what a training leaves on disk, so that an interruption costs a minute at most.

`scenario.toml` and `training.toml`, what was asked for; `policy.npz`, the policy as it stands, `progress.csv` with a row a
rollout, `checkpoints/` to go on from and `tensorboard/`. `steps` in `meta.json` is how many are to be learned from, which may
be more than those that were first asked for; `files` there has the checksums of what stood there when the policy was last kept:
what came later does not count. Checkpoints are Stable-Baselines3's and run code when they are read: resume
nobody's trainings but your own.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, ClassVar

from dealermarket import interrupt
from dealermarket.checksums import checksum, checksum_of, problem_of
from dealermarket.disk import errors_of, write_text
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.learning.training import FIELDS, Point, Training
from dealermarket.policies.policy_file import TrainedPolicy
from dealermarket.runs.work_folder import SCENARIO, WorkFolder, digest, installed

TRAINING, POLICY, PROGRESS, CHECKPOINTS, TENSORBOARD = (
    "training.toml",
    "policy.npz",
    "progress.csv",
    "checkpoints",
    "tensorboard",
)
LIBRARIES = ("numpy", "numba", "gymnasium", "stable-baselines3", "torch")


class TrainingFolder(WorkFolder):
    """One training on disk. Make one with `create` or `open`; every failure is a RunFolderError that names the file."""

    noun, example = "training", "trainings/learning-1"
    again = f"train again: dealermarket train {{path}}/{TRAINING}"
    wanted: ClassVar = {
        "steps": int,
        "seconds": (int, float),
        "resumed_at": list,
        "scenario_sha256": str,
        "training_sha256": str,
    }
    written = (POLICY, PROGRESS, f"{CHECKPOINTS}/*.zip")

    def __init__(self, path: Path, training: Training, meta: dict[str, Any]) -> None:
        super().__init__(path, meta)
        self.training = training
        self.policy, self.checkpoints, self.tensorboard = path / POLICY, path / CHECKPOINTS, path / TENSORBOARD

    # --- making and finding

    @classmethod
    def create(cls, path: Path, training: Training) -> TrainingFolder:
        """A new folder; refuses one that exists and is not empty."""
        inputs = {SCENARIO: training.scenario.to_toml(), TRAINING: training.to_toml(SCENARIO)}
        meta = {
            "steps": training.steps,
            "seconds": 0.0,
            "resumed_at": [],
            "libraries": installed(LIBRARIES),
            "files": {PROGRESS: checksum_of(_HEADER.encode())},
            "scenario_sha256": digest(inputs[SCENARIO]),
            "training_sha256": digest(inputs[TRAINING]),
        }
        folder = cls(path, training, meta)
        with interrupt.held():
            folder._begin({**inputs, PROGRESS: _HEADER})
        return folder

    @classmethod
    def open(cls, path: Path) -> TrainingFolder:
        """The folder of a training, complete or not; refuses what is not one, was changed or was made by another version."""
        meta = cls._read_meta(path)
        anew = "train anew on the changed file: dealermarket train {file}"
        cls._read_input(path, SCENARIO, meta["scenario_sha256"], anew, meta["complete"])
        text = cls._read_input(path, TRAINING, meta["training_sha256"], anew, meta["complete"])
        try:
            training = Training.from_toml(text, where=str(path / TRAINING), folder=path).replace(steps=meta["steps"])
        except ParameterError:
            raise cls._damaged(path) from None
        folder = cls(path, training, meta)
        folder.points()  # damage is to be known before anybody waits
        return folder

    @property
    def steps_done(self) -> int:
        """Market steps up to the last checkpoint that counts."""
        counted = (path for path in kept_checkpoints(self.checkpoints) if self._name(path) in self.meta["files"])
        return max((int(path.stem) for path in counted), default=0)

    # --- writing

    def go_on(self, training: Training) -> TrainingFolder:
        """Makes it ready to be gone on with from its last checkpoint; the training differs in its number of steps at most."""
        done = self.steps_done
        self.training = training
        self.meta |= {
            "complete": False,
            "steps": training.steps,
            "resumed_at": [*self.meta["resumed_at"], *([done] if done else [])],
            "libraries": installed(LIBRARIES),
        }
        self.make_ready()
        with errors_of(self.checkpoints):
            for path in kept_checkpoints(self.checkpoints):
                if int(path.stem) > done:  # the process was ended before it had said so
                    path.unlink()
        kept = [point for point in self.points() if point.steps <= done]  # what came after it will be done again
        progress = _HEADER + "".join(map(_row, kept))
        self.meta["files"][PROGRESS] = checksum_of(progress.encode())
        self._write_meta()
        write_text(self.path / PROGRESS, progress)
        return self

    def add(self, point: Point) -> None:
        """Adds a row to the progress."""
        with errors_of(self.path / PROGRESS), (self.path / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(_row(point))

    def keep(self, policy: TrainedPolicy, seconds: float, complete: bool = False) -> None:
        """Writes the policy as it stands after so many seconds in all."""
        about = dict(policy.about) | ({"resumed_at": self.meta["resumed_at"]} if self.meta["resumed_at"] else {})
        dataclasses.replace(policy, about=about).save(self.policy)
        files = [self.policy, self.path / PROGRESS, *kept_checkpoints(self.checkpoints)]
        with errors_of(self.path):
            self.meta["files"] = {self._name(path): checksum(path) for path in files}
        self.meta["seconds"] = round(seconds, 3)
        if complete:
            self._complete()
        else:
            self._write_meta()

    # --- reading

    def points(self) -> list[Point]:
        """The progress, a point a rollout, as it stood when the policy was last kept; none where somebody deleted the file."""
        kept = self.meta["files"][PROGRESS]
        try:
            content = (self.path / PROGRESS).read_bytes()[: kept["bytes"]]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunFolderError(f"{self.path / PROGRESS}: cannot be read: {error}; delete it to do without") from None
        if checksum_of(content) != kept:
            raise RunFolderError(f"{self.path / PROGRESS}: cannot be read: it is not what was written; delete it to do without")
        return [_point(line) for line in content.decode().splitlines()[1:]]

    def check_policy(self) -> None:
        """Raises RunFolderError where the policy of a complete training is missing or is not what was written."""
        self._check_file(POLICY)

    def check_checkpoint(self) -> None:
        """Raises RunFolderError where the last checkpoint is not what was written."""
        path = checkpoint_path(self.checkpoints, self.steps_done)
        kept = self.meta["files"].get(self._name(path))
        problem = None if kept is None else problem_of(path, kept)
        if problem is not None:
            raise RunFolderError(f"{path}: {problem}; delete this checkpoint to go on from the one before")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()


def kept_checkpoints(folder: Path | None) -> list[Path]:
    """The checkpoints in a folder, the oldest first; their names are market steps."""
    if folder is None or not folder.is_dir():
        return []
    checkpoints = (path for path in folder.iterdir() if re.fullmatch(r"\d{12,}\.zip", path.name))
    return sorted(checkpoints, key=lambda path: int(path.stem))


def checkpoint_path(folder: Path, steps: int) -> Path:
    """Where the checkpoint after so many market steps goes."""
    return folder / f"{steps:012d}.zip"


_HEADER = ",".join(FIELDS) + "\n"


def _row(point: Point) -> str:
    return ",".join(repr(getattr(point, name)) for name in FIELDS) + "\n"


def _point(line: str) -> Point:
    steps, *numbers = line.split(",")
    return Point(int(steps), *map(float, numbers))
