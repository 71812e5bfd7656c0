"""Folders of trainings: what a training leaves on disk, so that an interruption costs a minute at most.

`scenario.toml` (as resolved) and `meta.json` (everything else that was chosen, versions, whether it is complete),
`policy.npz`, the policy as it stands, `progress.csv` with a row a rollout, `checkpoints/` to go on from and `tensorboard/`.
Checkpoints are Stable-Baselines3's and run code when they are read: resume nobody's trainings but your own.
"""

from __future__ import annotations

import dataclasses
import json
import re
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from dealermarket import interrupt
from dealermarket.disk import errors_of, write_text
from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.learning.training import FIELDS, Point, Training
from dealermarket.policies.policy_file import TrainedPolicy
from dealermarket.run_folder import META, SCENARIO, RunFolder, read_meta
from dealermarket.scenario import Scenario, read_source
from dealermarket.version import __version__

POLICY, PROGRESS, CHECKPOINTS, TENSORBOARD = "policy.npz", "progress.csv", "checkpoints", "tensorboard"
LIBRARIES = ("numpy", "numba", "gymnasium", "stable-baselines3", "torch")


class TrainingFolder:
    """One training on disk. Make one with `create` or `open`; every failure is a RunFolderError that names the file."""

    def __init__(self, path: Path, training: Training, meta: dict[str, Any]) -> None:
        self.path, self.training, self.meta = path, training, meta
        self.policy, self.checkpoints, self.tensorboard = path / POLICY, path / CHECKPOINTS, path / TENSORBOARD

    # --- making and finding

    @classmethod
    def create(cls, path: Path, training: Training) -> TrainingFolder:
        """A new folder; refuses one that exists and is not empty."""
        RunFolder.check_free(path)
        meta = {"version": __version__, "complete": False, "seconds": 0.0, "resumed_at": []}
        folder = cls(path, training, meta)
        with interrupt.held(), errors_of(path):
            path.mkdir(parents=True, exist_ok=True)
            folder._write_meta()  # first, so that whatever is there says that it is incomplete
            write_text(path / SCENARIO, training.scenario.to_toml())
            write_text(path / PROGRESS, ",".join(FIELDS) + "\n")
        return folder

    @classmethod
    def open(cls, path: Path) -> TrainingFolder:
        """The folder of a training, complete or not; refuses what is not one, was changed or was made by another version."""
        meta = read_meta(path, "a training", "trainings/learning-1", f"train again: dealermarket train {path / SCENARIO}")
        wanted: dict[str, type | tuple[type, ...]] = {
            "complete": bool,
            "seconds": (int, float),
            "resumed_at": list,
            "training": dict,
            "key": str,
        }
        if any(not isinstance(meta.get(name), kind) for name, kind in wanted.items()):
            raise RunFolderError(f"{path}: is not the folder of a training, its {META} is damaged or not ours")
        if not (path / SCENARIO).is_file():
            raise RunFolderError(f"{path}: has no {SCENARIO}, it was stopped before it began; delete it and train again")
        scenario = Scenario.from_toml(read_source(path / SCENARIO), where=str(path / SCENARIO))
        try:
            training = Training(scenario=scenario, **meta["training"])
        except (ParameterError, TypeError) as error:
            raise RunFolderError(f"{path / META}: is damaged: {error}") from None
        if training.key != meta["key"]:
            raise RunFolderError(
                f"{path}: {SCENARIO} or {META} was changed after the training began; undo the change, or train on the changed "
                f"scenario anew: dealermarket train {path / SCENARIO}"
            )
        folder = cls(path, training, meta)
        folder.points()  # damage is to be known before anybody waits
        return folder

    @property
    def complete(self) -> bool:
        """Whether all its steps were learned from."""
        return bool(self.meta["complete"])

    @property
    def steps_done(self) -> int:
        """Market steps up to the last checkpoint."""
        return max((int(path.stem) for path in kept_checkpoints(self.checkpoints)), default=0)

    # --- writing

    def go_on(self, training: Training) -> TrainingFolder:
        """Makes it ready to be gone on with from its last checkpoint; the training differs in its number of steps at most."""
        done = self.steps_done
        self.training = training
        self.meta |= {"complete": False, "resumed_at": [*self.meta["resumed_at"], *([done] if done else [])]}
        with errors_of(self.path):
            for leftover in (*self.path.glob("*.tmp"), *self.checkpoints.glob("*.tmp")):
                leftover.unlink()
        kept = [point for point in self.points() if point.steps <= done]  # what came after it will be done again
        write_text(self.path / PROGRESS, "".join([",".join(FIELDS) + "\n", *map(_row, kept)]))
        self._write_meta()
        return self

    def add(self, point: Point) -> None:
        """Adds a row to the progress."""
        with errors_of(self.path / PROGRESS), (self.path / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(_row(point))

    def keep(self, policy: TrainedPolicy, seconds: float, complete: bool = False) -> None:
        """Writes the policy as it stands after so many seconds in all."""
        about = dict(policy.about) | ({"resumed_at": self.meta["resumed_at"]} if self.meta["resumed_at"] else {})
        dataclasses.replace(policy, about=about).save(self.policy)
        self.meta |= {"complete": complete, "seconds": round(seconds, 3)}
        self._write_meta()

    def _write_meta(self) -> None:
        self.meta |= {
            "training": self.training.model_dump(mode="json", exclude={"scenario"}),
            "key": self.training.key,
            "libraries": {name: installed_version(name) for name in LIBRARIES},
        }
        write_text(self.path / META, json.dumps(self.meta, indent=2) + "\n")

    # --- reading

    def points(self) -> list[Point]:
        """The progress, a point a rollout; rows that were cut short are left out."""
        try:
            lines = (self.path / PROGRESS).read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise RunFolderError(f"{self.path / PROGRESS}: cannot be read: {error}; delete it to do without") from None
        found = (_point(line) for line in lines[1:] if line.endswith("\n"))
        return [point for point in found if point is not None]


def kept_checkpoints(folder: Path | None) -> list[Path]:
    """The checkpoints in a folder, the oldest first; their names are market steps."""
    if folder is None or not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if re.fullmatch(r"\d{12,}\.zip", path.name))
    return sorted(found, key=lambda path: int(path.stem))


def checkpoint_path(folder: Path, steps: int) -> Path:
    """Where the checkpoint after so many market steps goes."""
    return folder / f"{steps:012d}.zip"


def _row(point: Point) -> str:
    return ",".join(repr(getattr(point, name)) for name in FIELDS) + "\n"


def _point(line: str) -> Point | None:
    try:
        steps, *numbers = line.split(",")
        return Point(int(steps), *map(float, numbers))
    except (TypeError, ValueError):
        return None
