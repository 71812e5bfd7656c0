"""The fields of a value for a reader: their types, bounds and defaults, in words and as a signature."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Quantity:
    """What the number of a field is measured in, and where its values usually lie: stands in the field's annotation.

    `unit` as a reader has it, empty for a pure number; `low` and `high` are the ends of a slider, whose places are even in the
    logarithm where `log`. They bound nothing: the field's own bounds do.
    """

    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False


def docstring(model: type[BaseModel]) -> str:
    """The docstring of a model with a line for each of its fields, such as `lam: number in [1.01, 100]; default 1.6`."""
    lines = [f"    {name}: {_line(field)}" for name, field in model.model_fields.items() if name != "kind"]
    return "\n".join([inspect.cleandoc(model.__doc__ or ""), *(["", "Fields:", *lines] if lines else [])])


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


def _line(field: FieldInfo) -> str:
    words = _words(field.annotation, field.metadata)
    if field.is_required():
        return words
    default = field.get_default(call_default_factory=True)
    shown = repr(default)
    return f"{words}; default {shown if len(shown) <= _LONGEST_DEFAULT else type(default).__name__ + '(...)'}"


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a field takes, such as "number > 0" or, of the kinds of a slot, "'power' or 'ladder'"."""
    origin, parts = get_origin(annotation), get_args(annotation)
    slots = [part for part in metadata if isinstance(part, Slot)]
    if slots:
        return " or ".join(repr(kind) for slot in slots for kind in slot.kinds)
    if origin is Annotated:
        inner = [part for entry in parts[1:] for part in (entry.metadata if isinstance(entry, FieldInfo) else [entry])]
        return _words(parts[0], inner)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_words, parts)))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple:
        return f"tuple of {_words(parts[0])}" if parts[1:] == (...,) else f"({', '.join(map(_words, parts))})"
    if origin in (dict, Mapping):
        return f"table of {_words(parts[0])}: {_words(parts[1])}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation))) + _bounds(metadata)


def _bounds(metadata: Iterable[Any]) -> str:
    """Such as " > 0", or " in (0, 10]" between two bounds."""
    low = high = ""
    for part in metadata:
        match part:
            case Gt(gt=bound):
                low, opening, above = f"{bound:g}", "(", ">"
            case Ge(ge=bound):
                low, opening, above = f"{bound:g}", "[", ">="
            case Lt(lt=bound):
                high, closing, below = f"{bound:g}", ")", "<"
            case Le(le=bound):
                high, closing, below = f"{bound:g}", "]", "<="
    if low and high:
        return f" in {opening}{low}, {high}{closing}"
    return f" {above} {low}" if low else f" {below} {high}" if high else ""


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
