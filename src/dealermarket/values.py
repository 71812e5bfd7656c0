"""The base of every component: a frozen, validated value whose errors a person can read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, dataclass_transform, get_origin

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo

from dealermarket import describe
from dealermarket.errors import ParameterError
from dealermarket.slots import kind_name

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)  # which has no public name

# What pydantic calls its checks, in the words of a user.
_MEANINGS = {
    "finite_number": "must be a finite number",
    "missing": "is required",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be a text",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}
_COMPARISONS = {
    "greater_than": (">", "gt"),
    "greater_than_equal": (">=", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("<=", "le"),
}

# Tags of fields that take a number or something else; chosen by the type given, so that one error is reported, not two.
NUMBER, RANGE, WORD = "number", "range", "word"


def _form(value: object) -> str:
    return WORD if isinstance(value, str) else RANGE if isinstance(value, (list, tuple)) else NUMBER


NUMBER_OR_RANGE = Discriminator(lambda value: NUMBER if _form(value) == WORD else _form(value))
NUMBER_WORD_OR_LIST = Discriminator(_form)
NUMBER_OR_WORD = Discriminator(lambda value: NUMBER if _form(value) == RANGE else _form(value))


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field, PrivateAttr))
class _ValueClass(ModelMetaclass):
    """`dir` and `help` show what a value adds to pydantic's model, whose own members work all the same."""

    def __dir__(cls) -> list[str]:  # noqa: N805, this is a metaclass
        names = (name for name in super().__dir__() if not name.startswith("__"))
        return ["__init__", *(name for name in names if not hasattr(BaseModel, name))]


class Value(BaseModel, metaclass=_ValueClass):
    """Frozen all through, strict and without unknown fields, which are given by name.

    Values with equal fields are equal and have one hash, whatever was left out when they were made. `replace` makes a
    copy with some fields changed. Raises :class:`~dealermarket.errors.ParameterError`, which lists all problems at once,
    each with the path of its field, the value and what is allowed.
    """

    alternatives: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """For a field, those that it stands in place of: a setting of the one takes the others away."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, revalidate_instances="never")

    def __init__(self, /, **fields: Any) -> None:
        """From its fields, by name. Raises ParameterError."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ParameterError("\n".join(readable(error, type(self)))) from None

    # Lets pydantic build nested values without this constructor, so that every error keeps its whole path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again.

        Raises ParameterError where the copy would not be valid."""
        return type(self)(**{name: getattr(self, name) for name in self.model_fields_set} | changes)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        cls.__signature__ = describe.signature(cls)
        if cls.__doc__:  # there is none where Python runs without docstrings
            cls.__doc__ = describe.docstring(cls)

    def _content(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).model_fields)

    # By fields alone: pydantic's own comparison meets what cached properties have left in the instance, arrays too.
    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Value) and type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._content()))

    if not TYPE_CHECKING:  # else type checkers would let every assignment pass

        def __setattr__(self, name: str, value: object) -> None:
            if name not in self.__private_attributes__:
                raise ParameterError(f"{type(self).__name__}.{name}: is frozen; make a copy with replace({name}=...)")
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            raise ParameterError(f"{type(self).__name__}.{name}: is frozen and cannot be deleted")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [(name, getattr(self, name)) for name in type(self).model_fields if name != "kind"]  # the class says its kind

    def __str__(self) -> str:
        return repr(self)

    def __dir__(self) -> list[str]:
        return [*dir(type(self)), *type(self).model_fields]


def readable(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One line a problem: the path of the field, what is wrong with which value, and the way out."""
    return [_line(problem, root) for problem in error.errors(include_url=False)]


def _line(problem: Mapping[str, Any], root: type[BaseModel]) -> str:
    kind, context, value = problem["type"], problem.get("ctx", {}), problem.get("input")
    location, parent = _walk(root, problem["loc"])
    path = ".".join(location) or root.__name__
    field = location[-1] if location else ""
    if kind == "extra_forbidden":
        return f"{path}: unknown field{suggestion(field, parent.model_fields)}"
    if kind == "missing":
        return f"{path}: is required and not given"
    if kind == "union_tag_invalid":
        names = [name.strip(" '") for name in str(context["expected_tags"]).split(",")]
        return f"{path}.kind: {context['tag']!r} is not one of {', '.join(names)}"
    if kind == "union_tag_not_found":
        return f"{path}.kind: is required and not given"
    if kind == "value_error":
        said = str(context["error"])
        return f"{path}: {said}" if location else said
    if kind in _COMPARISONS:
        sign, bound = _COMPARISONS[kind]
        said = f"must be {sign} {context[bound]:g}"
    elif kind == "literal_error":
        said = f"must be {context['expected']}"
    elif kind in ("too_short", "string_too_short"):
        said = "must not be empty"
    else:
        said = _MEANINGS.get(kind, problem["msg"][0].lower() + problem["msg"][1:])
    why = _reasons(parent.model_fields[field]) if field in parent.model_fields else {}
    missed = _COMPARISONS[kind][1] if kind in _COMPARISONS else kind
    return f"{path}: {said}, got {short(value)}" + (f" ({why[missed]})" if missed in why else "")


