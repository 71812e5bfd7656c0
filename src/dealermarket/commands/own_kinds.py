"""Kinds of one's own for the command: `dealermarket --with my_kinds.py run mine.toml`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dealermarket.errors import DealerMarketError, ParameterError
from dealermarket.program import WITH, called_with, load_file


def registered_from(arguments: Sequence[str]) -> list[str]:
    """Runs the files that `--with FILE` names in front of a command, so that they register what they define; returns the other
    arguments. Raises ParameterError for a file that is not there or does not run through."""
    rest, files = list(arguments), []
    while rest[:1] == [WITH]:
        if len(rest) < 2:
            raise ParameterError(f"{WITH}: give the Python file that registers your kinds, and then the command")
        files.append(Path(rest[1]))
        rest = rest[2:]
    if WITH in rest:
        raise ParameterError(f"{WITH}: goes in front of the command: dealermarket {WITH} FILE.py {rest[0]} ...")
    called_with(files)
    for file in files:
        _run(file)
    return rest


def _run(path: Path) -> None:
    if not path.is_file():
        raise ParameterError(f"{WITH} {path}: there is no such file")
    if path.suffix != ".py":
        raise ParameterError(f"{WITH} {path}: is no Python file; its name must end in .py")
    file = path.resolve()
    try:
        load_file(file)
    except DealerMarketError as error:
        raise ParameterError(f"{WITH} {path}: {error}") from None
    except Exception as error:  # whatever is wrong in somebody's file
        place, trace = "", error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == str(file):
                place = f"line {trace.tb_lineno}: "
            trace = trace.tb_next
        raise ParameterError(f"{WITH} {path}: {place}{type(error).__name__}: {error}") from None
