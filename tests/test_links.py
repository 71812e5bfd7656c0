"""Links in Markdown: every file and every heading that one leads to is there, as a reader of the repository finds it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
WRITTEN_BY_THE_SITE = {ROOT / "docs" / name for name in ("_build", "project", "reference", "sources")}
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not WRITTEN_BY_THE_SITE & set(path.parents)
)
LINK = re.compile(r"\]\((?:<([^>]*)>|([^()\s]+(?:\([^()\s]*\)[^()\s]*)*))(?:\s+\"[^\"]*\")?\)|(?:src|href)=\"([^\"]*)\"")


def prose(path: Path) -> str:
    """A page without its blocks of code and its code in lines, where brackets are no links."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*[ \t]*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "`code`", text)


def links(path: Path) -> list[str]:
    return [next(part for part in found if part) for found in LINK.findall(prose(path)) if any(found)]


@cache
def anchors(path: Path) -> set[str]:
    """The addresses that code hosts give to the headings of a page."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*[ \t]*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, flags=re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(slug if slug not in found else next(s for n in range(1, 99) if (s := f"{slug}-{n}") not in found))
    return found


def problem(page: Path, link: str) -> str | None:
    """What is wrong with a link, if anything."""
    parts = urlsplit(link)
    if parts.scheme:
        host = re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", parts.hostname or "")
        ok = parts.scheme == "mailto" or (parts.scheme in ("http", "https") and host)
        return None if ok else "is no address"
    if parts.netloc or parts.path.startswith("/"):
        return "must be relative"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.exists():
        return "there is no such file"
    if parts.fragment and target.suffix == ".md" and unquote(parts.fragment) not in anchors(target):
        return "there is no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert [f"{link}: {said}" for link in links(page) if (said := problem(page, link))] == []


def test_what_is_wrong_with_a_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# Over here, `code` & *more*\n```sh\n# no heading\n```\n# Twice\n# Twice\n")
    page = tmp_path / "a.md"
    right = "[x](b.md) [x](b.md#over-here-code--more) [x](b.md#twice-1) `[x](no.md)` [x](https://example.org/a_(b)) [x](#a)"
    wrong = "[x](c.md) [x](b.md#no-heading) [x](/b.md) [x](https://nowhere) [x](htp://example.org) ![x](c.png)"
    wrong += ' <img src="d.png">'
    page.write_text(f"# A\n{right}\n")
    assert [link for link in links(page) if problem(page, link)] == []
    page.write_text(f"# A\n{wrong}\n")
    assert len([link for link in links(page) if problem(page, link)]) == 7
