"""Damaged run folders: refused, with the name of the file, or as good as new; and how much of that checksums do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from conftest import raises
from dealermarket import RunFolderError, Scenario, SimulationResult, SimulationRunner
from dealermarket.checksums import Parts, checksum, problem_of


@pytest.fixture(scope="module")
def damage() -> ModuleType:
    """The benchmark, of which this is a short version."""
    path = Path(__file__).parents[1] / "benchmarks" / "damage.py"
    spec = importlib.util.spec_from_file_location("damage", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["damage"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_sixty_damages_give_no_wrong_number(damage: ModuleType, tmp_path: Path) -> None:
    done = list(damage.tries(damage.Laboratory(tmp_path), 60, seed=0))
    expected = {damage.REFUSED, damage.HARMLESS}
    assert [each for each in done if not expected.issuperset(each.outcomes.values())] == []
    # all kinds of damage were done, and some of it mattered, of either kind of run
    assert {each.damage for each in done} == set(damage.DAMAGES)
    seen = {(each.state, outcome) for each in done for outcome in each.outcomes.values()}
    assert seen == {(state, outcome) for state in ("complete", "unfinished") for outcome in expected}


def test_the_damage_is_found_that_checksums_find(damage: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them, the same damages give wrong numbers."""
    monkeypatch.setattr("dealermarket.runs.work_folder.problem_of", lambda *_, **__: None)
    wrong = [each for each in damage.tries(damage.Laboratory(tmp_path), 20, seed=0) if damage.WRONG in each.outcomes.values()]
    assert wrong


def test_a_table_of_another_run_is_named_wherever_it_is_met(damage: ModuleType, tmp_path: Path) -> None:
    """Of the same size, so that its content alone tells."""
    damage.Laboratory(tmp_path)
    run, other = (tmp_path / "complete" / name for name in ("first", "other seed"))
    table = run / "summary.parquet"
    content = bytearray((other / "summary.parquet").read_bytes())
    table.write_bytes(content.ljust(table.stat().st_size, b"\0")[: table.stat().st_size])
    loaded = SimulationResult.load(run)
    assert len(loaded.steps) > 0
    for read in (lambda: loaded.summary, loaded.check, loaded.statistics, lambda: SimulationRunner.resume(run)):
        with raises(RunFolderError, table, names=["damaged", "--seed 1"]):
            read()
    table.unlink()
    with raises(RunFolderError, table, names=["missing"]):
        SimulationRunner.resume(run)


def test_parts_belong_to_their_owner_and_their_name(tmp_path: Path) -> None:
    mine, theirs = Parts(tmp_path / "mine", "me"), Parts(tmp_path / "theirs", "them")
    for parts in (mine, theirs):
        parts.write("a-1.npz", b"one")
        parts.write("a-2.npz", b"two")
    one, two = sorted((tmp_path / "mine").iterdir())
    assert [Parts(tmp_path / "mine", "me").read(name) for name in ("a-1.npz", "a-2.npz", "a-3.npz")] == [b"one", b"two", None]
    assert Parts(tmp_path / "mine", "them").read("a-1.npz") is None
    one.write_bytes(b"two")
    assert mine.read("a-1.npz") is None and not mine.are_whole(["a-2.npz", "a-1.npz"])
    one.unlink()
    two.rename(one.with_name(two.name.replace("a-2", "a-1")))
    again = Parts(tmp_path / "mine", "me")
    assert list(again) == ["a-1.npz"] and again.read("a-1.npz") is None
    again.write("a-1.npz", b"one")
    assert again.read("a-1.npz") == b"one"


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"as it was")
    kept = checksum(file)
    assert problem_of(file, kept) is None
    file.write_bytes(b"as it is!")
    assert problem_of(file, kept, thorough=False) is None
    assert "content" in str(problem_of(file, kept))
    file.write_bytes(b"as it")
    assert "5 bytes, of 9" in str(problem_of(file, kept, thorough=False))
    file.unlink()
    assert problem_of(file, kept) == "is missing"


def test_a_folder_whose_meta_was_edited_is_refused_with_the_way_out(small: Scenario, tmp_path: Path) -> None:
    SimulationRunner(small, 2).run(tmp_path / "run")
    meta = tmp_path / "run" / "meta.json"
    meta.write_text(meta.read_text().replace('"seed": 0', '"seed": 1'))
    with raises(RunFolderError, tmp_path / "run", names=["copy", f"{tmp_path}/run/scenario.toml"]):
        SimulationResult.load(tmp_path / "run")
