"""What must be the same wherever chunks are run, and what a worker is told of the process that sends them."""

from __future__ import annotations

import pickle
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dealermarket.errors import ExecutorError
from dealermarket.program import files_of_kinds, load_file, module_of
from dealermarket.runs.statistics import forget_statistics, registered_statistics
from dealermarket.slots import from_outside, register, registered_kinds
from dealermarket.version import __version__

Pack = Callable[[Any], bytes]
WAY_OUT = "define it in a module that can be imported there, or leave it to threads (--on threads)"


@cache
def basis() -> Mapping[str, str]:
    """What the bits of results depend on besides the task: this package, what makes machine code, and the machine."""
    from dealermarket.compiled import COMPILES, among, identity
    from dealermarket.engine.advance import advance

    processor = platform.machine()
    if COMPILES:
        import numba
        from llvmlite.binding import get_host_cpu_name

        chosen: Any = numba.config
        processor += f" {chosen.CPU_NAME or get_host_cpu_name()}"
    return {
        "dealermarket": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "llvmlite")},
        "processor": processor,
        "compiling": "on" if COMPILES else "off",
        "C library": " ".join(platform.libc_ver()).strip() or sys.platform,
        "code": identity(among(advance, of_the_papers=True)),
    }


def check_basis(wanted: Mapping[str, str], where: str) -> None:
    """Raises ExecutorError where this process, named `where`, does not give the same bits."""
    own = basis() if wanted else {}
    unlike = [f"{name} {own.get(name)}, not {value}" for name, value in wanted.items() if own.get(name) != value]
    if unlike:
        raise ExecutorError(
            f"{where}: has {'; '.join(unlike)} as here, so that results would not be equal to the bit; install the same on the "
            "workers, and take machines of one kind"
        )


@dataclass(frozen=True)
class World:
    """Kinds and statistics from outside the package, as a worker needs them."""

    files: tuple[tuple[Path, bytes], ...]  # those named in front of the command, with their content
    modules: tuple[str, ...]  # where the others stand, which may register them
    things: tuple[bytes | str, ...]  # classes of kinds and statistics, each packed, or why it cannot be
    kinds: frozenset[str]  # what kinds are known by
    statistics: tuple[str, ...]  # names, in the order of columns

    @classmethod
    def here(cls, pack: Pack) -> World:
        """That of this process."""
        files = tuple((file, file.read_bytes()) for file in files_of_kinds())
        placed: list[tuple[Any, str]] = [(kind, kind.__module__) for kind in registered_kinds()]
        placed += [(statistic, statistic.function.__module__) for statistic in registered_statistics()]
        of_files = {module_of(file) for file, _ in files}
        things = [(thing, module) for thing, module in placed if module not in of_files]
        modules = dict.fromkeys(module for _, module in things if module != "__main__")
        sent = tuple(_or_why_not(thing, pack) for thing, _ in things)
        return cls(files, tuple(modules), sent, frozenset(from_outside()), _names())

    def enter(self, where: str) -> None:
        """Registers the same in this process, named `where`; statistics of others, who used it before, are gone. Raises
        ExecutorError where that is not possible."""
        forget_statistics()
        for file, content in self.files:
            load_file(file, content)
        for module in self.modules:
            with suppress(ImportError):
                import_module(module)
        if self._is_here():
            return
        for thing in self.things:
            if isinstance(thing, str):
                raise ExecutorError(thing)
            register(unpacked(thing, where))
        if not self._is_here():
            has, wanted = [*from_outside(), *_names()], [*sorted(self.kinds), *self.statistics]
            raise ExecutorError(f"{where}: has {has} registered, not {wanted}; {WAY_OUT}")

    def _is_here(self) -> bool:
        return self.kinds <= {*from_outside()} and self.statistics == _names()


def _names() -> tuple[str, ...]:
    return tuple(statistic.name for statistic in registered_statistics())


def _or_why_not(thing: Any, pack: Pack) -> bytes | str:
    try:
        return pack(thing)
    except ExecutorError as error:
        return str(error)


def unpacked(content: bytes, where: str) -> Any:
    """What was packed. Raises ExecutorError where this process, named `where`, lacks its code."""
    try:
        return pickle.loads(content)
    except (AttributeError, ImportError) as error:
        raise ExecutorError(f"{where}: {error}; {WAY_OUT}") from None


def packed(thing: Any) -> bytes:
    """A thing as another process of the same program can load it. Raises ExecutorError where it has no name there."""
    return _packed(thing, pickle.dumps)


def packed_by_value(thing: Any) -> bytes:
    """The same with functions and classes that have no name in a module, as far as possible; needs cloudpickle."""
    import cloudpickle

    return _packed(thing, cloudpickle.dumps)


def _packed(thing: Any, dumps: Callable[..., bytes]) -> bytes:
    try:
        return dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ExecutorError(f"executor: what is to be run cannot be sent to another process: {error}; {WAY_OUT}") from None
