"""The reference: pages that are written from the package itself when the site is built."""

from __future__ import annotations

from pathlib import Path

import api_pages
from pages import write_pages
from sphinx.application import Sphinx

REFERENCE = Path(__file__).parents[1] / "reference"

FRONT = """\
Reference
=========

.. toctree::
   :maxdepth: 1
   :glob:

   api/*
"""


def _write(app: Sphinx) -> None:
    write_pages(REFERENCE, {"index.rst": FRONT, **api_pages.pages()})


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx looks for them."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
