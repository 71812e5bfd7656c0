"""Where compiled code and hedging tables are kept between runs."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def cache_folder() -> Path | None:
    """A folder that can be written: `DEALERMARKET_CACHE_DIR`, or the user's cache folder, or a temporary one; else None."""
    for folder in _candidates():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _candidates() -> list[Path]:
    chosen = os.environ.get("DEALERMARKET_CACHE_DIR")
    if chosen:
        return [Path(chosen)]
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return [base / "dealermarket", Path(tempfile.gettempdir()) / f"dealermarket-{user}"]
