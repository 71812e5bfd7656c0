"""Writes docs/architecture.md from the package itself: `make architecture`.

Floors come from the contract in pyproject.toml, arrows from the imports, descriptions from the docstrings. A test
compares the page with what this script would write.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import grimp

from house import picture

ROOT = Path(__file__).parents[1]
PACKAGE = "dealermarket"
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "images" / "house.svg"
GROUND = "the ground"
ALONE = "testing"  # needs nothing of the package
LOWEST_FOLDER = "model"  # what lies below are single modules: the ground

INTRODUCTION = """\
# How the package is laid out

This page is written by `make architecture` from the package itself; a test says when it is out of date.

Data flows one way. A scenario (what is to be simulated) is drawn as a tape (all prices and orders, which no maker's
action changes). The engine plays makers and investors on it step by step, with no randomness of its own. What was asked
for is recorded, kept in a folder and shown. Studies run variants of a market on one tape, so their differences are
paired.

Imports run downwards only, those inside functions and those for types alone included: `make lint` checks it with
import-linter, and the contract stands in `pyproject.toml`. A new module must be given its floor there. Folders with a
public face are for everybody: {faces}. The rest is
imported from where it stands, inside the package only.

![The folders of the package in rows, each above those that it imports from](images/house.svg)

"""


def floors() -> list[list[str]]:
    """The names on each floor, from the top; a floor may hold several."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = (each for each in settings["contracts"] if each["type"] == "layers")
    return [[name.strip().strip("()") for name in line.replace("|", ":").split(":")] for line in contract["layers"]]


def modules() -> dict[str, str]:
    """What each module's docstring says first, by the module's dotted name without the package's."""
    source = ROOT / "src" / PACKAGE
    found = {}
    for path in sorted(source.rglob("*.py")):
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = _summary(path)
    return found


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).rstrip(":").replace("|", "\\|")


def imports(ground: set[str]) -> dict[str, set[str]]:
    """Which folders each folder imports from; the modules of the ground count as one."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)

    def folder(module: str) -> str:
        name = module.split(".")[1]
        return GROUND if name in ground else name

    found: dict[str, set[str]] = {}
    for module in graph.modules - {PACKAGE}:
        own = found.setdefault(folder(module), set())
        used = graph.find_modules_directly_imported_by(module) - {PACKAGE}
        own |= {folder(other) for other in used} - {folder(module)}
    return found


def arrows(used: dict[str, set[str]], order: list[str]) -> Iterator[tuple[str, str]]:
    """The downward imports that do not follow from others: what is reached through another folder gets no arrow."""

    def reached(start: Iterable[str]) -> set[str]:
        found, left = set(), set(start)
        while left:
            name = left.pop()
            found.add(name)
            left |= below(name) - found
        return found

    def below(name: str) -> set[str]:
        return {other for other in used.get(name, ()) if order.index(other) > order.index(name)}

    for name in order:
        for other in sorted(below(name), key=order.index):
            if other not in reached(below(name) - {other}):
                yield name, other


class House(NamedTuple):
    """The folders, and what they import from."""

    ground: set[str]  # the modules that count as one
    order: list[str]  # the folders from the top, then the ground
    used: dict[str, set[str]]

    @classmethod
    def of_the_package(cls) -> House:
        """As the contract and the imports have it."""
        flat = [name for floor in floors() for name in floor]
        ground = {name for name in flat[flat.index(LOWEST_FOLDER) + 1 :] if name != ALONE}
        return cls(ground, [*(name for name in flat if name not in ground and name != ALONE), GROUND], imports(ground))


def faces() -> list[str]:
    """The folders with a public face."""
    tree = ast.parse((ROOT / "src" / PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (found,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_FOLDERS")
    return list(ast.literal_eval(found))


def drawing() -> str:
    """The picture of the house."""
    house = House.of_the_package()
    return picture(house.order, list(arrows(house.used, house.order)), [*faces(), "public"], ALONE)


def page() -> str:
    """The whole page."""
    ground, order, used = House.of_the_package()
    known = modules()
    shown = ", ".join([f"`{PACKAGE}`", *(f"`.{name}`" for name in faces())])
    lines = [INTRODUCTION.format(faces=shown).rstrip("\n"), ""]
    left_out = "Arrows that follow from others are left out: what stands higher may import from everything below."
    lines += [f"{left_out} `{ALONE}` needs nothing of the package.", ""]
    lines += ["| floor | what is in it | imports from |", "| --- | --- | --- |"]
    for name in [*order, ALONE]:
        below = sorted(used.get(name, ()), key=order.index)
        what = known.get(name, "Formulas, errors, the frozen value, the disk and the compiler: what everything stands on")
        lines.append(f"| `{name}` | {what} | {', '.join(below) or 'nothing'} |".replace(f"`{GROUND}`", GROUND))
    for name in [*order, ALONE]:
        own = sorted(ground & known.keys()) if name == GROUND else [each for each in known if each.startswith(f"{name}.")]
        if not own:
            continue
        title = GROUND.capitalize() if name == GROUND else f"`{name}/`"
        lines += ["", f"## {title}", "", "| module | what it is |", "| --- | --- |"]
        lines += [f"| `{each.removeprefix(f'{name}.')}` | {known[each]} |" for each in own]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the page and its picture."""
    PAGE.write_text(page(), encoding="utf-8")
    PICTURE.write_text(drawing(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
