"""Locks of folders: who works in a folder is alone in it.

The operating system holds the lock and lets go of it when the process ends, however it ends: a lock file that is left behind
locks nothing. Where a file system knows no locks, as some network ones, nothing is guarded.
"""

from __future__ import annotations

import errno
import os
import sys
import weakref
from contextlib import suppress
from pathlib import Path

from dealermarket.disk import errors_of
from dealermarket.errors import RunFolderError

LOCK = ".lock"
"""The name of the file in a folder that is locked; it is removed with the lock."""
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_BYTE = 2**30  # what is locked on Windows, where nobody could read the rest


class FolderLock:
    """The lock of a folder, held until `release`, or until nobody has this object any more."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock. Raises RunFolderError where another process has it, or this one has it already."""
        path = folder / LOCK
        with errors_of(path):
            descriptor = _locked(path)
        if descriptor is None:
            raise RunFolderError(
                f"{folder}: is in use: {_holder(path)} works in it; wait until that has ended, or choose another folder"
            )
        with suppress(OSError):  # on a full disk nobody learns who it is
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        self.release = weakref.finalize(self, _release, path, descriptor)


def in_use(folder: Path) -> bool:
    """Whether somebody holds the lock of a folder."""
    path = folder / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """The file, open and locked; None where somebody else has locked it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try_lock(descriptor):
                os.close(descriptor)
                return None
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was removed, with its lock, before this one was taken


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN  # else there are no locks here
    return True


def _release(path: Path, descriptor: int) -> None:
    with suppress(OSError):  # Windows removes no file that is open
        path.unlink()
    os.close(descriptor)
    if sys.platform == "win32":
        with suppress(OSError):
            path.unlink()


def _holder(path: Path) -> str:
    try:
        return f"process {int(path.read_text(encoding='utf-8'))}"
    except (OSError, ValueError):
        return "another process"
