"""Maths on the site: formulas stand in the page as TeX, and KaTeX, which the site brings along, sets them."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

_FILES = ("katex/katex.min.js", "katex/render.js")


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math", **{"data-display": "false"}))
    self.body.append(self.encode(node.astext()) + "</span>")
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", "", CLASS="math", **{"data-display": "true"}))
    self.body.append(self.encode(node.astext()) + "</div>\n")
    raise nodes.SkipNode


def _only_where_needed(app: Sphinx, page: str, template: str, context: dict[str, object], tree: nodes.document | None) -> None:
    """Pages without a formula load nothing of KaTeX."""
    if tree is not None and next(tree.findall(lambda node: isinstance(node, (nodes.math, nodes.math_block))), None):
        app.add_css_file("katex/katex.min.css")
        for file in _FILES:
            app.add_js_file(file, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Makes Sphinx render maths in this way."""
    app.add_html_math_renderer("katex", (_inline, None), (_block, None))
    app.connect("html-page-context", _only_where_needed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
