"""Executors: the same bytes wherever chunks are run, and what becomes of them when workers and drivers end, hang or differ."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import executor_jobs
from conftest import DEADLINE, assert_says, raises, ran, refused
from dealermarket import (
    Executor,
    ExecutorError,
    ParameterError,
    Scenario,
    SimulationRunner,
    executor_on,
)
from dealermarket.runs.executors import Task, cluster
from dealermarket.study.study import Study, measure
from executor_jobs import ODD, Cautious, Odd
from test_runner import files_of


def _kind(name: str) -> object:
    marks = [pytest.mark.slow, pytest.mark.skipif(find_spec(name) is None, reason=f"needs the extra `{name}`")]
    return pytest.param(name, marks=[] if name == "processes" else marks)


CLUSTERS = ("dask", "ray")
KINDS = [_kind(name) for name in ("processes", *CLUSTERS)]
HANGS_FOR = 6.0  # seconds; a new worker that needs more gets the chunk once more
TASKS = 8


@pytest.fixture(autouse=True, scope="module")
def _workers_find_this_folder() -> Iterator[None]:
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
        yield


@pytest.fixture(scope="module", params=KINDS)
def workers(request: pytest.FixtureRequest, _workers_find_this_folder: None) -> Iterator[Executor]:
    """Two workers, the same for all tests that end none of them."""
    with executor_on(f"{request.param}:2") as executor:
        yield executor


def sums(executor: Executor, job: Odd) -> dict[int, int]:
    """What comes of chunks of a replica each."""
    found: dict[int, int] = {}

    def keep(task: Task[int], result: int) -> None:
        assert task.replicas.start not in found, "handed over twice"
        found[task.replicas.start] = result

    steps: list[int] = []
    executor.run((Task(job, range(n, n + 1)) for n in range(TASKS)), keep, steps.append)
    assert sum(steps) == TASKS
    return found


# --- the same bytes


@pytest.mark.usefixtures("tiny_chunks")
def test_runs_and_studies_have_the_same_bytes(workers: Executor, small: Scenario, tmp_path: Path) -> None:
    market = small.with_policies({"maker-1": Cautious()})
    for name, where in (("threads", None), ("workers", workers)):
        SimulationRunner(small, 7, record="requests").run(tmp_path / name, executor=where)
    assert files_of(tmp_path / "workers") == files_of(tmp_path / "threads")
    # a policy and an observer of one's own
    study = Study("own", {"a": small, "b": market}, 5, executor_jobs.positions)
    assert measure([study], executor=workers) == measure([study])
    frames = [SimulationRunner(market, 5).run(executor=where).summary for where in (None, workers)]
    assert frames[0].equals(frames[1])


@pytest.mark.usefixtures("lists_as_they_were")
def test_what_is_registered_is_there(workers: Executor, small: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    from dealermarket.runs import statistics

    monkeypatch.setattr(statistics, "_registered", {executor_jobs.TRADED.name: executor_jobs.TRADED})
    frames = [SimulationRunner(small, 2).run(executor=where).summary for where in (None, workers)]
    assert (frames[1]["traded"] > 0).all()
    assert frames[0].equals(frames[1])


def test_what_has_no_name_is_refused_by_processes_alone(workers: Executor, small: Scenario) -> None:
    study = Study("own", {"a": small}, 2, lambda scenario, chunk: {"position": chunk.record.position})
    if type(workers).__name__ == "ProcessExecutor":
        with raises(ExecutorError, "executor", names=["threads"]):
            measure([study], executor=workers)
    else:
        assert measure([study], executor=workers) == measure([study])


# --- what goes wrong


def test_a_worker_that_dies_costs_its_chunk(workers: Executor, tmp_path: Path) -> None:
    assert sums(workers, Odd(tmp_path, "is killed")) == {n: n for n in range(TASKS)}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_worker_that_hangs_costs_its_chunk(workers: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "timeout", HANGS_FOR)
    assert sums(workers, Odd(tmp_path, "hangs")) == {n: n for n in range(TASKS)}
    assert len(list(tmp_path.iterdir())) >= 2


def test_a_chunk_that_ends_every_worker_ends_the_run(tmp_path: Path) -> None:
    with (
        raises(ExecutorError, "executor", names=["replicas", str(ODD), "signal"]),
        executor_on("processes:2") as workers,
    ):
        sums(workers, Odd(tmp_path, "is killed", times=100))
    assert len(list(tmp_path.iterdir())) == 4


def test_an_error_is_raised_once_as_it_is(workers: Executor, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    with pytest.raises(ZeroDivisionError) as caught:
        sums(workers, Odd(tmp_path / "a", "raises", 100))
    assert str(caught.value) == "a chunk of one's own"
    (note,) = caught.value.__notes__
    assert executor_jobs.__file__ in note
    assert caught.value.__cause__ is caught.value.__context__ is None
    with raises(ExecutorError, "OwnError", names=["this", "that"]):
        sums(workers, Odd(tmp_path / "b", "raises its own", 100))
    assert [len(list((tmp_path / name).iterdir())) for name in "ab"] == [1, 1]


def test_an_error_while_results_are_kept_ends_the_run(workers: Executor, tmp_path: Path) -> None:
    def full(task: Task[int], result: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        workers.run([Task(Odd(tmp_path, ""), range(n, n + 1)) for n in range(TASKS)], full, lambda _: None)


# --- the driver

DRIVER = """
import os, signal, sys
from pathlib import Path
from dealermarket.commands import run as of_run
from dealermarket.commands.main import main
from dealermarket.runs import chunks
from dealermarket.runs.folder import RunFolder

