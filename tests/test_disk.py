"""Disks that are full or cannot be written: what is said, what is printed all the same, and what is left behind."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from conftest import UNCOMPILED, assert_says, needs_learn, refused
from dealermarket.commands.console import announce_compiling, open_console
from dealermarket.commands.main import main
from dealermarket.compiled import compiled, is_cached
from dealermarket.study.league import Contest

EVALUATE = ["evaluate", "heuristic", "random", "--replicas", "10", "--set", "steps=20", "--threads", "1"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def full(*_: object, **__: object) -> None:
    """What writing does on a full disk."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("as_json", [False, True])
def test_numbers_are_printed_where_their_file_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    monkeypatch.setattr("pandas.DataFrame.to_csv", full)
    assert main([*EVALUATE, "--out", "numbers.csv", *(["--json"] if as_json else [])]) == 2
    shown = capsys.readouterr()
    assert_says(shown.err, "numbers.csv", names=["No space left on device", "--out"])
    assert len(json.loads(shown.out)["policies"]) == 2 if as_json else "random" in shown.out
    assert "numbers.csv" not in shown.out
    assert not list(Path().iterdir())


def test_a_file_that_cannot_be_written_is_known_before_anybody_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dealermarket.disk.try_writing", full)
    monkeypatch.setattr(Contest, "run", lambda *_: pytest.fail("ran"))
    assert_says(refused(capsys, *EVALUATE, "--out", "numbers.csv"), "numbers.csv", names=["No space", "free space", "--out"])
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["run", "paper", "--out", "file/x"], "file/x"),
        (["run", "dealers"], "runs"),
        (["run", "paper", "--out", "closed"], "closed"),
        pytest.param(["train", "learning", "--out", "file/x"], "file/x", marks=needs_learn),
        (["compare", "paper", "--set", "makers.0.pricing.alpha=1.3", "--out", "file/x"], "file/x"),
        (["experiment", "markouts", "--out", "file/x"], "file/x"),
    ],
)
def test_a_folder_is_tried_before_anything_is_begun(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], file: str
) -> None:
    Path("file").touch()
    Path("runs").touch()
    if file == "closed":
        monkeypatch.setattr("dealermarket.runs.work_folder.try_writing", closed)
    said = refused(capsys, *arguments)
    assert_says(said, file, names=["--out"])
    assert len(said.splitlines()) == 1 and "free space" not in said
    assert sorted(path.name for path in Path().iterdir()) == ["file", "runs"]


def closed(*_: object) -> None:
    """What writing does in a folder of somebody else's."""
    raise OSError(errno.EACCES, "Permission denied")


def test_a_scenario_is_written_whole_or_not_at_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def half(path: Path, text: str, encoding: str) -> None:
        with path.open("w", encoding=encoding) as file:
            file.write(text[:99])
        full()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", half)
        assert_says(refused(capsys, "scenarios", "write", "paper", "mine.toml"), "mine.toml", names=["No space", "another name"])
    assert not list(Path().iterdir())
    assert main(["scenarios", "write", "paper", "mine.toml"]) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["run", "paper", "--out", ""], "--out"),
        (["run", "--resume", ""], "--resume"),
        (["evaluate", "random", "--out="], "--out"),
        (["experiment", "curves", "--out", ""], "--out"),
        (["train", "learning", "--out", ""], "--out"),
        (["train", "--resume", ""], "--resume"),
        (["plot", "runs/x", "--out", ""], "--out"),
        (["inspect", ""], "PATH"),
        (["scenarios", "write", "paper", ""], "PATH"),
    ],
)
def test_an_empty_name_is_none(capsys: pytest.CaptureFixture[str], arguments: list[str], field: str) -> None:
    assert_says(refused(capsys, *arguments), field, "''")


# --- the cache


def test_what_is_said_of_compiling_is_true(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dealermarket.compiled.is_cached", lambda _: False)

    def announced() -> str:
        announce_compiling(open_console())
        return capsys.readouterr().out

    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", "cache")
    assert "Later runs start at once" in announced()
    Path("file").touch()
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", "file/below")
    for reason in ("file/below", "No space left"):
        said = announced()
        assert "at every start" in said and reason in said and "DEALERMARKET_CACHE_DIR" in said
        monkeypatch.setenv("DEALERMARKET_CACHE_DIR", "cache")
        monkeypatch.setattr("dealermarket.cache.try_writing", full)


def double(x: int) -> int:
    return 2 * x


@pytest.mark.skipif(UNCOMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("fails", ["IndexDataCacheFile.save", "_CacheLocator.ensure_cache_path"])
def test_a_full_disk_costs_the_cache_and_not_the_run(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", "cache")
    with monkeypatch.context() as patch:
        patch.setattr(f"numba.core.caching.{fails}", full)
        first = compiled(double)
        assert first(4) == 8 and not is_cached(first)
    again = compiled(double)
    assert again(4) == 8 and is_cached(again)
