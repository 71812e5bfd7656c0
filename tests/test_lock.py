"""Folders of work that are in use, and names that several take at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import DEADLINE, assert_says, raises, refused
from dealermarket import RunFolderError, Scenario, SimulationResult, SimulationRunner, lock
from dealermarket.disk import replacing
from dealermarket.learning.folder import TrainingFolder
from dealermarket.learning.training import Training
from dealermarket.lock import FolderLock, in_use
from dealermarket.papers import Plan, experiment_named
from dealermarket.papers.report_folder import ReportFolder
from dealermarket.runs import work_folder
from dealermarket.runs.folder import RunFolder
from dealermarket.runs.work_folder import WorkFolder, new_folder


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_folder_is_locked_until_it_is_released() -> None:
    held = FolderLock(Path())
    assert in_use(Path())
    with raises(RunFolderError, ".", names=["in use", "wait"]):
        FolderLock(Path())
    held.release()
    assert not in_use(Path()) and not list(Path().iterdir())
    dropped = FolderLock(Path())
    del dropped  # as by an error that nobody was prepared for
    FolderLock(Path()).release()


def test_the_lock_dies_with_its_process() -> None:
    code = (
        "import sys, time; from pathlib import Path; from dealermarket.lock import FolderLock\n"
        "held = FolderLock(Path()); print('held', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            with raises(RunFolderError, ".", names=["in use", f"process {process.pid}"]):
                FolderLock(Path())
        finally:
            process.kill()  # SIGKILL where there is one
            process.wait(DEADLINE)
    assert Path(lock.LOCK).exists()  # it is left behind, and locks nothing
    assert not in_use(Path())
    FolderLock(Path()).release()


def test_a_lock_file_that_was_removed_meanwhile_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    real, tried = lock._try_lock, []

    def removed_by_its_holder(descriptor: int) -> bool:
        tried.append(descriptor)
        if len(tried) == 1:
            Path(lock.LOCK).unlink()
        return real(descriptor)

    monkeypatch.setattr(lock, "_try_lock", removed_by_its_holder)
    held = FolderLock(Path())
    assert len(tried) == 2 and in_use(Path())
    held.release()


def begun_run(path: Path) -> WorkFolder:
    scenario = Scenario.load("paper", ["steps=20"])
    return RunFolder.create(path, scenario, SimulationRunner(scenario, 2)._meta())


def begun_training(path: Path) -> WorkFolder:
    scenario = Scenario.load("learning")
    return TrainingFolder.create(path, Training(scenario=scenario, makers=scenario.maker_names[:1], steps=128, markets=8))


def begun_report(path: Path) -> WorkFolder:
    return ReportFolder.create(path, [Plan.of(experiment_named("curves"))], seed=0)


@pytest.mark.parametrize(("command", "begun"), [("run", begun_run), ("train", begun_training), ("experiment", begun_report)])
def test_a_folder_in_use_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, begun: Callable[[Path], WorkFolder]
) -> None:
    monkeypatch.setattr("dealermarket.commands.train.NEEDED", ())  # as if all were installed
    with begun(Path("here")) as folder:
        before = {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
        said = refused(capsys, command, "--resume", "here").splitlines()[-1]
        assert_says(said, "here", names=["in use", "process", "wait"])
        with raises(RunFolderError, "here", names=["in use"]):
            type(folder).taken(Path("here"))
        assert before == {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file()}
    with type(folder).taken(Path("here")):
        pass
    assert not Path("here", lock.LOCK).exists()


def test_a_run_that_another_process_has_finished_meanwhile_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun_run(Path("here")).close()

    def at_last(path: Path) -> FolderLock:
        monkeypatch.setattr(work_folder, "FolderLock", FolderLock)
        SimulationRunner.resume(path)
        return FolderLock(path)

    monkeypatch.setattr(work_folder, "FolderLock", at_last)
    done: list[int] = []
    assert len(SimulationRunner.resume(Path("here"), progress=done.append).summary) == 4
    assert done == [] and SimulationResult.load("here").complete


def test_an_error_lets_go_of_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = SimulationRunner(Scenario.load("paper", ["steps=20"]))
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runner.run("here")
        with pytest.raises(ZeroDivisionError):
            runner.run().save("there")
    assert SimulationRunner.resume("here").complete
    assert not in_use(Path("there"))


def test_names_that_are_taken_at_once_are_different() -> None:
    with new_folder(None, Path("runs"), "a b") as first, new_folder(None, Path("runs"), "a b") as second:
        assert [first, second] == [Path("runs/a-b-1"), Path("runs/a-b-2")]
        (second / "file").touch()
    assert [path.name for path in Path("runs").iterdir()] == ["a-b-2"]  # nothing was put into the other one
    with new_folder(None, Path("runs"), "a b") as third:
        assert third == Path("runs/a-b-1")


def test_of_two_who_are_told_the_same_folder_one_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find it free; the second one finds out when it is there."""
    real = WorkFolder.check_free
    calls: list[Path] = []

    def slow(path: Path) -> None:
        calls.append(path)
        if len(calls) == 1:
            begun_run(path).close()
        else:
            real(path)

    monkeypatch.setattr(WorkFolder, "check_free", staticmethod(slow))
    with raises(RunFolderError, "here", names=["--out", "--resume"]):
        begun_run(Path("here"))
    assert not in_use(Path("here"))


def test_two_who_write_one_file_do_not_write_into_each_others() -> None:
    with replacing(Path("file")) as first, replacing(Path("file")) as second:
        first.write_text("first")
        second.write_text("second")
    assert Path("file").read_text() == "first"
    assert [path.name for path in Path().iterdir()] == ["file"]
