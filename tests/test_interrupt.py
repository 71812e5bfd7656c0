"""Ctrl-C: when it is answered, what it waits for, and that nothing keeps the command from ending."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import DEADLINE, UNCOMPILED, ran
from dealermarket import SimulationResult, interrupt
from dealermarket.commands import run as of_run
from dealermarket.commands.console import progress
from dealermarket.commands.main import main
from dealermarket.compiled import compiled
from dealermarket.disk import replacing
from dealermarket.runs.folder import RunFolder

SMALL = ["--steps", "20", "--replicas", "3", "--threads", "1"]
Press = Callable[[], None]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")


def nothing_was_answered() -> bool:
    """Whether all is as it was before `answered`."""
    names = [thread.name for thread in threading.enumerate()]
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler and not interrupt.pressed() and "interrupt" not in names


# --- where it is answered


def test_outside_the_command_nothing_is_different(ctrl_c: Press) -> None:
    hook = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), interrupt.held():
        ctrl_c()
    interrupt.check()
    with interrupt.raising(), interrupt.spared():
        assert not interrupt.pressed()
    assert interrupt.outcome() == "interrupted"
    with interrupt.answered():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert nothing_was_answered()
    assert sys.unraisablehook is hook


def test_it_is_answered_once_whatever_is_within(ctrl_c: Press) -> None:
    with interrupt.answered():
        with interrupt.answered():
            ctrl_c()
        assert interrupt.pressed()  # the outer one goes on
    assert nothing_was_answered()


def test_other_threads_and_backgrounds_are_left_alone(ctrl_c: Press) -> None:
    handlers: list[object] = []

    def record_handler() -> None:
        with interrupt.answered():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=record_handler)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    record_handler()
    assert handlers[1] is signal.SIG_IGN


# --- when it is raised


def interrupted(*work: Callable[[], object]) -> bool:
    """Whether one of these, one after the other, is left by a KeyboardInterrupt where the command raises them."""
    try:
        with interrupt.raising():
            for part in work:
                part()
    except KeyboardInterrupt:
        return True
    return False


def test_it_is_raised_at_once_where_nothing_is_in_the_way(ctrl_c: Press) -> None:
    after: list[str] = []
    with interrupt.answered():
        assert interrupted(ctrl_c, lambda: after.append("went on"))
        assert interrupt.pressed()
        assert interrupted()  # nothing is begun any more
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert after == []


def test_it_waits_for_a_stretch_that_must_not_be_cut(ctrl_c: Press) -> None:
    after: list[str] = []

    def stretch() -> None:
        with interrupt.held():
            with interrupt.held():
                ctrl_c()
                after.append("within")
            after.append("the outer one")

    with interrupt.answered():
        assert interrupted(stretch, lambda: after.append("went on"))
        with pytest.raises(KeyboardInterrupt):
            stretch()
    assert after == ["within", "the outer one"]


def test_it_waits_for_a_module_that_is_imported(ctrl_c: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pressing.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n")
    monkeypatch.syspath_prepend(".")
    with interrupt.answered():
        assert interrupted(lambda: importlib.import_module("pressing"), interrupt.check)
    assert importlib.import_module("pressing").whole


def test_it_waits_for_the_compiler(ctrl_c: Press) -> None:
    work = compile("press()\nwent_on.append(1)", "event.py", "exec")
    went_on: list[int] = []
    names = {"__name__": "numba.core.event", "press": ctrl_c, "went_on": went_on}
    with interrupt.answered():
        assert interrupted(lambda: exec(work, names), interrupt.check)
    assert went_on == [1]


@pytest.mark.skipif(UNCOMPILED, reason="nothing is compiled")
def test_a_function_is_compiled_to_the_end(ctrl_c: Press, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls it for the first time begins that."""
    from numba.core import event

    monkeypatch.setenv("DEALERMARKET_CACHE_DIR", str(tmp_path / "cache"))  # an empty one
    begun: list[object] = []

    class Listener(event.Listener):
        def on_start(self, event: object) -> None:
            if not begun:
                begun.append(event)
                ctrl_c()

        def on_end(self, event: object) -> None:
            pass

    returned: list[int] = []
    double = compiled(lambda x: 2 * x)
    with interrupt.answered(), event.install_listener("numba:compile", Listener()):
        assert interrupted(lambda: returned.append(double(4)), interrupt.check)
    assert begun and returned == [8]


class Pressing:
    """Something that Ctrl-C comes to while it is thrown away."""

    def __init__(self, press: Press) -> None:
        self.press = press

    def __del__(self) -> None:
        self.press()


def dropped(press: Press) -> None:
    """Ctrl-C in a destructor."""
    Pressing(press)


def called_back(press: Press) -> None:
    """Ctrl-C in a weak reference's callback."""
    thing = Pressing(lambda: None)
    _ = weakref.ref(thing, lambda _: press())
    del thing


@pytest.mark.parametrize("where", [dropped, called_back])
def test_what_python_drops_is_not_lost(ctrl_c: Press, capsys: pytest.CaptureFixture[str], where: Callable[[Press], None]) -> None:
    """Exceptions are reported there, and forgotten."""
    went_on: list[int] = []
    with interrupt.answered():
        assert interrupted(lambda: where(ctrl_c), lambda: went_on.append(1), interrupt.check)
    assert went_on == [1]
    assert capsys.readouterr().err == ""


def test_what_else_python_drops_is_reported(ctrl_c: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type))

    def fail() -> None:
        raise ZeroDivisionError

    with interrupt.answered():
        Pressing(fail)
    assert seen == [ZeroDivisionError]


