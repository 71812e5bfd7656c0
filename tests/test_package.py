"""The package as others get it: the wheel, from outside the checkout; the cache of compiled code; the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dealermarket/model/presets/paper.toml" in names
    assert "dealermarket/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = [sys.executable, "-c", "import dealermarket; print(dealermarket.__file__)"]
    found = subprocess.run(where, cwd=outside, env=environment, check=True, capture_output=True, text=True).stdout
    assert found.startswith(str(site))
    run = [sys.executable, "-m", "dealermarket", "run", "paper", "--steps", "20", "--replicas", "2"]
    shown = subprocess.run(run, cwd=outside, env=environment, check=True, capture_output=True, text=True)
    assert "kept in runs/paper-1" in shown.stdout


@pytest.mark.slow
def test_no_writable_cache_costs_time_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    code = (
        "from dealermarket.cache import cache_folder\n"
        "from dealermarket.compiled import compiled, is_cached\n"
        "assert cache_folder() is None and not is_cached()\n"
        "double = compiled(lambda x: 2 * x)\n"
        "assert double(4) == 8\n"
    )
    environment = {**os.environ, "DEALERMARKET_CACHE_DIR": str(blocked / "below")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)


def python_blocks(file: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/experiments.md", "docs/extending.md", "docs/learning.md", "docs/model.md"])
def test_python_in_the_docs_runs(name: str, tmp_path: Path) -> None:
    for library in {"README.md": ["gymnasium"], "docs/learning.md": ["pettingzoo", "stable_baselines3", "torchrl"]}.get(name, []):
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    blocks = python_blocks(ROOT / name)
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=tmp_path, check=True, capture_output=True)


SMALL = {  # the least of each that learns, and the library that it shows
    "learn_gymnasium.py": ("gymnasium", "2"),
    "learn_pettingzoo.py": ("pettingzoo", "1"),
    "learn_sb3.py": ("stable_baselines3", "1"),
    "learn_torchrl.py": ("torchrl", "1"),
    "learn_vectorised.py": ("gymnasium", "1", "8"),
}


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    library, *size = SMALL.get(example.name, ("dealermarket",))
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    subprocess.run([sys.executable, "-W", "error", str(example), *size], cwd=tmp_path, check=True, capture_output=True)


def test_the_docs_name_every_feature() -> None:
    from dealermarket.policies.features import FEATURES

    text = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    for feature in FEATURES:
        assert f"| `{feature.name}` | {feature.meaning} | {feature.unit} |" in text


def test_the_docs_name_every_statistic_and_every_entry_of_info() -> None:
    from dealermarket.runs.statistics import SHIPPED

    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\*\*`summary`\*\*.*?\n\n(.*?)\n\n", text, re.DOTALL)
    named = re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines()))
    assert sorted(named) == sorted(["replica", "maker", *(statistic.name for statistic in SHIPPED)])
    if find_spec("gymnasium") is None:
        pytest.skip("gymnasium is not installed")
    from dealermarket.envs import INFO

    text = (ROOT / "docs" / "learning.md").read_text(encoding="utf-8")
    for entry in INFO:
        assert f"| `{entry.name}` | {entry.meaning} | {entry.unit} |" in text


def test_the_version_is_said_once_and_the_same() -> None:
    from dealermarket import __version__

    assert version("dealermarket") == __version__
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-learning.txt"])
def test_constraints_hold_versions_and_hashes_only(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) > 20
    assert all("==" in pin for pin in pins)
