"""Slots: the parts of a market that can be replaced, and the kinds that fit each of them.

A slot is the annotation of a field; what stands in the field is chosen by its `kind`. Unions, the numbers by which the
engine knows kinds, the fields of its records and its dispatch are all derived from the slot's list of kinds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, Field, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from dealermarket.digests import digest_of
from dealermarket.errors import ParameterError

K = TypeVar("K")


class Registry(Protocol):
    """What takes things from outside the package: a slot its kinds, and the like."""

    name: str
    base: type

    def add(self, thing: Any) -> None:
        """Adds a thing; raises ParameterError for one that is not as it must be."""


_REGISTRIES: list[Registry] = []


class Slot:
    """The kinds that can stand in one place: subclasses of `base`, each with a `kind` of its own, in the order they came in.

    A table without `kind` is one of the `default` kind, where there is one. Used as an annotation, `Annotated[Base, SLOT]`,
    it validates tables by their kind and takes instances as they are; an `is_open` slot takes those of kinds that nobody
    registered, too. `kinds` are the papers' own, `beyond` ours.
    """

    def __init__(
        self,
        name: str,
        base: type,
        kinds: Sequence[type[BaseModel]],
        beyond: Sequence[type[BaseModel]] = (),
        default: str | None = None,
        is_open: bool = False,
    ):
        self.name, self.base, self.default, self.is_open = name, base, default, is_open
        self._of_the_papers = tuple(kinds)
        self._kinds: dict[str, type[BaseModel]] = {}
        self._adapter: TypeAdapter[Any] | None = None
        for kind in (*kinds, *beyond):
            self.add(kind)
        _REGISTRIES.append(self)

    def __repr__(self) -> str:
        return f"Slot({self.name!r}: {', '.join(self._kinds)})"

    @property
    def kinds(self) -> Mapping[str, type[BaseModel]]:
        """The kinds by name."""
        return MappingProxyType(self._kinds)

    def number(self, part: object) -> int:
        """By which number the engine knows the kind of a part: its place in the list."""
        kinds = list(self._kinds.values())
        if type(part) not in kinds:
            raise ParameterError(
                f"{self.name}: {type(part).__name__} was defined anew after this scenario was made; make the scenario again"
            )
        return kinds.index(type(part))  # type: ignore[arg-type]

    def parameters(self, of_the_papers: bool = False) -> list[str]:
        """The names of the numbers that all kinds, or those that the papers know, hand to their formulas; sorted."""
        kinds = self._of_the_papers if of_the_papers else self._kinds.values()
        return sorted({name for kind in kinds for name in getattr(kind, "parameters", ())})

    def of_the_papers(self, parts: Iterable[object]) -> bool:
        """Whether the papers know the kinds of all parts."""
        return all(type(part) in self._of_the_papers for part in parts)

    def add(self, kind: type[BaseModel]) -> None:
        """Adds a kind. Raises ParameterError for a class that is not one of this slot."""
        if not isinstance(kind, type):
            raise ParameterError(f"{self.name}: register the class {type(kind).__name__}, not an instance of it")
        name = kind_name(kind)
        if not issubclass(kind, self.base):
            raise ParameterError(f"{self.name}: {kind.__name__} must be a subclass of {self.base.__name__}")
        if not issubclass(kind, BaseModel):
            raise ParameterError(
                f"{self.name}: {kind.__name__} must be a dealermarket.values.Value, too, so that a file can hold its fields"
            )
        if name is None:
            raise ParameterError(f'{self.name}: {kind.__name__} needs a name of its own: kind: Literal["..."] = "..."')
        for formula, arguments in getattr(kind, "formulas", {}).items():
            _check_formula(f"{self.name}: {kind.__name__}.{formula}", getattr(kind, formula, None), arguments)
        for problem in _parameter_problems(kind, getattr(self.base, "reserved", ())):
            raise ParameterError(f"{self.name}: {kind.__name__}.{problem}")
        if inspect.isabstract(kind):
            missing = ", ".join(sorted(kind.__abstractmethods__))
            raise ParameterError(f"{self.name}: {kind.__name__} does not say what a kind must: {missing}")
        former = self._kinds.get(name)
        if former is not None and (former.__module__, former.__qualname__) != (kind.__module__, kind.__qualname__):
            raise ParameterError(
                f"{self.name}: there is a kind {name!r} already, {former.__name__}; give {kind.__name__} another name"
            )
        self._kinds[name] = kind  # a class that was defined anew, as in a notebook, takes the former one's place
        self._adapter = None
        _count()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validated)

    def _validated(self, given: Any) -> Any:
        if isinstance(given, self.base):
            if self.is_open or type(given) in self._kinds.values():
                return given
            raise ValueError(
                f"{type(given).__name__} is not registered; call dealermarket.register({type(given).__name__}) first"
            )
        if isinstance(given, type) and issubclass(given, self.base):
            raise ValueError(f"is the class {given.__name__}; give an instance, {given.__name__}(...)")  # noqa: TRY004, a problem of the field
        if not isinstance(given, Mapping):
            raise PydanticKnownError("model_type", {"class_name": self.base.__name__})
        content = dict(given)
        if self.default is not None:
            content.setdefault("kind", self.default)
        return self._by_kind().validate_python(content)

    def _by_kind(self) -> TypeAdapter[Any]:
        """What validates a table of any kind."""
        if self._adapter is None:
            kinds = tuple(self._kinds.values())
            union: Any = kinds[0] if len(kinds) == 1 else _union(kinds)
            self._adapter = TypeAdapter(union)
        return self._adapter


class Law:
    """A formula of the kinds of a slot: `law(number, *arguments)` is that of the kind with this number. A kind whose `formulas`
    leave it out has none, and is never asked.

    `arguments` names what is handed in; a kind's formula takes those of them that it needs, by name. Compiled functions that
    name a law get a choice among the formulas that the compiler inlines.
    """

    def __init__(self, slot: Slot, name: str) -> None:
        self.slot, self.name = slot, name
        self.arguments: tuple[str, ...] = slot.base.formulas[name]  # type: ignore[attr-defined]
        self._formulas, self._as_of = dict[int, Callable[..., Any]](), -1  # those of so many registrations

    def formulas(self, of_the_papers: bool = False) -> dict[int, Callable[..., Any]]:
        """The formula of every kind that has it, or of those that the papers know, by number."""
        kinds = [(n, kind) for n, kind in enumerate(self.slot.kinds.values()) if self.name in getattr(kind, "formulas", {})]
        return {n: getattr(kind, self.name) for n, kind in kinds if not of_the_papers or kind in self.slot._of_the_papers}

    def __call__(self, number: int, *arguments: Any) -> Any:
        named = dict(zip(self.arguments, arguments, strict=True))
        if isinstance(named.get("rule"), np.void):
            named["rule"] = _Row(named["rule"])
        if self._as_of != registrations():
            self._formulas, self._as_of = self.formulas(), registrations()
        return applied(self._formulas[number], **named)


class _Row:
    """A record whose fields are attributes, also those with names that NumPy's scalars use themselves, such as `mean`."""

    def __init__(self, record: Any) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return self._record[name]


