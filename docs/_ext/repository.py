"""What pages of the site say of the rest of the repository: links to files outside of docs/ lead to pages of the site.

Pages are written to be read in the repository, too, so they link to `../examples/hot_potato.py` or `../CONTRIBUTING.md`. Here
such a file gets a page of its own: a document as it is, source with its words coloured, a folder as a list of its files.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pages import write_pages
from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
PROJECT, SOURCES = "project", "sources"  # the folders of docs/ that are written here
FRONT = {PurePosixPath("README.md"): "index"}
DOCUMENTS = {PurePosixPath(f"{name.upper()}.md"): f"{PROJECT}/{name}" for name in ("contributing", "changelog")}
_BESIDE = """

```{toctree}
:glob:
:hidden:

*
```
"""
_PICTURE = re.compile(r"(?<=src=\")[^\"#]+")
_LINK = re.compile(r"(?<=\]\()[^()\s#]+(?=(?:#[^()\s]*)?\))|" + _PICTURE.pattern)
_NAMED = re.compile(r"\[[\w./-]+\.md\](?=\(([^()\s#]+)(?:#[^()\s]*)?\))")  # a link that shows the name of a page's file
_LANGUAGES = {".py": "python", ".toml": "toml", ".md": "markdown", ".c": "c", ".cff": "yaml", ".yml": "yaml", "": "text"}


def page_of(path: PurePosixPath) -> str | None:
    """The page for a file or folder of the repository, by its path there; None for what docs/ has that is no page."""
    if path.parts[0] == "docs":
        return str(path.relative_to("docs").with_suffix("")) if path.suffix == ".md" else None
    return (FRONT | DOCUMENTS).get(path) or f"{SOURCES}/{path}"


def relinked(text: str, path: PurePosixPath, page: str) -> str:
    """The text of the document at `path` in the repository as it stands on a page of the site: its links lead there, too,
    and show titles."""

    def to(found: re.Match[str]) -> str:
        target = _target(path, found[0])
        if target is None or target.parts[0] == path.parts[0] == "docs":
            return found[0]
        other = page_of(target)
        there = ROOT / target if other is None else DOCS / f"{other}.md"
        return PurePosixPath(os.path.relpath(there, (DOCS / page).parent)).as_posix()

    return _LINK.sub(to, _titled(text, path))


def _titled(text: str, path: PurePosixPath) -> str:
    """The text of a page in which links that show the name of another page's file show its title, or that of its section."""

    def to(found: re.Match[str]) -> str:
        target = _target(path, found[1])
        return "[]" if target is not None and target.parts[0] == "docs" else found[0]

    return _NAMED.sub(to, text)


def _target(path: PurePosixPath, link: str) -> PurePosixPath | None:
    """The file or folder of the repository that a link in the document at `path` leads to; None where there is none."""
    if ":" in link or link.startswith("/"):
        return None
    target = PurePosixPath(os.path.normpath(path.parent / link))
    return target if target.parts[:1] not in ((), ("..",)) and (ROOT / target).exists() else None


def _documents() -> Iterator[PurePosixPath]:
    """The documents of the repository that are pages of the site, by their paths."""
    yield from DOCUMENTS
    for path in sorted(DOCS.rglob("*.md")):
        if not path.relative_to(DOCS).parts[0].startswith(("_", PROJECT, SOURCES)):
            yield PurePosixPath(path.relative_to(ROOT).as_posix())


def _linked_sources() -> set[PurePosixPath]:
    """Files and folders outside of docs/ that some document links to, and what is in those folders."""
    found: set[PurePosixPath] = set()
    for path in _documents():
        for link in _LINK.findall((ROOT / path).read_text(encoding="utf-8")):
            target = _target(path, link)
            if target is not None and (page_of(target) or "").startswith(SOURCES):
                found |= {target, *_files_in(target)}
    return found


def _files_in(path: PurePosixPath) -> list[PurePosixPath]:
    if not (ROOT / path).is_dir():
        return []
    return [path / each.name for each in sorted((ROOT / path).iterdir()) if each.is_file() and each.suffix in _LANGUAGES]


def _source_page(path: PurePosixPath) -> str:
    title = f"---\norphan: true\n---\n\n# {path.name}\n\n"
    if (ROOT / path).is_dir():
        return title + "\n".join(f"- [{each.name}]({path.name}/{each.name}.md)" for each in _files_in(path)) + "\n"
    up = PurePosixPath(os.path.relpath(ROOT / path, (DOCS / SOURCES / path).parent)).as_posix()
    language = _LANGUAGES.get(path.suffix, "text")
    return f"{title}`{path}`\n\n```{{literalinclude}} {up}\n:language: {language}\n```\n"


def _write(app: Sphinx) -> None:
    texts = {page: relinked((ROOT / path).read_text(encoding="utf-8"), path, page) for path, page in DOCUMENTS.items()}
    write_pages(DOCS / PROJECT, {f"{PurePosixPath(page).name}.md": text for page, text in texts.items()})
    write_pages(DOCS / SOURCES, {f"{path}.md": _source_page(path) for path in _linked_sources()})


def _relink(app: Sphinx, page: str, source: list[str]) -> None:
    """Links of a page of docs/, to files outside of it and by titles; the pages beside one that is an index stand below it."""
    path = PurePosixPath("docs") / f"{page}.md"
    if path in _documents():
        beside = page.endswith("/index") and len(list((ROOT / path).parent.glob("*.md"))) > 1
        source[0] = relinked(source[0], path, page) + (_BESIDE if beside else "")


def _copy_pictures(app: Sphinx, error: Exception | None) -> None:
    """Brings along the pictures that stand in pages as HTML, which Sphinx does not look into."""
    for path in _documents():
        for link in _PICTURE.findall((ROOT / path).read_text(encoding="utf-8")):
            target = _target(path, link)
            if target is not None and target.parts[0] == "docs":
                place = Path(app.outdir) / target.relative_to("docs")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / target, place)


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx looks for them, and leads links there."""
    app.connect("builder-inited", _write)
    app.connect("source-read", _relink)
    app.connect("build-finished", _copy_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
