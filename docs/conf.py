"""How Sphinx builds the site from these pages: `make docs`."""

import logging
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent / "src")]

from dealermarket.version import __version__  # noqa: E402, found once the path is set

project = "dealermarket"
author = "The dealermarket authors"
copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "katex_maths", "reference", "repository"]
exclude_patterns = ["_build", "_static"]

suppress_warnings = ["myst.header"]  # headings of a glossary are small
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

smartquotes = False  # an option stays --what it is
default_role = "name"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_type_aliases = {name: name for name in ("Array", "Floats", "Ints")}  # as the code has them
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 100
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"dealermarket {release}"
html_favicon = "_static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "katex"
html_copy_source = False
html_show_sourcelink = False


class _StillToBeWritten(logging.Filter):
    """Pages that docs/index.md names by a pattern may be missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "toctree glob pattern" not in str(record.msg)


logging.getLogger("sphinx.sphinx.directives.other").addFilter(_StillToBeWritten())
