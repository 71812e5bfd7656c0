"""What the page was started with: a scenario, a run, a sweep or a calibration, read once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.explorer.asked import State
from dealermarket.explorer.controls import PolicyChoice
from dealermarket.explorer.simulation import check_size, most_replicas
from dealermarket.frozen import FrozenMapping
from dealermarket.model.makers.policies import POLICIES
from dealermarket.model.scenario import Scenario
from dealermarket.policies.named import policy_named, with_policies
from dealermarket.questions.folder import QuestionFolder
from dealermarket.runs.folder import RunFolder

OpenedKind = Literal["scenario", "run", "sweep", "calibration"]
_INTERVAL = "95 % interval"  # what the reasons of a calibration say, and no others
SHOWN_REPLICAS = 200


@dataclass(frozen=True)
class SweepMap:
    """An answered sweep as a map: the fields that vary, the values of each, and by point its settings and its numbers.

    `places` has for every point the number of its value in each field; `measures` by statistic what one `maker` had, by point."""

    paths: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    places: tuple[tuple[int, ...], ...]
    maker: str
    measures: Mapping[str, Sequence[float | None]]

    def settings(self, point: int) -> dict[str, Any]:
        """The settings of a point. Raises ParameterError where there is no such point."""
        if not point < len(self.places):
            raise ParameterError(f"point: must be in 0..{len(self.places) - 1}, got {point}")
        cells = zip(self.paths, self.values, self.places[point], strict=True)
        return {path: values[place] for joined, values, place in cells for path in joined.split("+")}


@dataclass(frozen=True)
class Opened:
    """A scenario, and what the page begins with.

    A command names it by its `source`, with the `settings` and the `assignments` of policies that were given with that."""

    scenario: Scenario
    source: str
    kind: OpenedKind
    state: State
    policies: tuple[PolicyChoice, ...]
    settings: tuple[str, ...] = ()
    assignments: tuple[str, ...] = ()
    sweep: SweepMap | None = None

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Why values of the scenario are what they are, of a calibration with intervals: the path, the value, the reason."""
        return [
            {"path": path, "value": _brief(self.scenario.values_at(path)), "why": why}
            for path, why in self.scenario.choices.items()
        ]


def opened(source: str, settings: Iterable[str] = (), assignments: Iterable[str] = (), folder: Path | None = None) -> Opened:
    """What a preset's name, a TOML file or a folder of a run or of a sweep describes, with settings and policies on top.

    Trained policies in `folder`, the current one if not given, can be chosen on the page. Raises ScenarioError, RunFolderError,
    and ParameterError, also for a market that is larger than a page simulates."""
    policies, path = _policies(Path() if folder is None else folder), Path(source)
    settings, assignments = tuple(settings), tuple(assignments)
    if not path.is_dir():
        scenario = with_policies(Scenario.load(source, settings), assignments)
        kind: OpenedKind = "calibration" if any(_INTERVAL in why for why in scenario.choices.values()) else "scenario"
        return Opened(scenario, source, kind, _begin(scenario), policies, settings, assignments)
    name = str(path / "scenario.toml")
    if not (path / "meta.json").exists():
        raise RunFolderError(f"{path}: is the folder of neither a run nor a sweep, it has no meta.json; give one, or a TOML file")
    if _is_question(path):
        question = QuestionFolder.open(path)
        question.check_question("sweep")
        scenario = with_policies(question.scenario.with_settings(*settings), assignments)
        asked = question.meta["asked"]
        answer, maker = _sweep(question)
        state = _begin(scenario, asked["replicas"], asked["seed"], maker)
        return Opened(scenario, name, "sweep", state, policies, settings, assignments, answer)
    run = RunFolder.open(path)
    if run.meta["policies"] or "tape" in run.meta:
        raise RunFolderError(f"{path}: was run with policies or prices that its scenario does not have; the page cannot run it")
    scenario = with_policies(run.scenario.with_settings(*settings), assignments)
    state = _begin(scenario, run.meta["replicas"], run.meta["seed"])
    return Opened(scenario, name, "run", state, policies, settings, assignments)


def _begin(scenario: Scenario, replicas: int = SHOWN_REPLICAS, seed: int = 0, maker: str | None = None) -> State:
    state = State(
        replicas=min(replicas, SHOWN_REPLICAS, most_replicas(scenario)), seed=seed, maker=maker or scenario.maker_names[0]
    )
    check_size(scenario, state.replicas)
    return state


def _is_question(path: Path) -> bool:
    """Whether a folder is one of a question, answered or not."""
    try:
        return "question" in json.loads((path / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _sweep(folder: QuestionFolder) -> tuple[SweepMap, str]:
    """The map of an answered sweep, and the maker that it looks at. Raises RunFolderError where there is no answer."""
    if not folder.complete:
        raise RunFolderError(f"{folder.path}: is not answered yet; finish it with --resume {folder.path}")
    folder.check_files()
    answer = json.loads((folder.path / "answer.json").read_text(encoding="utf-8"))
    maker = answer["maker"]
    rows = [row for row in answer["rows"] if row["maker"] == maker and row["point"] != "as it is"]
    columns = list(rows[0])
    paths = columns[columns.index("point") + 1 : columns.index("maker")]  # as `Swept.frame` has them
    first = rows[0]["statistic"]
    points = [row for row in rows if row["statistic"] == first]
    values = [tuple(sorted({row[path] for row in points}, key=_order)) for path in paths]
    places = tuple(tuple(known.index(row[path]) for path, known in zip(paths, values, strict=True)) for row in points)
    measures: dict[str, list[float | None]] = {}
    for row in rows:
        measures.setdefault(row["statistic"], []).append(row["mean"])
    return SweepMap(tuple(paths), tuple(values), places, maker, FrozenMapping(measures)), maker


def _order(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value


def _policies(folder: Path) -> tuple[PolicyChoice, ...]:
    """The policies that can be chosen: kinds that need no more than their name, and files in `folder` and the folders in it."""
    known = []
    for kind in POLICIES.kinds:
        if kind == "trained":
            continue
        try:
            about = (type(policy_named(kind)).__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")
        except ParameterError:  # it needs parameters
            continue
        known.append(PolicyChoice(kind, about, kind))
    here = folder.resolve()
    for file in sorted([*folder.glob("*.npz"), *folder.glob("*/policy.npz")]):
        if file.resolve().is_relative_to(here):
            known.append(PolicyChoice(str(file), "A trained policy.", f"{file} (trained)"))
    return tuple(known)


def _brief(values: Sequence[Any]) -> str:
    shown = ", ".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in values[:3])
    return f"{shown}, ..." if len(values) > 3 else shown
