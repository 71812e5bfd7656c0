"""Kinds of one's own for the command: `dealermarket --with my_kinds.py run mine.toml`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from dealermarket.errors import DealerMarketError, ParameterError

OPTION = "--with"


def registered_from(arguments: Sequence[str]) -> list[str]:
    """Runs the files that `--with FILE` names in front of a command, so that they register what they define; returns the other
    arguments. Raises ParameterError for a file that is not there or does not run through."""
    rest = list(arguments)
    while rest[:1] == [OPTION]:
        if len(rest) < 2:
            raise ParameterError(f"{OPTION}: give the Python file that registers your kinds, and then the command")
        _run(Path(rest[1]))
        rest = rest[2:]
    return rest


def _run(path: Path) -> None:
    if not path.is_file():
        raise ParameterError(f"{OPTION} {path}: there is no such file")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ParameterError(f"{OPTION} {path}: is no Python file; its name must end in .py")
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except DealerMarketError as error:
        raise ParameterError(f"{OPTION} {path}: {error}") from None
    except Exception as error:  # whatever is wrong in somebody's file
        place, trace = "", error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == spec.origin:
                place = f"line {trace.tb_lineno}: "
            trace = trace.tb_next
        raise ParameterError(f"{OPTION} {path}: {place}{type(error).__name__}: {error}") from None