def _reasons(field: FieldInfo) -> Mapping[str, str]:
    """What a field says of its bounds, such as "le", and of other checks that pydantic names, such as "finite_number": why they
    are, and what to do instead."""
    extra = field.json_schema_extra
    reasons: Any = extra.get("reasons", {}) if isinstance(extra, dict) else {}
    return cast("Mapping[str, str]", reasons)


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """The value as an int. Raises ParameterError unless it is a whole number in least..most."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError(f"{name}: must be a whole number >= {least}, got {short(value)}")
    if most is not None and value > most:
        raise ParameterError(f"{name}: must be at most {most:,}, got {f'{value:,}' if value < 10**18 else short(value)}")
    return int(value)


_NOT_REAL = {
    "c": "take the real part",
    "S": "text is no number",
    "U": "text is no number",
    "O": "give floats, which hold up to 1.8e308",
}


def real_numbers(value: Any) -> np.ndarray[Any, Any]:
    """The value as an array of real numbers. Raises TypeError with the way out for complex or masked ones, text, and whole
    numbers that no float holds, all of which NumPy would turn into something else or fail at."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError("fill what is masked first, as with filled(0.0)")
    try:
        numbers = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # such as lists of different lengths, or tensors with a gradient
        raise TypeError(str(error)) from None
    if numbers.dtype.kind not in "biuf":
        raise TypeError(_NOT_REAL.get(numbers.dtype.kind, "give numbers"))
    return numbers


_FEW = 8  # numbers that are looked at faster one by one than by two reductions


def within(numbers: np.ndarray[Any, Any], low: float, high: float) -> bool:
    """Whether all numbers are from `low` to `high`; NaN is not."""
    if numbers.size <= _FEW:
        return all(low <= number <= high for number in numbers.ravel().tolist())
    # NaN fails both comparisons; the bare reductions, since this is done several times a step
    return bool(np.minimum.reduce(numbers, axis=None) >= low and np.maximum.reduce(numbers, axis=None) <= high)


def plain(value: object) -> object:
    """An array as its numbers, so that an error shows them in one line."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def short(value: object, width: int = 60) -> str:
    """The value as a person would write it, cut to a width."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python writes no number of thousands of digits, and no list of a thousand lists
        return (
            "a number of thousands of digits" if isinstance(value, int) else f"a {type(value).__name__} that is too deep to show"
        )
    return text if len(text) <= width else text[: width - 3] + "..."


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is near, else what is known."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {listed(known)}" if known else ""


def listed(words: Sequence[str], most: int = 12) -> str:
    """Words for a sentence: all of them, or the first and how many more there are."""
    more = len(words) - most
    return ", ".join(words) if more <= 1 else f"{', '.join(words[:most])} and {more:,} more"


def components_at(root: type[BaseModel], path: Sequence[str]) -> list[type[BaseModel]]:
    """The components that can stand at a path of fields and entries of lists below `root`."""
    here = [root]
    for part in path:
        fields = [model.model_fields[part] for model in here if part in model.model_fields]
        if fields:
            here = [model for field in fields for model in describe.models_of(field)]
    return here


def _walk(root: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel]]:
    """The path of a problem as a user would write it, and the class that holds its last field.

    pydantic's location also names the tags that chose a class of a union; a path in a file has none of them.
    """
    path: list[str] = []
    parent, here, scalars = root, [root], False  # the classes that the next part may be a field or a tag of
    for part in location:
        chosen = [model for model in here if part in (model.__name__, kind_name(model))]
        if len(here) == 1 and part in here[0].model_fields:
            parent = here[0]
            field = parent.model_fields[str(part)]
            here, scalars = describe.models_of(field), get_origin(field.annotation) is not Mapping
            path.append(str(part))
        elif chosen:
            parent, here = chosen[0], chosen[:1]
        elif isinstance(part, int) or here or not scalars or part not in (NUMBER, RANGE, WORD):
            path.append(str(part))
            parent = here[0] if len(here) == 1 else parent
    return path, parent
