"""What pages of the site say of the rest of the repository: links to files outside of docs/ lead to pages of the site.

Pages are written to be read in the repository, too, so they link to `../examples/hot_potato.py` or `../CONTRIBUTING.md`. Here
such a file gets a page of its own: a document as it is, source with its words coloured, a folder as a list of its files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pages import write_pages
from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
HOME = "sources"
DOCUMENTS = {"README.md": "index", "CONTRIBUTING.md": "project/contributing", "CHANGELOG.md": "project/changelog"}
_LINK = re.compile(r"(\]\()([^()\s#]+)((?:#[^()\s]*)?\))|(src=\")([^\"#]+)(\")")
_LANGUAGES = {".py": "python", ".toml": "toml", ".md": "markdown", ".c": "c", ".cff": "yaml", ".yml": "yaml", "": "text"}


def page_of(path: PurePosixPath) -> str:
    """The page for a file or folder of the repository, by its path there."""
    if path.parts[0] == "docs" and path.suffix == ".md":
        return str(path.relative_to("docs").with_suffix(""))
    return DOCUMENTS.get(str(path)) or f"{HOME}/{path}"


def relinked(text: str, path: PurePosixPath, page: str) -> str:
    """The text of the document at `path` in the repository as it stands on a page of the site: its links lead there, too."""

    def to(found: re.Match[str]) -> str:
        before, link, after = (part for part in found.groups() if part is not None)
        target = _target(path, link)
        if target is None:
            return found[0]
        if target.parts[0] == "docs" and path.parts[0] == "docs":
            return found[0]
        other = page_of(target) + (".md" if _is_page(target) else "")
        if not _is_page(target):
            other = os.path.relpath(ROOT / target, (DOCS / page).parent)
        else:
            other = os.path.relpath(other, PurePosixPath(page).parent)
        return f"{before}{other}{after}"

    return _LINK.sub(to, text)


def _is_page(target: PurePosixPath) -> bool:
    return not (target.parts[0] == "docs" and target.suffix != ".md")


def _target(path: PurePosixPath, link: str) -> PurePosixPath | None:
    """The file or folder of the repository that a link in the document at `path` leads to; None where there is none."""
    if ":" in link or link.startswith("/"):
        return None
    target = PurePosixPath(os.path.normpath(path.parent / link))
    return target if target.parts[:1] not in ((), ("..",)) and (ROOT / target).exists() else None


def documents() -> list[PurePosixPath]:
    """The documents of the repository that become pages, by their paths."""
    of_docs = (path for path in DOCS.rglob("*.md") if not path.relative_to(DOCS).parts[0].startswith("_"))
    return [PurePosixPath(name) for name in DOCUMENTS if name != "README.md"] + [
        PurePosixPath(path.relative_to(ROOT).as_posix()) for path in sorted(of_docs)
    ]


def linked_sources() -> set[PurePosixPath]:
    """Files and folders outside of docs/ that some document links to, and what is in those folders."""
    found: set[PurePosixPath] = set()
    for path in documents():
        for match in _LINK.finditer((ROOT / path).read_text(encoding="utf-8")):
            target = _target(path, match[2] or match[5])
            if target is not None and target.parts[0] != "docs" and str(target) not in DOCUMENTS:
                found |= {target, *_files_in(target)}
    return found


def _files_in(path: PurePosixPath) -> Iterator[PurePosixPath]:
    if (ROOT / path).is_dir():
        for file in sorted((ROOT / path).iterdir()):
            if file.suffix in _LANGUAGES and file.is_file():
                yield path / file.name


def _source_page(path: PurePosixPath) -> str:
    title = f"---\norphan: true\n---\n\n# {path.name}\n\n"
    if (ROOT / path).is_dir():
        return title + "\n".join(f"- [{each.name}]({path.name}/{each.name}.md)" for each in _files_in(path)) + "\n"
    up = os.path.relpath(ROOT / path, (DOCS / HOME / path).parent)
    language = _LANGUAGES.get(path.suffix, "text")
    return f"{title}`{path}`\n\n```{{literalinclude}} {up}\n:language: {language}\n```\n"


def _pages() -> dict[str, str]:
    pages = {f"{page_of(path)}.md": _source_page(path) for path in linked_sources()}
    for name, page in DOCUMENTS.items():
        if name != "README.md":
            pages[f"{page}.md"] = relinked((ROOT / name).read_text(encoding="utf-8"), PurePosixPath(name), page)
    return pages


def _write(app: Sphinx) -> None:
    pages = _pages()
    for folder in (HOME, "project"):
        write_pages(
            DOCS / folder,
            {name.removeprefix(f"{folder}/"): text for name, text in pages.items() if name.startswith(f"{folder}/")},
        )


def _relink(app: Sphinx, page: str, source: list[str]) -> None:
    """Links of a page of docs/ to files outside of it."""
    path = PurePosixPath("docs") / f"{page}.md"
    if (ROOT / path).exists() and not page.startswith((f"{HOME}/", "project/", "reference/")):
        source[0] = relinked(source[0], path, page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the pages before Sphinx looks for them, and leads links there."""
    app.connect("builder-inited", _write)
    app.connect("source-read", _relink)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
