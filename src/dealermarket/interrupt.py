"""Ctrl-C, as the command answers it.

Python's own answer is a KeyboardInterrupt wherever the main thread happens to be. In a destructor, in the callback of a
library or while a module is imported it gets lost, and in the middle of a library's work it can leave a lock taken, so that
closing what is open waits for ever. While the command runs, therefore:

- The first Ctrl-C sets a flag. `check` looks at it between units of work: chunks, studies, rollouts, figures.
- Besides, KeyboardInterrupt is raised at once, but not while a module is imported or code compiled, nor within `held`.
- A thread waits beside the main one. It ends the process at once when Ctrl-C is pressed again, and after GRACE seconds where
  the main thread has not come to an end, as in a long call of compiled code. Files are written whole or not at all, so this
  loses what was under way and nothing else.

All of that holds within `answered` alone, which only the command's `main` enters. Whoever uses the package from Python gets
KeyboardInterrupts as ever: `check` and `held` do nothing then.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from dealermarket.program import program

STATUS = 130
"""The exit status of a command that was interrupted: 128 and the number of SIGINT."""
GRACE = 3.0
"""Seconds between the first Ctrl-C and the end of the process, at the latest."""

_UNSAFE = {"importlib", "numba", "llvmlite"}  # an exception that is raised while these work is lost, or taken for another


class _Answer:
    """What happened since `answered` was entered."""

    def __init__(self) -> None:
        self.pressed = False
        self.raises = False  # within `raising`
        self.raised = False  # once is enough: what comes later would cut the clean-up short
        self.holds = 0  # how many `held` are open
        self.kept: tuple[Path, str] | None = None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; Python runs it in the main thread."""
        self.pressed = True
        if self.raises and not self.raised and not self.holds and not _is_unsafe(frame):
            self.raised = True
            raise KeyboardInterrupt

    def watch(self, inbox: socket.socket) -> None:
        """Reads a byte a signal until the other end is closed; ends the process where that has to be."""
        presses, until = 0, None
        while True:
            inbox.settimeout(None if until is None else max(until - time.monotonic(), 1e-3))
            try:
                signals = inbox.recv(64)
            except TimeoutError:
                break
            if not signals:
                return
            presses += signals.count(signal.SIGINT)
            if presses > 1:
                break
            if presses == 1 and until is None:
                self.pressed = True  # the handler has to wait for the main thread
                until = time.monotonic() + GRACE
        self._end()

    def _end(self) -> None:
        # not by sys.stderr: the main thread may hold its lock
        cursor = "\x1b[?25h\n" if os.isatty(2) else ""  # a progress bar hides it
        os.write(2, f"{cursor}{outcome()}\n".encode())
        os._exit(STATUS)


_answer: _Answer | None = None


@contextmanager
def answered() -> Iterator[None]:
    """Answers Ctrl-C as the module says, until it is left. Only in the main thread, and not where SIGINT is ignored, as in a
    script's background; within another one it changes nothing."""
    global _answer  # noqa: PLW0603 (signals belong to the process)
    if _answer is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.getsignal(signal.SIGINT)
    _answer = answer = _Answer()
    try:
        if former is signal.SIG_IGN or former is None:
            yield
        else:
            with _watched(answer), _quiet(answer):
                signal.signal(signal.SIGINT, answer.handle)
                try:
                    yield
                finally:
                    signal.signal(signal.SIGINT, former)
    finally:
        _answer = None


@contextmanager
def raising() -> Iterator[None]:
    """Where the first Ctrl-C raises KeyboardInterrupt at once, within `answered`; elsewhere it waits for the next `check`."""
    answer = _answer
    if answer is None:
        yield
        return
    check()
    answer.raises = True
    try:
        yield
    finally:
        answer.raises = False


@contextmanager
def held() -> Iterator[None]:
    """A stretch that Ctrl-C does not cut, but where `check` is called; it is answered at the end."""
    answer = _answer
    if answer is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    if not answer.holds:
        check()
    answer.holds += 1
    try:
        yield
    finally:
        answer.holds -= 1
    if not answer.holds:
        check()


@contextmanager
def spared() -> Iterator[None]:
    """Processes that are begun within get no Ctrl-C, which a terminal sends to all: whoever began them answers it for them."""
    with held():
        if sys.platform == "win32":
            yield
            return
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # where it is begun later, it ends the blocking
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pressed() -> bool:
    """Whether somebody pressed Ctrl-C."""
    return _answer is not None and _answer.pressed


def check() -> None:
    """Raises KeyboardInterrupt if somebody pressed Ctrl-C; between units of work, in any thread."""
    if pressed():
        raise KeyboardInterrupt


def keep(folder: Path, command: str) -> None:
    """Says that what is done is kept in a folder, and that `command` finishes it."""
    if _answer is not None:
        _answer.kept = folder, command


def outcome() -> str:
    """What an interrupted command says: what was kept, and how to go on."""
    if _answer is None or _answer.kept is None:
        return "interrupted"
    folder, command = _answer.kept
    try:
        complete = bool(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["complete"])
    except (OSError, ValueError, KeyError, TypeError):
        return "interrupted; nothing was written"
    if complete:
        return f"interrupted; {folder} is complete"
    return f"interrupted; finish it with: {program()} {command} --resume {shlex.quote(str(folder))}"


def _is_unsafe(frame: FrameType | None) -> bool:
    """Whether an exception in this frame could be lost, or do damage."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _UNSAFE:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _watched(answer: _Answer) -> Iterator[None]:
    """The thread that waits beside the main one: C code writes a byte to it for every signal, whatever the main one does."""
    inbox, outbox = socket.socketpair()
    outbox.setblocking(False)
    former = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=answer.watch, args=(inbox,), name="interrupt", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        outbox.close()
        thread.join()
        inbox.close()


@contextmanager
def _quiet(answer: _Answer) -> Iterator[None]:
    """Says nothing of KeyboardInterrupts that get lost: the flag is there."""
    former = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if not (answer.pressed and isinstance(unraisable.exc_value, KeyboardInterrupt)):
            former(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = former