def test_threads_see_it_too(ctrl_c: Press) -> None:
    raised: list[type] = []

    def work() -> None:
        try:
            interrupt.check()
        except KeyboardInterrupt as error:
            raised.append(type(error))

    with interrupt.answered():
        ctrl_c()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert raised == [KeyboardInterrupt]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no masks of signals")
def test_processes_begun_within_are_spared(ctrl_c: Press) -> None:
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    outputs = []
    for begin in (interrupt.spared, interrupt.held):
        with begin():
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            outputs.append(done.stdout.strip())
    assert outputs == ["True", "False"]


# --- the command's one way out


def test_the_command_says_what_was_kept(ctrl_c: Press, capsys: pytest.CaptureFixture[str]) -> None:
    with interrupt.answered():
        interrupt.keep(Path("here"), "run")
        assert interrupt.outcome() == "interrupted; nothing was written"
        Path("here").mkdir()
        Path("here/meta.json").write_text('{"complete": false}')
        assert interrupt.outcome() == "interrupted; finish it with: dealermarket run --resume here"
        Path("here/meta.json").write_text('{"complete": true}')
        assert interrupt.outcome() == "interrupted; here is complete"
        Path("a b").mkdir()
        Path("a b/meta.json").write_text('{"complete": false}')
        interrupt.keep(Path("a b"), "train")
        assert interrupt.outcome().endswith("dealermarket train --resume 'a b'")
    assert interrupt.outcome() == "interrupted"


def test_a_folder_is_made_whole_before_ctrl_c_is_answered(
    ctrl_c: Press, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = RunFolder._write_meta

    def pressed(folder: RunFolder) -> None:
        write(folder)
        ctrl_c()

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "_write_meta", pressed)
        assert main(["run", "paper", *SMALL, "--out", "cut"]) == 130
    assert "interrupted; finish it with: dealermarket run --resume cut" in capsys.readouterr().err
    assert main(["run", "--resume", "cut"]) == 0
    assert len(SimulationResult.load("cut").summary) == 6


def test_a_run_that_is_complete_is_said_to_be(
    ctrl_c: Press, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(of_run, "print_makers", lambda *_, **__: ctrl_c())
    assert main(["run", "paper", *SMALL, "--out", "here"]) == 130
    assert "interrupted; here is complete" in capsys.readouterr().err
    assert json.loads(Path("here/meta.json").read_text())["complete"] is True


@pytest.mark.parametrize("error", [RuntimeError("release unlocked lock"), SystemExit(1), MemoryError(), OSError("cut")])
def test_an_error_that_comes_of_ctrl_c_is_none(
    ctrl_c: Press, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    def broken(*_: object) -> None:
        try:
            ctrl_c()
        except KeyboardInterrupt:
            raise error from None

    monkeypatch.setattr(of_run, "progress", lambda *_: broken())
    assert main(["run", "paper", *SMALL, "--out", "here"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "interrupted; nothing was written"
    assert nothing_was_answered()


def test_without_ctrl_c_an_error_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(of_run, "progress", broken)
    with pytest.raises(RuntimeError):
        main(["run", "paper", *SMALL, "--out", "here"])


def test_one_that_python_drops_ends_the_command_between_chunks(
    ctrl_c: Press, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forgetful(*arguments: object) -> object:
        Pressing(ctrl_c)
        return progress(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(of_run, "progress", forgetful)
    assert main(["run", "paper", *SMALL, "--out", "here"]) == 130
    assert "Exception ignored" not in capsys.readouterr().err


def test_files_that_are_not_written_to_the_end_are_not_there() -> None:
    def half() -> None:
        with replacing(Path("file")) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    assert interrupted(half)
    assert os.listdir() == []


# --- the end that nothing can stop

# A command that lets no KeyboardInterrupt through; it says when it waits, and when it waits again
STUCK = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from dealermarket import interrupt
from dealermarket.commands import main as commands

def stuck(*_, **__):
    interrupt.keep(Path("here"), "run")
    while True:
        try:
            print("stuck", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            pass

interrupt.GRACE = float(sys.argv[1])
commands.app = stuck
sys.exit(commands.main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be sent SIGINT")
@pytest.mark.parametrize("presses", [1, 2], ids=["after a while", "pressed again"])
def test_nothing_keeps_the_command_from_ending(presses: int) -> None:
    Path("here").mkdir()
    Path("here/meta.json").write_text('{"complete": false}')
    command = [sys.executable, "-c", STUCK, "0.1" if presses == 1 else str(DEADLINE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = threading.Timer(DEADLINE, process.kill)
        deadline.start()
        try:
            assert process.stdout is not None
            for _ in range(presses):  # before the second one, the first one has been swallowed
                assert process.stdout.readline() == "stuck\n"
                process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        finally:
            deadline.cancel()
            process.kill()
    assert process.returncode == 130, said
    assert said == "interrupted; finish it with: dealermarket run --resume here\n"


# --- as a program


def test_the_program_ends_with_the_status_of_its_command() -> None:
    for arguments, status in (["scenarios"], 0), (["run", "papr"], 2):
        command = [sys.executable, "-m", "dealermarket", *arguments]
        assert subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False).returncode == status


@pytest.mark.parametrize("module", ["dealermarket.interrupt", "dealermarket.commands.main", "cyclopts", "pydantic"])
def test_the_program_answers_ctrl_c_while_its_libraries_are_imported(module: str) -> None:
    code = (
        "import runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['dealermarket', 'scenarios']\n"
        "runpy.run_module('dealermarket', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_program_imports_next_to_nothing_before_it_answers_ctrl_c() -> None:
    code = (
        "import sys, signal\n"
        "before = set(sys.modules)\n"
        "import dealermarket.__main__\n"
        "assert set(sys.modules) - before == {'dealermarket', 'dealermarket.__main__'}, set(sys.modules) - before\n"
    )
    ran([sys.executable, "-c", code])
