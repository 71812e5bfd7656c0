"""The gallery: its page is made of its scripts, and each script draws its picture."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from conftest import ran
from test_package import needs

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
SCRIPTS = sorted(path for path in GALLERY.glob("*.py") if path.name != "draw.py")
FEW = {"replicas": 4, "runs": 2, "points": 8}  # in place of how many a picture is drawn from
ENOUGH = {"desk_markouts": 8, "regret_quotes": 10}  # replicas, where fewer tell nothing or are refused


def drawing() -> ModuleType:
    """The module `draw.py`."""
    spec = spec_from_file_location("draw", GALLERY / "draw.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_scripts_as_they_are() -> None:
    draw = drawing()
    assert sorted(draw.NAMES) == [path.stem for path in SCRIPTS]
    assert (GALLERY / "index.md").read_text(encoding="utf-8") == draw.page(), "python docs/gallery/draw.py writes it anew"
    assert {path.stem for path in (GALLERY / "images").iterdir()} == set(draw.NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_draws_its_picture(script: Path, tmp_path: Path) -> None:
    if "dealermarket.envs" in script.read_text(encoding="utf-8"):
        needs("gymnasium")
    text = script.read_text(encoding="utf-8")
    for name, few in FEW.items():
        fewer = ENOUGH.get(script.stem, few) if name == "replicas" else few
        text = re.sub(rf"\b{name}=\d+", f"{name}={fewer}", text)
    (tmp_path / script.name).write_text(text, encoding="utf-8")
    ran([sys.executable, "-W", "error", script.name], cwd=tmp_path)
    assert [path.name for path in tmp_path.glob("*.png")] == [f"{script.stem}.png"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short(script: Path) -> None:
    code = [line for line in script.read_text(encoding="utf-8").split('"""')[2].splitlines() if line.strip()]
    assert len(code) <= 20
