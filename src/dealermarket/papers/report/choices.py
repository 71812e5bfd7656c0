"""What a scenario has where the paper leaves something open, and where it was changed; each with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from dealermarket.errors import ParameterError
from dealermarket.model.scenario import Scenario, preset_names
from dealermarket.papers.plan import Plan

_LONGEST = 300  # characters of a value: a whole population is longer


@dataclass(frozen=True)
class Choice:
    """A value that the paper leaves open, or that was changed: where it stands, what it is, and why."""

    path: str
    value: str
    reason: str
    changed: bool = False


def choices(plan: Plan) -> list[Choice]:
    """What was changed of the experiment's own scenario or of another preset, and what was chosen where the paper is silent."""
    if not plan.experiment.asks_scenario:
        return []
    scenario, own = plan.scenario, plan.experiment.load_scenario()
    if scenario.name != own.name and scenario.name in preset_names():
        own = Scenario.load(scenario.name)
    changed = _changes(scenario, own) if scenario.name == own.name else []
    kept = [Choice(path, _values(scenario, path), reason) for path, reason in scenario.choices.items()]
    return [*changed, *kept]


def _changes(scenario: Scenario, own: Scenario) -> list[Choice]:
    """Where a scenario is not the experiment's own."""
    leaves = list(_differing(scenario.as_table(exclude_none=False), own.as_table(exclude_none=False)))
    chosen = [path for path in own.choices if path not in scenario.choices]
    rows = dict.fromkeys(path for path in chosen if _values(scenario, path) != _values(own, path))
    for path in leaves:
        whole = _of_all(path)
        if not {whole, path} & {*rows, *scenario.choices}:
            members = len(getattr(scenario, whole.split(".")[0])) if whole != path else 1
            rows[whole if sum(_of_all(leaf) == whole for leaf in leaves) == members else path] = None
    return [
        Choice(path, _values(scenario, path), f"Changed; before: {_values(own, path)}{_why(own, path)}.", True) for path in rows
    ]


def _of_all(path: str) -> str:
    """The path of a field of one investor or maker, of all of them."""
    return re.sub(r"^(investors|makers)\.[^.]+", r"\1.*", path)


def _why(own: Scenario, path: str) -> str:
    return f" ({own.choices[path]})" if path in own.choices else ""


def _differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The paths at which two tables differ; name, description and reasons apart."""
    if isinstance(one, dict) and isinstance(other, dict) and one.get("kind") != other.get("kind"):
        yield f"{path}.kind"
    elif isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            if path or key not in ("name", "description", "choices"):
                yield from _differing(one[key], other.get(key), f"{path}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and path in ("investors", "makers") and len(one) == len(other):
        for own, others in zip(one, other, strict=True):
            yield from _differing(own, others, f"{path}.{own['name']}")
    elif one != other:
        yield path


def _values(scenario: Scenario, path: str) -> str:
    try:
        return shorten(", ".join(dict.fromkeys(map(_value, scenario.values_at(path)))), _LONGEST, placeholder=" …")
    except ParameterError:
        return "–"  # of another kind, which has no such field


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(entry, float) for entry in value):
        return f"{value[0]:g} to {value[1]:g}, in equal steps"  # of a group of investors
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
