"""Figures as SVG, and in words for those who cannot see them."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass

from dealermarket import interrupt
from dealermarket.plots.drawing import draw
from dealermarket.plots.figure import Figure
from dealermarket.plots.style import STYLE, any_letters


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, and in words for those who cannot see it."""

    svg: bytes
    alt: str

    @property
    def address(self) -> str:
        """The picture as an address that holds all of it."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()


def drawn(figure: Figure, title: str) -> Picture:
    """A figure of the section of a title, as the same bytes every time."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Canvas

    interrupt.check()
    content = io.BytesIO()
    with rc_context(STYLE), any_letters():
        canvas = Canvas(figsize=figure.size, layout="constrained")
        axes = canvas.add_subplot()
        draw(figure, axes)
        canvas.savefig(content, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    # The document type would name an address, and no browser needs it
    svg = re.sub(rb"<!DOCTYPE[^>]*>\s*", b"", content.getvalue())
    plotted = " against ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel()))) or figure.name
    shown = (axes.get_title("left") or axes.get_title(), ", ".join(axes.get_legend_handles_labels()[1]))
    return Picture(svg, "; ".join(filter(None, (f"{title}: plot of {plotted}", *shown))))