@cache
def taken(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a formula's arguments."""
    return tuple(inspect.signature(function).parameters)


def applied(function: Callable[..., Any], **arguments: Any) -> Any:
    """A formula's value, for those of the arguments that it takes."""
    return function(*(arguments[name] for name in taken(function)))


def _parameter_problems(kind: type[BaseModel], reserved: Sequence[str]) -> Iterator[str]:
    """What is wrong with the numbers that a kind hands to its formulas."""
    parameters = getattr(kind, "parameters", ())
    if not (isinstance(parameters, tuple) and all(isinstance(name, str) for name in parameters)):
        yield f'parameters: must be a tuple of names, such as ("alpha",), got {parameters!r}'
        return
    for name in parameters:
        if name == "kind" or name in reserved:
            yield f"parameters: {name!r} is a name that the engine uses itself; choose another"
        elif "rule" not in vars(kind) and not (name in kind.model_fields or hasattr(kind, name)):
            yield f"parameters: {name!r} is neither a field nor a property, and there is no method `rule` that gives it"
    for name in getattr(kind, "also_needed", ()):
        if not (name in kind.model_fields or hasattr(kind, name)):
            yield f"{name}: is missing; must be a field or a property"


def _check_formula(where: str, function: object, arguments: tuple[str, ...]) -> None:
    """Raises ParameterError unless a kind has the formula, and it takes nothing but these arguments."""
    known = f"a static method of some of: {', '.join(arguments)}"
    if not inspect.isfunction(function):
        raise ParameterError(f"{where}: is missing; must be {known}")
    unknown = [name for name in taken(function) if name not in arguments]
    if unknown:
        raise ParameterError(f"{where}: takes {', '.join(unknown)}; must be {known}")


def register(thing: K) -> K:
    """Adds a kind of yours to the slot that its base class belongs to; usable as a decorator.

    From then on it is valid wherever a kind that ships is: in scenarios and settings, runs, studies, leagues and
    environments, and its formulas are compiled with the engine (docs/extending.md).

    Parameters
    ----------
    thing : type, Statistic or Experiment
        A subclass of a base class of `dealermarket.model` with a `kind` of its own, or of `MakerPolicy`; or a statistic or an
        experiment.

    Returns
    -------
    type, Statistic or Experiment
        The same thing.

    Raises
    ------
    ParameterError
        If it fits no slot, or does not say what its slot asks.

    """
    cls = thing if isinstance(thing, type) else type(thing)
    for registry in _REGISTRIES:
        if issubclass(cls, registry.base):
            registry.add(thing)
            return thing
    known = ", ".join(f"{registry.base.__name__} ({registry.name})" for registry in _REGISTRIES)
    raise ParameterError(f"register: {cls.__name__} is a subclass of none of {known}")


def takes_from_outside(registry: Registry) -> None:
    """Makes `register` hand things of the registry's base class to it."""
    _REGISTRIES.append(registry)


def registered_kinds() -> list[type[BaseModel]]:
    """Every kind from outside the package, those of a slot in the order they came in."""
    return [kind for _, kind in _from_outside()]


def from_outside() -> list[str]:
    """Every kind from outside the package with a digest of its class: whether two processes mean the same by its name."""
    return sorted(f"{slot.name} {kind_name(kind)} {digest_of(kind)[:8]}" for slot, kind in _from_outside())


def _from_outside() -> Iterator[tuple[Slot, type[BaseModel]]]:
    for registry in _REGISTRIES:
        if isinstance(registry, Slot):
            for kind in registry.kinds.values():
                if not kind.__module__.startswith("dealermarket."):
                    yield registry, kind


def kind_name(kind: type[BaseModel]) -> str | None:
    """The name by which a class is chosen, or None."""
    field = kind.model_fields.get("kind") if issubclass(kind, BaseModel) else None
    return str(field.default) if field is not None and isinstance(field.default, str) else None


_registrations = 0


def registrations() -> int:
    """How many kinds have been added so far; another number means that what was derived from the lists is out of date."""
    return _registrations


def _count() -> None:
    global _registrations  # noqa: PLW0603
    _registrations += 1


def _union(kinds: tuple[type[BaseModel], ...]) -> Any:
    together: Any = kinds[0]
    for kind in kinds[1:]:
        together = together | kind
    return Annotated[together, Field(discriminator="kind")]
