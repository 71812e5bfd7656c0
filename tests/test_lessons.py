"""The pages that teach: what their blocks print is what stands on them.

`python tests/test_lessons.py [PAGE...]` runs pages, all if none is named, and writes what they print now into them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from page_blocks import blocks, difference, made_by, page_of_its_own, rewritten, run_page

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted([*(DOCS / "tutorial").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
LEARNED = {"5-a-maker-that-learns", "train-against-a-rival"}  # they train makers, whose numbers differ from machine to machine


def of(page: Path) -> pytest.param:
    return pytest.param(page, id=page.stem, marks=[pytest.mark.training] if page.stem in LEARNED else [])


@pytest.mark.slow
@pytest.mark.parametrize("page", [of(page) for page in PAGES if blocks(page, "sh", "python")])
def test_a_page_shows_what_its_blocks_print(page: Path, tmp_path: Path) -> None:
    wrong = []
    with page_of_its_own():
        for each in run_page(page, tmp_path):
            why = difference(each.shown.text, each.printed, words_alone=page.stem in LEARNED)
            if why is not None:
                wrong.append(f"{each.block.text}{why}\nprinted:\n{each.printed}")
    assert not wrong, "\n\n".join([*wrong, f"python tests/test_lessons.py {page.stem} writes it anew"])
    for block in blocks(page):
        if block.file is not None and (page.parent / block.file).exists():
            assert (page.parent / block.file).read_text(encoding="utf-8") == block.text
    for copy, made in made_by(page):
        assert copy.exists()
        assert (tmp_path / made).stat().st_size


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_python_on_a_page_is_formatted(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(page, "python")):
        (tmp_path / f"block_{number:02}.py").write_text(block.text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "format", "--diff", "--config", str(DOCS.parent / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a 1.5\n", "a   1.5\n"),
        ("took 0.3 s (20.1 k steps/s)\n", "took 12.4 s (3 M steps/s)\n"),
        ("0.3333333333\n", "0.3333333334\n"),
        ("a\n...\nd\n", "a\nb\nc\nd\n"),
        ("...\nb\n...\nd\n", "a\nb\nc\nd\n"),
        (" ── \n", " ─────\n"),
    ],
)
def test_what_is_alike(shown: str, printed: str) -> None:
    assert difference(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a 1.5\n", "a 1.6\n"),
        ("a\n", "b\n"),
        ("a\n", "a\nb\n"),
        ("a\nb\n", "a\n"),
        ("a\n...\nd\n", "a\nb\nc\n"),
        ("...\ne\n...\nd\n", "a\nb\nc\nd\n"),
        ("12 makers\n", "13 makers\n"),
    ],
)
def test_what_is_not_alike(shown: str, printed: str) -> None:
    assert difference(shown, printed) is not None


def write(names: list[str]) -> None:
    """Runs pages and writes them anew."""
    for page in PAGES:
        if names and page.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as folder, page_of_its_own():
            page.write_text(rewritten(page, Path(folder).resolve(), words_alone=page.stem in LEARNED), encoding="utf-8")
        print("wrote", page.relative_to(DOCS.parent))


if __name__ == "__main__":
    write(sys.argv[1:])
