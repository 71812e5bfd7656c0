"""The fields of a value for a reader: their types, bounds and defaults, in words and as a signature."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dealermarket.slots import Slot

_WORDS: dict[Any, str] = {
    Any: "anything",
    NoneType: "None",
    bool: "True or False",
    float: "number",
    int: "whole number",
    str: "text",
}
_LONGEST_DEFAULT = 40
_WIDTH = 100
_SECTION = re.compile(r"^\w+\n-{3,}$", re.MULTILINE)
_RAISES = """Raises
------
ParameterError
    If a field is not as it must be; the message names every such field."""


@dataclass(frozen=True)
class Quantity:
    """What the number of a field is measured in, and where its values usually lie: stands in the field's annotation.

    `unit` as a reader has it, empty for a pure number; `low` and `high` are the ends of a slider, whose places are even in the
    logarithm where `log`. They bound nothing: the field's own bounds do, and may allow 0 where a slider is logarithmic.
    """

    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False


@dataclass(frozen=True)
class Bounds:
    """Which numbers a field takes: from `low` to `high`, without the ends that are open."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.low_open else number >= self.low
        return above and (number < self.high if self.high_open else number <= self.high)

    def __str__(self) -> str:
        """Such as "> 0", or "in (0, 10]" between two bounds; empty where there is none."""
        low, high = f"{self.low:g}", f"{self.high:g}"
        if math.isfinite(self.low) and math.isfinite(self.high):
            return f"in {'(' if self.low_open else '['}{low}, {high}{')' if self.high_open else ']'}"
        if math.isfinite(self.low):
            return f"{'>' if self.low_open else '>='} {low}"
        return f"{'<' if self.high_open else '<='} {high}" if math.isfinite(self.high) else ""


@dataclass(frozen=True)
class FieldRow:
    """What there is to say of a field of a value."""

    name: str
    words: str
    """What it takes, such as "number in (0, 10]" or, of a slot, "'power' or 'ladder'"."""
    required: bool
    default: Any
    """None where it is required."""
    meaning: str
    """A sentence; empty where the class says nothing of the field."""
    quantity: Quantity | None
    """Unit and slider of its number, or of the numbers in its list, range or table."""
    bounds: Bounds
    """Those of its number, or of the numbers in its list, range or table."""
    whole: bool
    """Whether these are whole numbers."""
    optional: bool
    """Whether it may be None."""
    choices: tuple[str, ...]
    """The words that it takes, such as ("makers", "exchange", "best")."""
    kinds: Mapping[str, type[BaseModel]]
    """Of a slot, the kinds by name."""
    models: tuple[type[BaseModel], ...]
    """The values that it holds, of a slot those of all kinds; their fields are `fields_of` each."""

    @property
    def unit(self) -> str:
        """The unit of its number; empty for a pure one, and where there is none."""
        return "" if self.quantity is None else self.quantity.unit

    @property
    def shown_default(self) -> str:
        """The default as Python writes it, or the class alone where that is long; empty where it is required."""
        shown = "" if self.required else repr(self.default)
        return shown if len(shown) <= _LONGEST_DEFAULT else f"{type(self.default).__name__}(...)"


def fields_of(model: type[BaseModel]) -> list[FieldRow]:
    """The fields of a model in their order, but for `kind`, which is the name of the class in a file."""
    return [_row(name, field) for name, field in model.model_fields.items() if name != "kind"]


def docstring(model: type[BaseModel]) -> str:
    """The docstring of a model with its fields as `Parameters` and what its constructor raises, as numpydoc writes them."""
    text = inspect.cleandoc(model.__doc__ or "")
    later = _SECTION.search(text)
    before, after = (text[: later.start()], text[later.start() :]) if later else (text, "")
    raises = "" if re.search(r"^Raises\n-+$", after, re.MULTILINE) else _RAISES
    parameters = [line for row in fields_of(model) for line in _parameter(row)]
    sections = [before.strip(), "\n".join(["Parameters", "----------", *parameters]) if parameters else "", raises, after]
    return "\n\n".join(section for section in sections if section)


