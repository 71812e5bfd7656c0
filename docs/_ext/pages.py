"""Pages that are written when the site is built: how they reach the disk, and what stands in many of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

_CODE = re.compile(r"(``.+?``|`[^`]*`)")
_MARKUP = re.compile(r"\|(?!\|)|(?<!\w)\*(?!\w[^*]*\w\*)|_(?!\w)")


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Writes pages, name -> text, into a folder of their own, and takes away what else is there. Files that stay as they are
    keep their times, so that only what changed is built again."""
    for old in folder.rglob("*"):
        if old.is_file() and old.relative_to(folder).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def heading(text: str, line: str, anchor: str | None = None) -> list[str]:
    """A heading, underlined by one character, under an address of its own."""
    return ["", *([f".. _{anchor}:", ""] if anchor else []), text, line * len(text), ""]


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int], name: str = "") -> Iterator[str]:
    """A table, in reStructuredText; `name` is the class that its look goes by."""
    yield ".. list-table::"
    yield f"   :widths: {' '.join(map(str, widths))}"
    if headings:
        yield "   :header-rows: 1"
    if name:
        yield f"   :class: {name}"
    yield ""
    for row in ([headings] if headings else []) + list(rows):
        for number, cell in enumerate(row):
            yield f"   {' ' if number else '*'} -{' ' + cell if cell else ''}"
    yield ""


def code(text: str) -> str:
    """A text as code."""
    return f"``{text}``" if text.strip() else ""


def plain(text: str) -> str:
    """A text in which bars and stars are no markup, in one line; backticks stay what they are, names and code."""
    return "".join(_escaped(" ".join(text.split())))


def summary_of(doc: str) -> str:
    """The first sentence of a docstring, in one line."""
    first = plain(doc.partition("\n\n")[0])
    return re.split(r"(?<=[\w)][.])\s(?=[A-Z`])", first)[0].removesuffix("::").removesuffix(":")


def escape(lines: list[str]) -> None:
    """Makes bars and stars of a docstring no markup, in place; blocks of code are left alone."""
    block: int | None = None  # how far the line was indented that announces a block
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is None:
            lines[number] = _escaped(line)
            if line.endswith("::"):
                block = indent


def _escaped(line: str) -> str:
    return "".join(part if _CODE.fullmatch(part) else _MARKUP.sub(r"\\\g<0>", part) for part in _CODE.split(line))