chunks._CHUNK_NUMBERS = 2 * 30 * 30
kind, end = sys.argv[1], int(sys.argv[2])

def descendants(pid):
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for each in child.read_text().split():
            yield int(each)
            yield from descendants(each)

write, written = RunFolder.write, []

def write_three(folder, chunk):
    write(folder, chunk)
    written.append(chunk.first)
    if len(written) == 3:
        print("pids", *descendants(os.getpid()), flush=True)
        os.killpg(0, end) if end == signal.SIGINT else os.kill(os.getpid(), end)  # as a terminal does

if __name__ == "__main__":
    RunFolder.write = write_three
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored in what a shell runs in the background
    sys.exit(main(["run", "paper", "--steps", "30", "--replicas", "20", "--out", "stopped", "--on", kind, "--threads", "2"]))
"""


def is_gone(pid: int) -> bool:
    """Whether a process has ended; whoever is to be told of it may not have looked."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [9, 2], ids=["SIGKILL", "Ctrl-C"])
def test_a_driver_that_ends_leaves_nothing_and_is_resumed(
    kind: str, end: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Scenario
) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    command = [sys.executable, str(script), kind, str(end)]
    # all that inherit its output must be gone before that is at its end
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, start_new_session=True, check=False
    )
    assert done.returncode == (130 if end == 2 else -9), done.stderr
    assert "Traceback" not in done.stderr
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("pids")]
    pids = [int(pid) for pid in told.split()[1:]]
    assert len(pids) >= 2
    waiting_for_their_end(pids)
    assert not json.loads((tmp_path / "stopped" / "meta.json").read_text())["complete"]
    with monkeypatch.context() as patch:
        patch.setattr("dealermarket.runs.chunks._CHUNK_NUMBERS", 2 * 30 * 30)
        SimulationRunner.resume(tmp_path / "stopped", threads=2)
        SimulationRunner(Scenario.load("paper", ["steps=30"]), 20).run(tmp_path / "whole")
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "whole")


def waiting_for_their_end(pids: list[int]) -> None:
    """Waits for processes that are none of ours."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([handle], [], [], DEADLINE)
        os.close(handle)
        assert ready or is_gone(pid)


# --- the command and its options


def test_the_command_runs_kinds_of_ones_own_in_processes(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "from dealermarket import register\n"
        "from dealermarket.runs.statistics import ASSET, Statistic\n"
        "volume = lambda scenario, sums: sums.totals['volume']\n"  # no other process knows it by name
        "register(Statistic(name='traded', heading='t', unit=ASSET, meaning='volume', function=volume))\n"
    )
    common = ["--with", str(own), "run", "paper", "--steps", "20", "--replicas", "3"]
    for on in ("threads", "processes:2"):
        ran([sys.executable, "-m", "dealermarket", *common, "--on", on, "--out", on[:7]], cwd=tmp_path)
    assert files_of(tmp_path / "process") == files_of(tmp_path / "threads")


def test_options_that_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_says(refused(capsys, "run", "paper", "--on", "proceses"), "executor", "'proceses'", names=["processes", "dask"])
    assert_says(refused(capsys, "run", "paper", "--on", "threads:host:1"), "executor", names=["threads:4"])
    both = refused(capsys, "sweep", "paper", "--vary", "steps=2,3", "--on", "processes:2", "--threads", "3")
    assert_says(both, "executor", names=["processes:2", "3"])
    for bad, shown in (("threads:0", "0"), ("processes:2000", "2,000")):
        with raises(ParameterError, "workers", shown):
            executor_on(bad)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", CLUSTERS)
def test_an_extra_that_is_missing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with raises(ExecutorError, "executor", names=[f"pip install 'dealermarket[{kind}]'"]):
        executor_on(kind)


@pytest.mark.parametrize("kind", [_kind(name) for name in CLUSTERS])
def test_nobody_answers(kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refused(capsys, "run", "paper", "--on", f"{kind}:{place}")
    assert_says(said, "executor", names=[f"{kind}:{place}"])
    assert not list(tmp_path.glob("runs/*"))
    with raises(ParameterError, "executor", "'no host'"):
        executor_on(f"{kind}:no host")


@pytest.mark.parametrize("workers", [_kind(name) for name in CLUSTERS], indirect=True)  # processes are of this very program
def test_workers_of_another_version(workers: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers.close()
    own = cluster.basis()
    monkeypatch.setattr(cluster, "basis", lambda: {**own, "dealermarket": "9.9.9"})
    with pytest.raises(ExecutorError) as caught:
        sums(workers, Odd(tmp_path, ""))
    assert f"dealermarket {own['dealermarket']}, not 9.9.9" in str(caught.value)
    assert "numba" not in str(caught.value)
