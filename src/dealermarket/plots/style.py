"""One look for all figures: colours that colour-blind readers tell apart, and Matplotlib's settings."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dealermarket.plots.figure import Style

# Okabe and Ito's palette
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8F8F00", "#555555", "#7B3294", "#A6761D")
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "dealermarket",
}


STYLES: tuple[Style, ...] = ("-", "--", ":", "-.")


def looks(count: int) -> list[tuple[str, Style]]:
    """Colours and styles for lines, different for the first 40: a new style where the colours are used up.

    Parameters
    ----------
    count : int
        How many lines.

    Returns
    -------
    list of tuple of str and Style
        A colour and a style for each line.

    Examples
    --------
    >>> from dealermarket.plots import looks
    >>> looks(2)
    [('#0072B2', '-'), ('#E69F00', '-')]
    """
    return [(COLOURS[n % len(COLOURS)], STYLES[n // len(COLOURS) % len(STYLES)]) for n in range(count)]


def shade(depth: float) -> Any:
    """A colour between light and dark.

    Parameters
    ----------
    depth : float
        From 0 (light) to 1 (dark).

    Returns
    -------
    tuple of four floats
        Red, green, blue and opacity, each from 0 to 1.
    """
    from matplotlib import colormaps

    return colormaps["viridis_r"](depth)


def sequence(count: int) -> list[Any]:
    """Colours for ordered things, from light to dark.

    Parameters
    ----------
    count : int
        How many things.

    Returns
    -------
    list of colours
        One for each, as `shade` has them.
    """
    return [shade(0.2 + 0.8 * n / max(count - 1, 1)) for n in range(count)]


def minus(text: str) -> str:
    """Numbers with the minus sign that axes have, not a hyphen; hyphens of names stay."""
    return re.sub(r"(?<![\w])-(?=[\d.])", "−", text)


def named(name: str, most: int = 28) -> str:
    """A name from a file as text of a figure: signs that Matplotlib would take for a formula, or cannot draw, are none; the rest
    of a long one is left out."""
    shown = "".join(sign if sign.isprintable() else " " for sign in name)
    return (shown if len(shown) <= most else f"{shown[: most - 1]}…").replace("$", r"\$")


@contextmanager
def any_letters() -> Iterator[None]:
    """Letters that the font lacks are drawn as boxes, without a warning for each: names come from files."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield
