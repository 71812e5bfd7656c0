"""The scripts that write a page of the docs, and that find Pythons to test on."""

from __future__ import annotations

import stat
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    spec = spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # which its dataclasses look for
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_architecture_is_up_to_date() -> None:
    architecture = script("architecture")
    written = architecture.PAGE.read_text(encoding="utf-8")
    assert written == architecture.page(), "run: make architecture"
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.drawing(), "run: make architecture"


def test_arrows_leave_out_what_follows_from_others() -> None:
    arrows = script("architecture").arrows
    used = {"a": {"b", "c", "d"}, "b": {"c", "a"}, "c": set(), "d": {"c"}}  # b -> a runs upwards
    assert list(arrows(used, ["a", "b", "d", "c"])) == [("a", "b"), ("a", "d"), ("b", "c"), ("d", "c")]


def test_a_long_arrow_of_the_picture_goes_past_boxes() -> None:
    house = script("house")
    arrows = [("a", "b"), ("a", "d"), ("b", "c"), ("c", "d")]
    rows = house.rows_of(["a", "b", "c", "d", "alone"], arrows)
    passing = [house.Point(("a", "d"), level) for level in (2, 1)]
    assert rows == [["a"], [passing[0], "b"], [passing[1], "c"], ["d", "alone"]]
    drawn = house.picture(["a", "b", "c", "d"], arrows, ["b"], "alone")
    assert drawn.count("<path d=") == len(arrows) + 1  # the arrow's tip


@pytest.mark.skipif(sys.platform == "win32", reason="stands in for Pythons by shell scripts")
def test_pythons_that_start_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = script("matrix")
    assert matrix.supported()[:3] == ["3.11", "3.12", "3.13"]

    def python(folder: str, version: str, prints: str, status: int = 0) -> str:
        command = tmp_path / folder / f"python{version}"
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(f"#!/bin/sh\necho {prints}\nexit {status}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        return str(command)

    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"), prepend=":")
    good = python("path", "3.11", "Python 3.11.9")
    python("path", "3.12", "no such version", status=127)
    managed = python("pyenv/versions/3.12.1/bin", "3.12", "Python 3.12.1")
    python("path", "3.13", "not found", status=127)
    assert [matrix.interpreter(version) for version in ("3.11", "3.12", "3.13")] == [good, managed, None]
