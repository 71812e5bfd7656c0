"""The reference: pages that are written from the package itself when the site is built."""

from __future__ import annotations

from pathlib import Path

import api_pages
import command_pages
import file_pages
import scenario_pages
from pages import summary_of, table, write_pages
from sphinx.application import Sphinx

REFERENCE = Path(__file__).parents[1] / "reference"

FRONT = """\
Reference
=========

These pages are written from the package itself.

.. toctree::
   :maxdepth: 1

   scenario
   commands/index
   files

Python
------

{folders}
.. toctree::
   :hidden:

{entries}
"""


def _front() -> str:
    faces = api_pages.faces()
    rows = [(f":doc:`{path} <api/{path}>`", summary_of(face.__doc__ or "")) for path, face in faces.items()]
    entries = "\n".join(f"   {path.removeprefix('dealermarket.')} <api/{path}>" for path in faces)
    return FRONT.format(folders="\n".join(table((), rows, (34, 66), "names")), entries=entries)


def _write(app: Sphinx) -> None:
    pages = {"index.rst": _front(), "scenario.rst": scenario_pages.page(), "files.rst": file_pages.page()}
    write_pages(REFERENCE, pages | command_pages.pages() | api_pages.pages())


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx looks for them."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