def signature(model: type[BaseModel]) -> inspect.Signature:
    """How a model is made: its fields by name, with their types and defaults, without what checks them."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=_plain(field.annotation),
                default=inspect.Parameter.empty if field.is_required() else field.get_default(call_default_factory=True),
            )
            for name, field in model.model_fields.items()
        ],
        return_annotation=None,
    )


def _parameter(row: FieldRow) -> Iterator[str]:
    """A field as numpydoc writes a parameter."""
    yield f"{row.name} : {row.words}" + ("" if row.required else f", default {row.shown_default}")
    said = f"{row.meaning} Unit: {row.unit}." if row.unit else row.meaning
    yield from wrap(said, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _row(name: str, field: FieldInfo) -> FieldRow:
    nodes = list(_nodes(field.annotation, field.metadata))
    number, beside = next((node for node in nodes if node[0] in (int, float)), (None, ()))
    return FieldRow(
        name=name,
        words=_words(field.annotation, field.metadata),
        required=field.is_required(),
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        meaning=field.description or "",
        quantity=next((part for _, metadata in nodes for part in metadata if isinstance(part, Quantity)), None),
        bounds=_bounds(beside),
        whole=number is int,
        optional=any(node is NoneType for node, _ in nodes),
        choices=tuple(word for node, _ in nodes if get_origin(node) is Literal for word in get_args(node)),
        kinds=dict(kind for slot in _slots(nodes) for kind in slot.kinds.items()),
        models=tuple(models_of(field)),
    )


def models_of(field: FieldInfo) -> list[type[BaseModel]]:
    """The values that can stand in a field, in a list or table of it, or in its slot."""
    nodes = list(_nodes(field.annotation, field.metadata))
    chosen = [kind for slot in _slots(nodes) for kind in slot.kinds.values()]
    return chosen or [node for node, _ in nodes if isinstance(node, type) and issubclass(node, BaseModel)]


def _slots(nodes: Iterable[tuple[Any, tuple[Any, ...]]]) -> list[Slot]:
    return [part for _, metadata in nodes for part in metadata if isinstance(part, Slot)]


def _nodes(annotation: Any, metadata: Iterable[Any] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The type of a field and all types within it, outermost first, each with what stands beside it in its annotation."""
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from _nodes(parts[0], [*metadata, *_flat(parts[1:])])
        return
    yield annotation, tuple(metadata)
    if get_origin(annotation) in (Union, UnionType, tuple, dict, Mapping):
        for part in parts:
            yield from _nodes(part)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    """What stands in an annotation, with the checks of pydantic's fields one by one."""
    for part in metadata:
        yield from part.metadata if isinstance(part, FieldInfo) else [part]


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a field takes, such as "number > 0" or, of the kinds of a slot, "'power' or 'ladder'"."""
    origin, parts = get_origin(annotation), get_args(annotation)
    metadata = list(metadata)
    slots = [part for part in metadata if isinstance(part, Slot)]
    if slots:
        return " or ".join(repr(kind) for slot in slots for kind in slot.kinds)
    if origin is Annotated:
        return _words(parts[0], _flat(parts[1:]))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_words, parts)))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        return f"tuple of {_words(parts[0])}" if parts[1:] == (...,) else f"({', '.join(map(_words, parts))})"
    if origin in (dict, Mapping):
        return f"table of {_words(parts[0])}: {_words(parts[1])}"
    return f"{_WORDS.get(annotation, getattr(annotation, '__name__', str(annotation)))} {_bounds(metadata)}".rstrip()


def _bounds(metadata: Iterable[Any]) -> Bounds:
    ends: dict[str, Any] = {}
    for part in metadata:
        match part:
            case Gt(gt=bound):
                ends |= {"low": bound, "low_open": True}
            case Ge(ge=bound):
                ends |= {"low": bound, "low_open": False}
            case Lt(lt=bound):
                ends |= {"high": bound, "high_open": True}
            case Le(le=bound):
                ends |= {"high": bound, "high_open": False}
    return Bounds(**ends)


def _plain(annotation: Any) -> Any:
    """An annotation without its metadata, at every depth."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(parts[0])
    if origin in (Union, UnionType):
        return Union[tuple(map(_plain, parts))]  # noqa: UP007, parts are known at run time only
    if origin is None or origin is Literal:
        return annotation
    return origin[tuple(map(_plain, parts))]
