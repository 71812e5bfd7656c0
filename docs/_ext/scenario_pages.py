"""The reference of scenarios: every field of every part that a scenario can have, from the types that check it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from api_pages import homes
from pages import code, heading, plain, summary_of, table
from pydantic import BaseModel

from dealermarket.describe import FieldRow, fields_of
from dealermarket.model.scenario import Scenario
from dealermarket.slots import kind_name

INTRODUCTION = """\
The fields of a scenario
========================

A scenario is a TOML file, or a value in Python; both have the fields below. A path such as ``makers.*.pricing`` says
where a part stands: of ``*`` there are several, ``makers.0`` or ``makers.maker-1`` being one of them.
``--set makers.0.pricing.alpha=1.3`` changes a field of a run. Where a part has several kinds, its ``kind`` chooses one.

::

    [[makers]]
    name = "maker-1"
    pricing = { kind = "power", alpha = 1.3 }

:doc:`/model` has the law that each number is a part of.
"""


@dataclass
class Component:
    """A class of values, and the paths at which it can stand in a scenario."""

    model: type[BaseModel]
    paths: list[str]
    one_of_several: bool

    @property
    def title(self) -> str:
        """Its first path, and its kind where it has one, or its class where there are others."""
        kind, path = kind_name(self.model) or (self.model.__name__ if self.one_of_several else None), self.paths[0]
        return f"{path}: {kind}" if kind else path or "scenario"


def components() -> list[Component]:
    """Everything that a scenario can be made of, each once, in the order of the fields."""
    found: dict[type[BaseModel], Component] = {}

    def visit(model: type[BaseModel], path: str, several: bool = False) -> None:
        if model in found:
            found[model].paths.append(path)
            return
        found[model] = Component(model, [path], several)
        for row in fields_of(model):
            many = ".*" if row.words.startswith("tuple of ") else ""
            for inner in row.models:
                visit(inner, f"{path}.{row.name}{many}".lstrip("."), several=len(row.models) > 1)

    visit(Scenario, "")
    return list(found.values())


def _fields_table(model: type[BaseModel]) -> list[str]:
    """The table of a model's fields; nothing where it has none."""
    rows = [
        (
            code(row.name),
            plain(row.meaning),
            _takes(row),
            plain(row.unit),
            "required" if row.required else code(row.shown_default),
        )
        for row in fields_of(model)
    ]
    return list(table(("Field", "Meaning", "Takes", "Unit", "Default"), rows, (20, 32, 20, 12, 16), "fields")) if rows else []


def _takes(row: FieldRow) -> str:
    """What a field takes; parts and kinds lead to their fields."""
    links = {
        kind_name(model) or model.__name__: f":ref:`{kind_name(model) or model.__name__} <{_anchor(model)}>`"
        for model in row.models
    }
    if row.kinds:
        return " or ".join(links[kind] for kind in row.kinds)
    words = plain(row.words)
    for name, link in links.items():
        words = re.sub(rf"\b{name}\b", link, words)
    return words


def _anchor(model: type[BaseModel]) -> str:
    """The address of the fields of a model."""
    return f"fields-of-{model.__name__.lower()}"


def _section(component: Component) -> Iterator[str]:
    yield from heading(component.title, "-", _anchor(component.model))
    name = component.model.__name__
    home = homes().get(id(component.model))
    yield f":py:class:`{name} <{home.path}>`: {summary_of(component.model.__doc__ or '')}" if home else f"{code(name)}"
    yield ""
    if len(component.paths) > 1:
        yield f"Also at {', '.join(code(path) for path in dict.fromkeys(component.paths[1:]))}."
        yield ""
    yield from _fields_table(component.model) or ["It has no fields.", ""]


def page() -> str:
    """The page."""
    lines = [INTRODUCTION]
    for component in components():
        lines += _section(component)
    return "\n".join(lines) + "\n"
