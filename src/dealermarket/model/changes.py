"""What differs between two scenarios: the path of every field, and its two values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from dealermarket.model.scenario import Scenario

_SAID = ("name", "description", "choices")  # what is said of a market, and no part of it


class Change(NamedTuple):
    """A field, as a setting names it, and what it holds before and after; None where there is no such field."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {shown(self.before)} → {shown(self.after)}"


def changes(before: Scenario, after: Scenario) -> list[Change]:
    """The fields of the market that differ, in the order of the scenario; of a part of another kind, the part as a whole."""
    tables = [{name: part for name, part in each.as_table().items() if name not in _SAID} for each in (before, after)]
    return list(_changes("", *tables))


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, list) and isinstance(after, list) and _names(before) == _names(after):
        before, after = dict(zip(_names(before), before, strict=True)), dict(zip(_names(after), after, strict=True))
    if isinstance(before, dict) and isinstance(after, dict) and before.get("kind") == after.get("kind"):
        for name in {**before, **after}:
            yield from _changes(f"{path}.{name}" if path else name, before.get(name), after.get(name))
    elif before != after:
        yield Change(path, before, after)


def _names(entries: list[Any]) -> list[str]:
    """How a setting calls the entries of a list: by name, or by number where they have none."""
    return [str(entry.get("name", n)) if isinstance(entry, dict) else str(n) for n, entry in enumerate(entries)]


def shown(value: Any) -> str:
    """The value of a field as a sentence has it."""
    if value is None:
        return "not set"
    if isinstance(value, dict) and "kind" in value:
        fields = [f"{name} {shown(part)}" for name, part in value.items() if name != "kind"]
        return f"{value['kind']} ({', '.join(fields)})" if fields else str(value["kind"])
    return str(value) if isinstance(value, (str, int, float, list, dict)) else type(value).__name__
