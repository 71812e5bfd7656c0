"""What of a scenario can be changed on the page: a control for each field that is a number, a switch or a choice.

Bounds, units and meanings are those of the scenario's own types; nothing is listed here by hand but what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dealermarket.describe import Quantity
from dealermarket.errors import DealerMarketError, ScenarioError
from dealermarket.model.scenario import Scenario
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


def controls_of(scenario: Scenario, opened: Scenario, policies: Sequence[PolicyChoice]) -> tuple[Group, ...]:
    """All controls of a scenario; what differs from the `opened` one shows by their `was`."""
    made = _Controls(opened, policies)
    run = [*made.scalars(scenario, "", "run"), *made.of(scenario.exchange, "exchange", "exchange")]
    groups = [
        Group("market", "Market", None, False, (*made.of(scenario.market, "market", "market"), *run)),
        *(
            Group(f"investors:{entry.name}", entry.name, None, False, tuple(made.of(entry, path, "investors")))
            for path, entry in _entries("investors", scenario.investors[:_MOST_INVESTORS])
        ),
        *(
            Group(f"makers:{maker.name}", maker.name, maker.name, len(scenario.makers) > 1, tuple(made.maker(maker, path)))
            for path, maker in _entries("makers", scenario.makers)
        ),
    ]
    return tuple(group for group in groups if group.controls)


def policy_fields(path: str) -> str | None:
    """The maker whose whole policy stands at a path; None at another path."""
    parts = path.split(".")
    return parts[1] if parts[0] == "makers" and len(parts) == 3 and parts[2] == "policy" else None


def _entries(field: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Entries of a list by the path that names each: by name, or by number where the name could not stand in a path."""
    for number, entry in enumerate(entries):
        plain = "." not in entry.name and not entry.name.isdecimal() and "=" not in entry.name and entry.name != "*"
        yield f"{field}.{entry.name if plain else number}", entry


class _Controls:
    """Makes controls, with the values of the opened scenario beside them."""

    def __init__(self, opened: Scenario, policies: Sequence[PolicyChoice]) -> None:
        self._opened, self._policies = opened, tuple(policies)

    def maker(self, maker: Any, path: str) -> Iterator[Control]:
        """Those of a maker; of its policy which one it is, and the numbers that it has."""
        yield from self.of(maker, path, "")
        if self._policies:
            yield self._policy(maker, f"{path}.policy")
        if isinstance(maker.policy, Value):
            yield from self.of(maker.policy, f"{path}.policy", "policy")

    def of(self, value: Value, path: str, section: str) -> Iterator[Control]:
        """Those of a part and of the parts within it."""
        yield from self.scalars(value, path, section)
        for name, field in type(value).model_fields.items():
            part = getattr(value, name)
            if name in _LEFT_OUT or not isinstance(part, Value):
                continue
            where = f"{path}.{name}"
            slot = slot_of(field)
            if slot is not None:
                yield self._kind(slot, part, f"{where}.kind", name)
            yield from self.of(part, where, name)

    def scalars(self, value: Value, path: str, section: str) -> Iterator[Control]:
        """Those of the fields that hold no part."""
        for name, field in type(value).model_fields.items():
            held = getattr(value, name)
            if name in _LEFT_OUT or isinstance(held, Value):
                continue
            where, label = f"{path}.{name}" if path else name, name.replace("_", " ")
            if isinstance(held, tuple) and len(held) == 2 and all(isinstance(end, float) for end in held):
                for number, which in enumerate(("first", "last")):
                    yield self._number(f"{where}.{number}", f"{label}, {which}", section, held[number], field)
            elif isinstance(held, bool):
                yield self._control(where, label, section, "switch", held, field)
            elif isinstance(held, (int, float)):
                yield self._number(where, label, section, held, field)
            elif isinstance(held, str) and (words := _words(field.annotation)):
                choices = tuple(Choice(word, "") for word in words)
                yield self._control(where, label, section, "choice", held, field, choices=choices)
            elif held is not None and not _is_list_of_makers(value, name):
                yield self._control(where, label, section, "fixed", _told(held), field)

    def _number(self, path: str, label: str, section: str, held: float, field: FieldInfo) -> Control:
        metadata = list(_metadata(field))
        quantity = next((part for part in metadata if isinstance(part, Quantity)), Quantity())
        least, most = _bounds(metadata)
        low, high = _ends(quantity, float(held), least, most)
        whole = isinstance(held, int)
        log = quantity.log and low > 0
        step = max(1.0, _grain(high - low)) if whole else None if log else _grain(high - low)
        return self._control(
            path,
            label,
            section,
            "whole" if whole else "number",
            held,
            field,
            unit=quantity.unit,
            least=least,
            most=most,
            low=low,
            high=high,
            log=log,
            step=step,
        )

    def _control(
        self, path: str, label: str, section: str, kind: ControlKind, value: Any, field: FieldInfo | None, **more: Any
    ) -> Control:
        meaning = "" if field is None else field.description or ""
        if kind == "fixed":
            meaning = f"{meaning} Set it in a file.".strip()
        return Control(path, label, section, kind, value, self._was(path), meaning=meaning, **more)

    def _kind(self, slot: Slot, part: Value, path: str, section: str) -> Control:
        now = str(getattr(part, "kind", ""))
        choices = tuple(
            Choice(name, _first_line(kind)) for name, kind in slot.kinds.items() if name == now or _stands_alone(kind)
        )
        about = f"Which kind of {section.replace('_', ' ')}."
        return Control(path, "kind", section, "choice", now, self._was(path), meaning=about, choices=choices)

    def _policy(self, maker: Any, path: str) -> Control:
        now = _policy_name(maker.policy)
        known = self._policies if now in [policy.name for policy in self._policies] else (
            *self._policies,
            PolicyChoice(now, "That of the file.", now),
        )  # fmt: skip
        was = self._was(f"{path}.kind")
        meaning = "What acts for the maker beyond its rules."
        return Control(path, "policy", "policy", "choice", now, was, meaning=meaning, choices=known)

    def _was(self, path: str) -> Any:
        """What the opened scenario has at a path."""
        try:
            (value,) = self._table(path)
        except (ScenarioError, ValueError, IndexError, TypeError):
            return None
        return value if isinstance(value, (bool, int, float, str)) else _told(value) if value is not None else None

    def _table(self, path: str) -> list[Any]:
        return self._opened.values_at(path)


def slot_of(field: FieldInfo) -> Slot | None:
    """The slot that a field is, None where it is none."""
    return next((part for part in _metadata(field) if isinstance(part, Slot)), None)


def _metadata(field: FieldInfo) -> Iterator[Any]:
    """All that stands in a field's annotation beside its types, at every depth."""
    yield from _flat(field.metadata)
    yield from _within(field.annotation)


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


def _ends(quantity: Quantity, value: float, least: float | None, most: float | None) -> tuple[float, float]:
    """The ends of a slider: the usual ones, wide enough for the value; without usual ones, around the value."""
    around = (min(0.0, 2 * value), max(3 * abs(value), 1.0))
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


def _is_list_of_makers(value: Value, name: str) -> bool:
    return isinstance(value, Scenario) and name in ("makers", "investors")


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
