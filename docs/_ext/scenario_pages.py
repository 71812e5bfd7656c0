"""The reference of scenarios: every field of every part that a scenario can have, from the types that check it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pages import code, heading, summary_of, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dealermarket import describe
from dealermarket.describe import Quantity
from dealermarket.model.scenario import Scenario
from dealermarket.slots import kind_name
from dealermarket.values import components_at

INTRODUCTION = """\
The fields of a scenario
========================

A scenario is a TOML file, or a value in Python; both have the fields below. A path such as ``makers.*.pricing`` says where
a part stands: of ``*`` there are several, ``makers.0`` or ``makers.maker-1`` being one of them. ``--set makers.0.pricing.alpha=1.3``
changes a field of a run. Where a part has several kinds, its ``kind`` chooses one.

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

    @property
    def title(self) -> str:
        """Its first path, and its kind where it has one."""
        kind, path = kind_name(self.model), self.paths[0]
        return f"{path}: {kind}" if kind else path or "scenario"

    @property
    def anchor(self) -> str:
        """Its address."""
        return f"fields-of-{self.model.__name__}"


def components() -> list[Component]:
    """Everything that a scenario can be made of, each once, in the order of the fields."""
    found: dict[type[BaseModel], Component] = {}

    def visit(model: type[BaseModel], path: str) -> None:
        if model in found:
            found[model].paths.append(path)
            return
        found[model] = Component(model, [path])
        for name, field in model.model_fields.items():
            for inner in components_at(model, [name]):
                many = ".*" if str(field.annotation).startswith(("tuple", "typing.Annotated[tuple")) else ""
                visit(inner, f"{path}.{name}{many}".lstrip("."))

    visit(Scenario, "")
    return list(found.values())


def fields_table(model: type[BaseModel]) -> list[str]:
    """The table of a model's fields; nothing where it has none."""
    rows = [_row(name, field) for name, field in model.model_fields.items() if name != "kind"]
    return list(table(("Field", "Takes", "Unit", "Default", "Meaning"), rows, (18, 20, 10, 14, 38), "fields")) if rows else []


def _row(name: str, field: FieldInfo) -> tuple[str, ...]:
    takes = describe._words(field.annotation, field.metadata)
    units = [part.unit for part in field.metadata if isinstance(part, Quantity)]
    default = "required" if field.is_required() else code(repr(field.get_default(call_default_factory=True)))
    return code(name), takes, "".join(units), default, field.description or ""


def _section(component: Component, described: dict[int, str]) -> Iterator[str]:
    yield from heading(component.title, "-", component.anchor)
    name = component.model.__name__
    path = described.get(id(component.model))
    yield f":py:class:`{name} <{path}>`: {summary_of(component.model.__doc__ or '')}" if path else f"{code(name)}"
    yield ""
    if len(component.paths) > 1:
        yield f"Also at {', '.join(code(path) for path in dict.fromkeys(component.paths[1:]))}."
        yield ""
    yield from fields_table(component.model) or ["It has no fields.", ""]


def page(described: dict[int, str]) -> str:
    """The page; `described` has the public path of each class that the reference of Python describes, by identity."""
    lines = [INTRODUCTION]
    for component in components():
        lines += _section(component, described)
    return "\n".join(lines) + "\n"
