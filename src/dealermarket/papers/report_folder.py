"""Report folders: what is to be run, what has been measured so far, and in the end the report.

While a report is made, `meta.json` says `"complete": false`, `scenarios/` has each experiment's scenario and `measured/`
a file per finished study, so that an interruption costs the studies under way at most. At the end the report stands
beside them, `meta.json` says `"complete": true`, and `measured/` goes.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from dealermarket.checksums import checksum
from dealermarket.disk import errors_of
from dealermarket.model.scenario import Scenario
from dealermarket.pages.wording import counted
from dealermarket.papers import Plan, Section, experiment_named, market_steps, run_plans
from dealermarket.runs.executors import Executor, Progress
from dealermarket.runs.folder import LIBRARIES
from dealermarket.runs.work_folder import WorkFolder, digest, installed
from dealermarket.version import __version__

MEASURED, SCENARIOS = "measured", "scenarios"
LEARNING_LIBRARIES = ("gymnasium", "stable-baselines3", "torch")


class ReportFolder(WorkFolder):
    """A report on disk, finished or not. Make one with `create` or `open`; every failure is a RunFolderError."""

    noun, example = "report", "reports/reproduction-1"
    again = "begin it again"
    wanted: ClassVar = {"seed": int, "extent": str, "plans": list}
    written = (f"{MEASURED}/*", "report.*", "figures/*", "numbers/*")
    scratch = MEASURED

    def __init__(self, path: Path, plans: Sequence[Plan], meta: dict[str, Any]) -> None:
        super().__init__(path, meta)
        self.plans = list(plans)

    @classmethod
    def create(cls, path: Path, plans: Sequence[Plan], seed: int, extent: str = "") -> ReportFolder:
        """A new folder; refuses one that exists and is not empty. `extent` says what is missing of a whole report, and how to
        get that."""
        scenarios = {_scenario(plan.experiment.name): plan.scenario.to_toml() for plan in plans if plan.experiment.asks_scenario}
        described = [
            {
                "experiment": plan.experiment.name,
                "runs": plan.runs,
                "variation_runs": plan.variation_runs,
                "command": plan.command,
                "scenario_sha256": digest(scenarios.get(_scenario(plan.experiment.name), "")),
            }
            for plan in plans
        ]
        folder = cls(path, plans, {"seed": seed, "extent": extent, "plans": described})
        folder._begin(scenarios)
        return folder

    @classmethod
    def open(cls, path: Path) -> ReportFolder:
        """The folder of a report, complete or not; refuses what is not one, was changed or was made by another version."""
        meta = cls._read_meta(path)
        try:
            described = [
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
            raise cls._damaged(path) from None
        plans = []
        for name, runs, variation_runs, command, sha256 in described:
            experiment = experiment_named(name)
            if not experiment.asks_scenario:
                plans.append(Plan(experiment, experiment.load_scenario(), runs, variation_runs, command))
                continue
            anew = f"ask the changed scenario anew: dealermarket experiment {name} --scenario {{file}}"
            text = cls._read_input(path, _scenario(name), sha256, anew, meta["complete"])
            scenario = experiment.checked(Scenario.from_toml(text, where=str(path / _scenario(name))))
            plans.append(Plan(experiment, scenario, runs, variation_runs, command))
        return cls(path, plans, meta)

    @property
    def market_steps(self) -> int:
        """Steps of markets that the report takes in all."""
        return market_steps(self.plans)

    def measure(self, threads: int, progress: Progress | None = None, executor: Executor | str | None = None) -> list[Section]:
        """Runs what has not been measured yet and draws the conclusions."""
        self.make_ready()
        return run_plans(self.plans, self.meta["seed"], threads, progress, self.path / MEASURED, executor)

    def finish(self, sections: Sequence[Section], seconds: float) -> list[Path]:
        """Writes the report; returns its files."""
        from dealermarket.papers.report import write_report

        names = (*LIBRARIES, *(LEARNING_LIBRARIES if any(plan.trainings for plan in self.plans) else ()))
        libraries = installed(names)
        about = {
            "version": __version__,
            "date": today().isoformat(),
            **({"extent": self.meta["extent"]} if self.meta["extent"] else {}),
            "seed": str(self.meta["seed"]),
            "market steps": f"{self.market_steps:,}",
            "processor": processor(),
            "Python": platform.python_version(),
            "libraries": ", ".join(f"{name} {version}" for name, version in libraries.items()),
        }
        written = write_report(self.path, sections, about)
        with errors_of(self.path):
            files = {path.relative_to(self.path).as_posix(): checksum(path) for path in written}
        self._complete(files=files, libraries=libraries, seconds=round(seconds, 1))
        return written


def today() -> date:
    """The day on which a report is written."""
    return datetime.now().astimezone().date()


def processor() -> str:
    """The processor as its maker calls it, where the system says so, and its cores."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    name = found[1] if found else platform.processor() or platform.machine()
    return f"{name}, {counted(os.cpu_count() or 1, 'core')}"


def _scenario(experiment: str) -> str:
    return f"{SCENARIOS}/{experiment}.toml"
