"""Options that several commands take, each described once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from dealermarket.errors import ParameterError, RunFolderError
from dealermarket.runs.chunks import cores
from dealermarket.runs.executors import Executor, executor_on
from dealermarket.values import short, whole_number

MOST_THREADS = 1024


def flag(text: str, name: str | None = None) -> Parameter:
    """An option that is given or not."""
    return Parameter(name=name, negative=(), show_default=False, help=text)


def repeated(name: str, text: str) -> Parameter:
    """An option that may be given several times."""
    return Parameter(name=name, negative=(), show_default=False, help=text)


def place(text: str) -> Parameter:
    """A file or folder; an empty text, such as that of a shell's variable that nobody has set, is none."""
    return Parameter(help=text, converter=_path)


def _path(_: Any, tokens: Sequence[Token]) -> Path:
    (token,) = tokens
    if not token.value:
        raise RunFolderError(f"{token.keyword or 'PATH'}: must name a file or folder, got ''; name one, or leave it out")
    return Path(token.value)


def whole(text: str) -> Parameter:
    """A whole number; others are refused, not rounded."""
    return Parameter(help=text, converter=_whole)


def _whole(_: Any, tokens: Sequence[Token]) -> int:
    (token,) = tokens
    try:
        return int(token.value)
    except ValueError:
        raise ParameterError(f"must be a whole number, got {short(token.value)}") from None  # cyclopts says of which option


Run = Annotated[Path, place("The folder of a run.")]
Seed = Annotated[int | None, whole("Numbers depend on scenario, seed and replica alone; 0 if not given.")]
Settings = Annotated[
    tuple[str, ...], repeated("--set", "Change a field, such as makers.0.pricing.alpha=1.3 or makers.*.hedging.kind=none.")
]
Policies = Annotated[
    tuple[str, ...],
    repeated(
        "--policy", "A maker's policy, MAKER=POLICY, such as maker-1=random, maker-1=skew:strength=0.3 or maker-1=FILE.npz."
    ),
]
Contestant = Annotated[
    str,
    Parameter(
        help="Kinds, such as random or adaptive; kinds with parameters, such as skew:strength=0.3,scale=10; files of trained "
        "policies."
    ),
]
Contested = Annotated[str | None, Parameter(help="Whose place the policies take; the first maker's if not given.")]
Threads = Annotated[int | None, whole("Threads, or workers of --on; as many as there are cores if not given.")]
On = Annotated[
    str | None,
    Parameter(
        help="Where it runs: threads, processes, dask or ray, or a cluster: dask:HOST:PORT, ray:HOST:PORT; threads if not given."
    ),
]


def number_of_threads(given: int | None) -> int:
    """As many as were asked for, or as there are cores. Raises ParameterError for a number that cannot be."""
    return cores() if given is None else whole_number("--threads", given, 1, MOST_THREADS)


def executor_of(on: str | None, threads: int | None) -> Executor:
    """Where a command runs. Raises ParameterError, or ExecutorError where an extra is not installed."""
    return executor_on(on or "threads", None if threads is None else number_of_threads(threads))
