"""The documentation as a site: it is built without a warning, needs nothing from elsewhere, and describes all that is public."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import dealermarket
from conftest import ran
from dealermarket import Scenario
from dealermarket.commands.main import app
from dealermarket.data import columns as data
from dealermarket.describe import fields_of
from dealermarket.learning import columns as learning
from dealermarket.questions import columns as questions
from dealermarket.runs import columns as runs
from dealermarket.study import columns as study

ROOT = Path(__file__).parents[1]
NEEDED = [name for name in ("sphinx", "myst_parser", "furo", "gymnasium", "pettingzoo") if find_spec(name) is None]
LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "srcset"),
    ("iframe", "src"),
    ("object", "data"),
    ("link", "href"),
}
FOLLOWED = {"canonical", "next", "prev", "index", "search", "author", "help", "copyright", "genindex"}
"""What a `link` says of other pages, which no browser loads."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(NEEDED), reason=f"make docs installs what builds the site: {', '.join(NEEDED)}"),
]


class Elements(HTMLParser):
    """The tags of a page with their attributes, what stands in `style`, and what in `code`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.styles: list[str] = []
        self.codes: set[str] = set()
        self._open: list[str] = []
        self._code = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("style", "code"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "code") and self._open:
            self._open.pop()
            if tag == "code":
                self.codes.add(self._code.strip())
                self._code = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles.append(data)
        elif self._open:
            self._code += data

    @property
    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.tags if "id" in attributes}

    @property
    def pictures(self) -> set[str]:
        return {attributes["src"] for tag, attributes in self.tags if tag == "img"}

    @property
    def links(self) -> set[str]:
        return {attributes["href"] for tag, attributes in self.tags if tag == "a" and "href" in attributes}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The site, built once for all workers."""
    fcntl = pytest.importorskip("fcntl")
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    built, done = shared / "site", shared / "site.done"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            asked = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(shared / "doctrees"), "docs", str(built)]
            said = ran([sys.executable, "-m", "sphinx", *asked], cwd=ROOT)
            assert said.stderr == ""
            done.touch()
    return built


@cache
def page(path: Path) -> Elements:
    return Elements(path.read_text(encoding="utf-8"))


def pages(site: Path) -> dict[Path, Elements]:
    return {path: page(path) for path in sorted(site.rglob("*.html"))}


def is_elsewhere(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme not in ("", "data")


def of_styles(text: str) -> Iterator[str]:
    """What a style sheet loads."""
    for found in re.finditer(
        r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    ):
        yield found[1] or found[2]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = set()
    for elements in pages(site).values():
        for tag, attributes in elements.tags:
            followed = tag == "link" and set(attributes.get("rel", "").split()) <= FOLLOWED
            loaded |= {value for name, value in attributes.items() if (tag, name) in LOADED and not followed}
            loaded |= set(of_styles(attributes.get("style", "")))
        loaded |= {address for style in elements.styles for address in of_styles(style)}
    for sheet in site.rglob("*.css"):
        loaded |= set(of_styles(sheet.read_text(encoding="utf-8")))
    assert len(loaded) > 20
    assert [address for address in loaded if is_elsewhere(address)] == []
    for script in site.rglob("*.js"):
        named = set(re.findall(r"""["'`](?:https?:)?//([\w.-]+\.\w+)""", script.read_text(encoding="utf-8")))
        assert named <= {"www.w3.org"}, script  # the names of SVG and MathML


def test_every_link_and_picture_is_there(site: Path) -> None:
    everything = pages(site)
    assert len(everything) > 40
    lost = []
    for path, elements in everything.items():
        for link in elements.links | elements.pictures:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target.suffix == ".html" and anchor not in page(target).ids):
                lost.append(f"{path.relative_to(site)}: {link}")
    assert lost == []


FOLDERS = ["", *(f".{name}" for name in dealermarket._FOLDERS), ".control.dealer"]


def test_links_show_the_titles_of_pages_and_not_their_files(site: Path) -> None:
    shown = re.findall(r'href="[^"]*"><span[^>]*>([^<]*)</span></a>', (site / "command.html").read_text(encoding="utf-8"))
    assert {"The model", "One step, told in order"} <= set(shown)
    assert not [text for text in shown if text.endswith(".md")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_public_name_is_described(site: Path, folder: str) -> None:
    path = f"dealermarket{folder}"
    described = page(site / "reference" / "api" / f"{path}.html")
    targets = {link.rpartition("#")[2] for link in described.links if "#" in link}
    for name in import_module(path).__all__:
        if name != "__version__":
            here = f"{path}.{name}"
            assert here in described.ids | targets or any(target.endswith(f".{name}") for target in targets), here


def test_every_field_of_a_scenario_is_described(site: Path) -> None:
    described = page(site / "reference" / "scenario.html")
    models, left = set(), [Scenario]
    while left:
        model = left.pop()
        if model not in models:
            models.add(model)
            left += [inner for row in fields_of(model) for inner in row.models]
    assert len(models) > 30
    for model in models:
        assert f"fields-of-{model.__name__.lower()}" in described.ids
        assert {row.name for row in fields_of(model)} <= described.codes


def test_every_command_and_option_is_described(site: Path) -> None:
    commands = [name for name in app if not name.startswith("-")]
    assert len(commands) > 15
    for name in commands:
        described = page(site / "reference" / "commands" / f"{name}.html").codes
        options = [option for each in app[name].assemble_argument_collection() if each.show for option in each.names]
        assert set(options) <= described, name


def test_every_column_is_described(site: Path) -> None:
    described = page(site / "reference" / "files.html").codes
    declared = [each for module in (runs, study, questions, data, learning) for each in vars(module).values()]
    columns = {column for each in declared if isinstance(each, tuple) for column in each if isinstance(column, runs.Column)}
    names = {column.name for column in columns}
    assert len(names) > 100
    assert names | {column.name for columns in runs.columns_by_table().values() for column in columns} <= described


# --- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium: Debian's package `chromium`")  # the tests without a browser run all the same
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
    with api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The address of the site on a server of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Quiet(*given, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("how", ["file", "http"])
def test_the_site_works_in_a_browser(site: Path, served: str, browser, how: str) -> None:
    home = served if how == "http" else site.as_uri()
    asked, said = [], []
    view = browser.new_page()
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    view.on("pageerror", lambda error: said.append(str(error)))
    with_formulas = [path for path, elements in pages(site).items() if any("data-display" in found for _, found in elements.tags)]
    assert with_formulas
    for path in with_formulas:
        view.goto(f"{home}/{path.relative_to(site).as_posix()}")
        view.wait_for_function("[...document.querySelectorAll('.math')].every(each => each.firstElementChild)")
        assert view.locator(".katex-error, [mathcolor='#cc0000']").count() == 0, path
        assert view.evaluate("document.fonts.ready.then(fonts => [...fonts].some(f => f.status === 'error'))") is False
    view.goto(f"{home}/search.html?q=market_share")
    view.wait_for_selector("#search-results ul.search li a")
    assert any("reference" in each.get_attribute("href") for each in view.locator("#search-results ul.search li a").all())
    view.close()
    assert [address for address in asked if not address.startswith((home, "data:"))] == []
    if how == "http":  # from files the summaries of what was found cannot be read, which the browser says
        assert said == []
