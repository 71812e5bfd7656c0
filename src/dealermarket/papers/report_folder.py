"""Report folders: what is to be run, what has been measured so far, and in the end the report.

While a report is made, `meta.json` says `"complete": false`, `scenarios/` has each experiment's scenario and `measured/`
a file per finished study, so that an interruption costs the studies under way at most. At the end the report stands
beside them, `meta.json` says `"complete": true`, and `measured/` goes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from dealermarket.disk import errors_of, write_text
from dealermarket.errors import RunFolderError
from dealermarket.model.scenario import Scenario, read_source
from dealermarket.papers import Plan, Section, experiment_named, market_steps, run_plans
from dealermarket.runs.chunks import Progress
from dealermarket.runs.folder import LIBRARIES, META, RunFolder, digest, read_meta
from dealermarket.version import __version__

MEASURED, SCENARIOS = "measured", "scenarios"
LEARNING_LIBRARIES = ("gymnasium", "stable-baselines3", "torch")


class ReportFolder:
    """A report on disk, finished or not. Make one with `create` or `open`; every failure is a RunFolderError."""

    def __init__(self, path: Path, plans: Sequence[Plan], meta: dict[str, Any]) -> None:
        self.path, self.plans, self.meta = path, list(plans), meta

    @classmethod
    def create(cls, path: Path, plans: Sequence[Plan], seed: int) -> ReportFolder:
        """A new folder; refuses one that exists and is not empty."""
        RunFolder.check_free(path)
        meta = {
            "version": __version__,
            "complete": False,
            "seed": seed,
            "plans": [
                {
                    "experiment": plan.experiment.name,
                    "runs": plan.runs,
                    "variation_runs": plan.variation_runs,
                    "command": plan.command,
                    "scenario_sha256": digest(plan.scenario.to_toml()),
                }
                for plan in plans
            ],
        }
        folder = cls(path, plans, meta)
        with errors_of(path):
            (path / SCENARIOS).mkdir(parents=True, exist_ok=True)
        for plan in plans:
            write_text(folder._scenario(plan.experiment.name), plan.scenario.to_toml())
        folder._write_meta()
        return folder

    @classmethod
    def open(cls, path: Path) -> ReportFolder:
        """The folder of a report, complete or not; refuses what is not one or was made by another version."""
        meta = read_meta(path, "a report", "reports/reproduction-1", "begin it again")
        try:
            _ = bool(meta["complete"]), int(meta["seed"])
            wanted = [
                (
                    str(plan["experiment"]),
                    int(plan["runs"]),
                    int(plan["variation_runs"]),
                    str(plan["command"]),
                    str(plan["scenario_sha256"]),
                )
                for plan in meta["plans"]
            ]
        except (ValueError, KeyError, TypeError):
            raise RunFolderError(f"{path}: is not the folder of a report, its {META} is damaged or of something else") from None
        folder = cls(path, [], meta)
        for name, runs, variation_runs, command, began_with in wanted:
            experiment, text = experiment_named(name), read_source(folder._scenario(name))
            if digest(text) != began_with:
                raise RunFolderError(
                    f"{folder._scenario(name)}: was changed after the report began; undo the change, or ask the changed scenario "
                    f"anew: dealermarket experiment {name} --scenario {folder._scenario(name)}"
                )
            scenario = experiment.checked(Scenario.from_toml(text, where=str(folder._scenario(name))))
            folder.plans.append(Plan(experiment, scenario, runs, variation_runs, command))
        return folder

    @property
    def complete(self) -> bool:
        """Whether the report was written."""
        return bool(self.meta["complete"])

    @property
    def market_steps(self) -> int:
        """Steps of markets that the report takes in all."""
        return market_steps(self.plans)

    def measure(self, threads: int, progress: Progress | None = None) -> list[Section]:
        """Runs what has not been measured yet and draws the conclusions."""
        return run_plans(self.plans, self.meta["seed"], threads, progress, self.path / MEASURED)

    def finish(self, sections: Sequence[Section], seconds: float) -> list[Path]:
        """Writes the report; returns its files."""
        from dealermarket.papers.report import write_report

        names = (*LIBRARIES, *(LEARNING_LIBRARIES if any(plan.trainings for plan in self.plans) else ()))
        libraries = {name: installed_version(name) for name in names}
        about = {
            "version": __version__,
            "seed": str(self.meta["seed"]),
            "market steps": f"{self.market_steps:,}",
            "libraries": ", ".join(f"{name} {version}" for name, version in libraries.items()),
        }
        written = write_report(self.path, sections, about)
        self.meta |= {"complete": True, "libraries": libraries, "seconds": round(seconds, 1)}
        self._write_meta()
        shutil.rmtree(self.path / MEASURED, ignore_errors=True)
        return written

    def _scenario(self, experiment: str) -> Path:
        return self.path / SCENARIOS / f"{experiment}.toml"

    def _write_meta(self) -> None:
        write_text(self.path / META, json.dumps(self.meta, indent=2) + "\n")
