"""What docstrings look like on the site: sections as numpydoc has them, and names as links."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from api_pages import homes
from docutils import nodes
from pages import escape
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import NumpyDocstring

_NAME = re.compile(r"dealermarket(\.\w+)+|([A-Z]\w+|\w+\.[A-Z]\w*)(\.\w+)*")
_SECTIONS = Config(napoleon_google_docstring=False, napoleon_use_ivar=True, napoleon_use_rtype=True)


class _Name(PyXRefRole):
    """A name of the package is a link to what is said of it; whatever else stands in backticks is code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if _NAME.fullmatch(self.text):
            self.name = "py:obj"
            link: tuple[list[nodes.Node], list[nodes.system_message]] = super().run()
            return link
        return [nodes.literal(self.rawtext, self.text)], []


def _skipped(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out what named tuples say of their fields."""
    return True if (getattr(thing, "__doc__", None) or "").startswith("Alias for field number") else None


def _as_on_the_site(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    if what == "method" and not thing.__doc__ and not _from_here(name):
        lines[:] = ["As the class that it overrides has it."]
    escape(lines)
    # as a method's: the first line of a property's is no type, whatever stands before its colon
    kind = "method" if what in ("property", "attribute", "data") else what
    lines[:] = NumpyDocstring(lines, _SECTIONS, app, kind, name, thing, options).lines()


def _public_bases(app: Sphinx, name: str, thing: Any, options: Any, bases: list[Any]) -> None:
    """Leaves out the classes above that no page describes."""
    bases[:] = [base for base in bases if id(base) in homes()]


def _from_here(name: str) -> bool:
    """Whether the docstring that a method has from the classes above is one of this package."""
    path, _, method = name.rpartition(".")
    module, _, owner = path.rpartition(".")
    above = getattr(import_module(module), owner).__mro__
    return any(getattr(vars(each).get(method), "__doc__", None) and each.__module__.startswith("dealermarket") for each in above)


def _resolve(app: Sphinx, tree: nodes.document) -> None:
    """Leads names in docstrings to what is described under them; a word of a type that is no such name is text."""
    for dashes in list(tree.findall(lambda node: isinstance(node, nodes.Text) and node == " -- ")):
        dashes.parent.replace(dashes, nodes.Text(": "))  # between a parameter and what is said of it
    for link in list(tree.findall(addnodes.pending_xref)):
        name, *rest = link["reftarget"].split(".")
        if link.get("refdomain") != "py" or name == "dealermarket" or not (link.get("refspecific") or link["reftype"] == "obj"):
            continue
        paths = {home.path for home in homes().values() if home.name == name}
        here = {path for path in paths if path == f"{link.get('py:module')}.{name}"}
        if len(here or paths) == 1:
            link["reftarget"], link["refspecific"] = ".".join([*(here or paths), *rest]), False
        else:
            short = next(link.findall(lambda node: isinstance(node, addnodes.pending_xref_condition)), link)
            link.replace_self(short.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Listens to autodoc."""
    app.add_role("name", _Name())
    app.connect("autodoc-skip-member", _skipped)
    app.connect("autodoc-process-bases", _public_bases)
    app.connect("doctree-read", _resolve)
    app.connect("autodoc-process-docstring", _as_on_the_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
