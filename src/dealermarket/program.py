"""How this program was called: what is said of commands to type next, and what works for this one, must load the same kinds."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

WITH = "--with"
"""The option in front of a command that names a file of kinds."""

_files: list[Path] = []


def called_with(files: Sequence[Path]) -> None:
    """Says which files of kinds were loaded for the command that runs now."""
    _files[:] = files


@contextmanager
def called() -> Iterator[None]:
    """A call of the program, at the end of which the files of its command are no longer those of the one that runs now."""
    try:
        yield
    finally:
        called_with(())


def program() -> str:
    """What a command of this program begins with, to be typed in the same folder."""
    return " ".join(["dealermarket", *(f"{WITH} {shlex.quote(str(file))}" for file in _files)])


def files_of_kinds() -> tuple[Path, ...]:
    """The files of kinds that were loaded for the command that runs now, without relative steps."""
    return tuple(file.resolve() for file in _files)


def module_of(file: Path) -> str:
    """The name of the module that a file of kinds becomes; `file` has no relative steps."""
    return f"dealermarket_with_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}_{file.stem}"


def load_file(file: Path, content: bytes | None = None) -> None:
    """Runs a file of kinds as its module, `content` in place of what stands there. Raises ImportError for what is no Python file,
    and whatever the file does."""
    name = module_of(file)
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    sys.modules[name] = module
    if content is None:
        spec.loader.exec_module(module)
    else:
        exec(compile(content, file, "exec"), vars(module))
