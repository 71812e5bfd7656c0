"""What of a scenario can be changed on the page: a control for each field that is a number, a switch or a choice.

Bounds, units and meanings are those of the scenario's own types; nothing is listed here by hand but what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel

from dealermarket.describe import FieldRow, Quantity, fields_of
from dealermarket.errors import DealerMarketError, ScenarioError
from dealermarket.model.scenario import Scenario
from dealermarket.model.settings import values_at
from dealermarket.values import Value

ControlKind = Literal["number", "whole", "switch", "choice", "fixed"]
_LEFT_OUT = ("name", "description", "choices", "orders", "kind", "policy")
_MOST_INVESTORS = 40  # entries of a scenario that have controls; more are changed in a file
_STEPS_OF_A_SLIDER = 100


@dataclass(frozen=True)
class Choice:
    """One of the values of a choice, and what it is."""

    name: str
    meaning: str


@dataclass(frozen=True)
class PolicyChoice(Choice):
    """A policy by the text that names it, as `label` on the page."""

    label: str


@dataclass(frozen=True)
class Control:
    """A field: its value now, that of the opened scenario (None where it has no such field), and what it may be.

    `least` and `most` bound it (None: nothing does), `low` and `high` are the ends of its slider, `step` its grain (None where
    `log`: the places of the slider are even in the logarithm)."""

    path: str
    label: str
    section: str
    kind: ControlKind
    value: Any
    was: Any
    unit: str = ""
    meaning: str = ""
    least: float | None = None
    most: float | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[Choice, ...] = ()

    @property
    def names(self) -> list[str]:
        """The values of a choice."""
        return [choice.name for choice in self.choices]


@dataclass(frozen=True)
class Group:
    """Controls that belong together: the market's, those of one entry of the investors, those of one maker."""

    name: str
    title: str
    maker: str | None
    removable: bool
    controls: tuple[Control, ...]


class Controls:
    """Makes the controls of scenarios that were made from an `opened` one: what differs from it shows by their `was`."""

    def __init__(self, opened: Scenario, policies: Sequence[PolicyChoice]) -> None:
        self._before, self._policies = opened.as_table(exclude_none=False), tuple(policies)
        self.was = cache(self._value_before)

    def of(self, scenario: Scenario) -> tuple[Group, ...]:
        """All controls of a scenario: of its market, of each entry of its investors, of each maker."""
        run = [*self._scalars(scenario, "", "run"), *self._part(scenario.exchange, "exchange", "exchange")]
        groups = [Group("market", "Market", None, False, (*self._part(scenario.market, "market", "market"), *run))]
        for path, entry in _entries("investors", scenario.investors[:_MOST_INVESTORS]):
            controls = self._investors(entry, path, len(scenario.makers))
            groups.append(Group(f"investors:{entry.name}", entry.name, None, False, tuple(controls)))
        for path, maker in _entries("makers", scenario.makers):
            own, removable = tuple(self._maker(maker, path)), len(scenario.makers) > 1
            groups.append(Group(f"makers:{maker.name}", maker.name, maker.name, removable, own))
        return tuple(group for group in groups if group.controls)

    def _maker(self, maker: Any, path: str) -> Iterator[Control]:
        """Those of a maker; of its policy which one it is, and the numbers that it has."""
        yield from self._part(maker, path, "")
        if self._policies:
            yield self._policy(maker, f"{path}.policy")
        if isinstance(maker.policy, Value):
            yield from self._part(maker.policy, f"{path}.policy", "policy")

    def _part(self, value: Value, path: str, section: str) -> Iterator[Control]:
        """Those of a part and of the parts within it."""
        yield from self._scalars(value, path, section)
        for name in type(value).model_fields:
            part = getattr(value, name)
            if name in _LEFT_OUT or not isinstance(part, Value):
                continue
            where, row = f"{path}.{name}", _rows(type(value))[name]
            if row.kinds:
                yield self._kind(row, part, f"{where}.kind")
            yield from self._part(part, where, name)

    def _investors(self, entry: Any, path: str, makers: int) -> Iterator[Control]:
        """Those of an entry of the investors; how many makers are asked is a choice."""
        for control in self._part(entry, path, "investors"):
            if control.path == f"{path}.asks" and not isinstance(entry.asks, tuple):
                choices = tuple(Choice(name, "") for name in ("all", *map(str, range(1, makers + 1))))
                was = None if control.was is None else str(control.was)
                yield replace(control, kind="choice", value=str(entry.asks), was=was, choices=choices)
            else:
                yield control

    def _scalars(self, value: Value, path: str, section: str) -> Iterator[Control]:
        """Those of the fields that hold no part."""
        for name in type(value).model_fields:
            held = getattr(value, name)
            if name in _LEFT_OUT or held is None or isinstance(held, Value) or _holds_parts(held) or _is_replaced(value, name):
                continue
            where, label, row = f"{path}.{name}" if path else name, name.replace("_", " "), _rows(type(value))[name]
            if isinstance(held, tuple) and len(held) == 2 and all(isinstance(end, float) for end in held):
                for number, which in enumerate(("first", "last")):
                    yield self._number(f"{where}.{number}", f"{label}, {which}", section, held[number], row)
            elif isinstance(held, bool):
                yield self._control(where, label, section, "switch", held, row)
            elif isinstance(held, (int, float)):
                yield self._number(where, label, section, held, row)
            elif held in row.choices and not isinstance(held, tuple) and row.quantity is None:
                choices = tuple(Choice(word, "") for word in row.choices)
                yield self._control(where, label, section, "choice", held, row, choices=choices)
            elif held and not (isinstance(held, str) and row.quantity):  # a word in place of a number needs no control
                yield self._control(where, label, section, "fixed", _told(held), row)

    def _number(self, path: str, label: str, section: str, held: float, row: FieldRow) -> Control:
        whole = isinstance(held, int)
        slider = _slider(row, float(held), whole)
        return self._control(path, label, section, "whole" if whole else "number", held, row, unit=row.unit, **slider)

    def _control(self, path: str, label: str, section: str, kind: ControlKind, value: Any, row: FieldRow, **more: Any) -> Control:
        meaning = f"{row.meaning} Set it in a file.".strip() if kind == "fixed" else row.meaning
        return Control(path, label, section, kind, value, self.was(path), meaning=meaning, **more)

    def _kind(self, row: FieldRow, part: Value, path: str) -> Control:
        now = str(getattr(part, "kind", ""))
        offered = {name: kind for name, kind in row.kinds.items() if name == now or _stands_alone(kind)}
        choices = tuple(Choice(name, _first_line(kind)) for name, kind in offered.items())
        return Control(path, "kind", row.name, "choice", now, self.was(path), meaning=row.meaning, choices=choices)

    def _policy(self, maker: Any, path: str) -> Control:
        now, known = _policy_name(maker.policy), self._policies
        if now not in [policy.name for policy in known]:
            known = (*known, PolicyChoice(now, "That of the file.", now))
        meaning = "What acts for the maker, beyond its rules of tiering, pricing and hedging."
        was = self.was(f"{path}.file") or self.was(f"{path}.kind")
        return Control(path, "policy", "policy", "choice", now, was, meaning=meaning, choices=known)

    def _value_before(self, path: str) -> Any:
        """What the opened scenario has at a path."""
        try:
            (value,) = values_at(self._before, path)
        except (ScenarioError, ValueError):
            return None
        return value if isinstance(value, (bool, int, float, str)) else None if value is None else _told(value)


