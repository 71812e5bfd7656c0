"""The package as others get it: the wheel, from outside the checkout; the cache of compiled code; the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import try_wheel
from conftest import ran
from dealermarket.commands.main import main
from page_blocks import blocks

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    ran(build)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dealermarket/model/presets/paper.toml" in names
    assert "dealermarket/py.typed" in names
    licences = [name.partition(".dist-info/licenses/")[2] for name in names if ".dist-info/licenses/" in name]
    assert sorted(licences) == ["LICENSE", "src/dealermarket/explorer/static/uplot/LICENSE"]
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
    ran(install)
    outside = tmp_path / "outside"
    outside.mkdir()
    try_wheel.use(sys.executable, site, outside, PYTHONPATH=str(site))


@pytest.mark.compiled
def test_no_writable_cache_costs_time_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    code = (
        "from dealermarket.cache import cache_folder\n"
        "from dealermarket.compiled import compiled, is_cached\n"
        "double = compiled(lambda x: 2 * x)\n"
        "assert cache_folder() is None and not is_cached(double)\n"
        "assert double(4) == 8\n"
        "assert not is_cached(double)\n"
    )
    environment = {**os.environ, "DEALERMARKET_CACHE_DIR": str(blocked / "below")}
    ran([sys.executable, "-c", code], env=environment)


def test_code_that_is_not_used_any_more_is_deleted_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dealermarket import compiled

    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path))
    now, hours = time.time(), {"new": 0, "today": 23, "yesterday": 25, "old": 1000} | {f"busy-{n}": 1 for n in range(9)}
    for name, age in hours.items():
        code = tmp_path / "code" / name
        code.mkdir(parents=True)
        (code / "advance.nbc").write_text("code")
        os.utime(code, (now, now - 3600 * age))
    folder = compiled._code_folder("digest")
    assert folder is not None
    left = {path.name for path in (tmp_path / "code").iterdir()}
    assert left == {folder.name, *hours} - {"yesterday", "old"}
    os.utime(folder, (0, 0))
    assert compiled._code_folder("digest") == folder
    assert folder.stat().st_mtime >= now - 60  # a use renews it


def needs(*libraries: str, by: str = "make learning installs it") -> None:
    """Skips the rest of a test without libraries, as a rule those that `make learning` installs. Importing one, as `importorskip`
    does, would take long, and it is another process that uses it."""
    for library in libraries:
        if find_spec(library) is None:
            pytest.skip(f"{library} is not installed: {by}")


def python_blocks(file: Path) -> list[str]:
    return [block.text for block in blocks(file, "python")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        *(
            f"docs/{page}.md"
            for page in (
                "compare",
                "control",
                "experiments",
                "extending",
                "figures",
                "learning",
                "model",
                "own-data",
                "python",
                "questions",
                "randomness",
            )
        ),
    ],
)
def test_python_in_the_docs_runs(name: str, tmp_path: Path) -> None:
    needs(*{"docs/python.md": ["gymnasium"], "docs/learning.md": ["pettingzoo", "stable_baselines3", "torchrl"]}.get(name, []))
    blocks = python_blocks(ROOT / name)
    assert blocks
    ran([sys.executable, "-W", "error", "-c", "\n".join(blocks)], cwd=tmp_path)  # later ones may use what earlier ones made


@pytest.mark.compiled
def test_the_readme_shows_what_its_first_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command, output) = re.search(r"```sh\n(dealermarket run .*?)\s*#.*\n```\n\n```text\n(.*?)```", text, re.DOTALL).groups()  # type: ignore[union-attr]
    monkeypatch.chdir(tmp_path)
    assert main(command.split()[1:]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(output.splitlines()) > 8
    assert [line for line in output.splitlines() if line not in printed] == []


def test_an_example_of_a_part_is_short() -> None:
    for block in python_blocks(ROOT / "docs" / "extending.md"):
        lines = [line for line in block.splitlines() if line.strip()]
        assert len(lines) <= 25, block


SMALL = {  # the library that it shows, and the least of what learns
    "ecb_fixings.py": ("currency_converter",),
    "learn_gymnasium.py": ("gymnasium", "2"),
    "learn_pettingzoo.py": ("pettingzoo", "1"),
    "learn_sb3.py": ("stable_baselines3", "1"),
    "learn_torchrl.py": ("torchrl", "1"),
    "learning_in_regret.py": ("stable_baselines3", "1"),
    "learn_vectorised.py": ("gymnasium", "1", "8"),
}


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    library, *size = SMALL.get(example.name, ("dealermarket",))
    needs(library, by=f"the head of {example.name} says how")
    ran([sys.executable, "-W", "error", str(example), *size], cwd=tmp_path)


@pytest.mark.compiled
def test_the_example_of_fixings_reads_a_file(tmp_path: Path) -> None:
    """Two years of made fixings, the last one first and with gaps, as the ECB publishes them: a single holiday is bridged, a
    longer one ends a session."""
    days = pd.bdate_range("2001-01-01", "2002-12-31")
    rates = pd.Series(np.exp(np.cumsum(0.006 * np.random.default_rng(3).standard_normal(len(days)))), index=days)
    there = rates.drop(pd.to_datetime(["2001-05-01", "2001-12-25", "2001-12-26"]))
    table = pd.DataFrame({"USD": there.round(4).astype(str), "JPY": "N/A"}).rename_axis("Date").sort_index(ascending=False)
    table.loc[table.index[7], "USD"] = "N/A"  # bridged, too
    table.to_csv(tmp_path / "fixings.csv")
    shown = ran([sys.executable, "-W", "error", str(ROOT / "examples" / "ecb_fixings.py"), "fixings.csv"], cwd=tmp_path).stdout
    assert f"{len(there) - 1} fixings: 2 sessions" in shown
    assert (tmp_path / "ecb-fixings.svg").exists()
    kept = pd.to_numeric(table["USD"], errors="coerce").sort_index().reindex(days).ffill(limit=1)
    for year, own in kept.groupby(kept.index.year):
        returns = np.log(own).diff().dropna().to_numpy()  # none across the holidays of a session's end
        (said,) = re.findall(rf"^{year}  ([\d.]+) ±", shown, re.MULTILINE)
        assert float(said) == pytest.approx(100 * np.sqrt(261 * np.mean(returns**2)), abs=0.06)


def test_the_example_of_fixings_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("Day,Rate\n2001-01-01,1.0\n")
    for arguments, said in ([["other.csv"], "columns Date and USD"], [["none.csv"], "none.csv"]):
        run = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "ecb_fixings.py"), *arguments],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 1
        assert said in run.stderr and "Traceback" not in run.stderr


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
    needs("gymnasium")
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
