"""What must be the same wherever chunks are run, and what a worker is told of the process that sends them."""

from __future__ import annotations

import pickle
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dealermarket.errors import ExecutorError
from dealermarket.program import files_of_kinds, load_file, module_of
from dealermarket.runs.statistics import registered_statistics
from dealermarket.runs.work_folder import registered_names
from dealermarket.slots import register, registered_kinds
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
    registered: bytes  # classes of kinds, and statistics, packed
    names: tuple[str, ...]  # what they are known by

    @classmethod
    def here(cls, pack: Pack) -> World:
        """That of this process. Raises ExecutorError where something registered cannot be sent."""
        things = (*registered_kinds(), *registered_statistics())
        files = tuple((file, file.read_bytes()) for file in files_of_kinds())
        return cls(files, pack(things) if things else b"", tuple(registered_names()))

    def enter(self, where: str) -> None:
        """Registers the same in this process, named `where`. Raises ExecutorError where that is not possible."""
        for file, content in self.files:
            if module_of(file) not in sys.modules:
                load_file(file, content)
        if self.registered:
            things, known = unpacked(self.registered, where), {*registered_kinds()}
            for thing in things:
                if not isinstance(thing, type) or thing not in known:
                    register(thing)
        if tuple(registered_names()) != self.names:
            raise ExecutorError(f"{where}: has {registered_names()} registered, not {list(self.names)}; {WAY_OUT}")


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
