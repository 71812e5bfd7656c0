"""How much memory this machine has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def machine_memory() -> int | None:
    """The bytes of memory that this process can ever get; None where the system does not say."""
    limits = []
    with suppress(AttributeError, ValueError, OSError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):  # a container's
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits, default=None)
