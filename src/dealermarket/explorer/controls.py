"""What of a scenario can be changed on the page: a control for each field that is a number, a switch or a choice.

Bounds, units and meanings are those of the scenario's own types; nothing is listed here by hand but what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dealermarket.describe import Quantity
from dealermarket.errors import DealerMarketError, ScenarioError
from dealermarket.model.scenario import Scenario
from dealermarket.model.settings import values_at
from dealermarket.slots import Slot
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
        self._was = cache(self._value_before)

    def of(self, scenario: Scenario) -> tuple[Group, ...]:
        """All controls of a scenario: of its market, of each entry of its investors, of each maker."""
        run = [*self._scalars(scenario, "", "run"), *self._part(scenario.exchange, "exchange", "exchange")]
        groups = [Group("market", "Market", None, False, (*self._part(scenario.market, "market", "market"), *run))]
        for path, entry in _entries("investors", scenario.investors[:_MOST_INVESTORS]):
            controls = self._investors(entry, path, len(scenario.makers))
            groups.append(Group(path, entry.name, None, False, tuple(controls)))
        for path, maker in _entries("makers", scenario.makers):
            groups.append(Group(path, maker.name, maker.name, len(scenario.makers) > 1, tuple(self._maker(maker, path))))
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
            where, slot = f"{path}.{name}", about(type(value), name).slot
            if slot is not None:
                yield self._kind(slot, part, f"{where}.kind", name)
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
            where, label, field = f"{path}.{name}" if path else name, name.replace("_", " "), about(type(value), name)
            if isinstance(held, tuple) and len(held) == 2 and all(isinstance(end, float) for end in held):
                for number, which in enumerate(("first", "last")):
                    yield self._number(f"{where}.{number}", f"{label}, {which}", section, held[number], field)
            elif isinstance(held, bool):
                yield self._control(where, label, section, "switch", held, field)
            elif isinstance(held, (int, float)):
                yield self._number(where, label, section, held, field)
            elif held in field.words:
                choices = tuple(Choice(word, "") for word in field.words)
                yield self._control(where, label, section, "choice", held, field, choices=choices)
            elif held and not (isinstance(held, str) and field.quantity.unit):  # a word in place of a number needs no control
                yield self._control(where, label, section, "fixed", _told(held), field)

    def _number(self, path: str, label: str, section: str, held: float, field: About) -> Control:
        low, high = _ends(field, float(held))
        whole, log = isinstance(held, int), field.quantity.log and low > 0
        step = max(1.0, _grain(high - low)) if whole else None if log else _grain(high - low)
        ends = {"least": field.least, "most": field.most, "low": low, "high": high, "log": log, "step": step}
        return self._control(path, label, section, "whole" if whole else "number", held, field, unit=field.quantity.unit, **ends)

    def _control(self, path: str, label: str, section: str, kind: ControlKind, value: Any, field: About, **more: Any) -> Control:
        meaning = f"{field.meaning} Set it in a file.".strip() if kind == "fixed" else field.meaning
        return Control(path, label, section, kind, value, self._was(path), meaning=meaning, **more)

    def _kind(self, slot: Slot, part: Value, path: str, section: str) -> Control:
        now = str(getattr(part, "kind", ""))
        offered = {name: kind for name, kind in slot.kinds.items() if name == now or _stands_alone(kind)}
        choices = tuple(Choice(name, _first_line(kind)) for name, kind in offered.items())
        meaning = f"Which kind of {section.replace('_', ' ')}."
        return Control(path, "kind", section, "choice", now, self._was(path), meaning=meaning, choices=choices)

    def _policy(self, maker: Any, path: str) -> Control:
        now, known = _policy_name(maker.policy), self._policies
        if now not in [policy.name for policy in known]:
            known = (*known, PolicyChoice(now, "That of the file.", now))
        meaning = "What acts for the maker, beyond its rules of tiering, pricing and hedging."
        was = self._was(f"{path}.file") or self._was(f"{path}.kind")
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


class About(NamedTuple):
    """What the types say of a field."""

    quantity: Quantity
    least: float | None
    most: float | None
    slot: Slot | None
    words: tuple[str, ...]
    meaning: str


@cache
def about(model: type[BaseModel], name: str) -> About:
    """What the types say of a field of a model."""
    field = model.model_fields[name]
    metadata = [*_flat(field.metadata), *_within(field.annotation)]
    quantity = next((part for part in metadata if isinstance(part, Quantity)), Quantity())
    slot = next((part for part in metadata if isinstance(part, Slot)), None)
    return About(quantity, *_bounds(metadata), slot, _words(field.annotation), field.description or "")


def path_of(field: str, number: int, name: str) -> str:
    """The path of an entry of a list: by name, or by number where the name could not stand in a path."""
    plain = "." not in name and not name.isdecimal() and "=" not in name and name != "*"
    return f"{field}.{name if plain else number}"


def _entries(field: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Entries of a list, each with its path."""
    for number, entry in enumerate(entries):
        yield path_of(field, number, entry.name), entry


def _within(annotation: Any) -> Iterator[Any]:
    yield from _flat(getattr(annotation, "__metadata__", ()))
    for part in get_args(annotation):
        if not isinstance(part, (str, bytes, int, float)):
            yield from _within(part)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for part in metadata:
        yield from part.metadata if isinstance(part, FieldInfo) else (part,)


def _bounds(metadata: Iterable[Any]) -> tuple[float | None, float | None]:
    least = most = None
    for part in metadata:
        match part:
            case Ge(ge=bound) | Gt(gt=bound):
                least = float(bound)  # type: ignore[arg-type]
            case Le(le=bound) | Lt(lt=bound):
                most = float(bound)  # type: ignore[arg-type]
    return least, most


def _ends(field: About, value: float) -> tuple[float, float]:
    """The ends of a slider: the usual ones, wide enough for the value; without usual ones, around the value."""
    quantity, least, most = field.quantity, field.least, field.most
    around = (min(0.0, 2 * value), 3 * abs(value) or 1.0)
    low = around[0] if quantity.low is None else quantity.low
    high = around[1] if quantity.high is None else quantity.high
    low, high = min(low, value), max(high, value)
    return (low if least is None else max(low, least)), (high if most is None else min(high, most))


def _grain(width: float) -> float:
    """A round number of which a slider of this width has about a hundred."""
    if not 0 < width < math.inf:
        return 1.0
    size = 10.0 ** math.floor(math.log10(width / _STEPS_OF_A_SLIDER))
    grain = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= 0.99 * width / _STEPS_OF_A_SLIDER)
    return float(f"{grain:.1g}")


def _words(annotation: Any) -> tuple[str, ...]:
    """The words of a field that takes one of some words and nothing else."""
    words = get_args(annotation)
    return words if words and all(isinstance(word, str) for word in words) else ()


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
