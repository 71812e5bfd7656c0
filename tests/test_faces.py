"""What `dealermarket` and its public folders show, and the examples in their docstrings."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

import dealermarket

FOLDERS = ("control", "data", "envs", "model", "papers", "plots", "policies", "questions", "study", "testing")
NEED_GYMNASIUM = ("envs", "testing")


def face(name: str):
    if name in NEED_GYMNASIUM:
        pytest.importorskip("gymnasium")
    return import_module(f"dealermarket.{name}")


def test_the_package_shows_its_public_names_and_nothing_else() -> None:
    assert dir(dealermarket) == sorted([*dealermarket.__all__, *FOLDERS])
    for name in dealermarket.__all__:
        assert getattr(dealermarket, name) is not None
    with pytest.raises(AttributeError) as caught:
        _ = dealermarket.no_such_name
    assert caught.value.args == ("module 'dealermarket' has no attribute 'no_such_name'",)


def test_a_folder_is_there_without_being_imported_first() -> None:
    code = "import dealermarket, sys; assert 'dealermarket.plots' not in sys.modules; dealermarket.plots.save_plots"
    run(code, Path.cwd())


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_has_a_public_face(name: str) -> None:
    module = face(name)
    assert module is getattr(dealermarket, name)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for public in module.__all__:
        if public == "DealerParallelEnv" and find_spec("pettingzoo") is None:
            continue
        assert getattr(module, public) is not None
    assert module.__doc__


@pytest.mark.parametrize("name", ["control", "data", "envs", "model", "papers", "plots", "study"])
def test_dir_of_a_folder_is_its_face(name: str) -> None:
    module = face(name)
    assert dir(module) == sorted(module.__all__)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(dealermarket, "envs", raising=False)  # first: it looks for the folder, which imports it
    for name in [name for name in sys.modules if name.partition(".")[0] == "gymnasium" or name.startswith("dealermarket.envs")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not hasattr(dealermarket, "envs")
    with pytest.raises(ImportError, match=r"dealermarket\[envs\]"):
        import_module("dealermarket.envs")


def examples(text: str) -> list[str]:
    """The blocks of code in a docstring: what is indented after a line that ends in two colons."""
    blocks: list[str] = []
    lines = iter(dedent(text).splitlines())
    for line in lines:
        if not line.endswith("::"):
            continue
        block = []
        for inner in lines:
            if inner and not inner.startswith("    "):
                break
            block.append(inner)
        blocks.append(dedent("\n".join(block)))
    return blocks


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", "control.dealer", "data", "envs", "papers", "plots", "study", "testing"])
def test_the_examples_of_a_face_run(name: str, tmp_path: Path) -> None:
    module = face(name) if name else dealermarket
    blocks = examples(module.__doc__ or "")
    assert blocks
    for block in blocks:
        run(block, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *FOLDERS])
def test_the_examples_of_public_names_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = face(name) if name else dealermarket
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner()
    for public in module.__all__:
        if public == "DealerParallelEnv" and find_spec("pettingzoo") is None:
            continue
        thing = getattr(module, public)
        text = (inspect.getdoc(thing) or "") if str(getattr(thing, "__module__", "")).startswith("dealermarket") else ""
        runner.run(doctest.DocTestParser().get_doctest(text, {}, public, None, None))
    assert runner.failures == 0


def run(code: str, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
