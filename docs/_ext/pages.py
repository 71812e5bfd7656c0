"""Pages that are written when the site is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


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


def summary_of(doc: str) -> str:
    """The first sentence of a docstring, in one line."""
    first = " ".join(doc.partition("\n\n")[0].split())
    return re.split(r"(?<=\w[.])\s", first)[0].removesuffix("::").removesuffix(":")
