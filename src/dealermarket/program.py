"""How this program was called: what is said of commands to type next must load the same kinds again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

WITH = "--with"
"""The option in front of a command that names a file of kinds."""

_files: list[Path] = []


def called_with(files: Sequence[Path]) -> None:
    """Says which files of kinds were loaded for the command that runs now."""
    _files[:] = files


def program() -> str:
    """What a command of this program begins with, to be typed in the same folder."""
    return " ".join(["dealermarket", *(f"{WITH} {shlex.quote(str(file))}" for file in _files)])
