"""Reference pages of Python: one for each folder with a public face, with every public name once, from the docstrings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pages import heading, summary_of, table
from sphinx.pycode import ModuleAnalyzer

import dealermarket

PACKAGE = "dealermarket"
FOLDERS = ("", "model", "policies", "study", "questions", "control", "data", "plots", "envs", "papers", "testing")


@dataclass(frozen=True)
class Name:
    """A public name: where it is found, and what stands there."""

    face: str  # the module that shows it
    name: str
    thing: Any
    made_in: str  # the module that it is imported from

    @property
    def path(self) -> str:
        """Such as `dealermarket.study.Study`."""
        return f"{self.face}.{self.name}"

    @property
    def sort(self) -> str:
        """What of a page's parts it stands in."""
        if inspect.isclass(self.thing):
            return "Errors" if issubclass(self.thing, Exception) else "Classes"
        if inspect.ismodule(self.thing):
            return "Modules"
        return "Functions" if inspect.isroutine(self.thing) else "Constants"

    @property
    def doc(self) -> str:
        """Its docstring, or what stands below the constant."""
        if self.sort == "Constants":
            lines = ModuleAnalyzer.for_module(self.made_in).find_attr_docs().get(("", self.name), [])
            return "\n".join(lines).strip()
        return inspect.getdoc(self.thing) or ""


@cache
def faces() -> dict[str, ModuleType]:
    """The folders with a public face by the names that users have for them, and the modules that those show."""
    found = {}
    for folder in FOLDERS:
        name = f"{PACKAGE}.{folder}".rstrip(".")
        found[name] = import_module(name)
        found |= {inner.path: inner.thing for inner in names_of(name, found[name]) if inner.sort == "Modules"}
    return found


def names_of(path: str, face: ModuleType) -> list[Name]:
    """The public names of a module: those of its `__all__`, or what is made in it."""
    from_where = _imports(face)
    public = getattr(face, "__all__", None) or [
        name
        for name, thing in vars(face).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == face.__name__
    ]
    return [
        Name(path, name, getattr(face, name), from_where.get(name, face.__name__)) for name in public if not name.startswith("__")
    ]


def _imports(face: ModuleType) -> dict[str, str]:
    """Which module each name of a face is imported from."""
    module = f"{PACKAGE}.public" if face is dealermarket else face.__name__
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


@cache
def homes() -> dict[int, Name]:
    """Where each public thing is described, by its identity: in the first face that shows it."""
    found: dict[int, Name] = {}
    for path, face in faces().items():
        for name in names_of(path, face):
            if name.sort != "Constants":
                found.setdefault(id(name.thing), name)
    return found


def page_of(path: str, face: ModuleType) -> str:
    """The page of a face."""
    names = names_of(path, face)
    lines = [*heading(path, "=")[1:], f".. automodule:: {path}", "", f".. currentmodule:: {path}", ""]
    for sort in ("Classes", "Functions", "Modules", "Constants", "Errors"):
        of_sort = [name for name in names if name.sort == sort]
        if not of_sort:
            continue
        lines += [*heading(sort, "-"), *_table(of_sort), ""]
        for name in of_sort:
            if homes().get(id(name.thing), name) == name:
                lines += [*_entry(name), ""]
    return "\n".join(lines) + "\n"


_ROLES = {"Classes": "class", "Errors": "exc", "Functions": "func", "Modules": "mod", "Constants": "data"}


def _table(names: list[Name]) -> Iterator[str]:
    def link(name: Name) -> str:
        home = homes().get(id(name.thing), name)
        return f":py:{_ROLES[name.sort]}:`{name.name} <{home.path}>`"

    return table((), ((link(name), summary_of(name.doc)) for name in names), (30, 70), "names")


def _entry(name: Name) -> Iterator[str]:
    if name.sort in ("Classes", "Errors"):
        yield f".. autoclass:: {name.path}"
        yield "   :members:"
        if any(id(base) in homes() for base in name.thing.__bases__):
            yield "   :show-inheritance:"
    elif name.sort == "Functions":
        yield f".. autofunction:: {name.path}"
    elif name.sort == "Constants":
        shown = repr(name.thing)
        yield f".. py:data:: {name.path}"
        if len(shown) < 100:
            yield f"   :value: {shown}"
        yield ""
        yield from (f"   {line}" for line in name.doc.splitlines())


def pages() -> dict[str, str]:
    """The pages, name -> text."""
    return {f"api/{path}.rst": page_of(path, face) for path, face in faces().items()}