def policy_fields(path: str) -> str | None:
    """The maker whose whole policy stands at a path; None at another path."""
    parts = path.split(".")
    return parts[1] if parts[0] == "makers" and len(parts) == 3 and parts[2] == "policy" else None


@cache
def _rows(model: type[BaseModel]) -> dict[str, FieldRow]:
    """What there is to say of the fields of a model, by name; `kind` is none."""
    return {row.name: row for row in fields_of(model)}


def path_of(field: str, number: int, name: str) -> str:
    """The path of an entry of a list: by name, or by number where the name could not stand in a path."""
    plain = "." not in name and not name.isdecimal() and "=" not in name and name != "*"
    return f"{field}.{name if plain else number}"


def _entries(field: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Entries of a list, each with its path."""
    for number, entry in enumerate(entries):
        yield path_of(field, number, entry.name), entry


def _slider(row: FieldRow, value: float, whole: bool) -> dict[str, Any]:
    """The bounds of a number, and the ends and the grain of its slider: the usual ones, wide enough for the value."""
    quantity, bounds = row.quantity or Quantity(), row.bounds
    low = min(0.0, 2 * value) if quantity.low is None else quantity.low
    high = (3 * abs(value) or 1.0) if quantity.high is None else quantity.high
    low, high = max(min(low, value), bounds.low), min(max(high, value), bounds.high)
    log = quantity.log and low > 0
    step = None if log else max(1.0, _grain(high - low)) if whole else _grain(high - low)
    least, most = (bound if math.isfinite(bound) else None for bound in (bounds.low, bounds.high))
    return {"least": least, "most": most, "low": low, "high": high, "log": log, "step": step}


def _grain(width: float) -> float:
    """A round number of which a slider of this width has about a hundred."""
    if not 0 < width < math.inf:
        return 1.0
    size = 10.0 ** math.floor(math.log10(width / _STEPS_OF_A_SLIDER))
    grain = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= 0.99 * width / _STEPS_OF_A_SLIDER)
    return float(f"{grain:.1g}")


def _holds_parts(held: Any) -> bool:
    return isinstance(held, tuple) and bool(held) and isinstance(held[0], Value)


def _is_replaced(value: Value, name: str) -> bool:
    """Whether a part stands in place of a field, such as a law of sizes in place of the deviation of another law."""
    instead = (other for other, replaced in value.alternatives.items() if name in replaced)
    return any(isinstance(getattr(value, other), Value) for other in instead)


def _told(value: Any) -> str:
    """A value that no control can hold, in short."""
    if isinstance(value, Mapping):
        return f"{len(value)} entries" if len(value) != 1 else "1 entry"
    if isinstance(value, (tuple, list)):
        shown = ", ".join(map(str, value[:6]))
        return f"{shown}, ..." if len(value) > 6 else shown
    return str(value)


def _policy_name(policy: Any) -> str:
    kind = getattr(policy, "kind", type(policy).__name__)
    return f"{policy.file}" if kind == "trained" else str(kind)


@cache
def _stands_alone(kind: type[BaseModel]) -> bool:
    """Whether a kind can be chosen by its name alone: all its fields have defaults."""
    try:
        kind()
    except DealerMarketError:
        return False
    return True


def _first_line(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")
