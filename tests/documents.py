"""HTML documents as trees, and what all pages must keep: they need nothing but themselves, and their links have targets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "wbr", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parts: list[str | Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(part if isinstance(part, str) else part.text for part in self.parts)).strip()

    def all(self, *tags: str) -> list[Element]:
        """Everything below with one of the tags, in order; everything at all if none is given."""
        below = [part for part in self.parts if isinstance(part, Element)]
        return [found for part in below for found in ([part] if not tags or part.tag in tags else []) + part.all(*tags)]

    def named(self, name: str) -> Element:
        return next(element for element in self.all() if element.attributes.get("id") == name)


class Page(HTMLParser):
    """A document as a tree; refuses tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open = [Element("", {})]
        self.feed(text)
        self.close()
        assert len(self.open) == 1

    @property
    def root(self) -> Element:
        return self.open[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def document(text: str) -> Element:
    """The root of a document."""
    return Page(text).root


def table_of(page: Element, name: str) -> list[list[Element]]:
    """The body of a table, by the address of its caption."""
    table = next(table for table in page.all("table") if any(e.attributes.get("id") == name for e in table.all()))
    return [row.all("th", "td") for row in table.all("tbody")[0].all("tr")]


def assert_needs_nothing(text: str) -> None:
    """That a page asks for nothing but what is in it."""
    page = document(text)
    for element in page.all():
        for name, value in element.attributes.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "background"):
                assert value.startswith(("data:", "#")), value
    assert not page.all("iframe", "object", "base")
    assert "http" not in text
    style = page.all("style")[0].text
    assert "url(" not in style and "@import" not in style and "@font-face" not in style


def assert_linked(page: Element) -> set[str]:
    """That names are given once, and that links and labels have targets; returns the links."""
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    links = {a.attributes["href"] for a in page.all("a")}
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert {e.attributes["aria-labelledby"] for e in page.all() if "aria-labelledby" in e.attributes} <= set(ids)
    return links
