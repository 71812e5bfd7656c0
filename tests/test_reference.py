"""What the docstrings of public names say: sections in numpydoc's form, from which the reference pages are made."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import Any

import pytest

from dealermarket import errors
from dealermarket.values import Value
from test_faces import FOLDERS, NEED_GYMNASIUM

TITLES = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes", "References", "Examples")
"""The sections that there are, in the order that numpydoc wants."""


# --- reading


def sections_of(thing: Any) -> dict[str, str]:
    """By title, what stands in the sections of a docstring; in the order they come in."""
    parts = re.split(r"^(\w[\w ]*)\n(-{3,})$", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    titles, lines, bodies = parts[1::3], parts[2::3], parts[3::3]
    assert [len(line) for line in lines] == [len(title) for title in titles], "a title is underlined in its length"
    assert len({*titles}) == len(titles), f"sections come twice: {titles}"
    return dict(zip(titles, bodies, strict=True))


def entries_of(section: str) -> dict[str, str]:
    """By name, the descriptions in a section: `name : type` or `a, b : type` at the margin, what is said of it indented."""
    parts = re.split(r"^(?=\S)(.+)$", section, flags=re.MULTILINE)
    described = zip(parts[1::2], parts[2::2], strict=True)
    return {name: said.strip() for head, said in described for name in head.split(" : ")[0].split(", ")}


def parameters_of(thing: Any) -> list[str]:
    """What a function or a constructor takes, with the stars."""
    if isinstance(thing, type) and (issubclass(thing, (Enum, BaseException)) or getattr(thing, "_is_protocol", False)):
        return []
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(thing).parameters.values()
    chosen = isinstance(thing, type) and issubclass(thing, Value)  # by the `kind` of a value, which its class says
    return [stars.get(each.kind, "") + each.name for each in parameters if not (chosen and each.name == "kind")]


def raised_by(function: FunctionType) -> set[type]:
    """The exceptions that the body of a function raises by name, but for what says that a subclass must do it."""
    tree = ast.parse(dedent(inspect.getsource(function)))
    names = {
        part.id
        for each in ast.walk(tree)
        if isinstance(each, ast.Raise) and each.exc
        for part in ast.walk(each.exc)
        if isinstance(part, ast.Name)
    }
    known = {name: exception(name, inspect.unwrap(function).__globals__) for name in names}
    # NotImplementedError is for who writes a policy without `act`, and for no caller
    return {found for found in known.values() if found not in (None, NotImplementedError)}


def exception(name: str, names: dict[str, Any]) -> type | None:
    found = names.get(name) or getattr(errors, name, None) or getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def function_of(member: Any) -> FunctionType | None:
    """The function below a method or a property."""
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, (classmethod, staticmethod)):
        member = member.__func__
    elif isinstance(member, cached_property):
        member = member.func
    member = inspect.unwrap(member) if callable(member) else member
    return member if isinstance(member, FunctionType) else None


def own_functions(kind: type) -> Iterator[tuple[str, FunctionType]]:
    """The functions that the text of a class holds, not those that a decorator has put there."""
    for name, member in vars(kind).items():
        function = function_of(member)
        if function is not None and function.__code__.co_filename == inspect.getfile(kind):
            yield name, function


# --- the public names


def names_of(module: ModuleType) -> list[str]:
    """What a module shows: `__all__`, or of one without it what it defines."""
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", None) == module.__name__]
    return getattr(module, "__all__", [name for name in own if not name.startswith("_")])


def public() -> Iterator[tuple[str, Any]]:
    """The classes and functions that the faces show, each once, under the first that shows it; of a module, what that shows."""
    places = [place for place in ("", *FOLDERS) if place not in NEED_GYMNASIUM or find_spec("gymnasium")]
    faces = [(place, import_module(f"dealermarket.{place}".rstrip("."))) for place in places]
    seen: set[int] = set()
    for place, face in faces:
        for name in names_of(face):
            if name == "DealerParallelEnv" and find_spec("pettingzoo") is None:
                continue
            path, thing = f"{place}.{name}".lstrip("."), getattr(face, name)
            if inspect.ismodule(thing):
                faces.append((path, thing))
            elif id(thing) not in seen and (inspect.isclass(thing) or inspect.isroutine(thing)):
                seen.add(id(thing))
                yield path, thing


PUBLIC = [pytest.param(thing, id=path) for path, thing in public()]


@pytest.mark.parametrize("thing", PUBLIC)
def test_sections_are_known_and_in_order(thing: Any) -> None:
    titles = list(sections_of(thing))
    assert titles == sorted(titles, key=TITLES.index)
    assert (inspect.getdoc(thing) or "").split("\n")[0] not in ("", *titles), "a summary comes first"


@pytest.mark.parametrize("thing", PUBLIC)
def test_every_parameter_is_described_in_order(thing: Any) -> None:
    said = entries_of(sections_of(thing).get("Parameters", ""))
    assert list(said) == parameters_of(thing)
    assert all(said.values()), said


@pytest.mark.parametrize("thing", [each for each in PUBLIC if isinstance(each.values[0], type)])
def test_methods_that_have_sections_have_the_right_ones(thing: type) -> None:
    for name, function in own_functions(thing):
        sections, nothing = sections_of(function), inspect.signature(function).return_annotation == "None"
        if sections and not name.startswith("_"):
            assert list(sections) == sorted(sections, key=TITLES.index), name
            assert list(entries_of(sections.get("Parameters", ""))) == parameters_of(function)[1:], name
            assert bool({*sections} & {"Returns", "Yields"}) is not nothing, name


@pytest.mark.parametrize("thing", [each for each in PUBLIC if not isinstance(each.values[0], type)])
def test_what_is_returned_is_described(thing: Any) -> None:
    nothing = inspect.signature(thing).return_annotation in (None, "None", "NoReturn")
    said = {*sections_of(thing)} & {"Returns", "Yields"}
    assert bool(said) is not nothing
    assert all(entries_of(sections_of(thing)[title]) for title in said)


@pytest.mark.parametrize("thing", PUBLIC)
def test_what_is_raised_is_described(thing: Any) -> None:
    said = entries_of(sections_of(thing).get("Raises", ""))
    assert all(said.values()), said
    if not isinstance(thing, type):
        assert raised_by(thing) <= {exception(name, thing.__globals__) for name in said}
        return
    for name, function in own_functions(thing):
        made = name in ("__init__", "__new__", "__post_init__")
        own = "" if made else inspect.getdoc(function) or ""
        silent = {each.__name__ for each in raised_by(function)} - {*said, *re.findall(r"\w+", own)}
        assert not silent or (name.startswith("_") and not made), f"{name} does not say {silent}"


@pytest.mark.parametrize("thing", [each for each in PUBLIC if isinstance(each.values[0], type)])
def test_public_methods_have_docstrings(thing: type) -> None:
    for base in thing.__mro__:
        if not base.__module__.startswith("dealermarket"):
            continue
        for name, _ in own_functions(base):
            above = [vars(each)[name] for each in thing.__mro__ if name in vars(each)]
            assert name.startswith("_") or any(each.__doc__ for each in above), f"{base.__name__}.{name}"
