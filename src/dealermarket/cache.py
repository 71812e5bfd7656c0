"""Where compiled code and hedging tables are kept between runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

from dealermarket.disk import try_writing

_ROOM = 32 << 20  # bytes: more than the machine code of an engine takes


def cache_folder() -> Path | None:
    """A folder that can be written: `DEALERMARKET_CACHE_DIR`, or the user's cache folder, or a temporary one; else None."""
    for folder in _candidates():
        try:
            return _made(folder)
        except OSError:
            continue
    return None


def why_nothing_is_kept() -> str | None:
    """In words, why what is made now will not be there for later runs; None where it will."""
    folder = cache_folder() or _candidates()[0]
    try:
        try_writing(_made(folder), _ROOM)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _candidates() -> list[Path]:
    chosen = os.environ.get("DEALERMARKET_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return [
        platformdirs.user_cache_path("dealermarket", appauthor=False),
        Path(tempfile.gettempdir()) / f"dealermarket-{user}",
    ]
