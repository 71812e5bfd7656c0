"""What docstrings look like on the site: single backticks are names, and a value's fields are a table."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole

_NAME = re.compile(r"dealermarket(\.\w+)+|([A-Z]\w+|\w+\.[A-Z]\w*)(\.\w+)*")


class _Name(PyXRefRole):
    """A name of the package is a link to what is said of it; whatever else stands in backticks is code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        if _NAME.fullmatch(self.text):
            self.name = "py:obj"
            return super().run()
        return [nodes.literal(self.rawtext, self.text)], []


def _skipped(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out what the table of fields says, and what named tuples say of their fields."""
    doc = getattr(thing, "__doc__", None) or ""
    if doc.startswith("Alias for field number"):
        return True
    return None


def _fields_as_table(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Puts a table in the place of the lines with fields that a value's docstring has for terminals."""
    if what in ("class", "exception") and isinstance(thing, type) and issubclass(thing, BaseModel) and "Fields:" in lines:
        del lines[lines.index("Fields:") :]


def setup(app: Sphinx) -> dict[str, bool]:
    """Listens to autodoc."""
    app.add_role("name", _Name())
    app.connect("autodoc-skip-member", _skipped)
    app.connect("autodoc-process-docstring", _fields_as_table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
